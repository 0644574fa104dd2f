/**
 * One task of one allocation, as a machine: an event goes in, what is to be done comes out, and everything it must know
 * after a crash is plain data in `record`. The shell around it writes the record before it does anything.
 *
 * ```
 *  gated ─open─► preparing ─► starting ─► running ─exit─► restart policy ─► backing-off ─► preparing …
 *                                            │ stop             │
 *                                            ▼                  ▼
 *                                        stopping ──exit──►   dead
 * ```
 * Source: Nomad docs, "Task Lifecycle".
 */
import { rfc3339, type TaskEvent, type TaskState, ZERO_TIME } from '../domain/index.js'
import type { TaskExit, TaskHandle } from './driver.js'
import { decideRestart, FRESH_TRACKER, isRestartedOnSuccess, type RestartCause, type RestartTracker } from './restart-policy.js'
import { appendTaskEvents, taskEvent } from './task-events.js'
import type { AfterStop, Now, TaskAction, TaskInput, TaskRecord, TaskRules } from './task-record.js'
import {
  killingEvent,
  notRestartingEvent,
  notRestoredEvent,
  restartingEvent,
  shutdownDelayEvent,
  terminatedEvent,
} from './task-run-events.js'

const NANOSECONDS_PER_MS = 1e6
const DEFAULT_KILL_SIGNAL = 'SIGINT'
/** A kill that did not end the task is repeated after this. */
const KILL_AGAIN_MS = 5_000

export class TaskRunner {
  #record: TaskRecord
  #rules: TaskRules
  #tracker: RestartTracker = FRESH_TRACKER
  /** The only timer that counts is the newest one. */
  #timer: { readonly serial: number; readonly purpose: 'shutdown-delay' | 'kill' | 'restart' } | undefined
  #serial = 0
  /** What is told of the kill that is under way, instead of its signal. */
  #killing: string | undefined

  constructor(record: TaskRecord, rules: TaskRules) {
    this.#record = record
    this.#rules = rules
  }

  get record(): TaskRecord {
    return this.#record
  }

  get isDead(): boolean {
    return this.#record.phase === 'dead'
  }

  /** A process of it may exist. */
  get mayRun(): boolean {
    const { phase } = this.#record
    return phase === 'starting' || phase === 'running' || phase === 'stopping'
  }

  /** The driver still holds something of it: a process, or what a run has left behind. */
  get isHeld(): boolean {
    return this.mayRun || this.#record.remains.length > 0
  }

  /** The allocation was changed in place: later decisions follow the new rules. */
  updateRules(rules: TaskRules): void {
    this.#rules = rules
  }

  handle(input: TaskInput, now: Now): readonly TaskAction[] {
    switch (input.kind) {
      case 'open':
        return this.#record.phase === 'gated' && !this.#record.awaitsServer ? this.#prepare(now) : []
      case 'server-heard':
        if (this.#record.awaitsServer) this.#set({ awaitsServer: false })
        return []
      case 'hook-done':
        return this.#isUnderWay(input.hook) ? this.#onHookDone(input.hook) : []
      case 'hook-failed':
        if (!this.#isUnderWay(input.hook)) return []
        this.#set({ hook: null })
        this.#tell(input.event)
        return this.#decide({ kind: 'start-error', isRecoverable: input.isRecoverable }, now)
      case 'started':
        return this.#onStarted(input.attempt, input.handle, now)
      case 'start-failed':
        return this.#onStartFailed(input, now)
      case 'exited':
        return this.#onExited(input.attempt, input.exit, now)
      case 'cleared':
        this.#set({ remains: this.#record.remains.filter(({ attempt }) => attempt !== input.attempt) })
        return []
      case 'timer':
        return this.#onTimer(input.serial, now)
      case 'stop':
        return this.#stop(input, now)
      case 'restart':
        return this.#restart(input)
      case 'signal':
        return this.#signal(input, now)
      case 'fail':
        return this.#fail(input.event, now)
      case 'note':
        this.#tell(input.event)
        return []
      case 'restore':
        return this.#restore()
      case 'attached':
        return this.#onAttached()
      case 'lost':
        return this.#onLost(now)
    }
  }

  #set(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change }
  }

  #setState(change: Partial<TaskState>): void {
    this.#set({ state: { ...this.#record.state, ...change } })
  }

  #tell(...events: readonly TaskEvent[]): void {
    this.#setState({ Events: appendTaskEvents(this.#record.state.Events, ...events) })
  }

  #armTimer(purpose: 'shutdown-delay' | 'kill' | 'restart', delayMs: number): TaskAction {
    this.#serial++
    this.#timer = { serial: this.#serial, purpose }
    return { kind: 'timer', serial: this.#serial, delayMs }
  }

  #prepare(now: Now): readonly TaskAction[] {
    const isFirst = this.#record.attempt === 0 && this.#record.phase === 'gated'
    if (isFirst) this.#tell(taskEvent('Task Setup', now.wallMs, [{ fact: 'message', text: 'Building Task Directory' }]))
    this.#set({ phase: 'preparing' })
    return this.#nextHook(undefined)
  }

  #isUnderWay(hook: string): boolean {
    return this.#record.phase === 'preparing' && this.#record.hook === hook
  }

  #onHookDone(hook: string): readonly TaskAction[] {
    const isOnce = this.#rules.hooks.some(({ name, runs }) => name === hook && runs === 'once')
    if (isOnce) this.#set({ hooksDone: [...this.#record.hooksDone, hook] })
    return this.#nextHook(hook)
  }

  /** The hook behind `last`, or the start itself when there is none left. */
  #nextHook(last: string | undefined): readonly TaskAction[] {
    const { hooks } = this.#rules
    const left = hooks.slice(hooks.findIndex(({ name }) => name === last) + 1).filter(({ name }) => !this.#record.hooksDone.includes(name))
    const [next] = left
    this.#set({ hook: next?.name ?? null })
    return next === undefined ? this.#start() : [{ kind: 'hook', hook: next.name }]
  }

  #start(): readonly TaskAction[] {
    const attempt = this.#record.attempt + 1
    this.#set({ phase: 'starting', attempt, afterStop: 'dead' })
    return [{ kind: 'start', attempt }]
  }

  #onStarted(attempt: number, handle: TaskHandle, now: Now): readonly TaskAction[] {
    const { phase } = this.#record
    if (attempt !== this.#record.attempt || (phase !== 'starting' && phase !== 'stopping') || this.#record.handle !== null) {
      // An answer to a question that nobody asks any more: whatever it started must not run on.
      return this.#leaveRun(attempt, handle)
    }
    this.#set({ handle })
    this.#setState({ State: 'running', StartedAt: rfc3339(now.wallMs) })
    this.#tell(taskEvent('Started', now.wallMs))
    const wait: TaskAction = { kind: 'wait', attempt, handle }
    if (phase === 'stopping') return [wait, ...this.#beginKill(now)]
    this.#set({ phase: 'running' })
    return [wait]
  }

  #onStartFailed(input: Extract<TaskInput, { kind: 'start-failed' }>, now: Now): readonly TaskAction[] {
    const { phase, attempt, afterStop, handle } = this.#record
    if (input.attempt !== attempt || handle !== null || (phase !== 'starting' && phase !== 'stopping')) return []
    this.#tell(input.event)
    if (phase === 'stopping' && !isRestart(afterStop)) return this.#endAsAsked(now)
    return this.#decide({ kind: 'start-error', isRecoverable: input.isRecoverable }, now)
  }

  #onExited(attempt: number, exit: TaskExit, now: Now): readonly TaskAction[] {
    const { phase, handle, afterStop } = this.#record
    if (attempt !== this.#record.attempt || handle === null || (phase !== 'running' && phase !== 'stopping')) return []
    this.#timer = undefined
    const clears = this.#leaveRun(attempt, handle)
    this.#tell(terminatedEvent(exit, now.wallMs))
    if (phase === 'stopping' && !isRestart(afterStop)) {
      this.#tell(taskEvent('Killed', now.wallMs))
      return [...clears, ...this.#endAsAsked(now)]
    }
    if (phase === 'stopping') {
      return [...clears, ...this.#decide({ kind: 'restart', isFailure: afterStop === 'restart-failure' }, now)]
    }
    const isSuccess = exit.exitCode === 0 && exit.signal === 0 && exit.error === undefined
    return [...clears, ...this.#decide({ kind: 'exit', isSuccess }, now)]
  }

  /** The run is over: its remains are written down until the driver has cleared them away. */
  #leaveRun(attempt: number, handle: TaskHandle): readonly TaskAction[] {
    if (attempt === this.#record.attempt) this.#set({ handle: null })
    this.#set({ remains: [...this.#record.remains, { attempt, handle }] })
    return [{ kind: 'clear', attempt, handle }]
  }

  /** Ended because it was told to: for good, or until the agent is back. */
  #endAsAsked(now: Now): readonly TaskAction[] {
    if (this.#record.afterStop === 'rest') {
      this.#set({ phase: 'gated', awaitsServer: true })
      this.#setState({ State: 'pending' })
      return []
    }
    return this.#die(this.#record.afterStop === 'fail', now)
  }

  #die(isFailed: boolean, now: Now): readonly TaskAction[] {
    this.#timer = undefined
    this.#set({ phase: 'dead', hook: null })
    this.#setState({ State: 'dead', Failed: isFailed, FinishedAt: rfc3339(now.wallMs) })
    return []
  }

  #decide(cause: RestartCause, now: Now): readonly TaskAction[] {
    const { policy, jobType, task } = this.#rules
    const rules = { policy, isRestartedOnSuccess: isRestartedOnSuccess(jobType, task.Lifecycle) }
    const { tracker, decision } = decideRestart(this.#tracker, rules, cause, now.monotonicMs, now.fraction)
    this.#tracker = tracker
    switch (decision.kind) {
      case 'restarting':
        this.#tell(restartingEvent(decision.delayMs, decision.reason, now.wallMs))
        return this.#backOff(decision.delayMs, now)
      case 'not-restarting':
        this.#tell(notRestartingEvent(decision.reason, now.wallMs))
        return this.#die(true, now)
      case 'terminated':
      case 'killed':
      case 'nothing':
        return this.#die(false, now)
    }
  }

  #backOff(delayMs: number, now: Now): readonly TaskAction[] {
    const { state } = this.#record
    this.#set({ phase: 'backing-off' })
    this.#setState({ State: 'pending', Restarts: state.Restarts + 1, LastRestart: rfc3339(now.wallMs) })
    return [this.#armTimer('restart', delayMs)]
  }

  #onTimer(serial: number, now: Now): readonly TaskAction[] {
    const timer = this.#timer
    if (timer === undefined || timer.serial !== serial) return []
    this.#timer = undefined
    const { phase, handle } = this.#record
    switch (timer.purpose) {
      case 'restart':
        return phase === 'backing-off' ? this.#prepare(now) : []
      case 'shutdown-delay':
        return phase === 'stopping' ? this.#signalEnd() : []
      case 'kill':
        if (phase !== 'stopping' || handle === null) return []
        return [{ kind: 'kill', handle }, this.#armTimer('kill', KILL_AGAIN_MS)]
    }
  }

  #stop(input: Extract<TaskInput, { kind: 'stop' }>, now: Now): readonly TaskAction[] {
    const { phase, afterStop } = this.#record
    if (phase === 'dead') return []
    if (phase === 'stopping') {
      // A stop outranks the restart that is under way; a second stop adds nothing.
      if (isRestart(afterStop) || input.afterwards === 'rest') this.#set({ afterStop: input.afterwards })
      return []
    }
    if (input.because !== undefined) this.#tell(input.because)
    this.#killing = input.killing
    this.#set({ afterStop: input.afterwards })
    if (phase === 'running') {
      this.#set({ phase: 'stopping' })
      return this.#beginKill(now, input.skipDelay)
    }
    if (phase === 'starting') {
      this.#set({ phase: 'stopping' })
      return []
    }
    if (input.afterwards === 'dead') this.#tell(this.#killingEvent(now))
    return this.#endAsAsked(now)
  }

  #restart(input: Extract<TaskInput, { kind: 'restart' }>): readonly TaskAction[] {
    const { phase } = this.#record
    if (phase === 'dead' && !input.includesDead) return []
    if (phase !== 'running' && phase !== 'dead') return []
    this.#tell(input.event)
    if (phase === 'dead') {
      this.#setState({ State: 'pending', Failed: false, FinishedAt: ZERO_TIME })
      this.#set({ phase: 'gated' })
      return []
    }
    this.#set({ phase: 'stopping', afterStop: input.isFailure ? 'restart-failure' : 'restart' })
    return this.#signalEnd()
  }

  #fail(event: TaskEvent, now: Now): readonly TaskAction[] {
    const { phase, afterStop } = this.#record
    if (phase === 'dead' || (phase === 'stopping' && !isRestart(afterStop))) return []
    this.#tell(event)
    this.#set({ afterStop: 'fail' })
    if (phase === 'stopping') return []
    if (phase !== 'running' && phase !== 'starting') return this.#die(true, now)
    this.#set({ phase: 'stopping' })
    return this.#signalEnd()
  }

  #beginKill(now: Now, skipDelay = false): readonly TaskAction[] {
    const { task } = this.#rules
    const delayMs = task.ShutdownDelay / NANOSECONDS_PER_MS
    this.#tell(this.#killingEvent(now))
    if (delayMs <= 0) return this.#signalEnd()
    this.#tell(shutdownDelayEvent(task, skipDelay, now.wallMs))
    return skipDelay ? this.#signalEnd() : [this.#armTimer('shutdown-delay', delayMs)]
  }

  #signalEnd(): readonly TaskAction[] {
    const { handle } = this.#record
    // Not started yet: `started` comes here again.
    if (handle === null) return []
    const signal = this.#rules.task.KillSignal || DEFAULT_KILL_SIGNAL
    return [{ kind: 'signal', handle, signal }, this.#armTimer('kill', this.#killTimeoutMs())]
  }

  #killingEvent(now: Now): TaskEvent {
    return killingEvent(this.#rules.task, this.#rules.killTimeoutMsMax, this.#killing, now.wallMs)
  }

  #killTimeoutMs(): number {
    return Math.min(this.#rules.task.KillTimeout / NANOSECONDS_PER_MS, this.#rules.killTimeoutMsMax)
  }

  #signal({ signal, event }: Extract<TaskInput, { kind: 'signal' }>, now: Now): readonly TaskAction[] {
    const { phase, handle } = this.#record
    if (phase !== 'running' || handle === null) return []
    this.#tell(event ?? taskEvent('Signaling', now.wallMs, [{ fact: 'detail', name: 'signal', text: signal }]))
    return [{ kind: 'signal', handle, signal }]
  }

  #restore(): readonly TaskAction[] {
    const { phase, handle, attempt, remains } = this.#record
    const clears = remains.map((run): TaskAction => ({ kind: 'clear', ...run }))
    switch (phase) {
      case 'dead':
        return clears
      case 'running':
      case 'stopping':
        if (handle === null) return [...clears, { kind: 'find', attempt }]
        return [...clears, { kind: 'attach', attempt, handle }]
      case 'starting':
        return [...clears, { kind: 'find', attempt }]
      case 'backing-off':
        return [...clears, this.#armTimer('restart', this.#rules.policy.Delay / NANOSECONDS_PER_MS)]
      case 'gated':
      case 'preparing':
        this.#set({ phase: 'gated', hook: null, awaitsServer: true })
        return clears
    }
  }

  /** What was under way goes on. */
  #onAttached(): readonly TaskAction[] {
    const { handle, attempt, phase } = this.#record
    if (handle === null) return []
    const wait: TaskAction = { kind: 'wait', attempt, handle }
    return phase === 'stopping' ? [wait, ...this.#signalEnd()] : [wait]
  }

  #onLost(now: Now): readonly TaskAction[] {
    const { phase, handle, attempt, afterStop } = this.#record
    if (phase !== 'running' && phase !== 'stopping' && phase !== 'starting') return []
    const clears = handle === null ? [] : this.#leaveRun(attempt, handle)
    if (phase === 'stopping' && (afterStop === 'dead' || afterStop === 'fail')) return [...clears, ...this.#endAsAsked(now)]
    if (phase !== 'starting') this.#tell(notRestoredEvent(now.wallMs))
    this.#set({ phase: 'gated', awaitsServer: true })
    this.#setState({ State: 'pending' })
    return clears
  }
}

function isRestart(afterStop: AfterStop): boolean {
  return afterStop === 'restart' || afterStop === 'restart-failure'
}
