/** What the engine tells of one choice against what a look at every node finds. */
import { isDeepStrictEqual } from 'node:util'
import type { Allocation, AllocMetric, Evaluation, Node } from '../../../src/domain/index.js'
import { hashId } from '../../../src/scheduler/feasible/node-table.js'
import type { Finding } from '../reference/survey.js'

const TOLERANCE = 1e-9
const SCORES_TOLD = 5

export class Disagreement extends Error {}

export function agree(what: string, engine: unknown, reference: unknown): void {
  if (isDeepStrictEqual(engine, reference)) return
  throw new Disagreement(`${what}: the engine says ${JSON.stringify(engine)}, the reference ${JSON.stringify(reference)}`)
}

export function demand(isMet: boolean, message: string): void {
  if (!isMet) throw new Disagreement(message)
}

/** The chosen node is the preferred one where that is possible, else the best of all; what is told of the others is true. */
export function agreeOnChoice(findings: readonly Finding[], row: Allocation, preferred: Node | undefined, evaluation: Evaluation): void {
  const open = findings.filter((finding) => finding.kind === 'open' && finding.portReason === undefined)
  const told = row.Metrics?.ScoreMetaData ?? []
  const chosen = open.find(({ node }) => node.ID === row.NodeID)
  if (chosen === undefined) throw new Disagreement(`${row.Name} is placed on ${row.NodeName}: ${reasonOf(findings, row.NodeID)}`)
  if (open.some(({ node }) => node.ID === preferred?.ID)) agree(`the node that ${row.Name} prefers`, row.NodeID, preferred?.ID)
  else {
    const best = Math.max(...open.map(({ norm }) => norm))
    demand(chosen.norm >= best - TOLERANCE, `${row.Name} is placed at ${chosen.norm}, the best is ${best}`)
    agree(`the best that is told of ${row.Name}`, told[0]?.NodeID, row.NodeID)
  }
  agreeOnScores(findings, row, evaluation)
  agreeOnCounts(findings, row.Metrics!, row.Name)
}

function reasonOf(findings: readonly Finding[], nodeId: string): string {
  const finding = findings.find(({ node }) => node.ID === nodeId)
  return finding === undefined ? 'it is no candidate' : `${finding.kind}, ${finding.reason ?? finding.portReason}`
}

/** The five best in order, with the scores that the reference gives them. */
function agreeOnScores(findings: readonly Finding[], { Name, Metrics }: Allocation, { ID }: Evaluation): void {
  const told = Metrics!.ScoreMetaData ?? []
  const open = findings.filter(({ kind }) => kind === 'open')
  const inVain = open.filter(({ portReason }) => portReason !== undefined)
  const count = (found: number) => Math.min(SCORES_TOLD, found)
  const isCounted = told.length >= count(open.length - inVain.length) && told.length <= count(open.length)
  demand(isCounted, `${Name} tells ${told.length} scores of ${open.length}`)
  for (const [at, { NodeID, Scores, NormScore }] of told.entries()) {
    const finding = open.find(({ node }) => node.ID === NodeID)
    if (finding === undefined) throw new Disagreement(`${Name} tells the score of ${NodeID}: ${reasonOf(findings, NodeID)}`)
    agreeOnNumbers(`scores of ${Name} on ${finding.node.Name}`, { ...Scores, NormScore }, { ...finding.scores, NormScore: finding.norm })
    const next = told[at + 1]
    if (next === undefined) continue
    demand(NormScore >= next.NormScore, `scores of ${Name} are out of order`)
    const isTie = NormScore === next.NormScore && isDeepStrictEqual(Scores, next.Scores)
    demand(!isTie || tieOf(NodeID, ID) <= tieOf(next.NodeID, ID), `${Name}: ${NodeID} wins a tie against ${next.NodeID}`)
  }
  const worst = told.length < SCORES_TOLD ? Number.POSITIVE_INFINITY : told.at(-1)!.NormScore
  for (const { node, norm } of open.filter((finding) => !inVain.includes(finding))) {
    const isTold = told.some(({ NodeID }) => NodeID === node.ID)
    demand(isTold || norm <= worst + TOLERANCE, `${Name} does not tell of ${node.Name} with ${norm}`)
  }
}

export function agreeOnNumbers(what: string, engine: Readonly<Record<string, number>>, reference: Readonly<Record<string, number>>): void {
  const names = new Set([...Object.keys(engine), ...Object.keys(reference)])
  const isNear = (name: string) => Math.abs((engine[name] ?? Number.NaN) - (reference[name] ?? Number.NaN)) <= TOLERANCE
  if (![...names].every(isNear)) agree(what, engine, reference)
}

function tieOf(nodeId: string, evaluationId: string): number {
  return (hashId(nodeId) ^ hashId(evaluationId)) >>> 0
}

/** Why nodes were not chosen. Those that turn out to be in vain are counted when they are tried, so not always. */
export function agreeOnCounts(findings: readonly Finding[], metric: AllocMetric, what: string, areAllTried = false): void {
  const filtered = findings.filter(({ kind }) => kind === 'filtered')
  agree(
    `counts of ${what}`,
    [metric.NodesEvaluated, metric.NodesInPool, metric.NodesFiltered, metric.ConstraintFiltered, metric.ClassFiltered],
    [findings.length, findings.length, filtered.length, countBy(filtered, reason), countBy(filtered, nodeClass)],
  )
  agree(`nodes available for ${what}`, metric.NodesAvailable, countBy(findings, datacenter) ?? {})
  const short = findings.filter(({ kind }) => kind === 'exhausted')
  const inVain = findings.filter(({ kind, portReason }) => kind === 'open' && portReason !== undefined)
  const told = [metric.NodesExhausted, metric.DimensionExhausted, metric.ClassExhausted]
  const count = (found: readonly Finding[]) => [found.length, countBy(found, reason), countBy(found, nodeClass)]
  if (inVain.length === 0) return agree(`counts of ${what}`, told, count(short))
  if (areAllTried) return agree(`counts of ${what}`, told, count([...short, ...inVain]))
  const isBetween = metric.NodesExhausted >= short.length && metric.NodesExhausted <= short.length + inVain.length
  demand(isBetween, `${what} tells ${metric.NodesExhausted} exhausted nodes, there are ${short.length} to ${short.length + inVain.length}`)
}

const reason = (finding: Finding) => finding.reason ?? `network: ${finding.portReason}`
const nodeClass = ({ node }: Finding) => node.NodeClass
const datacenter = ({ node }: Finding) => node.Datacenter

function countBy(findings: readonly Finding[], keyOf: (finding: Finding) => string): Readonly<Record<string, number>> | null {
  const counts: Record<string, number> = {}
  for (const key of findings.map(keyOf).filter((text) => text !== '')) counts[key] = (counts[key] ?? 0) + 1
  return Object.keys(counts).length === 0 ? null : counts
}
