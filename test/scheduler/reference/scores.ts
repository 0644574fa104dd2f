/** How good a node is for one more allocation (Nomad docs, "Placement"; `balanced`: `docs/decisions/0007`). */
import type { Affinity, Allocation, Job, Node, RequestedDevice, SchedulerAlgorithm, Spread, TaskGroup } from '../../../src/domain/index.js'
import { assignDevices, devicesInUse } from '../../../src/scheduler/feasible/devices.js'
import { askedBy, capacityOf, usedBy } from './amounts.js'
import { holds, valueOn } from './conditions.js'
import type { Moment } from './moment.js'

export type Scores = Readonly<Record<string, number>>

export interface Scored {
  readonly scores: Scores
  readonly norm: number
}

/** `feasible` are the nodes that may take the group, room or not; `isPenalized` says that it has failed here before. */
export function scoresOf(moment: Moment, feasible: readonly Node[], node: Node, job: Job, group: TaskGroup, isPenalized: boolean): Scored {
  const ofGroup = (row: Allocation) => row.JobID === job.ID && row.Namespace === job.Namespace && row.TaskGroup === group.Name
  const neighbours = moment.neighboursOn(node.ID).filter(ofGroup).length
  const affinities = [job, group, ...group.Tasks].flatMap(({ Affinities }) => Affinities ?? [])
  const asks = group.Tasks.flatMap((task) => task.Resources.Devices ?? [])
  const spread = spreadBoost(moment, feasible, node, job, group)
  const given: Readonly<Record<string, number | undefined>> = {
    binpack: fitOf(moment, node, job, group),
    'job-anti-affinity': neighbours === 0 ? undefined : -(neighbours + 1) / Math.max(1, group.Count),
    'node-reschedule-penalty': isPenalized ? -1 : undefined,
    'node-affinity': affinities.length === 0 ? undefined : affinityOf(node, affinities),
    devices: asks.every((ask) => (ask.Affinities ?? []).length === 0) ? undefined : deviceScore(moment, node, asks),
    'allocation-spread': spread === 0 ? undefined : spread,
  }
  const counted = Object.values(given).filter((score) => score !== undefined)
  const told = Object.entries(given).filter(([name, score]) => score !== undefined || TOLD_AT_ZERO.includes(name))
  return {
    scores: Object.fromEntries(told.map(([name, score]) => [name, score ?? 0])),
    norm: counted.reduce((sum, score) => sum + score, 0) / counted.length,
  }
}

const TOLD_AT_ZERO = ['job-anti-affinity', 'node-reschedule-penalty', 'node-affinity']

export function fitOf(moment: Moment, node: Node, job: Job, group: TaskGroup): number {
  const [all, used, ask] = [capacityOf(node), usedBy(moment.proposedOn(node.ID)), askedBy(group, node)]
  const cpu = all.cpu > 0 ? (used.cpu + ask.cpu) / all.cpu : 1
  const memory = all.memory > 0 ? (used.memory + ask.memory) / all.memory : 1
  if (algorithmOf(moment, job) === 'balanced') return balancedFit(share(used, all), share(ask, all))
  const free = 10 ** (1 - cpu) + 10 ** (1 - memory)
  return Math.min(18, Math.max(0, algorithmOf(moment, job) === 'spread' ? free - 2 : 20 - free)) / 18
}

interface CpuAndMemory {
  readonly cpu: number
  readonly memory: number
}

function share(part: CpuAndMemory, all: CpuAndMemory): CpuAndMemory {
  return { cpu: all.cpu > 0 ? part.cpu / all.cpu : 0, memory: all.memory > 0 ? part.memory / all.memory : 0 }
}

function balancedFit(held: CpuAndMemory, asked: CpuAndMemory): number {
  const before = Math.abs(held.cpu - held.memory)
  const after = Math.abs(held.cpu + asked.cpu - held.memory - asked.memory)
  const sum = asked.cpu + asked.memory
  const evenness = sum > 0 ? (1 + (before - after) / sum) / 2 : 1 / 2
  return 0.3 + 0.7 * evenness * Math.min(1, Math.max(held.cpu, held.memory) / 0.2)
}

function algorithmOf({ view }: Moment, job: Job): SchedulerAlgorithm {
  const ofPool = view.nodePools.get(job.NodePool)?.SchedulerConfiguration?.SchedulerAlgorithm
  return (ofPool || view.schedulerConfiguration.SchedulerAlgorithm) as SchedulerAlgorithm
}

function affinityOf(node: Node, affinities: readonly Affinity[]): number {
  const total = affinities.reduce((sum, { Weight }) => sum + Math.abs(Weight), 0)
  const met = affinities.filter((affinity) => holds(node, affinity)).reduce((sum, { Weight }) => sum + Weight, 0)
  return total === 0 ? 0 : met / total
}

function deviceScore(moment: Moment, node: Node, asks: readonly RequestedDevice[]): number {
  const assigned = assignDevices(node, asks, devicesInUse(moment.proposedOn(node.ID)))
  return assigned === undefined || assigned.totalWeight === 0 ? 0 : assigned.matchedWeight / assigned.totalWeight
}

function spreadBoost(moment: Moment, feasible: readonly Node[], node: Node, job: Job, group: TaskGroup): number {
  const spreads = [...(group.Spreads ?? []), ...(job.Spreads ?? [])]
  const weight = spreads.reduce((sum, { Weight }) => sum + Weight, 0)
  return spreads.reduce((sum, spread) => {
    const value = valueOn(node, spread.Attribute)
    const used = countUses(moment, spread.Attribute, job, group)
    const targets = targetsOf(spread, group.Count)
    const boostOf = (of: string) => (targets.size === 0 ? evenBoost(used, of) : targetBoost(targets, used, of, spread.Weight / weight))
    if (value === undefined) return sum - 1
    // Where nothing is wanted is as bad as the worst of the others.
    const others = () => feasible.flatMap((other) => valueOn(other, spread.Attribute) ?? []).flatMap((of) => boostOf(of) ?? [])
    return sum + (boostOf(value) ?? Math.min(-1, ...others()))
  }, 0)
}

function countUses(moment: Moment, attribute: string, job: Job, group: TaskGroup): ReadonlyMap<string, number> {
  const used = new Map<string, number>()
  for (const row of moment.wantedOf(job)) {
    const home = moment.view.nodes.get(row.NodeID)
    const value = home === undefined ? undefined : valueOn(home, attribute)
    if (value !== undefined && row.TaskGroup === group.Name) used.set(value, (used.get(value) ?? 0) + 1)
  }
  return used
}

/** Wanted numbers by value; `*` stands for all that are not listed. */
function targetsOf({ SpreadTarget }: Spread, count: number): ReadonlyMap<string, number> {
  const targets = new Map((SpreadTarget ?? []).map(({ Value, Percent }) => [Value, (Percent / 100) * count]))
  const percents = (SpreadTarget ?? []).reduce((sum, { Percent }) => sum + Percent, 0)
  if (count > 0 && percents > 0 && percents < 100) targets.set('*', ((100 - percents) / 100) * count)
  return targets
}

function targetBoost(targets: ReadonlyMap<string, number>, uses: ReadonlyMap<string, number>, value: string, share: number) {
  const wanted = targets.get(value) ?? targets.get('*')
  if (wanted === undefined) return -1
  if (wanted === 0) return undefined
  const elsewhere = [...uses].filter(([other]) => !targets.has(other)).reduce((sum, [, count]) => sum + count, 0)
  const used = targets.has(value) ? (uses.get(value) ?? 0) : elsewhere
  return ((wanted - (used + 1)) / wanted) * share
}

function evenBoost(uses: ReadonlyMap<string, number>, value: string): number {
  if (uses.size === 0) return 0
  const [min, max, used] = [Math.min(...uses.values()), Math.max(...uses.values()), uses.get(value) ?? 0]
  if (used !== min) return (min - used) / min
  return min === max ? -1 : (max - min) / min
}
