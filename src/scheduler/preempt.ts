/** Whom to end so that something more important fits (Nomad docs, "Placement"). */
import type {
  AllocatedResources,
  Allocation,
  AllocationStop,
  Job,
  Node,
  NodeDeviceResource,
  RequestedDevice,
  TaskGroup,
} from '../domain/index.js'
import { findTaskGroup } from '../domain/index.js'
import { jobOfAllocation, ownerKey, type StateView } from '../state/index.js'
import { type Claims, capacityOf, claimsOf } from './feasible/claims.js'
import { askedDevices, assignDevices, deviceKey, devicesInUse, matchingDevices } from './feasible/devices.js'
import { claimsOnce, sharesPerCore } from './feasible/node-table.js'
import { addressesFor } from './feasible/ports.js'
import { askedCores, askedNetworks, grant } from './resources.js'

/** Only what is at least this much less important may be ended. */
const PRIORITY_GAP = 10
const CROWDING_PENALTY = 50

export interface PreemptionQuestion {
  readonly view: StateView
  readonly job: Job
  readonly group: TaskGroup
  readonly node: Node
  readonly proposed: readonly Allocation[]
  readonly ask: AllocatedResources
  readonly startAt: number
  readonly preempted: ReadonlyMap<string, AllocationStop>
}

export interface Victims {
  readonly victims: readonly Allocation[]
  readonly priorities: readonly number[]
  readonly resources: AllocatedResources
  /** Those of the victims that hold ports or devices which are asked for. */
  readonly holders: readonly Allocation[]
}

type Candidate = { readonly allocation: Allocation; readonly priority: number; readonly claims: Claims; readonly maxParallel: number }

/** First who holds a port or device that is asked for, then as many more as it takes by amount. Nobody ends for whole cores. */
export function findVictims(question: PreemptionQuestion): Victims | undefined {
  const { proposed } = question
  const candidates = candidatesOf(question)
  if (candidates.length === 0 || lacksCores(question)) return undefined
  const holders = chooseHolders(question, candidates)
  if (holders === undefined) return undefined
  const others = candidates.filter((candidate) => !holders.includes(candidate))
  const stay = without(proposed, holders)
  const chosen = chooseByAmount({ ...question, proposed: stay }, others)
  if (chosen === undefined) return undefined
  const needed = dropNeedless(question, [...holders, ...chosen])
  const resources = needed.length === 0 ? undefined : grantWithout(question, needed)
  if (resources === undefined) return undefined
  return {
    victims: needed.map(({ allocation }) => allocation),
    priorities: needed.map(({ priority }) => priority),
    resources,
    holders: needed.filter((candidate) => holders.includes(candidate)).map(({ allocation }) => allocation),
  }
}

/** Whoever was chosen before somebody that is enough without them stays, the most important first. */
function dropNeedless(question: PreemptionQuestion, chosen: readonly Candidate[]): readonly Candidate[] {
  let needed = chosen
  for (const candidate of [...chosen].sort((a, b) => b.priority - a.priority)) {
    const others = needed.filter((other) => other !== candidate)
    if (grantWithout(question, others) !== undefined) needed = others
  }
  return needed
}

/** What the group would hold on the node once the victims are gone; undefined when it still does not fit. */
function grantWithout(question: PreemptionQuestion, victims: readonly Candidate[]): AllocatedResources | undefined {
  const { node, group, proposed, ask, startAt } = question
  const stay = without(proposed, victims)
  if (node.NodeMaxAllocs > 0 && stay.length >= node.NodeMaxAllocs) return undefined
  if (!covers(freeOf(node, stay), wantedOn(question))) return undefined
  const granted = grant(node, group, stay, ask, startAt)
  return granted.kind === 'granted' ? granted.resources : undefined
}

/** Whole cores take their share of the node's MHz. */
function wantedOn({ node, group, ask }: PreemptionQuestion): Amounts {
  const { cpuShares, memoryMb, diskMb } = claimsOf(ask)
  return { cpuShares: cpuShares + askedCores(group) * sharesPerCore(node), memoryMb, diskMb }
}

function lacksCores({ node, group, proposed }: PreemptionQuestion): boolean {
  const usedCount = proposed.reduce((sum, allocation) => sum + claimsOnce(allocation).cores.length, 0)
  return usedCount + askedCores(group) > capacityOf(node).cores.length
}

function without(allocations: readonly Allocation[], victims: readonly Candidate[]): readonly Allocation[] {
  return victims.length === 0
    ? allocations
    : allocations.filter((allocation) => !victims.some((victim) => victim.allocation === allocation))
}

/** Undefined when something that is asked for is held by somebody who may not be ended. */
function chooseHolders(question: PreemptionQuestion, candidates: readonly Candidate[]): readonly Candidate[] | undefined {
  const byPort = portHolders(question, candidates)
  if (byPort === undefined) return undefined
  const byDevice = deviceHolders(question, candidates, byPort)
  return byDevice === undefined ? undefined : [...byPort, ...byDevice]
}

/** For each port: of the addresses that would do, the one that the fewest hold, all of whom may be ended. */
function portHolders({ node, group, proposed }: PreemptionQuestion, candidates: readonly Candidate[]): readonly Candidate[] | undefined {
  const chosen = new Set<Candidate>()
  for (const port of askedNetworks(group).flatMap(({ network }) => network.ReservedPorts ?? [])) {
    if (port.IgnoreCollision === true) continue
    const options = addressesFor(node, port).flatMap((address): (readonly Candidate[])[] => {
      const holders = proposed.filter((allocation) => holdsPort(allocation, address, port.Value))
      const found = candidates.filter((candidate) => holders.includes(candidate.allocation))
      return found.length === holders.length ? [found] : []
    })
    const [best] = options.sort((a, b) => a.length - b.length)
    if (best === undefined) return undefined
    for (const candidate of best) chosen.add(candidate)
  }
  return [...chosen]
}

/** As `PortIndex` reads it: older rows carry their ports in the networks. */
function holdsPort({ AllocatedResources: { Shared, Tasks } }: Allocation, address: string, port: number): boolean {
  const shared = Shared.Ports ?? []
  const ofTasks = Object.values(Tasks).flatMap((task) => task.Networks ?? [])
  const networks = shared.length > 0 ? ofTasks : [...(Shared.Networks ?? []), ...ofTasks]
  return (
    shared.some(({ HostIP, Value }) => HostIP === address && Value === port) ||
    networks.some(
      ({ IP, ReservedPorts, DynamicPorts }) =>
        IP === address && [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])].some(({ Value }) => Value === port),
    )
  )
}

/** For each ask that is not met: the device group whose holders are the least important, those of low priority first. */
function deviceHolders(
  { node, group, proposed }: PreemptionQuestion,
  candidates: readonly Candidate[],
  gone: readonly Candidate[],
): readonly Candidate[] | undefined {
  const chosen: Candidate[] = []
  const asks = askedDevices(group)
  for (const [at, ask] of asks.entries()) {
    const left = without(proposed, [...gone, ...chosen])
    if (assignDevices(node, asks.slice(0, at + 1), devicesInUse(left)) !== undefined) continue
    // What has been freed for one ask is not there for the next.
    const earlier = assignDevices(node, asks.slice(0, at), devicesInUse(left))?.devices ?? []
    const kept = new Set(earlier.flatMap((device) => (device.DeviceIDs ?? []).map((id) => deviceKey(device, id))))
    const open = candidates.filter((candidate) => left.includes(candidate.allocation)).sort((a, b) => a.priority - b.priority)
    const options = matchingDevices(node, ask).flatMap((device) => freeDevice(device, ask, kept, left, open) ?? [])
    const best = options.sort((a, b) => distinctSum(a) - distinctSum(b))[0]
    if (best === undefined) return undefined
    chosen.push(...best)
  }
  return chosen
}

/** An instance may be held twice while what was told to stop still runs. */
function freeDevice(
  device: NodeDeviceResource,
  ask: RequestedDevice,
  kept: ReadonlySet<string>,
  left: readonly Allocation[],
  open: readonly Candidate[],
): [readonly Candidate[]] | undefined {
  const healthy = (device.Instances ?? []).filter((instance) => instance.Healthy).map(({ ID }) => deviceKey(device, ID))
  const wanted = healthy.filter((key) => !kept.has(key))
  const victims: Candidate[] = []
  const isEnough = () => {
    const taken = devicesInUse(without(left, victims))
    return wanted.filter((key) => !taken.has(key)).length >= ask.Count
  }
  for (const candidate of open) {
    if (isEnough()) break
    const held = devicesInUse([candidate.allocation])
    if (wanted.some((key) => held.has(key))) victims.push(candidate)
  }
  return isEnough() ? [victims] : undefined
}

function distinctSum(victims: readonly Candidate[]): number {
  return [...new Set(victims.map(({ priority }) => priority))].reduce((sum, priority) => sum + priority, 0)
}

/** By id, so that it does not depend on the history of the table who ends of those that are alike. */
function candidatesOf({ view, job, proposed }: PreemptionQuestion): readonly Candidate[] {
  const byId = [...proposed].sort((a, b) => (a.ID < b.ID ? -1 : 1))
  return byId.flatMap((allocation): Candidate[] => {
    const owner = jobOfAllocation(view, allocation)
    if (owner === undefined || (allocation.JobID === job.ID && allocation.Namespace === job.Namespace)) return []
    if (job.Priority - owner.Priority < PRIORITY_GAP) return []
    const maxParallel = findTaskGroup(owner, allocation.TaskGroup)?.Migrate?.MaxParallel ?? 0
    return [{ allocation, priority: owner.Priority, claims: claimsOnce(allocation), maxParallel }]
  })
}

/** Greedy by distance within each priority, the least important first; then as few as will do. */
function chooseByAmount(question: PreemptionQuestion, candidates: readonly Candidate[]): readonly Candidate[] | undefined {
  const wanted = wantedOn(question)
  const free = freeOf(question.node, question.proposed)
  if (covers(free, wanted)) return []
  const chosen: Candidate[] = []
  let available: Amounts = free
  let missing: Amounts = wanted
  for (const priority of [...new Set(candidates.map((candidate) => candidate.priority))].sort((a, b) => a - b)) {
    const open = candidates.filter((candidate) => candidate.priority === priority)
    while (open.length > 0 && !covers(available, wanted)) {
      const next = open.reduce((best, candidate) =>
        cost(question, candidate, missing, chosen) < cost(question, best, missing, chosen) ? candidate : best,
      )
      open.splice(open.indexOf(next), 1)
      chosen.push(next)
      available = plus(available, next.claims)
      missing = minus(missing, next.claims)
    }
  }
  return covers(available, wanted) ? fewest(chosen, free, wanted) : undefined
}

function fewest(chosen: readonly Candidate[], free: Amounts, wanted: Amounts): readonly Candidate[] {
  const byDistance = [...chosen].sort((a, b) => distance(wanted, b.claims) - distance(wanted, a.claims))
  const needed: Candidate[] = []
  let available = free
  for (const candidate of byDistance) {
    if (covers(available, wanted)) break
    needed.push(candidate)
    available = plus(available, candidate.claims)
  }
  return needed
}

function cost(question: PreemptionQuestion, candidate: Candidate, missing: Amounts, chosen: readonly Candidate[]): number {
  const { allocation, maxParallel } = candidate
  const key = ownerKey(allocation)
  const isSameGroup = (other: Allocation) => ownerKey(other) === key && other.TaskGroup === allocation.TaskGroup
  const gone =
    chosen.filter((other) => isSameGroup(other.allocation)).length +
    [...question.preempted.keys()].filter((id) => {
      const other = question.view.allocations.get(id)
      return other !== undefined && isSameGroup(other)
    }).length
  const penalty = maxParallel > 0 && gone >= maxParallel ? CROWDING_PENALTY * (gone + 1 - maxParallel) : 0
  return distance(missing, candidate.claims) + penalty
}

type Amounts = Pick<Claims, 'cpuShares' | 'memoryMb' | 'diskMb'>

/** How far what a victim frees is from what is asked; a dimension that nobody asks for does not count. */
function distance(ask: Amounts, freed: Amounts): number {
  const part = (asked: number, given: number) => (asked > 0 ? ((asked - given) / asked) ** 2 : 0)
  return Math.sqrt(part(ask.memoryMb, freed.memoryMb) + part(ask.cpuShares, freed.cpuShares) + part(ask.diskMb, freed.diskMb))
}

function freeOf(node: Node, proposed: readonly Allocation[]): Amounts {
  return proposed.reduce<Amounts>((left, allocation) => minus(left, claimsOnce(allocation)), capacityOf(node))
}

function covers(available: Amounts, wanted: Amounts): boolean {
  return available.cpuShares >= wanted.cpuShares && available.memoryMb >= wanted.memoryMb && available.diskMb >= wanted.diskMb
}

function plus(a: Amounts, b: Amounts): Amounts {
  return { cpuShares: a.cpuShares + b.cpuShares, memoryMb: a.memoryMb + b.memoryMb, diskMb: a.diskMb + b.diskMb }
}

function minus(a: Amounts, b: Amounts): Amounts {
  return { cpuShares: a.cpuShares - b.cpuShares, memoryMb: a.memoryMb - b.memoryMb, diskMb: a.diskMb - b.diskMb }
}
