/**
 * Evaluation → plan: the one door of the scheduler. Synchronous and pure; a `Scheduler` only keeps what it has derived
 * from the tables (columns, bitsets), which must equal a rebuild at any time.
 */
import type { Evaluation, EvaluationTrigger, Job, JobExplanation, SchedulingResult } from '../domain/index.js'
import type { StateView } from '../state/index.js'
import { explainJob } from './explain/explain-job.js'
import { judgeNodes } from './explain/node-verdicts.js'
import { ClusterIndex } from './feasible/cluster-index.js'
import { scheduleGeneric } from './generic.js'
import { PlanBuilder } from './plan-builder.js'
import type { ScheduleEnv } from './schedule-env.js'
import { scheduleSystem } from './system/schedule-system.js'

export interface Scheduler {
  /** Never throws for any job, node or history: what cannot be placed is a metric. A throw is a bug (see `worker`). */
  schedule(evaluation: Evaluation, env: ScheduleEnv): SchedulingResult
  /** Why the job runs as it does. `nowMs`: milliseconds since the epoch. */
  explain(job: Job, nowMs: number): JobExplanation
}

/** What each scheduler is never asked for: such an evaluation is a mistake of whoever made it. */
const FOREIGN_TRIGGERS: Readonly<Record<'generic' | 'system' | 'sysbatch', ReadonlySet<EvaluationTrigger>>> = {
  generic: new Set<EvaluationTrigger>(['scheduled']),
  system: new Set<EvaluationTrigger>([
    'scheduled',
    'alloc-failure',
    'alloc-reschedule',
    'max-plan-attempts',
    'max-disconnect-timeout',
    'periodic-job',
  ]),
  sysbatch: new Set<EvaluationTrigger>(['scheduled', 'alloc-failure', 'alloc-reschedule', 'max-plan-attempts', 'max-disconnect-timeout']),
}

/** A scheduler over the tables of `view`: it follows their changes from now on. */
export function createScheduler(view: StateView): Scheduler {
  const index = new ClusterIndex(view)
  return {
    schedule(evaluation, env) {
      index.scratches.takeBackAll()
      const kind = evaluation.Type === 'system' || evaluation.Type === 'sysbatch' ? evaluation.Type : 'generic'
      if (FOREIGN_TRIGGERS[kind].has(evaluation.TriggeredBy)) return refuse(view, evaluation)
      return kind === 'generic' ? scheduleGeneric(view, index, evaluation, env) : scheduleSystem(view, index, evaluation, env)
    },
    explain(job, nowMs) {
      return explainJob(view, job, nowMs, (evaluation, ofJob, group) => judgeNodes(view, index, evaluation, ofJob, group))
    },
  }
}

function refuse(view: StateView, evaluation: Evaluation): SchedulingResult {
  const StatusDescription = `scheduler cannot handle '${evaluation.TriggeredBy}' evaluation reason`
  return {
    plan: new PlanBuilder(view, evaluation).build(),
    evaluation: { ...evaluation, Status: 'failed', StatusDescription },
    created: [],
  }
}
