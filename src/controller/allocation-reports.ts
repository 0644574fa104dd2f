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
import { hasRescheduleAttemptsLeft } from '../scheduler/index.js'
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
    const trigger = job === undefined ? undefined : findTrigger(view, allocation, report, job, nowMs)
    if (trigger !== undefined && !evaluations.has(key)) evaluations.set(key, newEvaluation(random.uuid(), job!, trigger))
  }
  return [...evaluations.values()]
}

function findTrigger(
  view: StateView,
  allocation: Allocation,
  report: AllocationReport,
  job: Job,
  nowMs: number,
): Evaluation['TriggeredBy'] | undefined {
  if (allocation.ClientStatus === 'unknown' && report.ClientStatus !== 'unknown') return 'reconnect'
  if (isPlaceFreed(allocation, report, job) || isEndedAlone(allocation, report, job)) return 'alloc-stop'
  const reported: Allocation = { ...allocation, ClientStatus: report.ClientStatus, TaskStates: report.TaskStates }
  if (report.ClientStatus !== 'failed' || isFollowUpToCome(view, allocation)) return undefined
  // One that must wait before it is replaced needs an evaluation too: it makes the delayed one.
  return hasRescheduleAttemptsLeft(reported, job, nowMs) ? 'alloc-failure' : undefined
}

/** One that was made while the node was out of sight is called off when the node comes back, and the allocation still names it. */
function isFollowUpToCome({ evaluations }: StateView, { FollowupEvalID }: Allocation): boolean {
  return FollowupEvalID !== undefined && evaluations.get(FollowupEvalID)?.Status === 'pending'
}

/** On its node a system job may be placed again only when what was restarted there has gone. */
function isPlaceFreed({ DesiredTransition }: Allocation, { ClientStatus }: AllocationReport, { Type }: Job): boolean {
  return Type === 'system' && DesiredTransition?.Migrate === true && isClientTerminal({ ClientStatus })
}

/** A service that its host has ended while no server was heard: others may have known nothing of it. */
function isEndedAlone({ DesiredStatus, TaskGroup }: Allocation, { ClientStatus }: AllocationReport, { Type, TaskGroups }: Job): boolean {
  if (Type !== 'service' || DesiredStatus !== 'run' || ClientStatus !== 'complete') return false
  return (TaskGroups.find(({ Name }) => Name === TaskGroup)?.Disconnect?.StopOnClientAfter ?? 0) > 0
}

/** What the allocations of `reports` offer now, as their agent says; what is not in here any more is deregistered. */
export function reportServices(view: StateView, reports: readonly AllocationReport[]): readonly ServiceRegistration[] {
  return reports.flatMap(({ ID, ClientStatus, Services }) => {
    const allocation = view.allocations.get(ID)
    if (allocation === undefined || isClientTerminal({ ClientStatus })) return []
    const { Namespace, JobID, NodeID } = allocation
    // Whose they are is not for the agent to say.
    return (Services ?? []).map((service) => ({ ...service, Namespace: Namespace || NAMESPACE_DEFAULT, JobID, NodeID, AllocID: ID }))
  })
}

/** Services travel beside the reports in a Command. */
export function withoutServices({ Services: _, ...report }: AllocationReport): AllocationReport {
  return report
}
