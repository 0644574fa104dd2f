/** What the hosts of each pool have, what is promised on them, and what a job would promise: for people who look at a plan. */
import {
  type Allocation,
  type Amounts,
  type Evaluation,
  isClientTerminal,
  isTemplateJob,
  isTerminal,
  type Job,
  type JobUsage,
  type PoolCapacity,
  type SchedulingResult,
} from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { type Claims, capacityOf, claimsOf } from './feasible/claims.js'
import { askOf } from './resources.js'

const NOTHING: Amounts = { cpuMhz: 0, memoryMb: 0 }

/**
 * Of the pools that have hosts, in order of name. Hosts that are down offer nothing.
 * @param removed jobs that would be gone
 */
export function poolCapacities(view: StateView, removed: readonly Pick<Job, 'Namespace' | 'ID'>[]): readonly PoolCapacity[] {
  const gone = new Set(removed.map(({ Namespace, ID }) => ownerKey({ Namespace, JobID: ID })))
  const pools = new Map<string, PoolCapacity>()
  for (const node of view.nodes.values()) {
    if (node.Status === 'down') continue
    const living = view.allocations.by('node', node.ID).filter((row) => !isClientTerminal(row))
    const freed = living.filter((row) => gone.has(ownerKey(row)))
    const known = pools.get(node.NodePool) ?? { pool: node.NodePool, hosts: 0, total: NOTHING, promised: NOTHING, freed: NOTHING }
    pools.set(node.NodePool, {
      pool: node.NodePool,
      hosts: known.hosts + 1,
      total: plus(known.total, amountsOf(capacityOf(node))),
      promised: plus(known.promised, held(living)),
      freed: plus(known.freed, held(freed)),
    })
  }
  return [...pools.values()].sort((a, b) => (a.pool < b.pool ? -1 : 1))
}

/** What a job holds now, and what it would once all of the plan and of its roll-out is done. Work that is on every node: what the plan places. */
export function jobUsage(view: StateView, job: Job, { plan, evaluation }: SchedulingResult): JobUsage {
  const living = view.allocations.by('job', ownerKey({ Namespace: job.Namespace, JobID: job.ID })).filter((row) => !isTerminal(row))
  const before = held(living)
  if (isTemplateJob(job) || job.Stop) return { pool: job.NodePool, before, after: isTemplateJob(job) ? before : NOTHING }
  if (job.Type === 'service' || job.Type === 'batch') return { pool: job.NodePool, before, after: wanted(view, job, evaluation) }
  const replaced = new Set([...plan.Stops, ...plan.Placements, ...plan.Updates].map(({ ID }) => ID))
  const kept = living.filter(({ ID }) => !replaced.has(ID))
  return { pool: job.NodePool, before, after: held([...kept, ...plan.Placements, ...plan.Updates]) }
}

function wanted(view: StateView, job: Job, { QueuedAllocations }: Evaluation): Amounts {
  const hasOversubscription = view.schedulerConfiguration.MemoryOversubscriptionEnabled
  return job.TaskGroups.reduce((sum, group) => {
    const count = Math.max(0, group.Count - (QueuedAllocations?.[group.Name] ?? 0))
    const { cpuMhz, memoryMb } = amountsOf(claimsOf(askOf(group, hasOversubscription)))
    return plus(sum, { cpuMhz: count * cpuMhz, memoryMb: count * memoryMb })
  }, NOTHING)
}

function held(rows: readonly Allocation[]): Amounts {
  return rows.reduce((sum, { AllocatedResources }) => plus(sum, amountsOf(claimsOf(AllocatedResources))), NOTHING)
}

function amountsOf({ cpuShares, memoryMb }: Claims): Amounts {
  return { cpuMhz: cpuShares, memoryMb }
}

function plus(a: Amounts, b: Amounts): Amounts {
  return { cpuMhz: a.cpuMhz + b.cpuMhz, memoryMb: a.memoryMb + b.memoryMb }
}
