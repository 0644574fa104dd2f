/**
 * A job as `/v1/jobs/parse` answers it with `Canonicalize`: what a client fills in by itself, null for what it leaves to the
 * server, and nothing that only the server knows.
 */
import { fillJob, jobUpdate } from './canonicalize.js'
import { type ApiJob, type ApiObject, type ApiValue, apiObject, isApiObject, objectIn, textIn } from './decode/api-job.js'
import { clientForm } from './decode/client-form.js'
import { KILL_TIMEOUT_DEFAULT } from './defaults.js'

/** What is at zero where nothing was said, by the member that holds it. */
const ZEROS: Readonly<Record<string, ApiObject>> = {
  Job: {
    Stop: false,
    ParentID: '',
    AllAtOnce: false,
    ConsulNamespace: '',
    VaultNamespace: '',
    NomadTokenID: '',
    Status: '',
    StatusDescription: '',
    Stable: false,
    Version: 0,
    Priority: 0,
    CreateIndex: 0,
    ModifyIndex: 0,
    JobModifyIndex: 0,
  },
  Resources: { Cores: 0 },
  VolumeMounts: { ReadOnly: false, PropagationMode: 'private', SELinuxLabel: '' },
  Templates: { SourcePath: '', DestPath: '', EmbeddedTmpl: '', Envvars: false, Once: false, VaultGrace: 0 },
  ChangeScript: { Command: '' },
  Vault: { Namespace: '', AllowTokenExpiration: false },
  Artifacts: { GetterSource: '', GetterInsecure: false },
  Periodic: { Spec: '', Specs: [] },
  ReschedulePolicy: { Attempts: 0, Interval: 0, Delay: 0, DelayFunction: '', MaxDelay: 0, Unlimited: false },
  Multiregion: { Regions: [] },
  Regions: { Datacenters: [], Meta: {} },
}

/** Members that the server fills in and a client leaves as they were written. */
const LEFT_TO_SERVER: Readonly<Record<string, readonly string[]>> = {
  Job: ['Datacenters', 'Dispatched', 'ParameterizedJob'],
  TaskGroups: ['PreventRescheduleOnLost', 'MaxClientDisconnect', 'StopAfterClientDisconnect', 'Volumes', 'Networks'],
  Tasks: ['Identity', 'Identities', 'Config', 'Schedule', 'KillTimeout', 'ScalingPolicies', 'VolumeMounts'],
  Services: ['Identity', 'Namespace', 'TaskName'],
  Checks: ['Name', 'TaskName'],
  Disconnect: ['Reconcile'],
  Resources: ['DiskMB', 'Networks'],
  Vault: ['ChangeSignal'],
  Scaling: ['Target', 'ID'],
  Upstreams: ['MeshGateway'],
}

export function canonicalizeAsClient(written: ApiJob): ApiJob {
  const filled = fillJob(written, false)
  const type = String(filled['Type'])
  const Update = jobUpdate(type, objectIn(written, 'Update')) ?? null
  const job = {
    ...filled,
    Namespace: written['Namespace'] ?? 'default',
    Update,
    Status: '',
    NodePool: textIn(written, 'NodePool'),
    Priority: written['Priority'] ?? 50,
  }
  return clientForm(asClient('Job', job, written))
}

/** `filled` with what is the server's as `written`, and no lists where there were none. */
function asClient(name: string, filled: ApiObject, written: ApiObject): ApiObject {
  const left = LEFT_TO_SERVER[name] ?? []
  const members = Object.entries(withZeros(name, filled)).map(([member, value]) => {
    const own = written[member]
    if (name === 'Services' && member === 'Name') return [member, own || value] as const
    if (NULL_WHEN_EMPTY[name]?.includes(member) === true && Object.keys(value ?? {}).length === 0) return [member, null] as const
    return [member, left.includes(member) ? withMemberZeros(member, own) : clientMember(member, value, own)] as const
  })
  return apiObject(members)
}

function withMemberZeros(member: string, own: ApiValue): ApiValue {
  if (member === 'KillTimeout') return own ?? KILL_TIMEOUT_DEFAULT
  if (member === 'Reconcile') return own ?? 'best_score'
  if (member === 'ChangeSignal') return own ?? 'SIGHUP'
  return Array.isArray(own) ? own.map((item: ApiValue) => (isApiObject(item) ? withZeros(member, item) : item)) : own
}

function withZeros(name: string, object: ApiObject): ApiObject {
  const said = Object.entries(object).filter(([, value]) => value !== undefined && value !== null)
  return { ...object, ...ZEROS[name], ...Object.fromEntries(said) }
}

/** Maps and lists that are null where nothing is in them, by the member that holds them. */
const NULL_WHEN_EMPTY: Readonly<Record<string, readonly string[]>> = {
  Artifacts: ['GetterHeaders', 'GetterOptions'],
  Services: ['Meta', 'CanaryMeta', 'TaggedAddresses'],
  SidecarService: ['Meta', 'Tags'],
  SidecarTask: ['Config', 'Env', 'Meta'],
  NUMA: ['Devices'],
  Proxy: ['Config'],
  TransparentProxy: ['ExcludeInboundPorts', 'ExcludeOutboundPorts', 'ExcludeOutboundCIDRs', 'ExcludeUIDs'],
  Upstreams: ['Config'],
  Secrets: ['Env'],
}

/** Lists that are `[]` where nothing was said. */
const ZEROED_LISTS: ReadonlySet<string> = new Set(['Specs', 'Regions', 'Datacenters'])

function clientMember(member: string, value: ApiValue, written: ApiValue): ApiValue {
  if (Array.isArray(value)) {
    if (value.length === 0 && !Array.isArray(written)) return ZEROED_LISTS.has(member) ? [] : null
    const own = Array.isArray(written) ? written : []
    return (value as readonly ApiValue[]).map((item, at) => inside(member, item, own[at]))
  }
  return inside(member, value, written)
}

function inside(member: string, value: ApiValue, written: ApiValue): ApiValue {
  return isApiObject(value) ? asClient(member, value, isApiObject(written) ? written : {}) : value
}
