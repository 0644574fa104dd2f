import {
  type Allocation,
  type AllocationStop,
  invariant,
  isClientTerminal,
  type LogIndex,
  namespacedKey,
  rfc3339,
  unixNanoseconds,
} from '../../domain/index.js'
import { ownerKey } from '../schema.js'
import type { State } from '../state.js'
import { countAllocations, putAllocation, storeAllocation } from './allocations.js'
import { storeDeployment, storeDeploymentStatus } from './deployments.js'
import { putEvaluations } from './evaluations.js'
import { type AllocationChange, refreshJobStatus } from './job-status.js'
import type { CommandOf } from './kind.js'

/**
 * What the scheduler decided. The deployment comes first, because placements are counted into it.
 * I6 An allocation id is never used twice: a placement whose id is known stops the process.
 */
export function applyPlan(state: State, index: LogIndex, command: CommandOf<'plan-apply'>): void {
  const { plan, closes } = command
  const touched = new Set([namespacedKey(plan.Namespace, plan.JobID)])
  for (const update of plan.DeploymentUpdates) storeDeploymentStatus(state, index, update)
  if (plan.Deployment !== null) storeDeployment(state, index, plan.Deployment)
  for (const stop of plan.Stops) touched.add(stopAllocation(state, index, stop))
  for (const stop of plan.Preemptions) touched.add(stopAllocation(state, index, stop))
  for (const update of plan.Updates) storeUpdate(state, index, update)
  countAllocations(
    state,
    index,
    plan.Placements.map((placement) => putPlacement(state, index, placement)),
  )
  for (const key of touched) refreshJobStatus(state, index, key)
  if (closes !== null) putEvaluations(state, index, [closes.evaluation, ...closes.created])
}

function stopAllocation(state: State, index: LogIndex, stop: AllocationStop): string {
  const allocation = state.allocations.get(stop.ID)
  invariant(allocation !== undefined, `allocation ${stop.ID} was to be stopped and is not there`)
  const { ID: _, ClientStatus, ...decided } = stop
  const changesClient = ClientStatus !== undefined && ClientStatus !== allocation.ClientStatus && !isClientTerminal(allocation)
  storeAllocation(state, index, {
    ...allocation,
    ...decided,
    ...(changesClient
      ? {
          ClientStatus,
          AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: ClientStatus, Time: rfc3339(state.atMs) }],
        }
      : {}),
    ...stamped(state, index),
  })
  // Its host is not there to say that nobody answers there any more.
  if (changesClient && ClientStatus === 'lost') forgetServices(state, index, stop.ID)
  return ownerKey(allocation)
}

function forgetServices(state: State, index: LogIndex, allocationId: string): void {
  for (const { ID } of state.services.by('allocation', allocationId)) state.services.delete(index, ID)
}

/** A whole row: the plan was made in the same turn, so nothing of the row can have changed since. */
function storeUpdate(state: State, index: LogIndex, update: Allocation): void {
  invariant(state.allocations.get(update.ID) !== undefined, `allocation ${update.ID} was to be updated and is not there`)
  storeAllocation(state, index, { ...update, ...stamped(state, index) })
}

function putPlacement(state: State, index: LogIndex, placement: Allocation): AllocationChange {
  invariant(state.allocations.get(placement.ID) === undefined, `allocation ${placement.ID} was to be placed and is there already`)
  const stamp = stamped(state, index)
  const change = putAllocation(state, index, { ...placement, ...stamp, CreateIndex: index, CreateTime: stamp.ModifyTime })
  const previous = placement.PreviousAllocation === undefined ? undefined : state.allocations.get(placement.PreviousAllocation)
  if (previous !== undefined) state.allocations.put(index, { ...previous, NextAllocation: placement.ID, ...stamp })
  return change
}

function stamped(state: State, index: LogIndex) {
  return { ModifyIndex: index, AllocModifyIndex: index, ModifyTime: unixNanoseconds(state.atMs) }
}
