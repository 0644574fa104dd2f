/** `health.json`: what becomes of an allocation's health while its tasks and checks change. */
import { type CheckResult, type HealthVerdict, lookAtHealth, startHealth } from '../../../src/agent/health.js'
import { type Job, rfc3339, type TaskState, ZERO_TIME } from '../../../src/domain/index.js'
import { compareJson, type Mismatch } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

interface Moment {
  readonly at: number
  readonly desiredstatus?: string
  readonly tasks?: Readonly<
    Record<string, { readonly state: TaskState['State']; readonly failed?: boolean; readonly restarts?: number; readonly started?: number }>
  >
  readonly checks?: Readonly<Record<string, { readonly status: CheckResult['status']; readonly mode?: string }>>
}

interface Case {
  readonly name: string
  readonly job: Job
  readonly moments: readonly Moment[]
  readonly outcome: string
  readonly deadline?: boolean
  readonly events?: Readonly<Record<string, { readonly Message: string }>>
  readonly at_ms: number
}

const START_MS = Date.UTC(2026, 0, 1)
/** As wide as the format allows. */
const TOLERANCE_MS = 600
const LONGEST_MS = 60_000

export const pureHealth: VectorKind = {
  kind: 'pure/health',
  *run(content) {
    for (const each of content as readonly Case[]) yield runCase(each)
  },
}

function runCase(each: Case): CaseResult {
  const { verdict, atMs } = judge(each)
  const expected = {
    outcome: each.outcome,
    deadline: each.deadline === true,
    messages: Object.fromEntries(Object.entries(each.events ?? {}).map(([task, { Message }]) => [task, Message])),
  }
  const got = {
    outcome: verdict.kind === 'not-judged' ? 'not judged' : verdict.kind,
    deadline: verdict.kind === 'unhealthy' && verdict.byDeadline,
    messages: verdict.kind === 'unhealthy' ? verdict.messages : {},
  }
  const late: readonly Mismatch[] =
    Math.abs(atMs - each.at_ms) <= TOLERANCE_MS ? [] : [{ path: '$.at_ms', expected: each.at_ms, got: atMs }]
  return { name: each.name, mismatches: [...compareJson(expected, got), ...late] }
}

function judge({ job, moments }: Case): { readonly verdict: HealthVerdict; readonly atMs: number } {
  const group = job.TaskGroups[0]!
  const update = group.Update!
  const rules = {
    tasks: group.Tasks,
    services: group.Services ?? null,
    healthCheck: update.HealthCheck,
    minHealthyTime: update.MinHealthyTime,
    healthyDeadline: update.HealthyDeadline,
  }
  const taskStates: Record<string, TaskState> = {}
  let checks: Readonly<Record<string, CheckResult>> = {}
  let isServerTerminal = false
  let tracker = startHealth(0)
  let verdict: HealthVerdict = { kind: 'undecided', lookAgainMs: 0 }
  const waiting = [...moments]
  let atMs = 0
  while (verdict.kind === 'undecided' && atMs <= LONGEST_MS) {
    atMs = Math.min(waiting[0]?.at ?? Number.POSITIVE_INFINITY, verdict.lookAgainMs)
    while (waiting[0] !== undefined && waiting[0].at <= atMs) {
      const moment = waiting.shift()!
      for (const [name, state] of Object.entries(moment.tasks ?? {})) taskStates[name] = taskStateOf(state)
      if (moment.checks !== undefined) checks = { ...checks, ...checksOf(moment.checks) }
      if (moment.desiredstatus !== undefined) isServerTerminal = moment.desiredstatus !== 'run'
    }
    const look = lookAtHealth(tracker, rules, { taskStates, isServerTerminal, checks }, atMs)
    tracker = look.tracker
    verdict = look.verdict
  }
  return { verdict, atMs }
}

function taskStateOf({ state, failed, restarts, started }: NonNullable<Moment['tasks']>[string]): TaskState {
  const StartedAt = started === undefined ? ZERO_TIME : rfc3339(START_MS + started)
  return {
    State: state,
    Failed: failed === true,
    Restarts: restarts ?? 0,
    LastRestart: ZERO_TIME,
    StartedAt,
    FinishedAt: ZERO_TIME,
    Events: [],
  }
}

function checksOf(checks: NonNullable<Moment['checks']>): Readonly<Record<string, CheckResult>> {
  return Object.fromEntries(Object.entries(checks).map(([name, { status, mode }]) => [name, { status, isReadiness: mode === 'readiness' }]))
}
