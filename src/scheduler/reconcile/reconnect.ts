/** An allocation that comes back meets what was placed for it meanwhile: one of them stays (Nomad docs, "Placement"). */
import { type Allocation, findTaskGroup, isServerTerminal, parseRfc3339Ms, rfc3339, type TaskGroup } from '../../domain/index.js'
import { NOT_NEEDED, RECONNECTED, RESCHEDULED } from '../descriptions.js'
import { type Classified, isOutdated, taintOf, wasOutOfSight } from './classify.js'
import type { Rescheduling } from './reschedulable.js'
import type { GroupContext } from './types.js'

export function reconnect(context: GroupContext, group: TaskGroup, sets: Classified, rescheduling: Rescheduling): void {
  // What is to move or to be updated has been replaced already where it was out of sight before.
  for (const original of [...sets.migrate, ...sets.untainted.filter((allocation) => isBackOutdated(context, allocation))]) {
    if (livingFollowers(context, original).length === 0) continue
    context.plan.stop(original, NOT_NEEDED)
    context.plan.count(group.Name, 'Stop', 1)
    for (const set of [sets.migrate, sets.untainted, rescheduling.untainted]) remove(set, original)
  }
  for (const original of sets.reconnecting) {
    const isKept = settle(context, group, original, sets, rescheduling)
    if (!isKept) continue
    sets.untainted.push(original)
    rescheduling.untainted.push(original)
    noteReconnect(context, group, original)
  }
}

function settle(context: GroupContext, group: TaskGroup, original: Allocation, sets: Classified, rescheduling: Rescheduling): boolean {
  const { plan, job } = context
  const stop = (allocation: Allocation, description: string, details = {}) => {
    plan.stop(allocation, description, details)
    plan.count(group.Name, 'Stop', 1)
    for (const set of [sets.untainted, sets.migrate, rescheduling.untainted, rescheduling.now]) remove(set, allocation)
  }
  if (original.ClientStatus === 'failed' && !isServerTerminal(original)) {
    stop(original, RESCHEDULED, { ClientStatus: 'failed' })
    return false
  }
  const { Migrate, Reschedule, ForceReschedule } = original.DesiredTransition ?? {}
  const isToEnd = Migrate === true || Reschedule === true || ForceReschedule === true
  if (original.DesiredStatus !== 'run' || isToEnd || isOutdated(original, job)) {
    stop(original, NOT_NEEDED)
    return false
  }
  const replacements = livingFollowers(context, original)
  const best = replacements.find((replacement) => prefersReplacement(context, original, replacement))
  if (best !== undefined) {
    stop(original, NOT_NEEDED)
    return false
  }
  for (const replacement of replacements) stop(replacement, RECONNECTED)
  return true
}

/** Its host is back, it has not said yet that it runs, and is of an older version anyway. */
function isBackOutdated({ view, job }: GroupContext, allocation: Allocation): boolean {
  return wasOutOfSight(allocation) && taintOf(view, allocation.NodeID) === undefined && isOutdated(allocation, job)
}

function remove(set: Allocation[], allocation: Allocation): void {
  const at = set.indexOf(allocation)
  if (at >= 0) set.splice(at, 1)
}

/** What was placed after it, link by link, and is still wanted. */
function livingFollowers(context: GroupContext, original: Allocation): readonly Allocation[] {
  const chain: Allocation[] = []
  for (let id = original.NextAllocation; id !== undefined && chain.length < 100; ) {
    const next = context.view.allocations.get(id)
    if (next === undefined) break
    chain.push(next)
    id = next.NextAllocation
  }
  return chain.filter((allocation) => !isServerTerminal(allocation))
}

function prefersReplacement(context: GroupContext, original: Allocation, replacement: Allocation): boolean {
  if (replacement.ClientStatus === 'failed' || replacement.ClientStatus === 'lost') return false
  if (replacement.JobVersion > original.JobVersion || replacement.JobCreateIndex > original.JobCreateIndex) return true
  const job = context.jobOf(original)
  const strategy = job === undefined ? '' : (findTaskGroup(job, original.TaskGroup)?.Disconnect?.Reconcile ?? '')
  if (strategy === 'keep_original') return false
  if (strategy === 'keep_replacement') return true
  if (strategy === 'longest_running') {
    const [first, second] = [startedMs(original), startedMs(replacement)]
    if (first !== undefined && second !== undefined) return second <= first
    if (first !== undefined || second !== undefined) return first === undefined
  }
  const isReady = replacement.ClientStatus === 'running' || original.ClientStatus !== 'running'
  return isReady && bestScore(replacement) > bestScore(original)
}

function bestScore(allocation: Allocation): number {
  return Math.max(Number.NEGATIVE_INFINITY, ...(allocation.Metrics?.ScoreMetaData ?? []).map((meta) => meta.NormScore))
}

function startedMs(allocation: Allocation): number | undefined {
  const starts = Object.values(allocation.TaskStates ?? {}).flatMap((state) => parseRfc3339Ms(state.StartedAt) ?? [])
  return starts.length === 0 ? undefined : Math.min(...starts)
}

function noteReconnect(context: GroupContext, group: TaskGroup, original: Allocation): void {
  context.plan.count(group.Name, 'Reconnect', 1)
  if (original.ClientStatus !== 'running') return
  // What it waited for has come to nothing.
  const { FollowupEvalID: _, ...rest } = original
  context.plan.update({
    ...rest,
    AllocStates: [...(original.AllocStates ?? []), { Field: 0, Value: 'running', Time: rfc3339(context.nowMs) }],
  })
}
