/** What one evaluation decided. It is checked in full before it is proposed, so it is applied whole or not at all. */
import type { Allocation, ClientStatus, DesiredStatus, RescheduleTracker } from './allocation.js'
import type { Deployment, DeploymentStatusUpdate } from './deployment.js'
import type { Evaluation } from './evaluation.js'

export interface Plan {
  readonly EvalID: string
  readonly Namespace: string
  readonly JobID: string
  /** Allocations that are to end, by id. */
  readonly Stops: readonly AllocationStop[]
  /** Full rows: new allocations, and existing ones under a new version (in-place updates, annotations). */
  readonly Placements: readonly Allocation[]
  readonly Updates: readonly Allocation[]
  /** Allocations of other jobs that make room. */
  readonly Preemptions: readonly AllocationStop[]
  /** A new deployment, or the current one with adjusted totals. */
  readonly Deployment: Deployment | null
  readonly DeploymentUpdates: readonly DeploymentStatusUpdate[]
  readonly Annotations: PlanAnnotations | null
}

export interface AllocationStop {
  readonly ID: string
  readonly DesiredStatus: Exclude<DesiredStatus, 'run'>
  readonly DesiredDescription: string
  /** Set when the plan decides the client status too (`lost`, `unknown`). */
  readonly ClientStatus?: ClientStatus
  readonly FollowupEvalID?: string
  readonly RescheduleTracker?: RescheduleTracker
  readonly PreemptedByAllocation?: string
}

export interface PlanAnnotations {
  readonly DesiredTGUpdates: Readonly<Record<string, DesiredUpdates>>
  /** Who would have to make room, as they are now; on the wire in the form of lists. Null: nobody. */
  readonly PreemptedAllocs: readonly Allocation[] | null
}

export interface DesiredUpdates {
  readonly Ignore: number
  readonly Place: number
  readonly Migrate: number
  readonly Stop: number
  readonly InPlaceUpdate: number
  readonly DestructiveUpdate: number
  readonly Canary: number
  readonly Preemptions: number
  readonly Disconnect: number
  readonly Reconnect: number
  readonly RescheduleNow: number
  readonly RescheduleLater: number
}

/** What the scheduler answers for one evaluation: the plan, and how the evaluation and its followers end up. */
export interface SchedulingResult {
  readonly plan: Plan
  /** The evaluation as it ends: complete, failed or (a blocked one that stays so) blocked. */
  readonly evaluation: Evaluation
  /** Blocked, delayed and follow-up evaluations. */
  readonly created: readonly Evaluation[]
}
