/**
 * Whether a task that ended, could not start or was asked to restart is started again, and when. Source:
 * Nomad docs, "restart Block". The count and the start of the interval are all that is remembered.
 */
import { formatDuration, type RestartPolicy, type TaskLifecycle } from '../domain/index.js'
import { RESTART_WITHIN_POLICY } from './task-events.js'

export interface RestartTracker {
  /** Of attempts in the running interval. */
  readonly count: number
  /** Monotonic ms; null until the first decision. */
  readonly intervalStartMs: number | null
}

export const FRESH_TRACKER: RestartTracker = { count: 0, intervalStartMs: null }

export type RestartCause =
  | { readonly kind: 'exit'; readonly isSuccess: boolean }
  | { readonly kind: 'start-error'; readonly isRecoverable: boolean }
  /** Asked for by a person or a template; `isFailure`: by a failing check. */
  | { readonly kind: 'restart'; readonly isFailure: boolean }
  | { readonly kind: 'kill' }
  | { readonly kind: 'none' }

export type RestartDecision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'killed' }
  /** Ended as it should. */
  | { readonly kind: 'terminated'; readonly reason: string }
  /** Failed for good. */
  | { readonly kind: 'not-restarting'; readonly reason: string }
  | { readonly kind: 'restarting'; readonly reason: string; readonly wait: 'none' | 'delay' | 'rest-of-interval'; readonly delayMs: number }

export interface RestartRules {
  readonly policy: Pick<RestartPolicy, 'Attempts' | 'Interval' | 'Delay' | 'Mode'>
  /** Whether even a successful end is followed by a new start. */
  readonly isRestartedOnSuccess: boolean
}

export function isRestartedOnSuccess(jobType: string, lifecycle: TaskLifecycle | null | undefined): boolean {
  if (lifecycle === null || lifecycle === undefined || lifecycle.Hook === '') return jobType === 'service' || jobType === 'system'
  return lifecycle.Hook !== 'poststop' && lifecycle.Sidecar
}

const NANOSECONDS_PER_MS = 1e6
/** The delay is lengthened by up to a quarter, by chance, so that what failed together does not start together. */
const JITTER_SHARE = 0.25

/** @param fraction chance, in [0, 1) */
export function decideRestart(
  tracker: RestartTracker,
  rules: RestartRules,
  cause: RestartCause,
  nowMs: number,
  fraction: number,
): { readonly tracker: RestartTracker; readonly decision: RestartDecision } {
  if (cause.kind === 'kill') return { tracker, decision: { kind: 'killed' } }
  if (cause.kind === 'restart' && !cause.isFailure) {
    return { tracker, decision: { kind: 'restarting', reason: '', wait: 'none', delayMs: 0 } }
  }
  const { policy } = rules
  if (policy.Attempts === 0) {
    const isGood = cause.kind === 'exit' && cause.isSuccess && !rules.isRestartedOnSuccess
    const reason = 'Policy allows no restarts'
    return { tracker, decision: isGood ? { kind: 'terminated', reason } : { kind: 'not-restarting', reason } }
  }
  const counted = countAttempt(tracker, policy.Interval / NANOSECONDS_PER_MS, nowMs)
  return { tracker: counted, decision: decideCounted(counted, rules, cause, nowMs, fraction) }
}

function countAttempt(tracker: RestartTracker, intervalMs: number, nowMs: number): RestartTracker {
  const { intervalStartMs, count } = tracker
  if (intervalStartMs === null || nowMs > intervalStartMs + intervalMs) return { count: 1, intervalStartMs: nowMs }
  return { count: count + 1, intervalStartMs }
}

function decideCounted(
  tracker: RestartTracker,
  { policy, isRestartedOnSuccess }: RestartRules,
  cause: RestartCause,
  nowMs: number,
  fraction: number,
): RestartDecision {
  if (cause.kind === 'none') return { kind: 'nothing' }
  if (cause.kind === 'start-error' && !cause.isRecoverable) return { kind: 'not-restarting', reason: 'Error was unrecoverable' }
  if (cause.kind === 'exit' && cause.isSuccess && !isRestartedOnSuccess) {
    return { kind: 'terminated', reason: 'Restart unnecessary as task terminated successfully' }
  }
  if (tracker.count > policy.Attempts) return decideExceeded(tracker, policy, nowMs)
  const delayMs = (policy.Delay / NANOSECONDS_PER_MS) * (1 + fraction * JITTER_SHARE)
  return { kind: 'restarting', reason: RESTART_WITHIN_POLICY, wait: 'delay', delayMs }
}

function decideExceeded(tracker: RestartTracker, policy: RestartRules['policy'], nowMs: number): RestartDecision {
  if (policy.Mode === 'fail') {
    const reason = `Exceeded allowed attempts ${policy.Attempts} in interval ${formatDuration(policy.Interval)} and mode is "fail"`
    return { kind: 'not-restarting', reason }
  }
  const delayMs = Math.max(0, tracker.intervalStartMs! + policy.Interval / NANOSECONDS_PER_MS - nowMs)
  return { kind: 'restarting', reason: 'Exceeded allowed attempts, applying a delay', wait: 'rest-of-interval', delayMs }
}
