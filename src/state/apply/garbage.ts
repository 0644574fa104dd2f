/** Deletes what nobody needs any more. Every row is checked again here, because the proposer looked at an earlier moment. */
import { isClientTerminal, isDeploymentActive, isEvaluationTerminal, type LogIndex, namespacedKey } from '../../domain/index.js'
import { ownerKey } from '../schema.js'
import type { State } from '../state.js'
import { purgeJob, trimVersions } from './jobs.js'
import type { CommandOf } from './kind.js'

export function collectGarbage(state: State, index: LogIndex, command: CommandOf<'garbage-collect'>): void {
  const owners = new Set<string>()
  for (const id of command.allocations) {
    const allocation = state.allocations.get(id)
    if (allocation === undefined || !isClientTerminal(allocation)) continue
    owners.add(ownerKey(allocation))
    state.allocations.delete(index, id)
  }
  for (const id of command.evaluations) {
    const evaluation = state.evaluations.get(id)
    if (evaluation !== undefined && isEvaluationTerminal(evaluation)) state.evaluations.delete(index, id)
  }
  for (const id of command.deployments) {
    const deployment = state.deployments.get(id)
    if (deployment !== undefined && !isDeploymentActive(deployment)) state.deployments.delete(index, id)
  }
  for (const { namespace, jobId } of command.jobs) {
    const job = state.jobs.get(namespacedKey(namespace, jobId))
    if (job !== undefined && (job.Stop || job.ParentID !== '') && job.Status === 'dead') purgeJob(state, index, job)
  }
  for (const id of command.nodes) {
    const node = state.nodes.get(id)
    if (node === undefined || node.Status !== 'down' || state.allocations.countBy('node', id) > 0) continue
    state.nodes.delete(index, id)
    state.nodeReports.delete(index, id)
    state.hostOrders.delete(index, id)
    state.heldLosses.delete(index, id)
  }
  for (const key of owners) trimVersions(state, index, key)
}
