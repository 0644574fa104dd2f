/** Removes what nobody needs any more, in bounded batches (`scheduler.md` §1.8). */
import {
  type Allocation,
  type Evaluation,
  isClientTerminal,
  isDeploymentActive,
  isEvaluationTerminal,
  MILLISECOND,
  type Nanoseconds,
} from '../domain/index.js'
import { type CommandBody, jobKey, ownerKey, type StateView } from '../state/index.js'

const HOUR_MS = 3_600_000
export const GC_THRESHOLDS_MS = {
  evaluation: HOUR_MS,
  batchEvaluation: 24 * HOUR_MS,
  job: 4 * HOUR_MS,
  deployment: HOUR_MS,
  node: 24 * HOUR_MS,
}
const BATCH_MAX = 500

/** One batch of what may go at `nowMs`, or nothing. */
export function computeGarbage(view: StateView, nowMs: number): CommandBody | undefined {
  const evaluations = firstOf(view.evaluations.values(), (evaluation) => isEvaluationGarbage(view, evaluation, nowMs))
  const allocations = evaluations
    .flatMap((evaluation) => view.allocations.by('evaluation', evaluation.ID))
    .map((allocation) => allocation.ID)
  const deployments = firstOf(
    view.deployments.values(),
    (deployment) =>
      !isDeploymentActive(deployment) &&
      isOld(deployment.ModifyTime, GC_THRESHOLDS_MS.deployment, nowMs) &&
      view.allocations.by('deployment', deployment.ID).every(isClientTerminal),
  )
  const jobs = firstOf(
    view.jobs.values(),
    (job) =>
      job.Stop &&
      job.Status === 'dead' &&
      isOld(job.SubmitTime, GC_THRESHOLDS_MS.job, nowMs) &&
      view.allocations.countBy('job', jobKey(job)) === 0 &&
      view.evaluations.by('job', jobKey(job)).every(isEvaluationTerminal),
  )
  const nodes = firstOf(
    view.nodes.values(),
    (node) =>
      node.Status === 'down' &&
      nowMs - node.StatusUpdatedAt * 1000 > GC_THRESHOLDS_MS.node &&
      view.allocations.countBy('node', node.ID) === 0,
  )
  if (evaluations.length + deployments.length + jobs.length + nodes.length === 0) return undefined
  return {
    kind: 'garbage-collect',
    evaluations: evaluations.map((evaluation) => evaluation.ID),
    allocations,
    deployments: deployments.map((deployment) => deployment.ID),
    nodes: nodes.map((node) => node.ID),
    jobs: jobs.map((job) => ({ namespace: job.Namespace, jobId: job.ID })),
  }
}

/** Ended, old, and all that it placed may go too. What a registered batch job has done is what keeps it from running again. */
function isEvaluationGarbage(view: StateView, evaluation: Evaluation, nowMs: number): boolean {
  if (!isEvaluationTerminal(evaluation)) return false
  const isBatch = evaluation.Type === 'batch' || evaluation.Type === 'sysbatch'
  if (!isOld(evaluation.ModifyTime, isBatch ? GC_THRESHOLDS_MS.batchEvaluation : GC_THRESHOLDS_MS.evaluation, nowMs)) return false
  const job = view.jobs.get(ownerKey(evaluation))
  if (isBatch && job !== undefined && !(job.Stop && job.Status === 'dead'))
    return view.allocations.countBy('evaluation', evaluation.ID) === 0
  return view.allocations.by('evaluation', evaluation.ID).every((allocation) => isAllocationGarbage(view, allocation, nowMs))
}

function isAllocationGarbage(view: StateView, allocation: Allocation, nowMs: number): boolean {
  if (!isClientTerminal(allocation) || !isOld(allocation.ModifyTime, GC_THRESHOLDS_MS.evaluation, nowMs)) return false
  const job = view.jobs.get(ownerKey(allocation))
  if (job === undefined || job.Stop || allocation.DesiredStatus !== 'run' || allocation.ClientStatus !== 'failed') return true
  // A failed one that was not replaced yet still counts against its reschedule policy.
  return allocation.NextAllocation !== undefined
}

function isOld(time: Nanoseconds, thresholdMs: number, nowMs: number): boolean {
  return nowMs - time / MILLISECOND > thresholdMs
}

function firstOf<Row>(rows: Iterable<Row>, isGarbage: (row: Row) => boolean): readonly Row[] {
  const found: Row[] = []
  for (const row of rows) {
    if (found.length === BATCH_MAX) break
    if (isGarbage(row)) found.push(row)
  }
  return found
}
