/** Nodes that have gone silent: their allocations become unknown, may be replaced, and are lost in the end. */
import { type Allocation, findTaskGroup, MILLISECOND, parseRfc3339Ms, rfc3339, SECOND, type TaskGroup } from '../../domain/index.js'
import { type Classified, disconnectOf } from './classify.js'
import { filterReschedulable, type Rescheduling } from './reschedulable.js'
import type { GroupContext, Later } from './types.js'

/** True when the lost ones may be replaced now; false while the agent may still be ending them by itself. */
export function handleDisconnects(context: GroupContext, group: TaskGroup, sets: Classified, rescheduling: Rescheduling): boolean {
  markUnknown(context, group, sets, rescheduling)
  const waiting = sets.lost.flatMap((allocation): Later[] => {
    const atMs = stoppedByItselfAtMs(context, allocation)
    return atMs !== undefined && atMs > context.nowMs ? [{ allocation, atMs }] : []
  })
  if (waiting.length === 0) return true
  context.followUp(waiting, group.Name)
  return false
}

function markUnknown(context: GroupContext, group: TaskGroup, sets: Classified, rescheduling: Rescheduling): void {
  if (sets.disconnecting.length === 0) return
  const replaced = filterReschedulable(
    context,
    sets.disconnecting.filter((allocation) => disconnectOf(allocation, context.jobOf(allocation))?.replace === true),
    true,
  )
  rescheduling.now.push(...replaced.now)
  rescheduling.later.push(...replaced.later)
  const ids = rescheduling.disconnecting as Set<string>
  for (const allocation of sets.disconnecting) ids.add(allocation.ID)
  const timeouts = sets.disconnecting.map(
    (allocation): Later => ({ allocation, atMs: context.nowMs + (disconnectOf(allocation, context.jobOf(allocation))?.lostAfterMs ?? 0) }),
  )
  const followUps = context.followUp(timeouts, group.Name, 'max-disconnect-timeout')
  for (const allocation of sets.disconnecting) {
    context.plan.count(group.Name, 'Disconnect', 1)
    context.plan.update({
      ...allocation,
      ClientStatus: 'unknown',
      AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: 'unknown', Time: rfc3339(context.nowMs) }],
      ...(followUps.has(allocation.ID) ? { FollowupEvalID: followUps.get(allocation.ID)! } : {}),
    })
  }
  sets.untainted.push(...replaced.untainted.filter((allocation) => !replaced.now.includes(allocation)))
}

/** When the agent, left alone, has ended the allocation for sure. */
function stoppedByItselfAtMs(context: GroupContext, allocation: Allocation): number | undefined {
  const group = context.jobOf(allocation) === undefined ? undefined : findTaskGroup(context.jobOf(allocation)!, allocation.TaskGroup)
  const after = group?.Disconnect?.StopOnClientAfter
  if (group === undefined || after === null || after === undefined) return undefined
  const lostAt = allocation.AllocStates?.find((state) => state.Value === 'lost')?.Time
  const killNs = Math.max(5 * SECOND, ...group.Tasks.map((task) => task.KillTimeout))
  return (parseRfc3339Ms(lostAt) ?? context.nowMs) + (after + killNs) / MILLISECOND
}
