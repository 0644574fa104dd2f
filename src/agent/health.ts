/**
 * Deployment health of one allocation: healthy when every considered task has run, and every check has passed, without a
 * break for `min_healthy_time`; unhealthy when that cannot come any more or the deadline is first. Source:
 * Nomad docs, "update Block". All times monotonic ms.
 */
import { formatDuration, type Nanoseconds, parseRfc3339Ms, type Service, type Task, type TaskState } from '../domain/index.js'

export interface HealthRules {
  readonly tasks: readonly Task[]
  /** Of the group; those of tasks are in the tasks. */
  readonly services: readonly Service[] | null
  readonly healthCheck: string
  readonly minHealthyTime: Nanoseconds
  readonly healthyDeadline: Nanoseconds
}

export interface CheckResult {
  readonly status: 'pending' | 'success' | 'failure'
  /** A readiness check tells whether to send work, not whether the allocation is well. */
  readonly isReadiness: boolean
}

/** What is remembered between two looks. */
export interface HealthTracker {
  readonly startedMs: number
  /** Since when each task runs without a break: its `StartedAt` and when that was first seen. */
  readonly runningSince: Readonly<Record<string, { readonly startedAt: string; readonly sinceMs: number }>>
  /** Since when all checks pass; null while one does not. */
  readonly checksSinceMs: number | null
  /** When the checks were looked at last. */
  readonly checkedMs: number | null
}

export interface HealthView {
  readonly taskStates: Readonly<Record<string, TaskState>>
  readonly isServerTerminal: boolean
  readonly checks: Readonly<Record<string, CheckResult>>
}

export type HealthVerdict =
  | { readonly kind: 'undecided'; readonly lookAgainMs: number }
  | { readonly kind: 'healthy' }
  /** `messages` by task. */
  | { readonly kind: 'unhealthy'; readonly byDeadline: boolean; readonly messages: Readonly<Record<string, string>> }
  /** It is to stop: nobody waits for its health any more. */
  | { readonly kind: 'not-judged' }

const NANOSECONDS_PER_MS = 1e6
const CHECKS_EVERY_MS = 500

export function startHealth(nowMs: number): HealthTracker {
  return { startedMs: nowMs, runningSince: {}, checksSinceMs: null, checkedMs: null }
}

export function lookAtHealth(
  tracker: HealthTracker,
  rules: HealthRules,
  view: HealthView,
  nowMs: number,
): { readonly tracker: HealthTracker; readonly verdict: HealthVerdict } {
  if (view.isServerTerminal) return { tracker, verdict: { kind: 'not-judged' } }
  const dead = findDead(rules, view)
  if (Object.keys(dead).length > 0) return { tracker, verdict: { kind: 'unhealthy', byDeadline: false, messages: dead } }

  const seen = observe(tracker, rules, view, nowMs)
  const minHealthyMs = rules.minHealthyTime / NANOSECONDS_PER_MS
  const tasksHealthyMs = findTasksHealthyMs(seen, rules, view, minHealthyMs)
  const checksHealthyMs = rules.healthCheck === 'checks' ? (seen.checksSinceMs ?? Number.POSITIVE_INFINITY) + minHealthyMs : 0
  const healthyMs = Math.max(tasksHealthyMs, checksHealthyMs)
  if (healthyMs <= nowMs) return { tracker: seen, verdict: { kind: 'healthy' } }

  const deadlineMs = tracker.startedMs + rules.healthyDeadline / NANOSECONDS_PER_MS
  if (nowMs >= deadlineMs) {
    return { tracker: seen, verdict: { kind: 'unhealthy', byDeadline: true, messages: deadlineMessages(seen, rules, view, nowMs) } }
  }
  const checksDueMs = rules.healthCheck === 'checks' ? nextCheckLook(seen) : Number.POSITIVE_INFINITY
  return { tracker: seen, verdict: { kind: 'undecided', lookAgainMs: Math.min(deadlineMs, healthyMs, checksDueMs) } }
}

/** All but poststop; a successful end is no fault of a task that is meant to end. */
function isConsidered(task: Task): boolean {
  return task.Lifecycle?.Hook !== 'poststop'
}

function mayEnd(task: Task): boolean {
  const { Lifecycle } = task
  return (Lifecycle?.Hook === 'prestart' || Lifecycle?.Hook === 'poststart') && !Lifecycle.Sidecar
}

function findDead(rules: HealthRules, view: HealthView): Readonly<Record<string, string>> {
  const states = view.taskStates
  const isLost = (task: Task) => {
    const state = states[task.Name]
    return state?.State === 'dead' && (state.Failed || !mayEnd(task))
  }
  const considered = rules.tasks.filter(isConsidered)
  if (!considered.some(isLost)) return {}
  const lost = considered.filter(isLost)
  return Object.fromEntries(
    lost.map(({ Name }) => [Name, states[Name]!.Failed ? 'Unhealthy because of failed task' : 'Unhealthy because of dead task']),
  )
}

function observe(tracker: HealthTracker, rules: HealthRules, view: HealthView, nowMs: number): HealthTracker {
  const runningSince: Record<string, { readonly startedAt: string; readonly sinceMs: number }> = {}
  for (const { Name } of rules.tasks) {
    const state = view.taskStates[Name]
    if (state?.State !== 'running') continue
    const before = tracker.runningSince[Name]
    runningSince[Name] = before?.startedAt === state.StartedAt ? before : { startedAt: state.StartedAt, sinceMs: nowMs }
  }
  const checks = observeChecks(tracker, view, nowMs)
  return { ...tracker, runningSince, ...checks }
}

/** Checks are looked at every half second from the start, not more often. No result stored yet counts as passing. */
function observeChecks(tracker: HealthTracker, view: HealthView, nowMs: number): Pick<HealthTracker, 'checksSinceMs' | 'checkedMs'> {
  if (nowMs < nextCheckLook(tracker)) return { checksSinceMs: tracker.checksSinceMs, checkedMs: tracker.checkedMs }
  const isPassing = Object.values(view.checks).every(
    ({ status, isReadiness }) => status === 'success' || (isReadiness && status === 'failure'),
  )
  return { checksSinceMs: isPassing ? (tracker.checksSinceMs ?? nowMs) : null, checkedMs: nowMs }
}

function nextCheckLook(tracker: HealthTracker): number {
  return (tracker.checkedMs ?? tracker.startedMs) + CHECKS_EVERY_MS
}

/** When the tasks are healthy if nothing changes; infinity while one has yet to start. */
function findTasksHealthyMs(tracker: HealthTracker, rules: HealthRules, view: HealthView, minHealthyMs: number): number {
  let latestMs = tracker.startedMs
  for (const task of rules.tasks.filter(isConsidered)) {
    if (view.taskStates[task.Name]?.State === 'dead') continue
    if (task.Lifecycle?.Hook === 'prestart' && !task.Lifecycle.Sidecar) return Number.POSITIVE_INFINITY
    const since = tracker.runningSince[task.Name]
    if (since === undefined) return Number.POSITIVE_INFINITY
    latestMs = Math.max(latestMs, since.sinceMs)
  }
  return latestMs + minHealthyMs
}

function deadlineMessages(tracker: HealthTracker, rules: HealthRules, view: HealthView, nowMs: number): Readonly<Record<string, string>> {
  const deadline = formatDuration(rules.healthyDeadline)
  const minHealthyMs = rules.minHealthyTime / NANOSECONDS_PER_MS
  const messages: Record<string, string> = {}
  for (const task of rules.tasks.filter(isConsidered)) {
    const state = view.taskStates[task.Name]
    const since = tracker.runningSince[task.Name]
    if (state?.State === 'dead') continue
    if (since === undefined) {
      messages[task.Name] = hasEverStarted(state)
        ? `Task not running for min_healthy_time of ${formatDuration(rules.minHealthyTime)} by healthy_deadline of ${deadline}`
        : `Task not running by healthy_deadline of ${deadline}`
    } else if (nowMs < since.sinceMs + minHealthyMs) {
      messages[task.Name] =
        `Task not running for min_healthy_time of ${formatDuration(rules.minHealthyTime)} by healthy_deadline of ${deadline}`
    } else if (rules.healthCheck === 'checks' && hasChecks(task)) {
      messages[task.Name] = 'Service checks not registered'
    }
  }
  return messages
}

function hasEverStarted(state: TaskState | undefined): boolean {
  return state !== undefined && parseRfc3339Ms(state.StartedAt) !== undefined
}

function hasChecks(task: Task): boolean {
  return (task.Services ?? []).some((service) => (service.Checks ?? []).length > 0)
}
