/** What follows from what an agent reports: services, and evaluations for what failed, came back or lost its job. */
import {
  type Allocation,
  type AllocationReport,
  type Evaluation,
  isClientTerminal,
  type Job,
  NAMESPACE_DEFAULT,
  type Random,
  type ServiceRegistration,
} from '../domain/index.js'
import { isReschedulableNow } from '../scheduler/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { newEvaluation } from './new-evaluation.js'

/** At most one evaluation for each job of the batch. */
export function reportEvaluations(
  view: StateView,
  reports: readonly AllocationReport[],
  random: Random,
  nowMs: number,
): readonly Evaluation[] {
  const evaluations = new Map<string, Evaluation>()
  for (const report of reports) {
    const allocation = view.allocations.get(report.ID)
    if (allocation === undefined || isClientTerminal(allocation)) continue
    const key = ownerKey(allocation)
    const job = view.jobs.get(key)
    const trigger = job === undefined ? undefined : findTrigger(allocation, report, job, nowMs)
    if (trigger !== undefined && !evaluations.has(key)) evaluations.set(key, newEvaluation(random.uuid(), job!, trigger))
  }
  return [...evaluations.values()]
}

function findTrigger(allocation: Allocation, report: AllocationReport, job: Job, nowMs: number): Evaluation['TriggeredBy'] | undefined {
  if (allocation.ClientStatus === 'unknown' && report.ClientStatus !== 'unknown') return 'reconnect'
  if (isPlaceFreed(allocation, report, job)) return 'alloc-stop'
  const reported: Allocation = { ...allocation, ClientStatus: report.ClientStatus, TaskStates: report.TaskStates }
  if (report.ClientStatus !== 'failed' || allocation.FollowupEvalID !== undefined) return undefined
  // A failed allocation that must wait before it is replaced needs an evaluation too: it makes the delayed one.
  return isReschedulableNow(reported, job, nowMs) || job.Type === 'service' || job.Type === 'batch' ? 'alloc-failure' : undefined
}

/** On its node a system job may be placed again only when what was restarted there has gone. */
function isPlaceFreed({ DesiredTransition }: Allocation, { ClientStatus }: AllocationReport, { Type }: Job): boolean {
  return Type === 'system' && DesiredTransition?.Migrate === true && isClientTerminal({ ClientStatus })
}

/** Native services of the running tasks among `reports`; what is not in here any more is deregistered. */
export function reportServices(view: StateView, reports: readonly AllocationReport[]): readonly ServiceRegistration[] {
  return reports.flatMap((report) => {
    const allocation = view.allocations.get(report.ID)
    if (allocation === undefined || report.ClientStatus !== 'running') return []
    const job = view.findJobVersion(allocation.Namespace, allocation.JobID, allocation.JobCreateIndex, allocation.JobVersion)
    return job === undefined ? [] : servicesOf(view, allocation, report, job)
  })
}

function servicesOf(view: StateView, allocation: Allocation, report: AllocationReport, job: Job): readonly ServiceRegistration[] {
  const group = job.TaskGroups.find((candidate) => candidate.Name === allocation.TaskGroup)
  if (group === undefined) return []
  const running = group.Tasks.filter((task) => report.TaskStates[task.Name]?.State === 'running')
  const owners = [{ name: 'group', services: group.Services }, ...running.map((task) => ({ name: task.Name, services: task.Services }))]
  return owners.flatMap(({ name, services }) =>
    (services ?? [])
      .filter((service) => service.Provider === 'nomad')
      .map((service) => {
        const port = allocation.AllocatedResources.Shared.Ports?.find((mapping) => mapping.Label === service.PortLabel)
        const isCanary = allocation.DeploymentStatus?.Canary === true && service.CanaryTags !== null
        return {
          ID: `_nomad-task-${allocation.ID}-${name}-${service.Name}-${service.PortLabel}`,
          ServiceName: service.Name,
          Namespace: allocation.Namespace || NAMESPACE_DEFAULT,
          NodeID: allocation.NodeID,
          Datacenter: view.nodes.get(allocation.NodeID)?.Datacenter ?? '',
          JobID: allocation.JobID,
          AllocID: allocation.ID,
          Tags: isCanary ? service.CanaryTags : service.Tags,
          Address: service.Address !== '' ? service.Address : (port?.HostIP ?? ''),
          Port: port?.Value ?? (Number(service.PortLabel) || 0),
          CreateIndex: 0,
          ModifyIndex: 0,
        }
      }),
  )
}
