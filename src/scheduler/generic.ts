/** Service and batch jobs: one evaluation from beginning to end (Nomad docs, "Placement"). */
import {
  type Allocation,
  type Deployment,
  type DeploymentState,
  type Evaluation,
  isDeploymentActive,
  type Job,
  type SchedulingResult,
  type TaskGroup,
} from '../domain/index.js'
import { jobOfAllocation, type StateView } from '../state/index.js'
import { beginEvaluation } from './begin-evaluation.js'
import { IN_PLACE } from './descriptions.js'
import type { ClusterIndex } from './feasible/cluster-index.js'
import { createFollowUps } from './follow-ups.js'
import { concludeEvaluation } from './outcome.js'
import { Placer } from './placer.js'
import type { PlanBuilder } from './plan-builder.js'
import { Sites } from './rank/sites.js'
import { newDeployment, succeed } from './reconcile/deployments.js'
import { type GroupOutcome, reconcileGroup } from './reconcile/group.js'
import { stopAll } from './reconcile/lost.js'
import type { GroupContext } from './reconcile/types.js'
import type { ScheduleEnv } from './schedule-env.js'

export function scheduleGeneric(view: StateView, index: ClusterIndex, evaluation: Evaluation, env: ScheduleEnv): SchedulingResult {
  const begun = beginEvaluation(view, evaluation, env)
  if (begun.kind === 'ended') return begun.result
  const { job, plan, all, latest, current, old } = begun
  const isBatch = evaluation.Type === 'batch'
  const sites = new Sites(view, index, plan)
  const context = makeContext({ view, plan, evaluation, job, isBatch, env, sites, current, old })
  const outcomes = reconcileGroups(context, job, all)
  const deployment = settleDeployment(plan, job, current, outcomes, env)
  for (const group of job.TaskGroups) plan.queued.set(group.Name, 0)
  new Placer({ sites, job, nowMs: env.nowMs, newId: env.newId }).placeAll(
    [...outcomes.values()].flatMap((outcome) => [...outcome.destructive, ...outcome.placements]),
    deployment,
  )
  attachInPlace(plan, deployment)
  return concludeEvaluation(plan, () => sites.eligibility, (plan.deployment ?? latest)?.ID, env.newId)
}

interface ContextParts {
  readonly view: StateView
  readonly plan: PlanBuilder
  readonly evaluation: Evaluation
  readonly job: Job
  readonly isBatch: boolean
  readonly env: ScheduleEnv
  readonly sites: Sites
  readonly current: Deployment | undefined
  readonly old: Deployment | undefined
}

function makeContext({ view, plan, evaluation, job, isBatch, env, sites, current, old }: ContextParts): GroupContext {
  return {
    view,
    plan,
    evaluation,
    job,
    isBatch,
    nowMs: env.nowMs,
    deployment: current,
    oldDeployment: old,
    jobOf: (allocation) => jobOfAllocation(view, allocation),
    fitInPlace: (allocation, group) => fitInPlace(sites, job, allocation, group),
    followUp: (later, trigger) => {
      if (later.length === 0) return new Map()
      const ids = createFollowUps(plan, later, trigger, env.newId)
      if (trigger === 'alloc-reschedule') for (const { allocation } of later) noteFollowUp(plan, allocation, ids.get(allocation.ID)!)
      return ids
    },
  }
}

function noteFollowUp(plan: PlanBuilder, allocation: Allocation, id: string): void {
  plan.update({ ...(plan.updates.get(allocation.ID) ?? allocation), FollowupEvalID: id })
}

function fitInPlace(sites: Sites, job: Job, allocation: Allocation, group: TaskGroup): Allocation | undefined {
  const node = sites.view.nodes.get(allocation.NodeID)
  const resources = node === undefined ? undefined : sites.fitInPlace(job, group, allocation, node)
  if (resources === undefined) return undefined
  return {
    ...allocation,
    JobVersion: job.Version,
    JobCreateIndex: job.CreateIndex,
    AllocatedResources: resources,
    DesiredDescription: IN_PLACE,
  }
}

function reconcileGroups(context: GroupContext, job: Job, all: readonly Allocation[]): ReadonlyMap<string, GroupOutcome> {
  const outcomes = new Map<string, GroupOutcome>()
  const byGroup = new Map<string, Allocation[]>(job.TaskGroups.map((group) => [group.Name, []]))
  const orphans: Allocation[] = []
  for (const allocation of all) (byGroup.get(allocation.TaskGroup) ?? orphans).push(allocation)
  stopAll(context.view, context.plan, orphans, context.nowMs)
  for (const group of job.TaskGroups) outcomes.set(group.Name, reconcileGroup(context, group, byGroup.get(group.Name)!))
  return outcomes
}

/** A new deployment where there is something to watch, the known one with what has changed, or its success. */
function settleDeployment(
  plan: PlanBuilder,
  job: Job,
  current: Deployment | undefined,
  outcomes: ReadonlyMap<string, GroupOutcome>,
  env: ScheduleEnv,
): Deployment | undefined {
  const states = [...outcomes].flatMap(([name, outcome]): [string, DeploymentState][] =>
    outcome.deploymentState === undefined ? [] : [[name, outcome.deploymentState]],
  )
  if (current === undefined) {
    if (states.length === 0 || job.Type !== 'service') return undefined
    plan.deployment = newDeployment(job, Object.fromEntries(states), env.newId(), plan.evaluation.Priority)
    return plan.deployment
  }
  const groups = { ...current.TaskGroups, ...Object.fromEntries(states) }
  const isChanged = states.some(([name, state]) => state !== current.TaskGroups[name])
  if ([...outcomes.values()].every((outcome) => outcome.isComplete) && isDeploymentActive(current)) {
    succeed(plan, current)
    return undefined
  }
  if (!isChanged) return current
  plan.deployment = { ...current, TaskGroups: groups }
  return plan.deployment
}

/** What changed in place belongs to the deployment too, and must prove itself anew. */
function attachInPlace(plan: PlanBuilder, deployment: Deployment | undefined): void {
  if (deployment === undefined) return
  for (const [id, row] of plan.updates) {
    if (row.DesiredDescription !== IN_PLACE || row.JobVersion !== deployment.JobVersion || row.DeploymentID === deployment.ID) continue
    const { DeploymentStatus: _, ...rest } = row
    plan.updates.set(id, { ...rest, DeploymentID: deployment.ID })
  }
}
