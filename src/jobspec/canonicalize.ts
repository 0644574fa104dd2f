/**
 * A job as written to the job as it is stored: defaults by type, what groups inherit from the job and tasks from their
 * group, members that imply others, and at last every member at its zero. Canonicalizing twice changes nothing.
 */
import type { Job } from '../domain/index.js'
import { canonicalizeNetwork } from './canonicalize-network.js'
import { canonicalizeService } from './canonicalize-service.js'
import { canonicalizeTask } from './canonicalize-task.js'
import { addSidecars } from './connect-sidecar.js'
import { type ApiJob, type ApiObject, objectIn, objectsIn, textIn } from './decode/api-job.js'
import { complete } from './decode/complete.js'
import {
  EPHEMERAL_DISK_DEFAULT,
  MIGRATE_DEFAULT,
  PERIODIC_DEFAULT,
  RESCHEDULE_DEFAULTS,
  RESTART_DEFAULTS,
  UPDATE_DEFAULT,
} from './defaults.js'
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

function fillJob(written: ApiJob, addsSidecars: boolean): ApiJob {
  const id = textIn(written, 'ID')
  const type = textOr(written['Type'], 'service')
  const namespace = textOr(written['Namespace'], 'default')
  const context = { id, type, namespace }
  const datacenters = written['Datacenters']
  const periodic = objectIn(written, 'Periodic')
  const parameterized = objectIn(written, 'ParameterizedJob')
  return {
    ...written,
    ID: id,
    Name: textOr(written['Name'], id),
    Type: type,
    Namespace: namespace,
    Region: textOr(written['Region'], 'global'),
    NodePool: textOr(written['NodePool'], 'default'),
    Priority: typeof written['Priority'] === 'number' && written['Priority'] !== 0 ? written['Priority'] : 50,
    Datacenters: Array.isArray(datacenters) && datacenters.length > 0 ? datacenters : ['*'],
    Affinities: weighted(written, 'Affinities'),
    Spreads: weighted(written, 'Spreads'),
    Update: jobLevelUpdate(type, objectIn(written, 'Update')),
    Periodic: periodic === undefined ? null : { ...fill(periodic, PERIODIC_DEFAULT), TimeZone: textOr(periodic['TimeZone'], 'UTC') },
    ParameterizedJob: parameterized === undefined ? null : fill(parameterized, { Payload: 'optional' }),
    Multiregion: fillMultiregion(objectIn(written, 'Multiregion')),
    TaskGroups: objectsIn(written, 'TaskGroups').map((group) => fillGroup(context, written, group, addsSidecars)),
    Dispatched: false,
    Status: 'pending',
  }
}

/** Stagger and parallelism are repeated at the job; its other members of `Update` are zero there. */
function jobLevelUpdate(type: string, update: ApiObject | undefined): ApiObject {
  const isGiven = update !== undefined && !isZero(update)
  if (!isGiven && type !== 'service' && type !== 'system') return {}
  const { Stagger, MaxParallel } = fill(inheritable(update), UPDATE_DEFAULT)
  return { Stagger, MaxParallel }
}

function fillMultiregion(multiregion: ApiObject | undefined): ApiObject | null {
  if (multiregion === undefined) return null
  const strategy = fill(objectIn(multiregion, 'Strategy'), { MaxParallel: 0, OnFailure: '' })
  const regions = objectsIn(multiregion, 'Regions').map((region) => fill(region, { Count: 1 }))
  return { ...multiregion, Strategy: strategy, Regions: regions }
}

function fillGroup(context: JobContext, job: ApiJob, written: ApiObject, addsSidecars: boolean): ApiObject {
  const { type } = context
  const name = textIn(written, 'Name')
  const shared = { ...context, group: name }
  const services = objectsIn(written, 'Services').map((service) => canonicalizeService(shared, undefined, service))
  const group = addsSidecars ? addSidecars({ ...written, Services: services }) : written
  const scaling = objectIn(group, 'Scaling')
  const count = typeof group['Count'] === 'number' ? group['Count'] : typeof scaling?.['Min'] === 'number' ? scaling['Min'] : 1
  const restart = fill(objectIn(group, 'RestartPolicy'), RESTART_DEFAULTS[type] ?? RESTART_DEFAULTS['service']!)
  return {
    ...group,
    Name: name,
    Count: count,
    Scaling: scaling === undefined ? null : fillScaling(shared, scaling, count, undefined),
    Update: fillUpdate(type, objectIn(job, 'Update'), objectIn(group, 'Update')),
    Migrate: fillMigrate(type, objectIn(job, 'Migrate'), objectIn(group, 'Migrate')),
    ReschedulePolicy: fillReschedule(type, objectIn(job, 'Reschedule'), objectIn(group, 'ReschedulePolicy')),
    RestartPolicy: restart,
    EphemeralDisk: fill(objectIn(group, 'EphemeralDisk'), EPHEMERAL_DISK_DEFAULT),
    Disconnect: fillDisconnect(objectIn(group, 'Disconnect')),
    Affinities: weighted(group, 'Affinities'),
    Spreads: weighted(group, 'Spreads'),
    Networks: objectsIn(group, 'Networks').map(canonicalizeNetwork),
    Services: services,
    Consul: fillConsul(objectIn(group, 'Consul')),
    Tasks: objectsIn(group, 'Tasks').map((task) => canonicalizeTask(shared, restart, task)),
    // Superseded by `disconnect`: Nomad accepts them and stores nothing.
    StopAfterClientDisconnect: null,
    MaxClientDisconnect: null,
    PreventRescheduleOnLost: false,
  }
}

/** The job's block is the base, the group's members win. Batch jobs keep what they are given, to be refused. */
function fillUpdate(type: string, job: ApiObject | undefined, group: ApiObject | undefined): ApiObject | null {
  const lasts = type === 'service' || type === 'system'
  const inherited = inheritable(job)
  if (!lasts && inherited === undefined && group === undefined) return null
  return fill(group, fill(inherited, UPDATE_DEFAULT))
}

/** The stored job-level block holds two members only: its zeros say nothing to a group. */
function inheritable(update: ApiObject | undefined): ApiObject | undefined {
  if (update === undefined || isZero(update)) return undefined
  return update['HealthCheck'] === ''
    ? Object.fromEntries(Object.entries(update).filter(([name]) => name === 'Stagger' || name === 'MaxParallel'))
    : update
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
  if (base === undefined) return job === undefined && group === undefined ? null : fill(group, fill(job, {}))
  return fill(group, fill(job, base))
}

function fillDisconnect(disconnect: ApiObject | undefined): ApiObject | null {
  if (disconnect === undefined) return null
  const reconcile = textOr(disconnect['Reconcile'], 'best_score')
  return { ...fill(disconnect, { Replace: true }), Reconcile: reconcile }
}
