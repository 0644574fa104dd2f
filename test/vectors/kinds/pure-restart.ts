/** `restart.json`: what the restart policy says to each event, with what has gone before remembered. */
import {
  decideRestart,
  FRESH_TRACKER,
  isRestartedOnSuccess,
  type RestartCause,
  type RestartDecision,
} from '../../../src/agent/restart-policy.js'
import type { RestartPolicy, TaskLifecycle } from '../../../src/domain/index.js'
import { compareJson } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

interface Case {
  readonly name: string
  readonly policy: RestartPolicy
  readonly jobtype: string
  readonly lifecycle?: TaskLifecycle
  readonly events: readonly {
    readonly kind: string
    readonly code?: number
    readonly signal?: number
    readonly error?: string
    readonly recoverable?: boolean
    readonly failure?: boolean
    readonly waitms?: number
  }[]
  readonly results: readonly unknown[]
}

const STATES: Readonly<Record<RestartDecision['kind'], string>> = {
  nothing: '',
  killed: 'Killed',
  terminated: 'Terminated',
  'not-restarting': 'Not Restarting',
  restarting: 'Restarting',
}

export const pureRestart: VectorKind = {
  kind: 'pure/restart',
  *run(content) {
    for (const each of content as readonly Case[]) yield runCase(each)
  },
}

function runCase({ name, policy, jobtype, lifecycle, events, results }: Case): CaseResult {
  const rules = { policy, isRestartedOnSuccess: isRestartedOnSuccess(jobtype, lifecycle) }
  let tracker = FRESH_TRACKER
  let nowMs = 0
  const got = events.map((event) => {
    nowMs += event.waitms ?? 0
    const { tracker: after, decision } = decideRestart(tracker, rules, causeOf(event), nowMs, 0.5)
    tracker = after
    const isRestarting = decision.kind === 'restarting'
    return {
      state: STATES[decision.kind],
      reason: 'reason' in decision ? decision.reason : '',
      count: tracker.count,
      wait: isRestarting ? decision.wait.replaceAll('-', ' ') : 'none',
    }
  })
  return { name, mismatches: compareJson(results, got) }
}

function causeOf(event: Case['events'][number]): RestartCause {
  switch (event.kind) {
    case 'exit':
      return { kind: 'exit', isSuccess: (event.code ?? 0) === 0 && (event.signal ?? 0) === 0 && event.error === undefined }
    case 'start error':
      return { kind: 'start-error', isRecoverable: event.recoverable === true }
    case 'restart':
      return { kind: 'restart', isFailure: event.failure === true }
    case 'kill':
      return { kind: 'kill' }
    default:
      return { kind: 'none' }
  }
}
