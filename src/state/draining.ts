/**
 * What is left on a host that is being drained, and what each allocation waits for: pure, so that the drainer acts on the very answer that
 * people are shown. Source: Nomad docs, "migrate block" and "node drain"
 */
import {
  type Allocation,
  allocationNameIndex,
  findTaskGroup,
  isClientTerminal,
  isServerTerminal,
  type JobType,
  type Node,
  parseRfc3339Ms,
} from '../domain/index.js'
import { ownerKey } from './schema.js'
import { jobOfAllocation, type StateView } from './state.js'

export type DrainWait =
  /** May go now. */
  | 'move-now'
  /** Is to go, and its agent has not said yet that it has. */
  | 'ending'
  /** Others of its group are not known to be healthy yet (`migrate { max_parallel }`). */
  | 'healthy-others'
  /** Work of this kind may end by itself until the deadline. */
  | 'own-end'
  /** System jobs go when all else has gone. */
  | 'all-else'

export interface LeftOnNode {
  readonly allocation: Allocation
  readonly wait: DrainWait
}

/** In the order of their names; allocations that the drain leaves alone are not among them. */
export function leftOnNode(view: StateView, node: Node, nowMs: number): readonly LeftOnNode[] {
  const { DrainStrategy: drain } = node
  if (drain === null) return []
  const here = view.allocations
    .by('node', node.ID)
    .filter((allocation) => !isClientTerminal(allocation))
    .sort(compareNames)
  const concerned = here.filter((allocation) => !(drain.IgnoreSystemJobs && typeOf(view, allocation) === 'system'))
  const isForced = isDrainForced(node, nowMs)
  const hasOthers = concerned.some((allocation) => typeOf(view, allocation) !== 'system')
  const budgets = new Map<string, number>()
  return concerned.map((allocation) => ({ allocation, wait: waitOf(view, allocation, { isForced, hasOthers, budgets }) }))
}

function compareNames(a: Allocation, b: Allocation): number {
  if (a.JobID === b.JobID && a.TaskGroup === b.TaskGroup)
    return allocationNameIndex(a.Name) - allocationNameIndex(b.Name) || (a.ID < b.ID ? -1 : 1)
  return a.Name < b.Name ? -1 : 1
}

/** The deadline has come, or there is none to wait for. */
export function isDrainForced({ DrainStrategy: drain }: Node, nowMs: number): boolean {
  if (drain === null) return false
  const deadlineMs = drainDeadlineMs(drain)
  return drain.Deadline < 0 || (deadlineMs !== undefined && deadlineMs <= nowMs)
}

/** Undefined: it takes as long as it takes. */
export function drainDeadlineMs(drain: Pick<NonNullable<Node['DrainStrategy']>, 'ForceDeadline'>): number | undefined {
  return parseRfc3339Ms(drain.ForceDeadline)
}

interface Circumstances {
  readonly isForced: boolean
  /** Anything but system jobs is left. */
  readonly hasOthers: boolean
  /** How many more of each group may go, by job and group. */
  readonly budgets: Map<string, number>
}

function waitOf(view: StateView, allocation: Allocation, { isForced, hasOthers, budgets }: Circumstances): DrainWait {
  if (isServerTerminal(allocation) || allocation.DesiredTransition?.Migrate === true) return 'ending'
  if (isForced) return 'move-now'
  switch (typeOf(view, allocation)) {
    case 'system':
      return hasOthers ? 'all-else' : 'move-now'
    case 'batch':
    case 'sysbatch':
      return 'own-end'
    default:
      return spend(view, allocation, budgets) ? 'move-now' : 'healthy-others'
  }
}

/** What is unhealthy serves nobody: moving it costs nothing. */
function spend(view: StateView, allocation: Allocation, budgets: Map<string, number>): boolean {
  if (allocation.DeploymentStatus?.Healthy === false) return true
  const key = `${ownerKey(allocation)}\u0000${allocation.TaskGroup}`
  const budget = budgets.get(key) ?? budgetOf(view, allocation)
  budgets.set(key, budget - 1)
  return budget > 0
}

/** So many that `count - max_parallel` healthy ones remain. */
function budgetOf(view: StateView, { Namespace, JobID, TaskGroup }: Allocation): number {
  const key = ownerKey({ Namespace, JobID })
  const group = jobOf(view, key, TaskGroup)
  if (group === undefined) return 0
  let healthy = 0
  for (const other of view.allocations.valuesBy('job', key)) {
    const isStaying = !isServerTerminal(other) && !isClientTerminal(other) && other.DesiredTransition?.Migrate !== true
    if (other.TaskGroup === TaskGroup && isStaying && other.DeploymentStatus?.Healthy === true) healthy++
  }
  return healthy - (group.Count - (group.Migrate?.MaxParallel ?? 1))
}

/** Undefined: nobody wants the group any more, and the scheduler ends what is left of it. */
function jobOf(view: StateView, key: string, groupName: string) {
  const job = view.jobs.get(key)
  return job === undefined || job.Stop ? undefined : findTaskGroup(job, groupName)
}

function typeOf(view: StateView, allocation: Allocation): JobType {
  return jobOfAllocation(view, allocation)?.Type ?? 'service'
}
