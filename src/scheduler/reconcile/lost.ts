/** What sits on nodes that are gone. */
import { type Allocation, isClientTerminal, isServerTerminal, isTerminal } from '../../domain/index.js'
import { jobOfAllocation, type StateView } from '../../state/index.js'
import { LOST, NOT_NEEDED } from '../descriptions.js'
import type { PlanBuilder } from '../plan-builder.js'
import { classify, taintOf } from './classify.js'

export function isLost(view: StateView, allocation: Allocation): boolean {
  const taint = taintOf(view, allocation.NodeID)
  return taint === null || taint?.Status === 'down'
}

/** What was told to stop and sits on a node that is gone will never say that it ended. */
export function stageLost(view: StateView, plan: PlanBuilder, all: readonly Allocation[]): void {
  for (const allocation of all) {
    if (!isServerTerminal(allocation) || isClientTerminal(allocation) || !isLost(view, allocation)) continue
    plan.stop(allocation, LOST, { ClientStatus: 'lost' })
  }
}

/** Ends it as not asked for any more; on a node that is gone it is lost at once. */
export function stopCounted(view: StateView, plan: PlanBuilder, allocation: Allocation, description: string): void {
  plan.stop(allocation, description, isLost(view, allocation) ? { ClientStatus: 'lost' } : {})
  plan.count(allocation.TaskGroup, 'Stop', 1)
}

/** Of a job, or a group, that is no more, or of which nothing is wanted: lost is what its node's silence has lost. */
export function stopAll(view: StateView, plan: PlanBuilder, all: readonly Allocation[], nowMs: number): void {
  const living = all.filter((allocation) => !isTerminal(allocation))
  const lost = new Set(classify(view, living, (allocation) => jobOfAllocation(view, allocation), nowMs).lost)
  for (const allocation of living) {
    if (lost.has(allocation)) plan.stop(allocation, LOST, { ClientStatus: 'lost' })
    else plan.stop(allocation, NOT_NEEDED)
    plan.count(allocation.TaskGroup, 'Stop', 1)
  }
}

/** The same of a job that runs on every node, which says nothing of the node, as in Nomad. */
export function stopOnEveryNode(view: StateView, plan: PlanBuilder, all: readonly Allocation[]): void {
  for (const allocation of all) if (!isTerminal(allocation)) stopCounted(view, plan, allocation, NOT_NEEDED)
}

/** What has ended by itself, in a group of which nothing is wanted any more: nor is it to be replaced. */
export function stopEnded(plan: PlanBuilder, all: readonly Allocation[]): void {
  for (const allocation of all) {
    if (!isClientTerminal(allocation) || isServerTerminal(allocation)) continue
    plan.stop(allocation, NOT_NEEDED)
    plan.count(allocation.TaskGroup, 'Stop', 1)
  }
}
