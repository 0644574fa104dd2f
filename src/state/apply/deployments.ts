/** Deployments and what they count. I15 healthy + unhealthy ≤ placed ≤ desired.  test/checkers.ts */
import {
  type Deployment,
  type DeploymentState,
  type DeploymentStatusUpdate,
  isCanary,
  type LogIndex,
  MILLISECOND,
  namespacedKey,
  parseRfc3339Ms,
  rfc3339,
  unixNanoseconds,
} from '../../domain/index.js'
import { jobVersionKey, ownerKey } from '../schema.js'
import type { State } from '../state.js'
import { putEvaluations } from './evaluations.js'
import { type AllocationChange, refreshJobStatus, storeJob } from './job-status.js'
import type { CommandOf } from './kind.js'

export function storeDeployment(state: State, index: LogIndex, deployment: Deployment): void {
  const known = state.deployments.get(deployment.ID)
  const now = unixNanoseconds(state.atMs)
  state.deployments.put(index, {
    ...deployment,
    CreateIndex: known?.CreateIndex ?? index,
    CreateTime: known?.CreateTime ?? now,
    ModifyIndex: index,
    ModifyTime: now,
  })
}

export function storeDeploymentStatus(state: State, index: LogIndex, update: DeploymentStatusUpdate): void {
  const known = state.deployments.get(update.DeploymentID)
  if (known === undefined) return
  // Time that a roll-out was held up counts against nobody.
  const isResumed = known.Status === 'paused' && update.Status === 'running'
  const TaskGroups = isResumed ? mapGroups(known.TaskGroups, (group) => withNewDeadline(state, group)) : known.TaskGroups
  storeDeployment(state, index, { ...known, TaskGroups, Status: update.Status, StatusDescription: update.StatusDescription })
  if (update.Status === 'successful') markStable(state, index, known)
}

/** Marks the groups promoted, gives them a new deadline, and makes their healthy canaries ordinary allocations. */
export function promoteDeployment(state: State, index: LogIndex, command: CommandOf<'deployment-promote'>): void {
  const deployment = state.deployments.get(command.deploymentId)
  if (deployment === undefined) return
  const groups = new Set(command.groups)
  const promoted = Object.entries(deployment.TaskGroups).map(
    ([name, group]) => [name, groups.has(name) ? promoteGroup(state, group) : group] as const,
  )
  storeDeployment(state, index, { ...deployment, TaskGroups: Object.fromEntries(promoted), StatusDescription: describeRunning(promoted) })
  for (const allocation of state.allocations.by('deployment', deployment.ID)) {
    const status = allocation.DeploymentStatus
    if (!groups.has(allocation.TaskGroup) || status?.Canary !== true || status.Healthy !== true) continue
    state.allocations.put(index, {
      ...allocation,
      DeploymentStatus: { ...status, Canary: false, ModifyIndex: index },
      ModifyIndex: index,
      AllocModifyIndex: index,
    })
  }
  putEvaluations(state, index, command.evaluations)
}

function promoteGroup(state: State, group: DeploymentState): DeploymentState {
  return { ...withNewDeadline(state, group), Promoted: true }
}

function withNewDeadline(state: State, group: DeploymentState): DeploymentState {
  if (group.ProgressDeadline === 0) return group
  return { ...group, RequireProgressBy: rfc3339(state.atMs + group.ProgressDeadline / MILLISECOND) }
}

function mapGroups(groups: Deployment['TaskGroups'], change: (group: DeploymentState) => DeploymentState): Deployment['TaskGroups'] {
  return Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, change(group)]))
}

function describeRunning(groups: readonly (readonly [string, DeploymentState])[]): string {
  const isWaiting = groups.some(([, group]) => group.DesiredCanaries > 0 && !group.Promoted)
  return isWaiting ? 'Deployment is running but requires manual promotion' : 'Deployment is running'
}

export function updateDeployments(state: State, index: LogIndex, command: CommandOf<'deployment-update'>): void {
  for (const update of command.updates) storeDeploymentStatus(state, index, update)
  putEvaluations(state, index, command.evaluations)
  for (const { DeploymentID } of command.updates) {
    const deployment = state.deployments.get(DeploymentID)
    if (deployment !== undefined) refreshJobStatus(state, index, ownerKey(deployment))
  }
}

/** What has been rolled out well is what a failure goes back to. */
function markStable(state: State, index: LogIndex, { Namespace, JobID, JobVersion, JobCreateIndex }: Deployment): void {
  const current = state.jobs.get(namespacedKey(Namespace, JobID))
  if (current === undefined || current.CreateIndex !== JobCreateIndex) return
  if (current.Version === JobVersion) {
    if (!current.Stable) storeJob(state, index, { ...current, Stable: true, ModifyIndex: index })
    return
  }
  const older = state.jobVersions.get(jobVersionKey(Namespace, JobID, JobCreateIndex, JobVersion))
  if (older !== undefined && !older.Stable) state.jobVersions.put(index, { ...older, Stable: true, ModifyIndex: index })
}

/** Counts placements and changes of health into the deployments that the rows belong to. */
export function countDeploymentChanges(state: State, index: LogIndex, changes: readonly AllocationChange[]): void {
  const counted = new Map<string, Deployment>()
  for (const change of changes) {
    const { DeploymentID: id, TaskGroup } = change.after
    const deployment = id === undefined ? undefined : (counted.get(id) ?? state.deployments.get(id))
    const group = deployment?.TaskGroups[TaskGroup]
    if (deployment === undefined || group === undefined) continue
    const after = countedGroup(state, group, change)
    if (after !== group) counted.set(deployment.ID, { ...deployment, TaskGroups: { ...deployment.TaskGroups, [TaskGroup]: after } })
  }
  for (const deployment of counted.values()) storeDeployment(state, index, deployment)
}

function countedGroup(state: State, group: DeploymentState, { before, after }: AllocationChange): DeploymentState {
  const isPlaced = before === undefined || before.DeploymentID !== after.DeploymentID
  const healthBefore = isPlaced ? null : (before.DeploymentStatus?.Healthy ?? null)
  const healthAfter = after.DeploymentStatus?.Healthy ?? null
  if (!isPlaced && healthBefore === healthAfter) return group
  return {
    ...group,
    PlacedAllocs: group.PlacedAllocs + (isPlaced ? 1 : 0),
    PlacedCanaries: isPlaced && isCanary(after) ? [...(group.PlacedCanaries ?? []), after.ID] : group.PlacedCanaries,
    HealthyAllocs: group.HealthyAllocs + Number(healthAfter === true) - Number(healthBefore === true),
    UnhealthyAllocs: group.UnhealthyAllocs + Number(healthAfter === false) - Number(healthBefore === false),
    RequireProgressBy: requireProgressBy(state, group, isPlaced, healthAfter === true ? after.DeploymentStatus?.Timestamp : undefined),
  }
}

/** The first placement starts the progress deadline, and every healthy allocation moves it. */
function requireProgressBy(state: State, group: DeploymentState, isPlaced: boolean, healthyAt: string | undefined): string {
  if (group.ProgressDeadline === 0) return group.RequireProgressBy
  const known = parseRfc3339Ms(group.RequireProgressBy)
  const from = healthyAt === undefined ? (isPlaced && known === undefined ? state.atMs : undefined) : parseRfc3339Ms(healthyAt)
  if (from === undefined) return group.RequireProgressBy
  const by = Math.round(from + group.ProgressDeadline / MILLISECOND)
  return known !== undefined && known >= by ? group.RequireProgressBy : rfc3339(by)
}
