/** Why a node may not take a group, whatever is free on it (Nomad docs, "Placement"). */
import {
  type Allocation,
  allocationNameIndex,
  findTaskGroup,
  type Job,
  type Node,
  type TaskGroup,
  type VolumeRequest,
} from '../../../src/domain/index.js'
import { hasDevice } from '../../../src/scheduler/feasible/devices.js'
import { type Condition, holds, valueOn } from './conditions.js'
import type { Moment } from './moment.js'

const VOLUMES_MISSING = 'missing compatible host volumes'

export function isCandidate(node: Node, job: Job): boolean {
  return isInReach(node, job) && node.Status === 'ready' && node.SchedulingEligibility === 'eligible' && node.DrainStrategy === null
}

/** Of the job's pool and in its datacenters. */
export function isInReach(node: Node, job: Job): boolean {
  const isInPool = job.NodePool === 'all' || node.NodePool === (job.NodePool || 'default')
  return isInPool && job.Datacenters.some((glob) => new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(node.Datacenter))
}

/** The first reason against the node that only the node itself can change. */
export function staticReason(node: Node, job: Job, group: TaskGroup): string | undefined {
  const ofGroup = [...(group.Constraints ?? []), ...group.Tasks.flatMap((task) => task.Constraints ?? [])]
  const own = ({ LTarget, RTarget }: Condition) => [LTarget, RTarget].some((target) => /^\$\{((node|attr|meta)\.)?unique\./.test(target))
  const failing = (conditions: readonly Condition[]) => {
    // What a whole class lacks is told before what one node lacks.
    const inOrder = [...conditions.filter((condition) => !own(condition)), ...conditions.filter(own)]
    const found = inOrder.find((condition) => !holds(node, condition))
    return found === undefined ? undefined : `${found.LTarget} ${found.Operand} ${found.RTarget}`
  }
  return (
    failing(job.Constraints ?? []) ??
    (group.Tasks.every(({ Driver }) => hasDriver(node, Driver)) ? undefined : 'missing drivers') ??
    failing(ofGroup) ??
    (group.Tasks.flatMap((task) => task.Resources.Devices ?? []).every((ask) => hasDevice(node, ask)) ? undefined : 'missing devices') ??
    networkReason(node, group) ??
    (volumesOf(group, false).every((volume) => offers(node, volume, volume.Source)) ? undefined : VOLUMES_MISSING)
  )
}

function hasDriver(node: Node, driver: string): boolean {
  const found = node.Drivers[driver]
  if (found !== undefined) return found.Detected && found.Healthy
  return ['1', 't', 'true'].includes((node.Attributes[`driver.${driver}`] ?? '').toLowerCase())
}

function networkReason({ NodeResources }: Node, group: TaskGroup): string | undefined {
  const ask = group.Networks?.[0]
  if (ask === undefined) return undefined
  const modes = [...(NodeResources.NodeNetworks ?? []), ...(NodeResources.Networks ?? [])].map(({ Mode }) => Mode)
  if (!['', 'host', 'none', ...modes].includes(ask.Mode)) return 'missing network'
  const aliases = (NodeResources.NodeNetworks ?? []).flatMap(({ Addresses }) => (Addresses ?? []).map(({ Alias }) => Alias))
  const port = [...(ask.ReservedPorts ?? []), ...(ask.DynamicPorts ?? [])].find(
    ({ HostNetwork }) => !['', 'default', ...aliases].includes(HostNetwork),
  )
  return port === undefined ? undefined : `missing host network "${port.HostNetwork}" for port "${port.Label}"`
}

function volumesOf(group: TaskGroup, isPerAllocation: boolean): readonly VolumeRequest[] {
  return Object.values(group.Volumes ?? {}).filter(({ PerAlloc }) => PerAlloc === isPerAllocation)
}

function offers(node: Node, { ReadOnly, AccessMode, AttachmentMode, Type }: VolumeRequest, source: string): boolean {
  const volume = Type === 'host' ? node.HostVolumes?.[source] : undefined
  if (volume === undefined || (volume.ReadOnly && !ReadOnly)) return false
  if (volume.Capabilities === undefined) return true
  const allows = (asked: string, has: string) => asked === '' || asked === has
  const isAllowed = volume.Capabilities.some((has) => allows(AccessMode, has.AccessMode) && allows(AttachmentMode, has.AttachmentMode))
  return volume.State === 'ready' && isAllowed
}

/** The first reason that other allocations make, without being one of room. `name` is the place that is to be filled. */
export function relationReason(moment: Moment, node: Node, job: Job, group: TaskGroup, name: string): string | undefined {
  return (
    hostReason(moment, node, job, group) ??
    propertyReason(moment, node, job, group) ??
    (volumesOf(group, true).every((volume) => offers(node, volume, `${volume.Source}[${allocationNameIndex(name)}]`))
      ? undefined
      : VOLUMES_MISSING) ??
    (isVolumeTaken(moment, node, group) ? VOLUMES_MISSING : undefined)
  )
}

function relationsOf(job: Job, group: TaskGroup, operand: string): readonly (Condition & { readonly isOfJob: boolean })[] {
  const ofGroup = [...(group.Constraints ?? []), ...group.Tasks.flatMap((task) => task.Constraints ?? [])]
  return [
    ...(job.Constraints ?? []).map((condition) => ({ ...condition, isOfJob: true })),
    ...ofGroup.map((condition) => ({ ...condition, isOfJob: false })),
  ].filter(({ Operand }) => Operand === operand)
}

/** System jobs know no such rule: they are on every host anyway. */
function hostReason(moment: Moment, node: Node, job: Job, group: TaskGroup): string | undefined {
  if (job.Type === 'system' || job.Type === 'sysbatch') return undefined
  const isMeant = ({ RTarget }: Condition) => !['0', 'f', 'false'].includes(RTarget.toLowerCase())
  const rules = relationsOf(job, group, 'distinct_hosts').filter(isMeant)
  const ofJob = (row: Allocation) => row.JobID === job.ID && row.Namespace === job.Namespace
  const isMet = ({ isOfJob }: { readonly isOfJob: boolean }) =>
    moment.neighboursOn(node.ID).some((row) => ofJob(row) && (isOfJob || row.TaskGroup === group.Name))
  return rules.some(isMet) ? 'distinct_hosts' : undefined
}

function propertyReason(moment: Moment, node: Node, job: Job, group: TaskGroup): string | undefined {
  for (const { LTarget, RTarget, isOfJob } of relationsOf(job, group, 'distinct_property')) {
    const value = valueOn(node, LTarget)
    if (value === undefined) return `missing property "${LTarget}"`
    const users = moment.wantedOf(job).filter((row) => {
      const home = moment.view.nodes.get(row.NodeID)
      const isMeant = row.JobCreateIndex === job.CreateIndex && (isOfJob || row.TaskGroup === group.Name)
      return isMeant && home !== undefined && valueOn(home, LTarget) === value
    })
    const allowed = /^\d/.test(RTarget) ? Number.parseInt(RTarget, 10) : 1
    if (users.length >= allowed) return `distinct_property: ${LTarget}=${value} used by ${users.length} allocs`
  }
  return undefined
}

/** A volume with a single writer is used by nobody else. */
function isVolumeTaken(moment: Moment, node: Node, group: TaskGroup): boolean {
  const own = Object.values(group.Volumes ?? {}).filter(({ Type }) => Type === 'host')
  const isSingle = ({ AccessMode }: VolumeRequest) => AccessMode === 'single-node-single-writer'
  return moment.proposedOn(node.ID).some((row) => {
    const owner = moment.view.findJobVersion(row.Namespace, row.JobID, row.JobCreateIndex, row.JobVersion)
    const theirs = owner === undefined ? undefined : findTaskGroup(owner, row.TaskGroup)?.Volumes
    const meets = (volume: VolumeRequest) =>
      own.some((other) => other.Source === volume.Source && (isSingle(other) || isSingle(volume)) && volume.Type === 'host')
    return Object.values(theirs ?? {}).some(meets)
  })
}
