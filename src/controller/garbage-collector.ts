/**
 * Removes what nobody needs any more, a little at a time: rows are looked at in slices and go in bounded batches, so that nobody waits for it
 * (Nomad docs, "server block": `*_gc_threshold`).
 *
 * A batch job that has a file keeps what it has run: that is what keeps it from running again.
 */
import {
  type Allocation,
  type Clock,
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
import type { Leader } from './leader.js'

/** How long ago something must have ended. */
export interface GarbageThresholds {
  readonly evaluationMs: number
  readonly batchEvaluationMs: number
  readonly jobMs: number
  readonly deploymentMs: number
  readonly nodeMs: number
}

const HOUR_MS = 3_600_000
export const GARBAGE_THRESHOLDS: GarbageThresholds = {
  evaluationMs: HOUR_MS,
  batchEvaluationMs: 24 * HOUR_MS,
  jobMs: 4 * HOUR_MS,
  deploymentMs: HOUR_MS,
  nodeMs: 24 * HOUR_MS,
}
const AT_ONCE: GarbageThresholds = { evaluationMs: 0, batchEvaluationMs: 0, jobMs: 0, deploymentMs: 0, nodeMs: 0 }

const EVERY_MS = 60_000
const MS_PER_TURN = 3
/** Rows that one Command removes, more or less. */
const ROWS_PER_COMMAND = 200

export interface GarbageCollectorDeps {
  readonly leader: Pick<Leader, 'state' | 'isStopped' | 'hasRoom' | 'propose'> & { readonly clock: Clock }
  readonly thresholds: GarbageThresholds
}

export class GarbageCollector {
  readonly #deps: GarbageCollectorDeps
  #pass: Iterator<Garbage | undefined> | undefined
  #cancel = () => {}
  #isStopped = false

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps
    this.#wait(EVERY_MS)
  }

  /** All that has ended goes, whenever that was. */
  collectAll(): void {
    this.#begin(AT_ONCE)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #begin(thresholds: GarbageThresholds): void {
    const { leader } = this.#deps
    this.#pass = findGarbage(leader.state, leader.clock.wallMs(), thresholds)
    this.#wait(0)
  }

  #wait(delayMs: number): void {
    this.#cancel()
    if (this.#isStopped) return
    this.#cancel = this.#deps.leader.clock.after(delayMs, () => {
      if (this.#deps.leader.isStopped) return
      if (this.#pass === undefined) this.#begin(this.#deps.thresholds)
      else this.#step(this.#pass)
    })
  }

  #step(pass: Iterator<Garbage | undefined>): void {
    const { leader } = this.#deps
    if (!leader.hasRoom) return this.#wait(EVERY_MS)
    const beganMs = leader.clock.monotonicMs()
    let garbage = NOTHING
    while (sizeOf(garbage) < ROWS_PER_COMMAND && leader.clock.monotonicMs() - beganMs < MS_PER_TURN) {
      const { done, value } = pass.next()
      if (done === true) {
        this.#pass = undefined
        break
      }
      if (value !== undefined) garbage = merge(garbage, value)
    }
    if (sizeOf(garbage) > 0) leader.propose([{ kind: 'garbage-collect', ...garbage }])
    this.#wait(this.#pass === undefined ? EVERY_MS : 0)
  }
}

type Garbage = Omit<Extract<CommandBody, { kind: 'garbage-collect' }>, 'kind'>

const NOTHING: Garbage = { evaluations: [], allocations: [], deployments: [], nodes: [], jobs: [] }

function merge(a: Garbage, b: Garbage): Garbage {
  return {
    evaluations: [...a.evaluations, ...b.evaluations],
    allocations: [...a.allocations, ...b.allocations],
    deployments: [...a.deployments, ...b.deployments],
    nodes: [...a.nodes, ...b.nodes],
    jobs: [...a.jobs, ...b.jobs],
  }
}

function sizeOf({ evaluations, allocations, deployments, nodes, jobs }: Garbage): number {
  return evaluations.length + allocations.length + deployments.length + nodes.length + jobs.length
}

/** Row by row; undefined for a row that stays. */
export function* findGarbage(view: StateView, nowMs: number, thresholds: GarbageThresholds): Generator<Garbage | undefined> {
  const at = { nowMs, thresholds }
  for (const job of view.jobs.values()) yield isJobGarbage(view, job, at) ? garbageOfJob(view, job) : undefined
  for (const evaluation of view.evaluations.values()) {
    yield isEvaluationGarbage(view, evaluation, at) ? garbageOfEvaluation(view, evaluation) : undefined
  }
  for (const deployment of view.deployments.values()) {
    yield isDeploymentGarbage(view, deployment, at) ? { ...NOTHING, deployments: [deployment.ID] } : undefined
  }
  for (const node of view.nodes.values()) yield isNodeGarbage(view, node, at) ? { ...NOTHING, nodes: [node.ID] } : undefined
}

interface At {
  readonly nowMs: number
  readonly thresholds: GarbageThresholds
}

/** Stopped, or made from another job and through with its work. All that it left behind goes with it. */
function isJobGarbage(view: StateView, job: Job, { nowMs, thresholds: { jobMs } }: At): boolean {
  const isWanted = !job.Stop && (job.ParentID === '' || (job.Type !== 'batch' && job.Type !== 'sysbatch'))
  if (isWanted || job.Status !== 'dead' || !isOld(job.SubmitTime, jobMs, nowMs)) return false
  for (const allocation of view.allocations.valuesBy('job', jobKey(job)))
    if (!isClientTerminal(allocation) || !isOld(allocation.ModifyTime, jobMs, nowMs)) return false
  for (const evaluation of view.evaluations.valuesBy('job', jobKey(job)))
    if (!isEvaluationTerminal(evaluation) || !isOld(evaluation.ModifyTime, jobMs, nowMs)) return false
  return true
}

function garbageOfJob(view: StateView, job: Job): Garbage {
  const evaluations = view.evaluations.by('job', jobKey(job)).map(({ ID }) => ID)
  const allocations = view.allocations.by('job', jobKey(job)).map(({ ID }) => ID)
  return { ...NOTHING, evaluations, allocations, jobs: [{ namespace: job.Namespace, jobId: job.ID }] }
}

function garbageOfEvaluation(view: StateView, evaluation: Evaluation): Garbage {
  const allocations = view.allocations.by('evaluation', evaluation.ID).map(({ ID }) => ID)
  return { ...NOTHING, evaluations: [evaluation.ID], allocations }
}

/** An allocation that came back from a silent node goes on naming the evaluation that would have replaced it: its end shows that nobody waits. */
function isNamedByLiving(view: StateView, evaluation: Evaluation): boolean {
  if (evaluation.WaitUntil === undefined) return false
  const mine = view.allocations.by('job', ownerKey(evaluation))
  return mine.some((allocation) => allocation.FollowupEvalID === evaluation.ID && !isClientTerminal(allocation))
}

/** Ended, old, and all that it placed may go too. What a registered batch job has done is what keeps it from running again. */
function isEvaluationGarbage(view: StateView, evaluation: Evaluation, at: At): boolean {
  if (!isEvaluationTerminal(evaluation)) return false
  const { evaluationMs, batchEvaluationMs } = at.thresholds
  const isBatch = evaluation.Type === 'batch' || evaluation.Type === 'sysbatch'
  if (!isOld(evaluation.ModifyTime, isBatch ? batchEvaluationMs : evaluationMs, at.nowMs)) return false
  if (isNamedByLiving(view, evaluation)) return false
  const job = view.jobs.get(ownerKey(evaluation))
  if (isBatch && job !== undefined && !(job.Stop && job.Status === 'dead'))
    return view.allocations.countBy('evaluation', evaluation.ID) === 0
  return view.allocations.by('evaluation', evaluation.ID).every((allocation) => isAllocationGarbage(view, allocation, at))
}

function isAllocationGarbage(view: StateView, allocation: Allocation, { nowMs, thresholds }: At): boolean {
  if (!isClientTerminal(allocation) || !isOld(allocation.ModifyTime, thresholds.evaluationMs, nowMs)) return false
  const job = view.jobs.get(ownerKey(allocation))
  if (job === undefined || job.Stop || allocation.DesiredStatus !== 'run' || allocation.ClientStatus !== 'failed') return true
  // A failed one that was not replaced yet still counts against its reschedule policy.
  return allocation.NextAllocation !== undefined
}

function isDeploymentGarbage(view: StateView, deployment: Deployment, { nowMs, thresholds }: At): boolean {
  return (
    !isDeploymentActive(deployment) &&
    !isReason(view, deployment) &&
    isOld(deployment.ModifyTime, thresholds.deploymentMs, nowMs) &&
    view.allocations.by('deployment', deployment.ID).every(isClientTerminal)
  )
}

/** It failed, and that is why the version that is wanted does not run. */
function isReason(view: StateView, { Status, Namespace, JobID, JobCreateIndex, JobVersion }: Deployment): boolean {
  const job = view.jobs.get(ownerKey({ Namespace, JobID }))
  return Status === 'failed' && job !== undefined && !job.Stop && job.CreateIndex === JobCreateIndex && job.Version === JobVersion
}

function isNodeGarbage(view: StateView, node: Node, { nowMs, thresholds }: At): boolean {
  const isGone = node.Status === 'down' && nowMs - node.StatusUpdatedAt * 1000 >= thresholds.nodeMs
  return isGone && view.allocations.countBy('node', node.ID) === 0
}

function isOld(time: Nanoseconds, thresholdMs: number, nowMs: number): boolean {
  return nowMs - time / MILLISECOND >= thresholdMs
}
