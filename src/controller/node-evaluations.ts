/** Which jobs have to be looked at again when something happens to a node. */
import { type Evaluation, isClientTerminal, type Job, NODE_POOL_ALL, type Node, type Random } from '../domain/index.js'
import { jobKey, ownerKey, type StateView } from '../state/index.js'
import { newEvaluation } from './new-evaluation.js'

/**
 * One evaluation for each job that has allocations there, and for each system job that might want to run there, unless one of it is about to be
 * worked on: thousands of hosts that come at once are one question to each job.
 */
export function nodeEvaluations(view: StateView, node: Pick<Node, 'ID' | 'NodePool'>, random: Random): readonly Evaluation[] {
  const jobs = new Map<string, Job>()
  for (const allocation of view.allocations.valuesBy('node', node.ID)) {
    // What is to end counts too: on a host that is gone nobody but the scheduler says that it has.
    if (isClientTerminal(allocation)) continue
    const job = view.jobs.get(ownerKey(allocation))
    if (job !== undefined) jobs.set(jobKey(job), job)
  }
  for (const job of view.jobs.values()) {
    if (job.Type === 'system' && !job.Stop && (job.NodePool === node.NodePool || job.NodePool === NODE_POOL_ALL)) jobs.set(jobKey(job), job)
  }
  for (const evaluation of view.evaluations.valuesBy('status', 'pending')) if (!isDelayed(evaluation)) jobs.delete(ownerKey(evaluation))
  return [...jobs.keys()].sort().map((key) =>
    newEvaluation(random.uuid(), jobs.get(key)!, 'node-update', {
      NodeID: node.ID,
      NodeModifyIndex: view.nodes.get(node.ID)?.ModifyIndex ?? 0,
    }),
  )
}

/** It waits for a time of its own. */
function isDelayed({ WaitUntil }: Evaluation): boolean {
  return WaitUntil !== undefined && WaitUntil !== ''
}
