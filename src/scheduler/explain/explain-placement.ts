/** Why an allocation is there, and why on this node. */
import { type Allocation, isCanary, type PlacementCode, type Reason, type ScoredNode } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { LOST, MIGRATING, RESCHEDULED, UPDATING } from '../descriptions.js'

/** What was said of the one before, and what this makes of the one that follows. */
const ORIGINS: Readonly<Record<string, PlacementCode>> = {
  [LOST]: 'replaces-lost',
  [MIGRATING]: 'replaces-migrated',
  [RESCHEDULED]: 'replaces-failed',
  [UPDATING]: 'replaces-older-version',
}

const CAUSES: Readonly<Record<PlacementCode, string>> = {
  new: 'it was wanted and not there',
  canary: 'it tries the new version beside the old one',
  'replaces-failed': 'the one before failed',
  'replaces-lost': 'the node of the one before is gone',
  'replaces-migrated': 'the node of the one before is being drained',
  'replaces-older-version': 'the one before ran an older version',
  'replaces-disconnected': 'the node of the one before is silent',
  'replaces-ended': 'the one before has ended',
}

/** @param endOf what a plan that is not applied yet says of the one before */
export function explainPlacement(view: StateView, row: Allocation, endOf?: (id: string) => string | undefined): Reason {
  const code = originOf(view, row, endOf)
  const { NodesEvaluated = 0, NodesFiltered = 0, NodesExhausted = 0 } = row.Metrics ?? {}
  const scores = row.Metrics?.ScoreMetaData ?? []
  const own = scores.find(({ NodeID }) => NodeID === row.NodeID)
  const others: ScoredNode[] = scores
    .filter(({ NodeID }) => NodeID !== row.NodeID)
    .map(({ NodeID, NormScore }) => ({ node: view.nodes.get(NodeID)?.Name ?? NodeID, score: NormScore }))
  const facts = {
    node: row.NodeName,
    version: row.JobVersion,
    evaluation: row.EvalID,
    nodesEvaluated: NodesEvaluated,
    nodesFiltered: NodesFiltered,
    nodesExhausted: NodesExhausted,
    others,
    ...(row.PreviousAllocation === undefined ? {} : { previous: row.PreviousAllocation }),
    ...(own === undefined ? {} : { score: own.NormScore, scores: own.Scores }),
  }
  const open = NodesEvaluated - NodesFiltered - NodesExhausted
  const choice = own === undefined ? '' : `; ${describeChoice(row.NodeName, own.NormScore, own.Scores, others, open)}`
  return {
    code,
    group: row.TaskGroup,
    allocation: { name: row.Name, id: row.ID },
    facts,
    text: `${row.Name} is on ${row.NodeName}: ${CAUSES[code]}${choice}`,
  }
}

function originOf(view: StateView, row: Allocation, endOf: ((id: string) => string | undefined) | undefined): PlacementCode {
  if (isCanary(row)) return 'canary'
  if (row.PreviousAllocation === undefined) return 'new'
  const previous = view.allocations.get(row.PreviousAllocation)
  const known = ORIGINS[endOf?.(row.PreviousAllocation) ?? previous?.DesiredDescription ?? '']
  if (known !== undefined) return known
  if (previous?.ClientStatus === 'failed') return 'replaces-failed'
  return previous?.ClientStatus === 'unknown' ? 'replaces-disconnected' : 'replaces-ended'
}

function describeChoice(
  node: string,
  score: number,
  scores: Readonly<Record<string, number>>,
  others: readonly ScoredNode[],
  open: number,
): string {
  const parts = Object.entries(scores).flatMap(([name, value]) => (value === 0 ? [] : [`${name} ${round(value)}`]))
  const next = others[0] === undefined ? '' : `, next ${others[0].node} ${round(others[0].score)}`
  const rank = open <= 1 ? `only ${node} can take it` : `${node} is the best of ${open} that can take it`
  return `${rank}, at ${round(score)}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}${next}`
}

function round(value: number): string {
  return String(Math.round(value * 1_000) / 1_000)
}
