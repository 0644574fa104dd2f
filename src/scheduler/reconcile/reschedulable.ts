/** Which ended allocations are replaced now, later or not at all (Nomad docs, "Placement"). */
import { type Allocation, type Deployment, isDeploymentActive, isTerminal } from '../../domain/index.js'
import { lastUnknownMs } from './classify.js'
import { failTimeMs, nextDelayMs, nextReschedule, policyOf } from './reschedule.js'
import type { GroupContext, Later } from './types.js'

export interface Rescheduling {
  /** They hold their slots. */
  readonly untainted: Allocation[]
  readonly now: Allocation[]
  readonly later: Later[]
  /** Of `now` and `later`: their nodes have just gone silent, they may still run. */
  readonly disconnecting: ReadonlySet<string>
}

const NOW_WINDOW_MS = 1_000

export function filterReschedulable(context: GroupContext, allocations: readonly Allocation[], isDisconnecting: boolean): Rescheduling {
  const result: Rescheduling = {
    untainted: [],
    now: [],
    later: [],
    disconnecting: new Set(isDisconnecting ? allocations.map(({ ID }) => ID) : []),
  }
  for (const allocation of allocations) sortOne(context, allocation, isDisconnecting, result)
  return result
}

function sortOne(context: GroupContext, allocation: Allocation, isDisconnecting: boolean, result: Rescheduling): void {
  if (isDisconnecting && allocation.ClientStatus === 'unknown') return
  if (allocation.NextAllocation !== undefined && isTerminal(allocation)) return
  const verdict = isDisconnecting ? 'decide' : context.isBatch ? judgeBatch(allocation) : judgeService(allocation)
  if (verdict === 'drop') return
  if (verdict === 'keep') {
    result.untainted.push(allocation)
    return
  }
  const when = decide(context, allocation, isDisconnecting)
  if (when === 'now') {
    result.now.push(allocation)
    return
  }
  if (typeof when === 'number') result.later.push({ allocation, atMs: when })
  result.untainted.push(allocation)
}

/** A batch allocation that completed is done; one that was stopped counts as done only when it had finished well. */
function judgeBatch(allocation: Allocation): 'keep' | 'drop' | 'decide' {
  const { MigrateDisablePlacement, Reschedule } = allocation.DesiredTransition ?? {}
  if (MigrateDisablePlacement === true) return 'keep'
  if (allocation.DesiredStatus === 'stop') return ranWell(allocation) ? 'keep' : 'drop'
  if (allocation.DesiredStatus === 'evict') return 'drop'
  return allocation.ClientStatus === 'failed' || Reschedule === true ? 'decide' : 'keep'
}

/** A service allocation that ended by itself is replaced: it no longer counts as there. */
function judgeService(allocation: Allocation): 'keep' | 'drop' | 'decide' {
  if (allocation.DesiredStatus !== 'run') return 'drop'
  return allocation.ClientStatus === 'complete' || allocation.ClientStatus === 'lost' ? 'drop' : 'decide'
}

function ranWell(allocation: Allocation): boolean {
  const states = Object.values(allocation.TaskStates ?? {})
  return allocation.ClientStatus === 'complete' && states.length > 0 && states.every((state) => state.State === 'dead' && !state.Failed)
}

function decide(context: GroupContext, allocation: Allocation, isDisconnecting: boolean): 'now' | 'no' | number {
  const transition = allocation.DesiredTransition
  if (isUnderWatch(context.deployment, allocation) && transition?.Reschedule !== true && transition?.ForceReschedule !== true) return 'no'
  if (transition?.ForceReschedule === true && isTerminal(allocation)) return 'now'
  const next = nextTime(context, allocation, isDisconnecting)
  if (next === undefined || !next.isEligible) return 'no'
  if (hasWaited(context, allocation) || next.atMs - context.nowMs <= NOW_WINDOW_MS) return 'now'
  return allocation.FollowupEvalID === undefined || isDisconnecting ? next.atMs : 'no'
}

/** The evaluation that it was told to wait for is this one, or was worked on before: whatever the clock says, the wait is over. */
function hasWaited({ view, evaluation }: GroupContext, { FollowupEvalID }: Allocation): boolean {
  if (FollowupEvalID === undefined) return false
  return FollowupEvalID === evaluation.ID || (view.evaluations.get(FollowupEvalID)?.Status ?? 'pending') !== 'pending'
}

/** Its deployment decides whether it may be replaced. */
function isUnderWatch(deployment: Deployment | undefined, allocation: Allocation): boolean {
  return deployment !== undefined && isDeploymentActive(deployment) && allocation.DeploymentID === deployment.ID
}

function nextTime(
  context: GroupContext,
  allocation: Allocation,
  isDisconnecting: boolean,
): { readonly atMs: number; readonly isEligible: boolean } | undefined {
  const policy = policyOf(context.jobOf(allocation) ?? context.job, allocation.TaskGroup)
  if (policy === null) return undefined
  const events = allocation.RescheduleTracker?.Events ?? []
  const sinceMs = isDisconnecting
    ? context.nowMs
    : allocation.ClientStatus === 'unknown' && allocation.FollowupEvalID === context.evaluation.ID
      ? lastUnknownMs(allocation)
      : undefined
  if (sinceMs === undefined) return nextReschedule(allocation, policy, context.isBatch)
  const isEligible = policy.Unlimited || events.length < policy.Attempts
  return { atMs: sinceMs + nextDelayMs(events, policy, failTimeMs(allocation)), isEligible }
}
