/** The scheduler: evaluations to plans, and the questions about nodes and policies that others ask too. */
export { jobUsage, poolCapacities } from './capacity.js'
export { explainPlan } from './explain/explain-plan.js'
export { type Claims, type Fit, fitsNode } from './feasible/claims.js'
export { type Condition, satisfies } from './feasible/constraints.js'
export { computeNodeClass, escapesClass } from './feasible/node-class.js'
export { readPortRanges } from './feasible/port-ranges.js'
export { PortIndex } from './feasible/ports.js'
export { fitScore } from './rank/score.js'
export { disconnectRulesOf, lastUnknownMs } from './reconcile/classify.js'
export {
  attemptsInside,
  failTimeMs,
  hasRescheduleAttemptsLeft,
  nextDelayMs,
  nextReschedule,
  trackReplacement,
} from './reconcile/reschedule.js'
export { createScheduler, type Scheduler } from './schedule.js'
export type { ScheduleEnv } from './schedule-env.js'
