/** The choice that system jobs have: this node or none. */
import type { Node, NodeScoreMeta } from '../../domain/index.js'
import { findVictims } from '../preempt.js'
import { singleNodeMetric } from './metrics.js'
import type { Refusal } from './refusal.js'
import { preemptionScore, SCORE_NAMES } from './score.js'
import type { Selection } from './selector.js'
import type { Site, Sites } from './sites.js'

export function selectOnly(sites: Sites, site: Site, node: Node, mayPreempt: boolean): Selection {
  const { statics, appraiser, job } = site
  const row = sites.index.table.rowOf(node.ID)!
  const metricOf = (refusal: Refusal | undefined, scores: readonly NodeScoreMeta[] | null) =>
    singleNodeMetric(statics, job.NodePool, refusal, node.NodeClass, scores)
  const filtered = statics.reasonOf(row)
  if (filtered !== undefined) return { kind: 'none', metric: metricOf({ reason: filtered ?? 'node not eligible', isFiltered: true }, null) }
  const change = sites.plan.changeOn(node.ID)
  const refusal = appraiser.refusalOf(row, node, change)
  if (refusal?.isFiltered === true) return { kind: 'none', metric: metricOf(refusal, null) }
  const granted = refusal === undefined ? appraiser.grantOn(node, 0) : undefined
  if (granted?.kind === 'granted') {
    const fit = appraiser.fitOf(row, change)
    const scores = [{ NodeID: node.ID, Scores: { [SCORE_NAMES.fit]: fit }, NormScore: fit }]
    return { kind: 'chosen', choice: { node, resources: granted.resources, victims: [], metric: metricOf(undefined, scores) } }
  }
  const reason = granted === undefined ? refusal : { reason: granted.dimension, isFiltered: false }
  return (mayPreempt ? preempting(sites, site, node, row, metricOf) : undefined) ?? { kind: 'none', metric: metricOf(reason, null) }
}

type MetricOf = (refusal: Refusal | undefined, scores: readonly NodeScoreMeta[] | null) => ReturnType<typeof singleNodeMetric>

function preempting(sites: Sites, { job, group, appraiser }: Site, node: Node, row: number, metricOf: MetricOf): Selection | undefined {
  const { view, plan } = sites
  const found = findVictims({
    view,
    job,
    group,
    node,
    proposed: plan.proposedOn(node.ID),
    ask: appraiser.needs.ask,
    startAt: 0,
    preempted: plan.preemptions,
  })
  if (found === undefined) return undefined
  const fit = appraiser.fitAfter(row, plan.changeOn(node.ID), found)
  const cost = preemptionScore(found.priorities)
  const Scores = { [SCORE_NAMES.fit]: fit, [SCORE_NAMES.preemption]: cost }
  const metric = metricOf(undefined, [{ NodeID: node.ID, Scores, NormScore: (fit + cost) / 2 }])
  return { kind: 'chosen', choice: { node, resources: found.resources, victims: found.victims, metric } }
}
