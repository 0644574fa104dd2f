import type { Allocation, Deployment, Evaluation, EvaluationTrigger, Job, TaskGroup } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { PlanBuilder } from '../plan-builder.js'

/** One more allocation of a group is wanted; which node takes it is decided afterwards. */
export interface PlacementRequest {
  readonly group: TaskGroup
  readonly name: string
  /** What it comes after: the link, the preferred node and the reschedule history come from it. */
  readonly previous?: Allocation
  /** Ends when, and only when, the new one has found its place. */
  readonly replaces?: Allocation
  readonly isCanary?: boolean
  readonly isLost?: boolean
  readonly isReschedule?: boolean
  /** While canaries are tried: not older than this version, and not the one that is tried. */
  readonly downgradeFrom?: number
}

export interface GroupContext {
  readonly view: StateView
  readonly plan: PlanBuilder
  readonly evaluation: Evaluation
  readonly job: Job
  readonly isBatch: boolean
  readonly nowMs: number
  /** The current deployment of this version; undefined before the first and for batch jobs. */
  readonly deployment: Deployment | undefined
  /** The deployment of an earlier version, or one that has succeeded. */
  readonly oldDeployment: Deployment | undefined
  readonly jobOf: (allocation: Allocation) => Job | undefined
  /** Whether the allocation's node would still take it with the job as it is now; gives the row as it would be then. */
  readonly fitInPlace: (allocation: Allocation, group: TaskGroup) => Allocation | undefined
  /** Notes that the allocation is looked at again at that instant. */
  readonly followUp: (later: readonly Later[], trigger: EvaluationTrigger) => ReadonlyMap<string, string>
}

export interface Later {
  readonly allocation: Allocation
  readonly atMs: number
}
