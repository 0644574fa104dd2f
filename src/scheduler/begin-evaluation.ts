/** What every evaluation does first: what is lost is lost, what has been overtaken ends, and a job that is no more is stopped. */
import type { Allocation, Deployment, Evaluation, Job, SchedulingResult } from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { concludeEvaluation, NOTHING_LOOKED_AT } from './outcome.js'
import { PlanBuilder } from './plan-builder.js'
import { latestDeployment, sortDeployments } from './reconcile/deployments.js'
import { stageLost, stopAll, stopOnEveryNode } from './reconcile/lost.js'
import type { ScheduleEnv } from './schedule-env.js'

export type Beginning =
  | {
      readonly kind: 'begun'
      readonly job: Job
      readonly plan: PlanBuilder
      readonly all: readonly Allocation[]
      readonly latest: Deployment | undefined
      readonly current: Deployment | undefined
      readonly old: Deployment | undefined
    }
  /** There was nothing to do but to stop. */
  | { readonly kind: 'ended'; readonly result: SchedulingResult }

export function beginEvaluation(view: StateView, evaluation: Evaluation, env: ScheduleEnv): Beginning {
  const job = env.job ?? view.jobs.get(ownerKey(evaluation))
  const plan = new PlanBuilder(view, evaluation)
  const all = view.allocations.by('job', ownerKey(evaluation))
  // Work that ends has no roll-out.
  const hasDeployments = evaluation.Type !== 'batch' && evaluation.Type !== 'sysbatch'
  const latest = hasDeployments ? latestDeployment(view, evaluation) : undefined
  const { current, old } = sortDeployments(plan, latest, job)
  stageLost(view, plan, all)
  if (job !== undefined && !job.Stop) return { kind: 'begun', job, plan, all, latest, current, old }
  if (evaluation.Type === 'system' || evaluation.Type === 'sysbatch') stopOnEveryNode(view, plan, all)
  else stopAll(view, plan, all, env.nowMs)
  for (const group of job?.TaskGroups ?? []) plan.queued.set(group.Name, 0)
  return { kind: 'ended', result: concludeEvaluation(plan, () => NOTHING_LOOKED_AT, latest?.ID, env.newId) }
}
