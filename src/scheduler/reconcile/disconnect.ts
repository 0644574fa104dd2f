/** Nodes that have gone silent: their allocations become unknown, may be replaced, and are lost in the end. */
import { type Allocation, findTaskGroup, MILLISECOND, parseRfc3339Ms, rfc3339, SECOND, type TaskGroup } from '../../domain/index.js'
import { OUT_OF_SIGHT } from '../descriptions.js'
import { type Classified, disconnectRulesOf } from './classify.js'
import { filterReschedulable, type Rescheduling } from './reschedulable.js'
import type { GroupContext, Later } from './types.js'

/** Which of the lost ones may still be running, as their agents end them by themselves after a while: the evaluation that each waits for. */
export function handleDisconnects(
  context: GroupContext,
  group: TaskGroup,
  sets: Classified,
  rescheduling: Rescheduling,
): ReadonlyMap<string, string> {
  markUnknown(context, group, sets, rescheduling)
  const waiting = sets.lost.flatMap((allocation): Later[] => {
    const atMs = stoppedByItselfAtMs(context, allocation)
    return atMs !== undefined && atMs > context.nowMs ? [{ allocation, atMs }] : []
  })
  return context.followUp(waiting, 'alloc-failure')
}

function markUnknown(context: GroupContext, group: TaskGroup, sets: Classified, rescheduling: Rescheduling): void {
  if (sets.disconnecting.length === 0) return
  const isReplaced = (allocation: Allocation) => disconnectRulesOf(allocation, context.jobOf(allocation))?.replace !== false
  const replaced = filterReschedulable(context, sets.disconnecting.filter(isReplaced), true)
  rescheduling.now.push(...replaced.now)
  rescheduling.later.push(...replaced.later)
  const ids = rescheduling.disconnecting as Set<string>
  for (const allocation of sets.disconnecting) ids.add(allocation.ID)
  const timeouts = sets.disconnecting.map(
    (allocation): Later => ({
      allocation,
      atMs: context.nowMs + (disconnectRulesOf(allocation, context.jobOf(allocation))?.lostAfterMs ?? 0),
    }),
  )
  const followUps = context.followUp(timeouts, 'max-disconnect-timeout')
  for (const allocation of sets.disconnecting) {
    context.plan.count(group.Name, 'Disconnect', 1)
    context.plan.update({
      ...allocation,
      ClientStatus: 'unknown',
      ClientDescription: OUT_OF_SIGHT,
      AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: 'unknown', Time: rfc3339(context.nowMs) }],
      ...(followUps.has(allocation.ID) ? { FollowupEvalID: followUps.get(allocation.ID)! } : {}),
    })
  }
  // What is not replaced keeps its place.
  sets.untainted.push(...replaced.untainted, ...sets.disconnecting.filter((allocation) => !isReplaced(allocation)))
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
