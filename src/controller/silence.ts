/** Nodes that nobody has heard for a while. */
import { isTerminal, type Node } from '../domain/index.js'
import { disconnectRulesOf, lastUnknownMs } from '../scheduler/index.js'
import { jobOfAllocation, type StateView } from '../state/index.js'

export function isSilent(node: Pick<Node, 'Status'>): boolean {
  return node.Status === 'down' || node.Status === 'disconnected'
}

/** Whether something runs there that may be out of sight, and has not been for too long (`disconnect { lost_after }`). */
export function mayComeBack(view: StateView, nodeId: string, nowMs: number): boolean {
  for (const allocation of view.allocations.valuesBy('node', nodeId)) {
    if (isTerminal(allocation)) continue
    const job = jobOfAllocation(view, allocation)
    const lostAfterMs = disconnectRulesOf(allocation, job)?.lostAfterMs ?? 0
    const sinceMs = allocation.ClientStatus === 'unknown' ? (lastUnknownMs(allocation) ?? nowMs) : nowMs
    if (lostAfterMs > 0 && allocation.ClientStatus !== 'pending' && nowMs < sinceMs + lostAfterMs) return true
  }
  return false
}
