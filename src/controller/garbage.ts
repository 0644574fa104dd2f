/**
 * What nobody needs any more, and from when on (Nomad docs, "server block": `*_gc_threshold`).
 *
 * A batch job that has a file keeps what it has run: that is what keeps it from running again.
 */
import {
  type Allocation,
  type Deployment,
  type Evaluation,
  isClientTerminal,
  isDeploymentActive,
  isEvaluationTerminal,
  type Job,
  MILLISECOND,
  type Nanoseconds,
  type Node,
} from '../domain/index.js'
import { type CommandBody, jobKey, ownerKey, type StateView } from '../state/index.js'

/** How long ago something must have ended. */
export interface GarbageThresholds {
  readonly evaluationMs: number
  readonly batchEvaluationMs: number
  readonly jobMs: number
  readonly deploymentMs: number
  readonly nodeMs: number
}

/** What one Command removes. */
export type Garbage = Omit<Extract<CommandBody, { kind: 'garbage-collect' }>, 'kind'>

export const NO_GARBAGE: Garbage = { evaluations: [], allocations: [], deployments: [], nodes: [], jobs: [] }

/** The tables whose rows go by themselves; allocations go with their evaluation or their job. */
const COLLECTED_TABLES = ['jobs', 'evaluations', 'deployments', 'nodes'] as const
type CollectedTable = (typeof COLLECTED_TABLES)[number]

/** Unless something else changes first. */
const NEVER = Number.POSITIVE_INFINITY
/** Rows of a stopped job that go at once, more or less. */
const ROWS_PER_PIECE = 200

/** From when on the row may go, wall time in ms; infinite while that is no matter of time, and for a row that is not there. */
export function dueMsOf(view: StateView, table: CollectedTable, key: string, thresholds: GarbageThresholds): number {
  switch (table) {
    case 'jobs':
      return dueOf(view.jobs.get(key), (job) => jobDueMs(view, job, thresholds))
    case 'evaluations':
      return dueOf(view.evaluations.get(key), (evaluation) => evaluationDueMs(view, evaluation, thresholds))
    case 'deployments':
      return dueOf(view.deployments.get(key), (deployment) => deploymentDueMs(view, deployment, thresholds))
    case 'nodes':
      return dueOf(view.nodes.get(key), (node) => nodeDueMs(view, node, thresholds))
  }
}

/** The row and all that goes with it, in the order in which it has to go. */
export function piecesOf(view: StateView, table: CollectedTable, key: string): readonly Garbage[] {
  switch (table) {
    case 'jobs':
      return piecesOfJob(view, view.jobs.get(key)!)
    case 'evaluations':
      return [{ ...NO_GARBAGE, evaluations: [key], allocations: view.allocations.by('evaluation', key).map(({ ID }) => ID) }]
    case 'deployments':
      return [{ ...NO_GARBAGE, deployments: [key] }]
    case 'nodes':
      return [{ ...NO_GARBAGE, nodes: [key] }]
  }
}

/** All that may go, piece by piece; undefined for a row that stays. */
export function* findGarbage(view: StateView, nowMs: number, thresholds: GarbageThresholds): Generator<Garbage | undefined> {
  for (const row of everyRow(view)) {
    if (dueMsOf(view, ...row, thresholds) <= nowMs) yield* piecesOf(view, ...row)
    else yield undefined
  }
}

export type CollectedRow = readonly [table: CollectedTable, key: string]

export function* everyRow(view: StateView): Generator<CollectedRow> {
  for (const table of COLLECTED_TABLES) for (const key of view[table].keys()) yield [table, key]
}

export function countGarbage({ evaluations, allocations, deployments, nodes, jobs }: Garbage): number {
  return evaluations.length + allocations.length + deployments.length + nodes.length + jobs.length
}

export function joinGarbage(pieces: readonly Garbage[]): Garbage {
  return {
    evaluations: pieces.flatMap(({ evaluations }) => evaluations),
    allocations: pieces.flatMap(({ allocations }) => allocations),
    deployments: pieces.flatMap(({ deployments }) => deployments),
    nodes: pieces.flatMap(({ nodes }) => nodes),
    jobs: pieces.flatMap(({ jobs }) => jobs),
  }
}

/**
 * A stopped job that ran much goes in pieces, itself last. One that is not stopped goes at once: with half of what it has run already forgotten
 * it would run that half again, if anything asked for it in between.
 */
function piecesOfJob(view: StateView, job: Job): readonly Garbage[] {
  const evaluations = view.evaluations.by('job', jobKey(job)).map(({ ID }) => ID)
  const allocations = view.allocations.by('job', jobKey(job)).map(({ ID }) => ID)
  const jobs = [{ namespace: job.Namespace, jobId: job.ID }]
  if (!job.Stop || evaluations.length + allocations.length <= ROWS_PER_PIECE) return [{ ...NO_GARBAGE, evaluations, allocations, jobs }]
  return [
    ...slices(allocations).map((slice) => ({ ...NO_GARBAGE, allocations: slice })),
    ...slices(evaluations).map((slice) => ({ ...NO_GARBAGE, evaluations: slice })),
    { ...NO_GARBAGE, jobs },
  ]
}

function slices(ids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / ROWS_PER_PIECE) }, (_, at) =>
    ids.slice(at * ROWS_PER_PIECE, (at + 1) * ROWS_PER_PIECE),
  )
}

function dueOf<Row>(row: Row | undefined, dueMs: (row: Row) => number): number {
  return row === undefined ? NEVER : dueMs(row)
}

/** Stopped, or made from another job and through with its work. All that it left behind goes with it. */
function jobDueMs(view: StateView, job: Job, { jobMs }: GarbageThresholds): number {
  const isWanted = !job.Stop && (job.ParentID === '' || (job.Type !== 'batch' && job.Type !== 'sysbatch'))
  if (isWanted || job.Status !== 'dead') return NEVER
  let dueMs = after(job.SubmitTime, jobMs)
  for (const allocation of view.allocations.valuesBy('job', jobKey(job)))
    dueMs = Math.max(dueMs, isClientTerminal(allocation) ? after(allocation.ModifyTime, jobMs) : NEVER)
  for (const evaluation of view.evaluations.valuesBy('job', jobKey(job)))
    dueMs = Math.max(dueMs, isEvaluationTerminal(evaluation) ? after(evaluation.ModifyTime, jobMs) : NEVER)
  return dueMs
}

/** Ended, old, and all that it placed may go too. What a registered batch job has done is what keeps it from running again. */
function evaluationDueMs(view: StateView, evaluation: Evaluation, thresholds: GarbageThresholds): number {
  if (!isEvaluationTerminal(evaluation) || isNamedByLiving(view, evaluation)) return NEVER
  const isBatch = evaluation.Type === 'batch' || evaluation.Type === 'sysbatch'
  let dueMs = after(evaluation.ModifyTime, isBatch ? thresholds.batchEvaluationMs : thresholds.evaluationMs)
  const job = view.jobs.get(ownerKey(evaluation))
  if (isBatch && job !== undefined && !(job.Stop && job.Status === 'dead'))
    return view.allocations.countBy('evaluation', evaluation.ID) === 0 ? dueMs : NEVER
  for (const allocation of view.allocations.valuesBy('evaluation', evaluation.ID))
    dueMs = Math.max(dueMs, allocationDueMs(allocation, job, thresholds))
  return dueMs
}

/** An allocation that came back from a silent node goes on naming the evaluation that would have replaced it: its end shows that nobody waits. */
function isNamedByLiving(view: StateView, evaluation: Evaluation): boolean {
  if (evaluation.WaitUntil === undefined) return false
  const mine = view.allocations.by('job', ownerKey(evaluation))
  return mine.some((allocation) => allocation.FollowupEvalID === evaluation.ID && !isClientTerminal(allocation))
}

function allocationDueMs(allocation: Allocation, job: Job | undefined, { evaluationMs }: GarbageThresholds): number {
  if (!isClientTerminal(allocation)) return NEVER
  const mayBeReplaced = job !== undefined && !job.Stop && allocation.DesiredStatus === 'run' && allocation.ClientStatus === 'failed'
  // A failed one that was not replaced yet still counts against its reschedule policy.
  return mayBeReplaced && allocation.NextAllocation === undefined ? NEVER : after(allocation.ModifyTime, evaluationMs)
}

function deploymentDueMs(view: StateView, deployment: Deployment, { deploymentMs }: GarbageThresholds): number {
  if (isDeploymentActive(deployment) || isReason(view, deployment)) return NEVER
  for (const allocation of view.allocations.valuesBy('deployment', deployment.ID)) if (!isClientTerminal(allocation)) return NEVER
  return after(deployment.ModifyTime, deploymentMs)
}

/** It failed, and that is why the version that is wanted does not run. */
function isReason(view: StateView, { Status, Namespace, JobID, JobCreateIndex, JobVersion }: Deployment): boolean {
  const job = view.jobs.get(ownerKey({ Namespace, JobID }))
  return Status === 'failed' && job !== undefined && !job.Stop && job.CreateIndex === JobCreateIndex && job.Version === JobVersion
}

function nodeDueMs(view: StateView, node: Node, { nodeMs }: GarbageThresholds): number {
  if (node.Status !== 'down' || view.allocations.countBy('node', node.ID) > 0) return NEVER
  return node.StatusUpdatedAt * 1000 + nodeMs
}

function after(time: Nanoseconds, thresholdMs: number): number {
  return time / MILLISECOND + thresholdMs
}
