/**
 * Evaluation → plan: the one door of the scheduler. Synchronous and pure; a `Scheduler` only keeps what it has derived
 * from the tables (columns, bitsets), which must equal a rebuild at any time.
 */
import type { Evaluation, Job, SchedulingResult } from '../domain/index.js'
import type { StateView } from '../state/index.js'
import { NodeTable } from './feasible/node-table.js'
import { scheduleGeneric } from './generic.js'
import { scheduleSystem } from './system.js'

/** What the scheduler cannot find in the state. The worker fills it in; a test pins it. */
export interface ScheduleEnv {
  readonly nowMs: number
  readonly newId: () => string
  /** A dry run: this job instead of the stored one, and nothing of the result is meant to be applied. */
  readonly job?: Job
  /** Keep reasons for `why`; costs nothing when absent. */
  readonly explain?: boolean
}

export interface Scheduler {
  /** Never throws for any job, node or history: what cannot be placed is a metric. A throw is a bug (see `worker`). */
  schedule(evaluation: Evaluation, env: ScheduleEnv): SchedulingResult
}

/** A scheduler over the tables of `view`: it follows their changes from now on. */
export function createScheduler(view: StateView): Scheduler {
  const table = new NodeTable(view)
  return {
    schedule(evaluation, env) {
      const isSystem = evaluation.Type === 'system' || evaluation.Type === 'sysbatch'
      return isSystem ? scheduleSystem(view, table, evaluation, env) : scheduleGeneric(view, table, evaluation, env)
    },
  }
}
