/** Why allocations of a group have no node. */
import type { AllocMetric, NodeVerdict, Reason, ShortfallCode } from '../../domain/index.js'

export function explainShortfall(group: string, metric: AllocMetric, nodes: readonly NodeVerdict[]): Reason {
  const missing = metric.CoalescedFailures + 1
  const filtered = metric.ConstraintFiltered ?? {}
  const exhausted = metric.DimensionExhausted ?? {}
  const code = codeOf(metric)
  return {
    code,
    group,
    allocation: null,
    facts: { missing, nodesEvaluated: metric.NodesEvaluated, filtered, exhausted, nodes },
    text: `${missing} of group ${group} ${missing === 1 ? 'has' : 'have'} no node: ${sentence(code, metric)}`,
  }
}

function codeOf({ NodesEvaluated, NodesExhausted }: AllocMetric): ShortfallCode {
  if (NodesEvaluated === 0) return 'no-nodes'
  return NodesExhausted === 0 ? 'no-suitable-node' : 'no-room'
}

function sentence(code: ShortfallCode, metric: AllocMetric): string {
  if (code === 'no-nodes') return 'no node is ready in the pool and datacenters of the job'
  const parts = [
    ...counted(metric.ConstraintFiltered).map(([reason, count]) => `${count} fail ${reason}`),
    ...counted(metric.DimensionExhausted).map(([reason, count]) => `${count} lack ${reason}`),
  ]
  return `of ${metric.NodesEvaluated} node(s) ${parts.join(', ')}`
}

/** The most frequent first. */
function counted(counts: Readonly<Record<string, number>> | null): readonly (readonly [string, number])[] {
  return Object.entries(counts ?? {}).sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1))
}
