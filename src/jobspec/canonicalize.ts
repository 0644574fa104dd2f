/**
 * A job as written to the job as it is stored: defaults by type, what groups inherit from the job and tasks from their
 * group, members that imply others, and at last every member at its zero. Canonicalizing twice changes nothing.
 */
import type { Job } from '../domain/index.js'
import { canonicalizeNetwork } from './canonicalize-network.js'
import { canonicalizeService } from './canonicalize-service.js'
import { canonicalizeTask } from './canonicalize-task.js'
import { admitConnect } from './connect/admit-connect.js'
import { type ApiJob, type ApiObject, type ApiValue, isApiObject, objectIn, objectsIn, textIn } from './decode/api-job.js'
import { complete } from './decode/complete.js'
import {
  EPHEMERAL_DISK_DEFAULT,
  MIGRATE_DEFAULT,
  PERIODIC_DEFAULT,
  RESCHEDULE_DEFAULTS,
  RESTART_DEFAULTS,
  UPDATE_DEFAULT,
} from './defaults.js'
import { orNull } from './diff/model.js'
import { fill, fillConsul, fillScaling, type JobContext, textOr, weighted } from './fill.js'
import { addImpliedConstraints } from './implied-constraints.js'

/** What a client says of these is dropped. */
const SERVER_OWNED: ApiObject = { ParentID: '', NomadTokenID: '', Stable: false, StatusDescription: '', ConsulNamespace: '' }

/** The job as the server stores it. */
export function canonicalizeJob(written: ApiJob): Job {
  const filled = { ...fillJob(written, true), ...SERVER_OWNED }
  return { ...addImpliedConstraints(complete('Job', filled) as unknown as Job), ConsulToken: '', VaultToken: '' }
}

/** Defaults and inheritance only: what the parse endpoint answers, before the server adds what it implies. */
export function canonicalizeBeforeServer(written: ApiJob): Job {
  const filled = { ...fillJob(written, false), NodePool: textIn(written, 'NodePool') }
  return { ...(complete('Job', filled) as unknown as Job), ConsulToken: '', VaultToken: '' }
}

/** Defaults and inheritance; what the server adds only where `isAdmitted`. */
export function fillJob(written: ApiJob, isAdmitted: boolean): ApiJob {
  const id = textIn(written, 'ID')
  const type = saidOr(written['Type'], 'service')
  const namespace = textOr(written['Namespace'], 'default')
  const name = saidOr(written['Name'], id)
  const context = { id, name, type, namespace }
  const datacenters = written['Datacenters']
  const periodic = objectIn(written, 'Periodic')
  const parameterized = objectIn(written, 'ParameterizedJob')
  return {
    ...written,
    ID: id,
    Name: name,
    Type: type,
    Namespace: namespace,
    Region: saidOr(written['Region'], 'global'),
    NodePool: textOr(written['NodePool'], 'default'),
    Priority: typeof written['Priority'] === 'number' && written['Priority'] !== 0 ? written['Priority'] : 50,
    Datacenters: Array.isArray(datacenters) && datacenters.length > 0 ? datacenters : ['*'],
    Affinities: weighted(written, 'Affinities'),
    Spreads: weighted(written, 'Spreads'),
    Update: jobLevelUpdate(jobUpdate(type, objectIn(written, 'Update'))),
    Periodic: periodic === undefined ? null : { ...fill(periodic, PERIODIC_DEFAULT), TimeZone: textOr(periodic['TimeZone'], 'UTC') },
    ParameterizedJob: parameterized === undefined ? null : { ...parameterized, Payload: textOr(parameterized['Payload'], 'optional') },
    Multiregion: fillMultiregion(objectIn(written, 'Multiregion')),
    TaskGroups: objectsIn(written, 'TaskGroups').map((group) => fillGroup(context, written, group, isAdmitted)),
    Dispatched: false,
    Status: 'pending',
  }
}

/** Unlike `textOr`: a text that was said to be empty is empty, to be refused. */
function saidOr(value: ApiValue, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

/** What a job says of updates, with its defaults; undefined when it says nothing and its type has none. */
export function jobUpdate(type: string, written: ApiObject | undefined): ApiObject | undefined {
  if (written !== undefined) return fill(written, UPDATE_DEFAULT)
  return type === 'service' || type === 'system' ? UPDATE_DEFAULT : undefined
}

/** Stagger and parallelism are repeated at the job, unless updates are all at once; its other members of `Update` are zero there. */
function jobLevelUpdate(update: ApiObject | undefined): ApiObject {
  const { Stagger, MaxParallel } = update ?? {}
  return typeof MaxParallel === 'number' && MaxParallel > 0 ? { Stagger, MaxParallel } : {}
}

function fillMultiregion(multiregion: ApiObject | undefined): ApiObject | null {
  if (multiregion === undefined) return null
  const strategy = fill(objectIn(multiregion, 'Strategy'), { MaxParallel: 0, OnFailure: '' })
  const regions = objectsIn(multiregion, 'Regions').map((region) => fill(region, { Count: 1 }))
  return { ...multiregion, Strategy: strategy, Regions: regions }
}

function fillGroup(context: JobContext, job: ApiJob, written: ApiObject, isAdmitted: boolean): ApiObject {
  const { type } = context
  const name = textIn(written, 'Name')
  const shared = { ...context, group: name }
  const services = objectsIn(written, 'Services').map((service) => canonicalizeService(shared, undefined, service))
  const group = isAdmitted ? admitConnect({ ...written, Services: services }) : { ...written, Services: services }
  const scaling = objectIn(group, 'Scaling')
  const count = typeof group['Count'] === 'number' ? group['Count'] : typeof scaling?.['Min'] === 'number' ? scaling['Min'] : 1
  const restart = fill(objectIn(group, 'RestartPolicy'), RESTART_DEFAULTS[type] ?? RESTART_DEFAULTS['batch']!)
  return {
    ...group,
    Name: name,
    Count: count,
    Scaling: scaling === undefined ? null : fillScaling(shared, scaling, count, undefined),
    Update: fillUpdate(jobUpdate(type, objectIn(job, 'Update')), objectIn(group, 'Update')),
    Migrate: fillMigrate(type, objectIn(job, 'Migrate'), objectIn(group, 'Migrate')),
    ReschedulePolicy: fillReschedule(type, objectIn(job, 'Reschedule'), objectIn(group, 'ReschedulePolicy')),
    RestartPolicy: restart,
    EphemeralDisk: fill(objectIn(group, 'EphemeralDisk'), EPHEMERAL_DISK_DEFAULT),
    Disconnect: fillDisconnect(objectIn(group, 'Disconnect')),
    Affinities: weighted(group, 'Affinities'),
    // Of those of a group an empty list of targets is none, unlike of those of the job.
    Spreads: weighted(group, 'Spreads').map((spread) => ({ ...spread, SpreadTarget: orNull(objectsIn(spread, 'SpreadTarget')) })),
    Networks: objectsIn(group, 'Networks').map(canonicalizeNetwork),
    Volumes: knownVolumes(objectIn(group, 'Volumes')),
    Consul: fillConsul(objectIn(group, 'Consul')),
    Tasks: objectsIn(group, 'Tasks').map((task) => canonicalizeTask(shared, restart, task)),
    // Superseded by `disconnect`: Nomad accepts them and stores nothing.
    StopAfterClientDisconnect: null,
    MaxClientDisconnect: null,
    PreventRescheduleOnLost: false,
  }
}

/**
 * The job's block is the base, the group's members win. Batch jobs keep what they are given, to be refused. A block of zeros
 * throughout is what a stored job without one has, and says nothing.
 */
function fillUpdate(job: ApiObject | undefined, group: ApiObject | undefined): ApiObject | null {
  const inherited = job === undefined || isZero(job) ? undefined : job
  if (inherited === undefined && group === undefined) return null
  return fill(group, inherited ?? UPDATE_DEFAULT)
}

function isZero(object: ApiObject): boolean {
  return Object.values(object).every((value) => value === 0 || value === '' || value === false || value === null || value === undefined)
}

function fillMigrate(type: string, job: ApiObject | undefined, group: ApiObject | undefined): ApiObject | null {
  if (type !== 'service' && job === undefined && group === undefined) return null
  return fill(group, fill(job, MIGRATE_DEFAULT))
}

function fillReschedule(type: string, job: ApiObject | undefined, group: ApiObject | undefined): ApiObject | null {
  const base = RESCHEDULE_DEFAULTS[type]
  const isWithout = type === 'system' || type === 'sysbatch'
  if (base === undefined) return isWithout && job === undefined && group === undefined ? null : fill(group, fill(job, {}))
  return fill(group, fill(job, base))
}

/** Volumes of no known type are dropped, as by Nomad. */
function knownVolumes(volumes: ApiObject | undefined): ApiObject | null {
  const entries = Object.entries(volumes ?? {})
  if (entries.length === 0) return null
  return Object.fromEntries(entries.filter(([, volume]) => isApiObject(volume) && ['host', 'csi'].includes(textIn(volume, 'Type'))))
}

function fillDisconnect(disconnect: ApiObject | undefined): ApiObject | null {
  if (disconnect === undefined) return null
  const reconcile = textOr(disconnect['Reconcile'], 'best_score')
  return { ...fill(disconnect, { Replace: true }), Reconcile: reconcile }
}
