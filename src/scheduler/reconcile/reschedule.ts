/** When a failed allocation may be replaced (Nomad docs, "Placement"). All times in milliseconds. */
import {
  type Allocation,
  findTaskGroup,
  type Job,
  MILLISECOND,
  parseRfc3339Ms,
  type RescheduleEvent,
  type ReschedulePolicy,
  type RescheduleTracker,
  unixNanoseconds,
} from '../../domain/index.js'

export interface NextReschedule {
  readonly atMs: number
  readonly isEligible: boolean
}

/** Without a limit of attempts only the delays of the last few matter. */
const UNLIMITED_EVENTS_KEPT = 5

export function policyOf(job: Job, taskGroup: string): ReschedulePolicy | null {
  return findTaskGroup(job, taskGroup)?.ReschedulePolicy ?? null
}

/** Undefined where the question is not asked: no policy, not failed, or already told to stop. */
export function nextReschedule(allocation: Allocation, policy: ReschedulePolicy | null, isBatch: boolean): NextReschedule | undefined {
  if (policy === null || !isEnabled(policy) || !isQuestionAsked(allocation, isBatch)) return undefined
  const failedMs = failTimeMs(allocation)
  const delayMs = nextDelayMs(allocation.RescheduleTracker?.Events ?? [], policy, failedMs)
  return { atMs: failedMs + delayMs, isEligible: isEligible(allocation, policy, failedMs, delayMs) }
}

export function isEnabled(policy: ReschedulePolicy): boolean {
  return policy.Unlimited || policy.Attempts > 0
}

/**
 * Also for lost ones that are still wanted, for stopped ones whose replacement found no place, and for batch work that was asked to be
 * done again (as Nomad 2.0.5 does).
 */
function isQuestionAsked(allocation: Allocation, isBatch: boolean): boolean {
  if (isBatch && allocation.DesiredTransition?.Reschedule === true) return true
  if (allocation.DesiredStatus === 'stop' && allocation.RescheduleTracker?.LastReschedule !== 'no placement') return false
  return allocation.ClientStatus === 'failed' || (allocation.ClientStatus === 'lost' && allocation.DesiredStatus === 'run')
}

/** The latest end of a task, else the last change of the row. */
export function failTimeMs(allocation: Allocation): number {
  const ends = Object.values(allocation.TaskStates ?? {}).flatMap((state) => parseRfc3339Ms(state.FinishedAt) ?? [])
  return ends.length > 0 ? Math.max(...ends) : allocation.ModifyTime / MILLISECOND
}

function isEligible(allocation: Allocation, policy: ReschedulePolicy, failedMs: number, delayMs: number): boolean {
  if (policy.Unlimited) return true
  const events = allocation.RescheduleTracker?.Events ?? []
  if (events.length === 0) return policy.Attempts > 0
  return attemptsInside(events, policy, failedMs) < policy.Attempts && delayMs < policy.Interval / MILLISECOND
}

export function attemptsInside(events: readonly RescheduleEvent[], policy: ReschedulePolicy, nowMs: number): number {
  return events.filter((event) => nowMs - event.RescheduleTime / MILLISECOND < policy.Interval / MILLISECOND).length
}

/** The delay that the next replacement waits, growing as the policy says and starting anew after a long calm. */
export function nextDelayMs(events: readonly RescheduleEvent[], policy: ReschedulePolicy, failedMs: number): number {
  const baseMs = policy.Delay / MILLISECOND
  const last = events.at(-1)
  if (last === undefined || policy.DelayFunction === 'constant') return baseMs
  const maxMs = policy.MaxDelay / MILLISECOND
  let delayMs = grownDelayMs(events, policy)
  if (maxMs > 0 && delayMs > maxMs) {
    delayMs = maxMs
    if (failedMs - last.RescheduleTime / MILLISECOND > maxMs) delayMs = baseMs
  }
  return delayMs
}

function grownDelayMs(events: readonly RescheduleEvent[], policy: ReschedulePolicy): number {
  const lastMs = events.at(-1)!.Delay / MILLISECOND
  if (policy.DelayFunction === 'exponential') return 2 * lastMs
  const beforeMs = (events.at(-2)?.Delay ?? Number.NaN) / MILLISECOND
  if (Number.isNaN(beforeMs)) return policy.Delay / MILLISECOND
  // The series has just started anew after its maximum.
  if (beforeMs === policy.MaxDelay / MILLISECOND && lastMs === policy.Delay / MILLISECOND) return lastMs
  return lastMs + beforeMs
}

/** What the replacement of `previous` carries, so that the policy counts the whole chain. */
export function trackReplacement(previous: Allocation, policy: ReschedulePolicy | null, nowMs: number): RescheduleTracker {
  const events = previous.RescheduleTracker?.Events ?? []
  const delayMs = policy === null ? 0 : nextDelayMs(events, policy, failTimeMs(previous))
  const kept =
    policy === null || policy.Unlimited || policy.Attempts === 0
      ? events.slice(-UNLIMITED_EVENTS_KEPT)
      : events.filter((event) => nowMs - event.RescheduleTime / MILLISECOND <= policy.Interval / MILLISECOND)
  return {
    Events: [
      ...kept,
      {
        RescheduleTime: unixNanoseconds(nowMs),
        PrevAllocID: previous.ID,
        PrevNodeID: previous.NodeID,
        Delay: Math.round(delayMs * MILLISECOND),
      },
    ],
  }
}

/** Whether there is any point in waiting for a replacement. Unlimited policies never run out. */
export function hasRescheduleAttemptsLeft(allocation: Allocation, job: Job, nowMs: number): boolean {
  const policy = policyOf(job, allocation.TaskGroup)
  if (policy === null || !isEnabled(policy)) return false
  if (policy.Unlimited) return true
  return attemptsInside(allocation.RescheduleTracker?.Events ?? [], policy, nowMs) < policy.Attempts
}
