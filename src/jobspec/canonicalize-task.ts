/** Tasks and their parts as they are stored. */
import { canonicalizeNetwork } from './canonicalize-network.js'
import { canonicalizeService } from './canonicalize-service.js'
import { type ApiObject, objectIn, objectsIn, textIn } from './decode/api-job.js'
import {
  CHANGE_SCRIPT_DEFAULT,
  CPU_DEFAULT,
  DEFAULT_IDENTITY,
  KILL_TIMEOUT_DEFAULT,
  LOGS_DEFAULT,
  MEMORY_DEFAULT,
  TEMPLATE_DEFAULT,
} from './defaults.js'
import { fill, fillConsul, fillScaling, type GroupContext, weighted } from './fill.js'

export function canonicalizeTask(context: GroupContext, groupRestart: ApiObject, task: ApiObject): ApiObject {
  const name = textIn(task, 'Name')
  const vault = objectIn(task, 'Vault')
  const { identity, identities } = splitIdentities(task)
  const killTimeout = task['KillTimeout']
  return {
    ...task,
    Resources: canonicalizeResources(objectIn(task, 'Resources')),
    RestartPolicy: fill(objectIn(task, 'RestartPolicy'), groupRestart),
    KillTimeout: typeof killTimeout === 'number' ? killTimeout : KILL_TIMEOUT_DEFAULT,
    LogConfig: canonicalizeLogs(objectIn(task, 'LogConfig')),
    Services: objectsIn(task, 'Services').map((service) => canonicalizeService(context, name, service)),
    Affinities: weighted(task, 'Affinities'),
    Templates: objectsIn(task, 'Templates').map(canonicalizeTemplate),
    Artifacts: objectsIn(task, 'Artifacts').map(canonicalizeArtifact),
    VolumeMounts: objectsIn(task, 'VolumeMounts').map((mount) => ({
      ...mount,
      PropagationMode: textIn(mount, 'PropagationMode') || 'private',
    })),
    ScalingPolicies: objectsIn(task, 'ScalingPolicies').map((policy) => fillScaling(context, policy, 0, name)),
    Vault: vault === undefined ? null : canonicalizeVault(vault),
    Consul: fillConsul(objectIn(task, 'Consul')),
    Identity: identity,
    Identities: identities,
  }
}

function canonicalizeResources(resources: ApiObject | undefined): ApiObject {
  const given = resources ?? {}
  const cores = typeof given['Cores'] === 'number' ? given['Cores'] : 0
  const filled = fill(given, { CPU: cores > 0 ? 0 : CPU_DEFAULT, MemoryMB: MEMORY_DEFAULT })
  const devices = objectsIn(given, 'Devices').map((device) => ({
    ...fill(device, { Count: 1 }),
    Affinities: weighted(device, 'Affinities'),
  }))
  return { ...filled, DiskMB: 0, Networks: objectsIn(given, 'Networks').map(canonicalizeNetwork), Devices: devices }
}

/** `enabled` is the older way to say `disabled`. */
function canonicalizeLogs(logs: ApiObject | undefined): ApiObject {
  const filled = fill(logs, LOGS_DEFAULT)
  return logs?.['Enabled'] === false ? { ...filled, Disabled: true } : filled
}

/** A signal without its `SIG`… is kept; its letters are upper case. */
function canonicalizeTemplate(template: ApiObject): ApiObject {
  const filled = fill(template, TEMPLATE_DEFAULT)
  const script = objectIn(template, 'ChangeScript')
  const signal = textIn(template, 'ChangeSignal').toUpperCase()
  const mode = textIn(filled, 'ChangeMode')
  return {
    ...filled,
    ChangeSignal: signal === '' && mode === 'signal' ? 'SIGHUP' : signal,
    ChangeScript: script === undefined ? null : fill(script, CHANGE_SCRIPT_DEFAULT),
  }
}

/** A single file lands under its own name, anything else in `local/`. */
function canonicalizeArtifact(artifact: ApiObject): ApiObject {
  const mode = textIn(artifact, 'GetterMode') || 'any'
  const source = textIn(artifact, 'GetterSource')
  const destination = mode === 'file' ? `local/${source.slice(source.lastIndexOf('/') + 1)}` : 'local/'
  const given = artifact['RelativeDest']
  return { ...artifact, GetterMode: mode, RelativeDest: typeof given === 'string' ? given : destination }
}

function canonicalizeVault(vault: ApiObject): ApiObject {
  const filled = fill(vault, { Env: true, DisableFile: false, ChangeMode: 'restart', ChangeSignal: 'SIGHUP', Cluster: 'default' })
  return { ...filled, ChangeSignal: textIn(filled, 'ChangeSignal').toUpperCase(), Cluster: textIn(filled, 'Cluster') || 'default' }
}

/** Every task has its own identity; an unnamed one among the others is that. */
function splitIdentities(task: ApiObject): { identity: ApiObject; identities: readonly ApiObject[] } {
  const isDefault = (identity: ApiObject): boolean => ['', 'default'].includes(textIn(identity, 'Name'))
  const all = objectsIn(task, 'Identities')
  const own = objectIn(task, 'Identity') ?? all.find(isDefault)
  const audience = own?.['Audience']
  const identity = {
    ...own,
    Name: 'default',
    Audience: Array.isArray(audience) && audience.length > 0 ? audience : DEFAULT_IDENTITY['Audience'],
  }
  return { identity, identities: all.filter((one) => !isDefault(one)) }
}
