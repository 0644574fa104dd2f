/** Every node of the job's pool and datacenters, and what stands against one more allocation of a group there now. */
import type { Evaluation, Job, NodeVerdict, TaskGroup } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ClusterIndex } from '../feasible/cluster-index.js'
import { PlanBuilder } from '../plan-builder.js'
import { Sites } from '../rank/sites.js'

export function judgeNodes(
  view: StateView,
  index: ClusterIndex,
  evaluation: Evaluation,
  job: Job,
  group: TaskGroup,
): readonly NodeVerdict[] {
  const { statics, appraiser } = new Sites(view, index, new PlanBuilder(view, evaluation)).of(job, group)
  const verdicts: NodeVerdict[] = []
  for (const [row, node] of index.table.nodes.entries()) {
    const filtered = statics.reasonOf(row)
    if (node === undefined || filtered === null) continue
    const refusal = filtered === undefined ? appraiser.refusalOf(row, node, undefined) : { reason: filtered, isFiltered: true }
    const verdict = refusal === undefined ? 'open' : refusal.isFiltered ? 'filtered' : 'exhausted'
    verdicts.push({ node: node.Name, verdict, reason: refusal?.reason ?? '' })
  }
  return verdicts.sort((a, b) => (a.node < b.node ? -1 : 1))
}
