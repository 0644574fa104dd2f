/** Which deployment an evaluation works in, and what becomes of the others (Nomad docs, "Placement"). */
import { type Deployment, type DeploymentState, isDeploymentActive, type Job, type TaskGroup, ZERO_TIME } from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import type { PlanBuilder } from '../plan-builder.js'

export interface Deployments {
  readonly current: Deployment | undefined
  readonly old: Deployment | undefined
}

export function seedDeploymentState(group: TaskGroup): DeploymentState {
  return {
    AutoRevert: group.Update?.AutoRevert ?? false,
    AutoPromote: group.Update?.AutoPromote ?? false,
    ProgressDeadline: group.Update?.ProgressDeadline ?? 0,
    RequireProgressBy: ZERO_TIME,
    Promoted: false,
    PlacedCanaries: null,
    DesiredCanaries: 0,
    DesiredTotal: 0,
    PlacedAllocs: 0,
    HealthyAllocs: 0,
    UnhealthyAllocs: 0,
  }
}

/** The newest of the job's deployments; earlier ones are over. */
export function latestDeployment(view: StateView, job: { readonly Namespace: string; readonly JobID: string }): Deployment | undefined {
  return [...view.deployments.by('job', ownerKey(job))].sort((a, b) => b.CreateIndex - a.CreateIndex)[0]
}

/** Cancels what has been overtaken. A stopped job has no current deployment. */
export function sortDeployments(plan: PlanBuilder, latest: Deployment | undefined, job: Job | undefined): Deployments {
  if (latest === undefined) return { current: undefined, old: undefined }
  if (job === undefined || job.Stop) {
    if (isDeploymentActive(latest)) cancel(plan, latest, 'Cancelled because job is stopped')
    return { current: undefined, old: latest }
  }
  if (latest.JobVersion !== job.Version || latest.JobCreateIndex !== job.CreateIndex) {
    if (isDeploymentActive(latest)) cancel(plan, latest, 'Cancelled due to newer version of job')
    return { current: undefined, old: latest }
  }
  return latest.Status === 'successful' ? { current: undefined, old: latest } : { current: latest, old: undefined }
}

function cancel(plan: PlanBuilder, deployment: Deployment, StatusDescription: string): void {
  plan.deploymentUpdates.push({ DeploymentID: deployment.ID, Status: 'cancelled', StatusDescription })
}

/** All is healthy and nothing is left to do. */
export function succeed(plan: PlanBuilder, { ID }: Deployment): void {
  plan.deploymentUpdates.push({ DeploymentID: ID, Status: 'successful', StatusDescription: 'Deployment completed successfully' })
}

export function newDeployment(job: Job, groups: Readonly<Record<string, DeploymentState>>, id: string, priority: number): Deployment {
  return {
    ID: id,
    Namespace: job.Namespace,
    JobID: job.ID,
    JobVersion: job.Version,
    JobModifyIndex: job.ModifyIndex,
    JobSpecModifyIndex: job.JobModifyIndex,
    JobCreateIndex: job.CreateIndex,
    IsMultiregion: false,
    TaskGroups: groups,
    Status: 'running',
    StatusDescription: describeNew(groups),
    EvalPriority: priority,
    CreateIndex: 0,
    ModifyIndex: 0,
    CreateTime: 0,
    ModifyTime: 0,
  }
}

function describeNew(groups: Readonly<Record<string, DeploymentState>>): string {
  const waiting = Object.values(groups).filter((state) => state.DesiredCanaries > 0 && !state.Promoted)
  if (waiting.length === 0) return 'Deployment is running'
  return waiting.every((state) => state.AutoPromote)
    ? 'Deployment is running pending automatic promotion'
    : 'Deployment is running but requires manual promotion'
}
