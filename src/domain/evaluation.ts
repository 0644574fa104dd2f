/** A request to look at one job again. Members the wire omits at zero are optional. Source: Nomad API docs, "Evaluations" */
import type { AllocMetric } from './allocation.js'
import type { PlanAnnotations } from './plan.js'
import type { Nanoseconds } from './units.js'

export type EvaluationStatus = 'pending' | 'blocked' | 'complete' | 'failed' | 'canceled'

export type EvaluationTrigger =
  | 'job-register'
  | 'job-deregister'
  | 'periodic-job'
  | 'node-drain'
  | 'node-update'
  | 'alloc-stop'
  | 'scheduled'
  | 'rolling-update'
  | 'deployment-watcher'
  | 'failed-follow-up'
  | 'max-plan-attempts'
  | 'alloc-failure'
  | 'alloc-reschedule'
  | 'queued-allocs'
  | 'preemption'
  | 'job-scaling'
  | 'max-disconnect-timeout'
  | 'reconnect'

export interface Evaluation {
  readonly ID: string
  readonly Namespace: string
  readonly Priority: number
  /** The scheduler that works on it: the job's type. */
  readonly Type: string
  readonly TriggeredBy: EvaluationTrigger
  readonly JobID: string
  readonly JobModifyIndex?: number
  readonly NodeID?: string
  readonly NodeModifyIndex?: number
  readonly DeploymentID?: string
  readonly Status: EvaluationStatus
  readonly StatusDescription?: string
  /** RFC 3339; a delayed evaluation is `pending` until then. */
  readonly WaitUntil?: string
  readonly NextEval?: string
  readonly PreviousEval?: string
  readonly BlockedEval?: string
  readonly FailedTGAllocs?: Readonly<Record<string, AllocMetric>>
  readonly ClassEligibility?: Readonly<Record<string, boolean>>
  readonly EscapedComputedClass?: boolean
  readonly QuotaLimitReached?: string
  readonly AnnotatePlan?: boolean
  readonly QueuedAllocations?: Readonly<Record<string, number>>
  readonly PlanAnnotations?: PlanAnnotations
  readonly SnapshotIndex?: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
  readonly CreateTime: Nanoseconds
  readonly ModifyTime: Nanoseconds
}

export function isEvaluationTerminal(evaluation: Pick<Evaluation, 'Status'>): boolean {
  return evaluation.Status === 'complete' || evaluation.Status === 'failed' || evaluation.Status === 'canceled'
}

/** `wait`: from when it may be worked on until it is. `schedule`: until it is decided. */
export type EvaluationStage = 'wait' | 'schedule'

/** Of one type of job. */
export interface EvaluationTime {
  readonly stage: EvaluationStage
  readonly type: string
  readonly count: number
  readonly sumMs: number
  readonly leastMs: number
  readonly mostMs: number
}
