/** How jobs look on the wire. A stored job is the wire's job; lists show less of it. */
import type { Deployment, Job, JobSummary } from '../../domain/index.js'
import { isDeploymentActive } from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import { FragmentCache, PairFragmentCache } from '../encode.js'

export const jobJson = new FragmentCache<Job>((job) => job)

/** Clients look into the summary of every job, so there always is one. */
function jobStub(job: Job, summary: JobSummary | undefined): Readonly<Record<string, unknown>> {
  return {
    ID: job.ID,
    ParentID: job.ParentID,
    Name: job.Name,
    Namespace: job.Namespace,
    Datacenters: job.Datacenters,
    NodePool: job.NodePool,
    Multiregion: job.Multiregion,
    Type: job.Type,
    Priority: job.Priority,
    Periodic: job.Periodic !== null,
    ParameterizedJob: job.ParameterizedJob !== null && !job.Dispatched,
    Stop: job.Stop,
    Status: job.Status,
    StatusDescription: job.StatusDescription,
    JobSummary: summary ?? emptySummary(job),
    CreateIndex: job.CreateIndex,
    ModifyIndex: job.ModifyIndex,
    JobModifyIndex: job.JobModifyIndex,
    SubmitTime: job.SubmitTime,
    Meta: null,
  }
}

export function emptySummary(job: Job): JobSummary {
  const { ID: JobID, Namespace, CreateIndex } = job
  return { JobID, Namespace, Summary: {}, Children: { Pending: 0, Running: 0, Dead: 0 }, CreateIndex, ModifyIndex: CreateIndex }
}

const plainStubs = new PairFragmentCache<Job, JobSummary>(jobStub)
const stubsWithMeta = new PairFragmentCache<Job, JobSummary>((job, summary) => ({ ...jobStub(job, summary), Meta: job.Meta }))

export function jobStubJson(job: Job, summary: JobSummary | undefined, withMeta: boolean): Uint8Array {
  return (withMeta ? stubsWithMeta : plainStubs).of(job, summary)
}

/** What the job list of Nomad's web interface shows of one job, and the newest index of anything in it. */
export function jobStatus(view: StateView, job: Job, key: string): { readonly status: unknown; readonly index: number } {
  const allocations = view.allocations.by('job', key).filter((allocation) => allocation.JobCreateIndex === job.CreateIndex)
  const latest = latestDeployment(view, job, key)
  const isParent = job.Periodic !== null || (job.ParameterizedJob !== null && !job.Dispatched)
  let index = Math.max(job.ModifyIndex, latest?.ModifyIndex ?? 0)
  for (const allocation of allocations) index = Math.max(index, allocation.ModifyIndex)
  const status = {
    ID: job.ID,
    Namespace: job.Namespace,
    Name: job.Name,
    Type: job.Type,
    NodePool: job.NodePool,
    Datacenters: job.Datacenters,
    Priority: job.Priority,
    Version: job.Version,
    SubmitTime: job.SubmitTime,
    ModifyIndex: job.ModifyIndex,
    Allocs: allocations.length === 0 ? null : allocations.map(allocationStatus),
    GroupCountSum: job.TaskGroups.reduce((sum, group) => sum + group.Count, 0),
    ChildStatuses: isParent ? view.jobs.by('parent', key).map((child) => child.Status) : null,
    ParentID: job.ParentID,
    LatestDeployment: latest === undefined ? null : deploymentStatus(latest),
    Stop: job.Stop,
    IsPack: job.Meta?.['pack.name'] !== undefined,
    Status: job.Status,
  }
  return { status, index }
}

function allocationStatus(allocation: ReturnType<StateView['allocations']['by']>[number]): Readonly<Record<string, unknown>> {
  return {
    ID: allocation.ID,
    Group: allocation.TaskGroup,
    ClientStatus: allocation.ClientStatus,
    NodeID: allocation.NodeID,
    DeploymentStatus: { Canary: allocation.DeploymentStatus?.Canary ?? false, Healthy: allocation.DeploymentStatus?.Healthy ?? null },
    JobVersion: allocation.JobVersion,
    FollowupEvalID: allocation.FollowupEvalID ?? '',
    HasPausedTask: Object.values(allocation.TaskStates ?? {}).some((task) => (task.Paused ?? '') !== ''),
  }
}

function deploymentStatus(deployment: Deployment): Readonly<Record<string, unknown>> {
  const groups = Object.values(deployment.TaskGroups)
  return {
    ID: deployment.ID,
    IsActive: isDeploymentActive(deployment),
    JobVersion: deployment.JobVersion,
    Status: deployment.Status,
    StatusDescription: deployment.StatusDescription,
    AllAutoPromote: groups.every((group) => group.AutoPromote),
    RequiresPromotion: groups.some((group) => group.DesiredCanaries > 0 && !group.Promoted),
  }
}

/** The newest deployment of this incarnation of the job. */
export function latestDeployment(view: StateView, job: Job, key: string): Deployment | undefined {
  let latest: Deployment | undefined
  for (const deployment of view.deployments.valuesBy('job', key)) {
    if (deployment.JobCreateIndex === job.CreateIndex && deployment.CreateIndex > (latest?.CreateIndex ?? -1)) latest = deployment
  }
  return latest
}

export function summaryOf(view: StateView, job: Job): JobSummary | undefined {
  return view.jobSummaries.get(ownerKey({ Namespace: job.Namespace, JobID: job.ID }))
}
