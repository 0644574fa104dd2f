/** Which running allocations stay, change in place, or must be replaced (Nomad docs, "Placement"). */
import { type Allocation, allocationNameIndex, isTerminal, type TaskGroup } from '../../domain/index.js'
import { datacenterMatcher, isInPool } from '../feasible/candidates.js'
import { needsReplacement } from './task-changes.js'
import type { GroupContext } from './types.js'

export interface Updates {
  readonly ignore: readonly Allocation[]
  readonly inPlace: readonly Allocation[]
  /** In the order of their names. */
  readonly destructive: readonly Allocation[]
}

export function classifyUpdates(context: GroupContext, group: TaskGroup, allocations: readonly Allocation[]): Updates {
  const ignore: Allocation[] = []
  const inPlace: Allocation[] = []
  const destructive: Allocation[] = []
  for (const allocation of allocations) {
    const verdict = judgeUpdate(context, group, allocation)
    // What is out of sight has been or will be replaced: a second one in its place would be one too many. If it comes back it ends.
    if (verdict === 'ignore' || (verdict === 'destructive' && allocation.ClientStatus === 'unknown')) ignore.push(allocation)
    else if (verdict === 'destructive') destructive.push(allocation)
    else {
      context.plan.update(verdict)
      inPlace.push(allocation)
    }
  }
  destructive.sort((a, b) => allocationNameIndex(a.Name) - allocationNameIndex(b.Name))
  return { ignore, inPlace, destructive }
}

/** The row as it would be in place, or a word. */
export function judgeUpdate(
  context: Pick<GroupContext, 'job' | 'jobOf' | 'view' | 'fitInPlace'>,
  group: TaskGroup,
  allocation: Allocation,
): 'ignore' | 'destructive' | Allocation {
  const { job } = context
  if (allocation.JobVersion === job.Version && allocation.JobCreateIndex === job.CreateIndex) return 'ignore'
  const old = context.jobOf(allocation)
  if (old !== undefined && old.JobModifyIndex === job.JobModifyIndex) return 'ignore'
  if (old === undefined || needsReplacement(old, job, group.Name)) return 'destructive'
  if (isTerminal(allocation)) return 'ignore'
  const node = context.view.nodes.get(allocation.NodeID)
  if (node === undefined || !datacenterMatcher(job.Datacenters)(node.Datacenter) || !isInPool(node, job.NodePool)) return 'destructive'
  return context.fitInPlace(allocation, group) ?? 'destructive'
}
