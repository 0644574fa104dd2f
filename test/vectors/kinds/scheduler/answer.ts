/** Puts what the scheduler decided into the words of the recorded expectations (`data/scheduler/README.md` §2). */
import {
  type AllocatedTaskResources,
  type Allocation,
  type AllocationStop,
  type AllocMetric,
  type Deployment,
  type Evaluation,
  MILLISECOND,
  type Plan,
  parseRfc3339Ms,
  SECOND,
} from '../../../../src/domain/index.js'
import { ownerKey, type State } from '../../../../src/state/index.js'
import type { Labels } from './labels.js'
import type { Played, SubmittedPlan } from './run.js'

export type Answer = Readonly<Record<string, unknown>>

interface Frame {
  readonly state: State
  readonly labels: Labels
  readonly nowMs: number
  readonly isSystem: boolean
}

export function describeAnswer(state: State, labels: Labels, nowMs: number, played: Played): Answer {
  const { evaluation, created } = played.result
  const frame: Frame = { state, labels, nowMs, isSystem: evaluation.Type === 'system' || evaluation.Type === 'sysbatch' }
  nameCreated(frame, created)
  nameDeployments(frame, played)
  const isReblocked = evaluation.Status === 'blocked'
  const desired = evaluation.PlanAnnotations?.DesiredTGUpdates ?? {}
  const answer = {
    plans: played.submitted.map((submitted) => describePlan(frame, submitted)),
    evalUpdates: isReblocked ? [] : [{ ...describeEvaluation(evaluation), DesiredTGUpdates: nonZero(desired) }],
    evalsReblocked: isReblocked
      ? [{ ...describeEvaluation(evaluation), ...describeClasses(frame, evaluation), ID: evaluation.ID }]
      : undefined,
    evalsCreated: Object.fromEntries(created.map((follower) => [follower.ID, describeCreated(frame, follower)])),
    deploymentsAfter: Object.fromEntries(
      state.deployments.by('job', ownerKey(evaluation)).map((deployment) => [deployment.ID, describeDeployment(frame, deployment)]),
    ),
  }
  return labels.toLabels(answer)
}

/** `new:<trigger>:<k>`, counted by the time at which they are due. */
function nameCreated({ labels }: Frame, created: readonly Evaluation[]): void {
  const counts = new Map<string, number>()
  const dueMs = (evaluation: Evaluation) => parseRfc3339Ms(evaluation.WaitUntil) ?? 0
  for (const follower of [...created].sort((a, b) => dueMs(a) - dueMs(b))) {
    const count = (counts.get(follower.TriggeredBy) ?? 0) + 1
    counts.set(follower.TriggeredBy, count)
    labels.name(follower.ID, `new:${follower.TriggeredBy}:${count}`)
  }
}

function nameDeployments({ labels }: Frame, { submitted }: Played): void {
  for (const { plan } of submitted) {
    if (plan.Deployment !== null && labels.labelOf(plan.Deployment.ID) === plan.Deployment.ID) labels.name(plan.Deployment.ID, 'new')
  }
}

function describePlan(frame: Frame, submitted: SubmittedPlan): Answer {
  const { plan, answer } = submitted
  const nodeCounts: Record<string, number> = {}
  for (const { NodeID } of plan.Placements) nodeCounts[NodeID] = (nodeCounts[NodeID] ?? 0) + 1
  return {
    Result: answer,
    counts: {
      stops: plan.Stops.length,
      placements: plan.Placements.length,
      updates: plan.Updates.length,
      preemptions: plan.Preemptions.length,
    },
    stops: Object.fromEntries(plan.Stops.map((stop) => [stop.ID, describeStop(submitted, stop)])),
    placements: describePlacements(frame, plan),
    updates: Object.fromEntries(plan.Updates.map((row) => [row.ID, describeUpdate(submitted, row)])),
    preemptions: Object.fromEntries(plan.Preemptions.map((stop) => [stop.ID, describeStop(submitted, stop)])),
    nodeCounts,
    deployment: plan.Deployment === null ? undefined : describeDeployment(frame, plan.Deployment),
    deploymentUpdates: describeStatuses(plan),
  }
}

function describeStop({ before, after }: SubmittedPlan, stop: AllocationStop): Answer {
  const row = after.get(stop.ID)
  const wasStopped = before.get(stop.ID)?.DesiredStatus !== 'run'
  return {
    DesiredStatus: stop.DesiredStatus,
    DesiredDescription: stop.DesiredDescription,
    ClientStatus: stop.ClientStatus,
    FollowupEvalID: stop.FollowupEvalID ?? row?.FollowupEvalID,
    LastReschedule: (stop.RescheduleTracker ?? (wasStopped ? undefined : row?.RescheduleTracker))?.LastReschedule,
  }
}

/** By name; system jobs by name and node, and a name that occurs again is numbered. */
function describePlacements(frame: Frame, plan: Plan): Answer {
  const placements: Record<string, unknown> = {}
  const seen = new Map<string, number>()
  for (const row of plan.Placements) {
    const name = frame.isSystem ? `${row.Name}@${row.NodeID}` : row.Name
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    placements[count === 1 ? name : `${name}#${count}`] = describePlacement(frame, plan, row)
  }
  return placements
}

function describePlacement({ labels, nowMs }: Frame, plan: Plan, row: Allocation): Answer {
  const victims = plan.Preemptions.filter((stop) => stop.PreemptedByAllocation === row.ID).map((stop) => labels.labelOf(stop.ID))
  return {
    TaskGroup: row.TaskGroup,
    Node: row.NodeID,
    PreviousAllocation: row.PreviousAllocation,
    Deployment: row.DeploymentID,
    Canary: row.DeploymentStatus?.Canary,
    JobVersion: row.JobVersion,
    RescheduleEvents: row.RescheduleTracker?.Events?.map((event) => ({
      Delay: event.Delay / SECOND,
      PrevAllocID: event.PrevAllocID,
      PrevNodeID: event.PrevNodeID,
      RescheduleTime: (event.RescheduleTime / MILLISECOND - nowMs) / 1000,
    })),
    Preempts: victims.length === 0 ? undefined : victims.sort().join(' '),
    Tasks: describeTasks(row),
    Ports: Object.fromEntries(
      (row.AllocatedResources.Shared.Ports ?? []).map(({ Label, Value, To, HostIP }) => [Label, { Value, To, HostIP }]),
    ),
    Metrics: row.Metrics === undefined ? undefined : describeMetrics(row.Metrics),
  }
}

function describeTasks(row: Allocation): Answer {
  return Object.fromEntries(Object.entries(row.AllocatedResources.Tasks).map(([name, task]) => [name, describeTask(task)]))
}

function describeTask({ Cpu, Memory, Devices }: AllocatedTaskResources): Answer {
  const cores = Cpu.ReservedCores ?? []
  const devices = (Devices ?? []).map(
    ({ Vendor, Type, Name, DeviceIDs }) => `${Vendor}/${Type}/${Name}:${[...(DeviceIDs ?? [])].sort().join(',')}`,
  )
  return {
    Cpu: Cpu.CpuShares,
    Memory: Memory.MemoryMB,
    MemoryMax: Memory.MemoryMaxMB,
    Cores: cores.length === 0 ? undefined : `[${cores.join(' ')}]`,
    Devices: devices.length === 0 ? undefined : devices.sort().join(' '),
  }
}

function describeMetrics(metric: AllocMetric): Answer {
  const { ScoreMetaData: scores } = metric
  return {
    ...metric,
    ScoreMetaData:
      scores === null ? undefined : Object.fromEntries(scores.map(({ NodeID, NormScore, Scores }) => [NodeID, { NormScore, Scores }])),
  }
}

function describeUpdate({ before }: SubmittedPlan, row: Allocation): Answer {
  const was = before.get(row.ID)!
  return {
    Kind: kindOfUpdate(was, row),
    ClientStatus: row.ClientStatus === was.ClientStatus ? undefined : row.ClientStatus,
    JobVersion: row.JobVersion,
    Deployment: row.DeploymentID,
    FollowupEvalID: row.FollowupEvalID,
    Tasks: describeTasks(row),
  }
}

function kindOfUpdate(was: Allocation, row: Allocation): string {
  if (row.ClientStatus === 'unknown' && was.ClientStatus !== 'unknown') return 'disconnect'
  if (row.JobVersion !== was.JobVersion || row.AllocatedResources !== was.AllocatedResources) return 'inplace'
  if ((row.AllocStates ?? []).length > (was.AllocStates ?? []).length) return 'reconnect'
  if (row.RescheduleTracker?.LastReschedule === 'no placement' && was.RescheduleTracker?.LastReschedule !== 'no placement')
    return 'reschedule-blocked'
  return row.FollowupEvalID === was.FollowupEvalID ? 'attribute' : 'followup'
}

/** A plan that carries a deployment says its status by that. */
function describeStatuses({ Deployment, DeploymentUpdates }: Plan): Answer {
  const own = Deployment === null ? [] : [[Deployment.ID, { Status: Deployment.Status, StatusDescription: Deployment.StatusDescription }]]
  const updates = DeploymentUpdates.map(({ DeploymentID, Status, StatusDescription }) => [DeploymentID, { Status, StatusDescription }])
  return Object.fromEntries([...own, ...updates])
}

function describeDeployment({ nowMs }: Frame, deployment: Deployment): Answer {
  return {
    JobVersion: deployment.JobVersion,
    Status: deployment.Status,
    StatusDescription: deployment.StatusDescription,
    TaskGroups: mapValues(deployment.TaskGroups, (group) => {
      const byMs = parseRfc3339Ms(group.RequireProgressBy)
      return {
        ...group,
        ProgressDeadline: group.ProgressDeadline / SECOND,
        RequireProgressBy: byMs === undefined ? undefined : (byMs - nowMs) / 1000,
        PlacedCanaries: group.PlacedCanaries?.length ?? 0,
      }
    }),
  }
}

function describeEvaluation(evaluation: Evaluation): Answer {
  return {
    Status: evaluation.Status,
    StatusDescription: evaluation.StatusDescription,
    QueuedAllocations: evaluation.QueuedAllocations,
    FailedTGAllocs: mapValues(evaluation.FailedTGAllocs ?? {}, describeMetrics),
    BlockedEval: evaluation.BlockedEval || undefined,
    NextEval: evaluation.NextEval || undefined,
    DeploymentID: evaluation.DeploymentID || undefined,
  }
}

function describeCreated(frame: Frame, follower: Evaluation): Answer {
  const dueMs = parseRfc3339Ms(follower.WaitUntil)
  return {
    ...describeClasses(frame, follower),
    NodeID: follower.NodeID,
    PreviousEval: follower.PreviousEval,
    Priority: follower.Priority,
    Status: follower.Status,
    StatusDescription: follower.StatusDescription,
    TriggeredBy: follower.TriggeredBy,
    Type: follower.Type,
    WaitUntil: dueMs === undefined ? undefined : (dueMs - frame.nowMs) / 1000,
  }
}

/** A class is named by the nodes that have it. */
function describeClasses({ state, labels }: Frame, evaluation: Evaluation): Answer {
  const named = new Map<string, string[]>()
  for (const node of state.nodes.all()) named.set(node.ComputedClass, [...(named.get(node.ComputedClass) ?? []), labels.labelOf(node.ID)])
  const nameOf = (nodeClass: string) => named.get(nodeClass)?.sort().join('+') ?? nodeClass
  const classes = Object.entries(evaluation.ClassEligibility ?? {}).map(([nodeClass, isEligible]) => [nameOf(nodeClass), isEligible])
  return {
    ClassEligibility: classes.length === 0 ? undefined : Object.fromEntries(classes),
    EscapedComputedClass: evaluation.EscapedComputedClass ?? false,
  }
}

function nonZero(counters: Readonly<Record<string, object>>): Answer {
  return mapValues(counters, (group) => Object.fromEntries(Object.entries(group).filter(([, count]) => count !== 0)))
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]))
}
