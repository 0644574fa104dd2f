/** Whom to end so that something more important fits (`reference/scheduler.md` §4.7). */
import type { AllocatedResources, Allocation, AllocationStop, Job, Node, TaskGroup } from '../domain/index.js'
import { findTaskGroup } from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { type Claims, capacityOf, claimsOf } from './feasible/claims.js'
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
}

type Candidate = { readonly allocation: Allocation; readonly priority: number; readonly claims: Claims; readonly maxParallel: number }

export function findVictims(question: PreemptionQuestion): Victims | undefined {
  const { node, group, proposed, ask, startAt } = question
  const candidates = candidatesOf(question)
  const chosen = chooseByAmount(question, candidates)
  if (chosen === undefined) return undefined
  // Ports, cores and devices may need more room than the amounts do: the least important go first.
  const spare = candidates.filter((candidate) => !chosen.includes(candidate)).sort((a, b) => a.priority - b.priority)
  for (let extra = 0; extra <= spare.length; extra++) {
    const all = [...chosen, ...spare.slice(0, extra)]
    const left = proposed.filter((allocation) => !all.some((victim) => victim.allocation === allocation))
    const granted = grant(node, group, left, ask, startAt)
    if (granted.kind !== 'granted' || all.length === 0) continue
    return {
      victims: all.map(({ allocation }) => allocation),
      priorities: all.map(({ priority }) => priority),
      resources: granted.resources,
    }
  }
  return undefined
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
