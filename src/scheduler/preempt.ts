/** Whom to end so that something more important fits (`reference/scheduler.md` §4.7). */
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
import { ownerKey, type StateView } from '../state/index.js'
import { type Claims, capacityOf, claimsOf } from './feasible/claims.js'
import { askedDevices, assignDevices, deviceKey, devicesInUse, matchingDevices } from './feasible/devices.js'
import { claimsOnce } from './feasible/node-table.js'
import { grant } from './resources.js'

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
  const { node, group, proposed, ask, startAt } = question
  const candidates = candidatesOf(question)
  if (candidates.length === 0) return undefined
  const holders = chooseHolders(question, candidates)
  if (holders === undefined) return undefined
  const others = candidates.filter((candidate) => !holders.includes(candidate))
  const stay = without(proposed, holders)
  const chosen = chooseByAmount({ ...question, proposed: stay }, others)
  if (chosen === undefined) return undefined
  const all = [...holders, ...chosen]
  const granted = all.length === 0 ? undefined : grant(node, group, without(stay, chosen), ask, startAt)
  if (granted?.kind !== 'granted') return undefined
  return {
    victims: all.map(({ allocation }) => allocation),
    priorities: all.map(({ priority }) => priority),
    resources: granted.resources,
    holders: holders.map(({ allocation }) => allocation),
  }
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

function portHolders({ group, proposed }: PreemptionQuestion, candidates: readonly Candidate[]): readonly Candidate[] | undefined {
  const asked = (group.Networks?.[0]?.ReservedPorts ?? []).filter((port) => port.IgnoreCollision !== true).map((port) => port.Value)
  if (asked.length === 0) return []
  const holders = proposed.filter((allocation) => portsOf(allocation).some((port) => asked.includes(port)))
  const found = candidates.filter((candidate) => holders.includes(candidate.allocation))
  return found.length === holders.length ? found : undefined
}

function portsOf({ AllocatedResources: { Shared, Tasks } }: Allocation): readonly number[] {
  const networks = [...(Shared.Networks ?? []), ...Object.values(Tasks).flatMap((task) => task.Networks ?? [])]
  const ofNetworks = networks.flatMap(({ ReservedPorts, DynamicPorts }) => [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])])
  return [...(Shared.Ports ?? []), ...ofNetworks].map(({ Value }) => Value)
}

/** For each ask that is not met: the device group whose holders are the least important, those of low priority first. */
function deviceHolders(
  { node, group, proposed }: PreemptionQuestion,
  candidates: readonly Candidate[],
  gone: readonly Candidate[],
): readonly Candidate[] | undefined {
  const chosen: Candidate[] = []
  for (const ask of askedDevices(group)) {
    const left = without(proposed, [...gone, ...chosen])
    const taken = devicesInUse(left)
    if (assignDevices(node, [ask], taken) !== undefined) continue
    const open = candidates.filter((candidate) => left.includes(candidate.allocation)).sort((a, b) => a.priority - b.priority)
    const options = matchingDevices(node, ask).flatMap((device) => freeDevice(device, ask, taken, open) ?? [])
    const best = options.sort((a, b) => distinctSum(a) - distinctSum(b))[0]
    if (best === undefined) return undefined
    chosen.push(...best)
  }
  return chosen
}

function freeDevice(
  device: NodeDeviceResource,
  ask: RequestedDevice,
  taken: ReadonlySet<string>,
  open: readonly Candidate[],
): [readonly Candidate[]] | undefined {
  const healthy = (device.Instances ?? []).filter((instance) => instance.Healthy).map(({ ID }) => deviceKey(device, ID))
  let free = healthy.filter((key) => !taken.has(key)).length
  const victims: Candidate[] = []
  for (const candidate of open) {
    if (free >= ask.Count) break
    const held = devicesInUse([candidate.allocation])
    const freed = healthy.filter((key) => held.has(key)).length
    if (freed === 0) continue
    victims.push(candidate)
    free += freed
  }
  return free >= ask.Count ? [victims] : undefined
}

function distinctSum(victims: readonly Candidate[]): number {
  return [...new Set(victims.map(({ priority }) => priority))].reduce((sum, priority) => sum + priority, 0)
}

function candidatesOf({ view, job, proposed }: PreemptionQuestion): readonly Candidate[] {
  return proposed.flatMap((allocation): Candidate[] => {
    const owner = view.findJobVersion(allocation.Namespace, allocation.JobID, allocation.JobCreateIndex, allocation.JobVersion)
    if (owner === undefined || (allocation.JobID === job.ID && allocation.Namespace === job.Namespace)) return []
    if (job.Priority - owner.Priority < PRIORITY_GAP) return []
    const maxParallel = findTaskGroup(owner, allocation.TaskGroup)?.Migrate?.MaxParallel ?? 0
    return [{ allocation, priority: owner.Priority, claims: claimsOnce(allocation), maxParallel }]
  })
}

/** Greedy by distance within each priority, the least important first; then as few as will do. */
function chooseByAmount(question: PreemptionQuestion, candidates: readonly Candidate[]): readonly Candidate[] | undefined {
  const wanted = claimsOf(question.ask)
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

function fewest(chosen: readonly Candidate[], free: Amounts, wanted: Claims): readonly Candidate[] {
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
