/** Tasks and their parts as they are stored. */
import { canonicalizeResources } from './canonicalize-resources.js'
import { canonicalizeService } from './canonicalize-service.js'
import { type ApiObject, objectIn, objectsIn, textIn } from './decode/api-job.js'
import {
  CHANGE_SCRIPT_DEFAULT,
  CSI_PLUGIN_DEFAULT,
  DEFAULT_IDENTITY,
  KILL_TIMEOUT_DEFAULT,
  LOGS_DEFAULT,
  TEMPLATE_DEFAULT,
} from './defaults.js'
import { canonicalizeIdentity, configOf, fill, fillConsul, fillScaling, type GroupContext, textOr, weighted } from './fill.js'

export function canonicalizeTask(context: GroupContext, groupRestart: ApiObject, task: ApiObject): ApiObject {
  const name = textIn(task, 'Name')
  const vault = objectIn(task, 'Vault')
  const { identity, identities } = splitIdentities(task)
  const killTimeout = task['KillTimeout']
  return {
    ...task,
    Config: configOf(task),
    Schedule: scheduleOf(task),
    Resources: canonicalizeResources(objectIn(task, 'Resources')),
    RestartPolicy: fill(objectIn(task, 'RestartPolicy'), groupRestart),
    // Zero means "not said" here, as in Nomad.
    KillTimeout: typeof killTimeout === 'number' && killTimeout !== 0 ? killTimeout : KILL_TIMEOUT_DEFAULT,
    LogConfig: canonicalizeLogs(objectIn(task, 'LogConfig')),
    Services: objectsIn(task, 'Services').map((service) => canonicalizeService(context, name, service)),
    Affinities: weighted(task, 'Affinities'),
    Templates: objectsIn(task, 'Templates').map(canonicalizeTemplate),
    Artifacts: objectsIn(task, 'Artifacts').map(canonicalizeArtifact),
    VolumeMounts: objectsIn(task, 'VolumeMounts').flatMap(canonicalizeMount),
    Secrets: objectsIn(task, 'Secrets').map((secret) => ({ ...secret, Config: configOf(secret) })),
    ScalingPolicies: objectsIn(task, 'ScalingPolicies').map((policy) => fillScaling(context, policy, 0, name)),
    Vault: vault === undefined ? null : canonicalizeVault(vault),
    Consul: fillConsul(objectIn(task, 'Consul')),
    CSIPluginConfig: canonicalizeCsiPlugin(objectIn(task, 'CSIPluginConfig')),
    Identity: identity,
    Identities: identities,
  }
}

/** `enabled` of releases before 1.5 says nothing any more, as in Nomad. */
function canonicalizeLogs(logs: ApiObject | undefined): ApiObject {
  return fill(logs, LOGS_DEFAULT)
}

/** A signal without its `SIG`… is kept; its letters are upper case. */
function canonicalizeTemplate(template: ApiObject): ApiObject {
  const filled = fill(template, TEMPLATE_DEFAULT)
  const script = objectIn(template, 'ChangeScript')
  const signal = textIn(template, 'ChangeSignal').toUpperCase()
  const mode = textIn(filled, 'ChangeMode')
  return {
    ...filled,
    ChangeSignal: template['ChangeSignal'] == null && mode === 'signal' ? 'SIGHUP' : signal,
    ChangeScript: script === undefined ? null : fill(script, CHANGE_SCRIPT_DEFAULT),
  }
}

/** A single file lands under its own name, anything else in `local/`. */
function canonicalizeArtifact(artifact: ApiObject): ApiObject {
  const written = artifact['GetterMode']
  const mode = typeof written === 'string' ? written : 'any'
  const source = textIn(artifact, 'GetterSource')
  const file = source.slice(source.lastIndexOf('/') + 1)
  const destination = mode !== 'file' ? 'local/' : file === '' ? 'local' : `local/${file}`
  const given = artifact['RelativeDest']
  return { ...artifact, GetterMode: mode, RelativeDest: typeof given === 'string' ? given : destination }
}

/** Of which nothing is given it is none. */
function scheduleOf(task: ApiObject): ApiObject | null {
  const schedule = objectIn(task, 'Schedule')
  return schedule === undefined || Object.values(schedule).every((value) => value == null) ? null : schedule
}

/** Without a volume it is no mount. */
function canonicalizeMount(mount: ApiObject): readonly ApiObject[] {
  return mount['Volume'] == null ? [] : [{ ...mount, PropagationMode: textOr(mount['PropagationMode'], 'private') }]
}

function canonicalizeCsiPlugin(plugin: ApiObject | undefined): ApiObject | null {
  if (plugin === undefined) return null
  const { MountDir, StagePublishBaseDir, HealthTimeout } = CSI_PLUGIN_DEFAULT
  return {
    ...plugin,
    MountDir: textOr(plugin['MountDir'], MountDir),
    StagePublishBaseDir: textOr(plugin['StagePublishBaseDir'], StagePublishBaseDir),
    HealthTimeout: plugin['HealthTimeout'] == null || plugin['HealthTimeout'] === 0 ? HealthTimeout : plugin['HealthTimeout'],
  }
}

function canonicalizeVault(vault: ApiObject): ApiObject {
  const filled = fill(vault, { Env: true, DisableFile: false, ChangeMode: 'restart', ChangeSignal: 'SIGHUP', Cluster: 'default' })
  return { ...filled, ChangeSignal: textIn(filled, 'ChangeSignal').toUpperCase(), Cluster: textIn(filled, 'Cluster') || 'default' }
}

/** Every task has its own identity, which is the last unnamed one among the others if there is any; the others stay as they are. */
function splitIdentities(task: ApiObject): { identity: ApiObject; identities: readonly ApiObject[] | null } {
  const isDefault = (identity: ApiObject): boolean => ['', DEFAULT_IDENTITY['Name']].includes(textIn(identity, 'Name'))
  const all = objectsIn(task, 'Identities')
  const at = all.findLastIndex(isDefault)
  const own = at < 0 ? objectIn(task, 'Identity') : all[at]
  return {
    identity: taskIdentity(own ?? {}),
    identities: all.length === 0 ? null : all.filter((_, index) => index !== at).map(taskIdentity),
  }
}

/** The audience of a task's own identity is the server. */
function taskIdentity(identity: ApiObject): ApiObject {
  const isOwn = ['', DEFAULT_IDENTITY['Name']].includes(textIn(identity, 'Name'))
  return { ...canonicalizeIdentity(identity), ...(isOwn ? DEFAULT_IDENTITY : {}) }
}
