/** The scheduler: evaluations to plans, and the questions about nodes and policies that others ask too. */
export { addClaims, type Claims, capacityOf, claimsOf, type Fit, fitsNode, shortDimension } from './feasible/claims.js'
export { computeNodeClass } from './feasible/node-class.js'
export { parsePortRanges } from './feasible/ports.js'
export { hasRescheduleAttemptsLeft, isReschedulableNow, nextReschedule } from './reconcile/reschedule.js'
export { createScheduler, type ScheduleEnv, type Scheduler } from './schedule.js'
