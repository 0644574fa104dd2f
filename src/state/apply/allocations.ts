import { type Allocation, type AllocationReport, isClientTerminal, type LogIndex, rfc3339, unixNanoseconds } from '../../domain/index.js'
import { ownerKey } from '../schema.js'
import type { State } from '../state.js'
import { countDeploymentChanges } from './deployments.js'
import { putEvaluations } from './evaluations.js'
import { type AllocationChange, recountAllocations, refreshJobStatus } from './job-status.js'
import type { CommandOf } from './kind.js'

/** Stores one row and everything that is counted by it. */
export function storeAllocation(state: State, index: LogIndex, after: Allocation): void {
  countAllocations(state, index, [putAllocation(state, index, after)])
}

/** What is counted by it is left to `countAllocations`. */
export function putAllocation(state: State, index: LogIndex, after: Allocation): AllocationChange {
  const before = state.allocations.get(after.ID)
  state.allocations.put(index, after)
  return { before, after }
}

/** Everything that is counted by rows that were put, in the order in which they were. Each counter is stored once. */
export function countAllocations(state: State, index: LogIndex, changes: readonly AllocationChange[]): void {
  recountAllocations(state, index, changes)
  countDeploymentChanges(state, index, changes)
}

/** What agents say. One writer per field: a report never touches what the server decided. */
export function reportAllocations(state: State, index: LogIndex, command: CommandOf<'allocation-update'>): void {
  if (command.number !== undefined) state.nodeReports.put(index, { nodeId: command.nodeId, number: command.number })
  const touched = new Set<string>()
  const changes: AllocationChange[] = []
  for (const report of command.reports) {
    const allocation = state.allocations.get(report.ID)
    // I8: what has ended stays ended, whatever a late or doubled report says.
    if (allocation === undefined || isClientTerminal(allocation)) continue
    changes.push(putAllocation(state, index, mergeReport(state, index, allocation, report)))
    touched.add(ownerKey(allocation))
  }
  countAllocations(state, index, changes)
  syncServices(state, index, command)
  for (const key of touched) refreshJobStatus(state, index, key)
  putEvaluations(state, index, command.evaluations)
}

function mergeReport(state: State, index: LogIndex, allocation: Allocation, report: AllocationReport): Allocation {
  const hasHealth = report.DeploymentStatus !== undefined && report.DeploymentStatus.Healthy !== null
  return {
    ...allocation,
    ClientStatus: report.ClientStatus,
    ClientDescription: report.ClientDescription,
    TaskStates: report.TaskStates,
    ...(report.NetworkStatus === undefined ? {} : { NetworkStatus: report.NetworkStatus }),
    ...(hasHealth
      ? {
          DeploymentStatus: {
            Canary: allocation.DeploymentStatus?.Canary ?? false,
            ...report.DeploymentStatus!,
            ModifyIndex: index,
          },
        }
      : {}),
    ModifyIndex: index,
    ModifyTime: unixNanoseconds(state.atMs),
  }
}

/** The registrations in the command are all that its allocations have now. */
function syncServices(state: State, index: LogIndex, command: CommandOf<'allocation-update'>): void {
  const wanted = new Map(command.services.map((service) => [service.ID, service]))
  for (const report of command.reports) {
    for (const known of state.services.by('allocation', report.ID)) if (!wanted.has(known.ID)) state.services.delete(index, known.ID)
  }
  for (const service of command.services) {
    const known = state.services.get(service.ID)
    if (
      known !== undefined &&
      known.Address === service.Address &&
      known.Port === service.Port &&
      String(known.Tags) === String(service.Tags)
    )
      continue
    state.services.put(index, { ...service, CreateIndex: known?.CreateIndex ?? index, ModifyIndex: index })
  }
}

export function transitionAllocations(state: State, index: LogIndex, command: CommandOf<'allocation-transition'>): void {
  for (const [id, transition] of Object.entries(command.transitions)) {
    const allocation = state.allocations.get(id)
    if (allocation === undefined) continue
    state.allocations.put(index, {
      ...allocation,
      DesiredTransition: { ...allocation.DesiredTransition, ...transition },
      ModifyIndex: index,
      AllocModifyIndex: index,
      ModifyTime: unixNanoseconds(state.atMs),
    })
  }
  putEvaluations(state, index, command.evaluations)
}

/** What a person says counts as what an agent says. */
export function markHealth(state: State, index: LogIndex, command: CommandOf<'deployment-health'>): void {
  for (const id of [...command.healthy, ...command.unhealthy]) {
    const allocation = state.allocations.get(id)
    if (allocation?.DeploymentID !== command.deploymentId) continue
    storeAllocation(state, index, {
      ...allocation,
      DeploymentStatus: {
        Healthy: command.healthy.includes(id),
        Timestamp: rfc3339(state.atMs),
        Canary: allocation.DeploymentStatus?.Canary ?? false,
        ModifyIndex: index,
      },
      ModifyIndex: index,
      ModifyTime: unixNanoseconds(state.atMs),
    })
  }
  putEvaluations(state, index, command.evaluations)
}

/** Rows a node already runs, kept under their own ids; their job version is the one that runs now. */
export function adoptAllocations(state: State, index: LogIndex, command: CommandOf<'allocation-adopt'>): void {
  const now = unixNanoseconds(state.atMs)
  for (const allocation of command.allocations) {
    if (state.allocations.get(allocation.ID) !== undefined) continue
    storeAllocation(state, index, {
      ...allocation,
      CreateIndex: index,
      ModifyIndex: index,
      AllocModifyIndex: index,
      CreateTime: now,
      ModifyTime: now,
    })
    refreshJobStatus(state, index, ownerKey(allocation))
  }
}
