/**
 * One allocation on this host, as a machine over the machines of its tasks: which task may start when, who is ended when
 * another has ended, what the allocation as a whole is, and whether it is healthy.
 *
 * An allocation is reported as ended only when every process of it has: until then it holds its share of the node.
 */
import {
  type Allocation,
  type AllocationReport,
  type ClientStatus,
  type Job,
  rfc3339,
  type Task,
  type TaskEvent,
  type TaskGroup,
  type TaskState,
  ZERO_TIME,
} from '../domain/index.js'
import {
  type AllocationAction,
  type AllocationInput,
  type AllocationLimits,
  type AllocationRecord,
  type AllocationTimer,
  findGroup,
  healthRulesOf,
} from './allocation-record.js'
import { type CheckResult, type HealthTracker, lookAtHealth, startHealth } from './health.js'
import { hooksOf } from './hooks/table.js'
import { taskEvent } from './task-events.js'
import { clientStatusOf, isPoststop, mayOpen, nextToEnd, type RecordOf, reasonToEnd } from './task-order.js'
import { type Now, newTaskRecord, type TaskInput, type TaskRecord } from './task-record.js'
import { TaskRunner } from './task-runner.js'

/** Why the group is being ended, and how far that has come. */
type Ending = {
  readonly because: TaskEvent | null
  readonly skipDelay: boolean
  /** What is told of each kill, instead of its signal. */
  readonly killing?: string
  step: 'delay' | 'tasks'
}

const NANOSECONDS_PER_MS = 1e6
const OVERDUE = 'allocation exceeded max_run_duration'

export class AllocationRunner {
  #record: AllocationRecord
  readonly #limits: AllocationLimits
  readonly #tasks = new Map<string, TaskRunner>()
  #group: TaskGroup
  #ending: Ending | undefined
  #isResting = false
  /** In this life the server has said that it still wants this. */
  #hasHeardServer = false
  #health: HealthTracker | undefined
  #checks: Readonly<Record<string, CheckResult>> = {}
  readonly #serials: Record<AllocationTimer, number> = { health: 0, 'shutdown-delay': 0, 'max-run': 0 }

  /** An allocation that the server has just named. */
  static create(
    given: { readonly allocation: Allocation; readonly job: Job; readonly clusterId: string; readonly want: 'run' | 'stop' },
    limits: AllocationLimits,
    now: Now,
  ): AllocationRunner {
    const tasks = Object.fromEntries(findGroup(given).Tasks.map(({ Name }) => [Name, newTaskRecord(now.wallMs)]))
    return new AllocationRunner({ ...given, isAdmitted: false, tasks, health: null, endedMs: null }, limits)
  }

  constructor(record: AllocationRecord, limits: AllocationLimits) {
    this.#record = record
    this.#limits = limits
    this.#group = findGroup(record)
    for (const task of this.#group.Tasks) {
      const taskRecord = record.tasks[task.Name]
      // Records of an earlier version may lack what came later.
      if (taskRecord !== undefined) this.#tasks.set(task.Name, new TaskRunner({ ...newTaskRecord(0), ...taskRecord }, this.#rulesOf(task)))
    }
  }

  get record(): AllocationRecord {
    return this.#record
  }

  get hasEnded(): boolean {
    return this.#record.endedMs !== null
  }

  /** The group's services are there: it has begun and is not being ended. */
  get isOffering(): boolean {
    const hasBegun = [...this.#tasks.values()].some(({ record: { phase } }) => phase !== 'gated' && phase !== 'dead')
    return this.#record.isAdmitted && this.#record.want === 'run' && this.#ending === undefined && !this.hasEnded && hasBegun
  }

  /** A process of it may exist. */
  get mayRun(): boolean {
    return [...this.#tasks.values()].some(({ mayRun }) => mayRun)
  }

  /** A driver still holds something of it: a process, or what a run has left behind. */
  get isHeld(): boolean {
    return [...this.#tasks.values()].some(({ isHeld }) => isHeld)
  }

  task(name: string): { readonly task: Task; readonly record: TaskRecord } | undefined {
    const task = this.#group.Tasks.find(({ Name }) => Name === name)
    const runner = this.#tasks.get(name)
    return task === undefined || runner === undefined ? undefined : { task, record: runner.record }
  }

  get tasks(): readonly Task[] {
    return this.#group.Tasks
  }

  get group(): TaskGroup {
    return this.#group
  }

  /** `record` is the same object as before where nothing of it has changed. */
  handle(input: AllocationInput, now: Now): readonly AllocationAction[] {
    const actions = this.#take(input, now)
    const settled = this.#settle(now)
    const isChanged = [...this.#tasks].some(([name, { record }]) => record !== this.#record.tasks[name])
    if (isChanged)
      this.#record = { ...this.#record, tasks: Object.fromEntries([...this.#tasks].map(([name, { record }]) => [name, record])) }
    this.#noticeEnd(now)
    return [...actions, ...settled]
  }

  report(): AllocationReport {
    const { allocation, health, isOverdue } = this.#record
    const taskStates = this.#taskStates()
    const status = clientStatusOf(Object.values(taskStates), this.hasEnded)
    const report: AllocationReport = {
      ID: allocation.ID,
      ClientStatus: status,
      ClientDescription: isOverdue === true && this.hasEnded ? OVERDUE : (DESCRIPTIONS[status] ?? ''),
      TaskStates: taskStates,
    }
    return health === null ? report : { ...report, DeploymentStatus: { Healthy: health.isHealthy, Timestamp: health.timestamp } }
  }

  #taskStates(): Readonly<Record<string, TaskState>> {
    return Object.fromEntries([...this.#tasks].map(([name, { record }]) => [name, record.state]))
  }

  #take(input: AllocationInput, now: Now): readonly AllocationAction[] {
    if (this.hasEnded && !isHeardWhenEnded(input)) return []
    switch (input.kind) {
      case 'desired':
        return this.#onDesired(input, now)
      case 'absent':
        if (this.#record.want !== 'stop') this.#record = { ...this.#record, want: 'stop' }
        return this.#end({ because: null, skipDelay: false, step: 'delay' }, now)
      case 'admit':
        this.#record = { ...this.#record, isAdmitted: true }
        return []
      case 'server-heard':
        this.#hasHeardServer = true
        return []
      case 'task':
        return this.#toTask(input.task, input.input, now)
      case 'restart':
        return this.#onRestart(input.task, input.allTasks, now)
      case 'signal':
        return this.#toNamed(input.task, { kind: 'signal', signal: input.signal }, now)
      case 'reconnected':
        return this.#toAll({ kind: 'note', event: taskEvent('Reconnected', now.wallMs) }, now)
      case 'checks':
        // Only makes `settle` look at the health again.
        this.#checks = input.checks
        return []
      case 'timer':
        return this.#onTimer(input.timer, input.serial, now)
      case 'restore':
        return this.#onRestore(now)
      case 'rest':
        this.#isResting = true
        return this.#toAll({ kind: 'stop', skipDelay: true, afterwards: 'rest' }, now)
    }
  }

  #onDesired(input: Extract<AllocationInput, { kind: 'desired' }>, now: Now): readonly AllocationAction[] {
    const { allocation, job, clusterId, want } = input
    const before = this.#record.allocation
    this.#record = { ...this.#record, allocation, job, clusterId, want }
    this.#group = findGroup(this.#record)
    for (const task of this.#group.Tasks) this.#tasks.get(task.Name)?.updateRules(this.#rulesOf(task))
    if (before.DeploymentID !== allocation.DeploymentID) {
      this.#health = undefined
      this.#record = { ...this.#record, health: null }
    }
    if (want === 'run') return []
    return this.#end({ because: null, skipDelay: allocation.DesiredTransition?.NoShutdownDelay === true, step: 'delay' }, now)
  }

  #onRestart(task: string | null, allTasks: boolean, now: Now): readonly AllocationAction[] {
    const what = task !== null ? 'task' : allTasks ? 'all tasks' : 'running tasks'
    const event = taskEvent('Restart Signaled', now.wallMs, [{ fact: 'restart_reason', text: `User requested ${what} to restart` }])
    const restart = { kind: 'restart', event, includesDead: task === null && allTasks, isFailure: false } as const
    return this.#toNamed(task, restart, now)
  }

  #onTimer(timer: AllocationTimer, serial: number, now: Now): readonly AllocationAction[] {
    if (this.#serials[timer] !== serial) return []
    if (timer === 'max-run') return this.#endOverdue(now)
    // A health timer only makes `settle` look again.
    if (timer === 'health' || this.#ending?.step !== 'delay') return []
    this.#ending.step = 'tasks'
    return this.#killNext(now)
  }

  /** Nothing of it is started any more, poststop tasks included. */
  #endOverdue(now: Now): readonly AllocationAction[] {
    this.#record = { ...this.#record, isOverdue: true }
    return this.#end({ because: null, skipDelay: true, killing: OVERDUE, step: 'tasks' }, now)
  }

  #onRestore(now: Now): readonly AllocationAction[] {
    const actions = this.#toAll({ kind: 'restore' }, now)
    if (this.#record.isOverdue === true) return [...actions, ...this.#endOverdue(now)]
    if (this.#record.want === 'run') return actions
    return [...actions, ...this.#end({ because: null, skipDelay: true, step: 'delay' }, now)]
  }

  #armTimer(timer: AllocationTimer, delayMs: number): AllocationAction {
    this.#serials[timer]++
    return { kind: 'timer', timer, serial: this.#serials[timer], delayMs }
  }

  /** Begins to end the group; poststop tasks are left out and run afterwards. */
  #end(ending: Ending, now: Now): readonly AllocationAction[] {
    if (this.#ending !== undefined) return []
    this.#ending = ending
    const delayMs = (this.#group.ShutdownDelay ?? 0) / NANOSECONDS_PER_MS
    const isServerStop = ending.because === null
    if (isServerStop && !ending.skipDelay && delayMs > 0 && this.mayRun) return [this.#armTimer('shutdown-delay', delayMs)]
    ending.step = 'tasks'
    return this.#killNext(now)
  }

  #killNext(now: Now): readonly AllocationAction[] {
    const ending = this.#ending
    if (ending === undefined || ending.step !== 'tasks') return []
    return nextToEnd(this.#group.Tasks, this.#recordOf).flatMap(({ Name }) => this.#toTask(Name, stopInput(ending), now))
  }

  /** What follows from where the tasks are now: gates open, failures spread, health is looked at. */
  #settle(now: Now): readonly AllocationAction[] {
    if (this.hasEnded || this.#isResting) return []
    const actions: AllocationAction[] = []
    if (this.#hasHeardServer) actions.push(...this.#toAll({ kind: 'server-heard' }, now))
    actions.push(...this.#spreadEnd(now))
    actions.push(...this.#killNext(now))
    actions.push(...this.#skipPoststop(now))
    actions.push(...this.#openGates(now))
    actions.push(...this.#lookAtHealth(now))
    actions.push(...this.#watchRunTime(now))
    return actions
  }

  /** The time that it may run counts from its placement, whatever it waited for. */
  #watchRunTime(now: Now): readonly AllocationAction[] {
    const maxMs = (this.#group.MaxRunDuration ?? 0) / NANOSECONDS_PER_MS
    const { allocation, isAdmitted, isOverdue } = this.#record
    if (maxMs <= 0 || !isAdmitted || isOverdue === true || this.#serials['max-run'] > 0) return []
    const endMs = allocation.CreateTime / NANOSECONDS_PER_MS + maxMs
    return [this.#armTimer('max-run', Math.max(0, endMs - now.wallMs))]
  }

  #spreadEnd(now: Now): readonly AllocationAction[] {
    if (this.#ending !== undefined) return []
    const because = reasonToEnd(this.#group.Tasks, this.#recordOf, now.wallMs)
    return because === undefined ? [] : this.#end({ because, skipDelay: true, step: 'tasks' }, now)
  }

  /** There is nothing to tidy up after an allocation that was stopped before any of its tasks had started; one that is overdue has no time to. */
  #skipPoststop(now: Now): readonly AllocationAction[] {
    const ending = this.#ending
    if (ending === undefined) return []
    const { want, isOverdue } = this.#record
    const hasStarted = [...this.#tasks.values()].some(({ record }) => record.state.StartedAt !== ZERO_TIME)
    if (isOverdue !== true && (hasStarted || want !== 'stop')) return []
    return this.#group.Tasks.filter(isPoststop).flatMap(({ Name }) => this.#toTask(Name, stopInput({ ...ending, skipDelay: true }), now))
  }

  #openGates(now: Now): readonly AllocationAction[] {
    if (!this.#record.isAdmitted) return []
    const { Tasks } = this.#group
    const isEnding = this.#ending !== undefined
    return Tasks.filter((task) => this.#recordOf(task)?.phase === 'gated' && mayOpen(task, Tasks, this.#recordOf, isEnding)).flatMap(
      ({ Name }) => this.#toTask(Name, { kind: 'open' }, now),
    )
  }

  #lookAtHealth(now: Now): readonly AllocationAction[] {
    const rules = healthRulesOf(this.#record, this.#group)
    if (rules === undefined) return []
    this.#health ??= startHealth(now.monotonicMs)
    // A deployment hears also of one that was stopped before it was healthy.
    const isServerTerminal = this.#record.want === 'stop' && (this.#record.allocation.DeploymentID ?? '') === ''
    const view = { taskStates: this.#taskStates(), isServerTerminal, checks: this.#checks }
    const { tracker, verdict } = lookAtHealth(this.#health, rules, view, now.monotonicMs)
    this.#health = tracker
    switch (verdict.kind) {
      case 'undecided':
        return [this.#armTimer('health', Math.max(0, verdict.lookAgainMs - now.monotonicMs))]
      case 'healthy':
        this.#setHealth(true, now)
        return []
      case 'unhealthy':
        this.#setHealth(false, now)
        if (this.#record.want === 'stop') return []
        return Object.entries(verdict.messages).flatMap(([task, text]) => {
          const event = taskEvent('Alloc Unhealthy', now.wallMs, [{ fact: 'message', text }])
          return this.#toTask(task, { kind: 'note', event }, now)
        })
      case 'not-judged':
        return []
    }
  }

  #setHealth(isHealthy: boolean, now: Now): void {
    const deploymentId = this.#record.allocation.DeploymentID ?? ''
    this.#record = { ...this.#record, health: { deploymentId, isHealthy, timestamp: rfc3339(now.wallMs) } }
  }

  #noticeEnd(now: Now): void {
    if (this.hasEnded || this.#isResting) return
    if (![...this.#tasks.values()].every(({ isDead }) => isDead)) return
    this.#record = { ...this.#record, endedMs: now.wallMs }
  }

  readonly #recordOf: RecordOf = ({ Name }) => this.#tasks.get(Name)?.record

  #toTask(name: string, input: TaskInput, now: Now): readonly AllocationAction[] {
    const actions = this.#tasks.get(name)?.handle(input, now) ?? []
    return actions.map((action) => ({ kind: 'task', task: name, action }))
  }

  #toAll(input: TaskInput, now: Now): readonly AllocationAction[] {
    return [...this.#tasks.keys()].flatMap((name) => this.#toTask(name, input, now))
  }

  #toNamed(name: string | null, input: TaskInput, now: Now): readonly AllocationAction[] {
    return name === null ? this.#toAll(input, now) : this.#toTask(name, input, now)
  }

  #rulesOf(task: Task) {
    return {
      task,
      jobType: this.#record.job.Type,
      policy: task.RestartPolicy ?? this.#group.RestartPolicy,
      killTimeoutMsMax: this.#limits.killTimeoutMsMax,
      hooks: hooksOf(task, this.#group),
    }
  }
}

/** An ended allocation stays ended: only the end of its tasks and a restore are still processed. */
function isHeardWhenEnded(input: AllocationInput): boolean {
  return input.kind === 'task' || input.kind === 'restore'
}

function stopInput({ because, skipDelay, killing }: Ending): TaskInput {
  return {
    kind: 'stop',
    skipDelay,
    afterwards: 'dead',
    ...(because === null ? {} : { because }),
    ...(killing === undefined ? {} : { killing }),
  }
}

const DESCRIPTIONS: Readonly<Partial<Record<ClientStatus, string>>> = {
  pending: 'No tasks have started',
  running: 'Tasks are running',
  failed: 'Failed tasks',
  complete: 'All tasks have completed',
}
