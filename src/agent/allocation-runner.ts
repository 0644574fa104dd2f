/**
 * One allocation on this host, as a machine over the machines of its tasks: which task may start when, who is ended when
 * another has ended, what the allocation as a whole is, and whether it is healthy. Source: Nomad docs, "Task Lifecycle".
 *
 * An allocation is reported as ended only when every process of it has: until then it holds its share of the node.
 */
import {
  type Allocation,
  type AllocationReport,
  type ClientStatus,
  type Job,
  OrchestratorError,
  rfc3339,
  type Task,
  type TaskEvent,
  type TaskGroup,
  type TaskState,
  ZERO_TIME,
} from '../domain/index.js'
import { type CheckResult, type HealthTracker, lookAtHealth, startHealth } from './health.js'
import { hooksOf } from './hooks/table.js'
import { taskEvent } from './task-events.js'
import { type Now, newTaskRecord, type TaskAction, type TaskInput, type TaskRecord, TaskRunner } from './task-runner.js'

/** What is written to disk of one allocation. */
export interface AllocationRecord {
  readonly allocation: Allocation
  readonly job: Job
  /** Which cluster placed it: only that one's silence about it means that it is to end. */
  readonly clusterId: string
  readonly want: 'run' | 'stop'
  /** Its share of the node is taken: it may start, and holds the share until it has ended. */
  readonly isAdmitted: boolean
  readonly tasks: Readonly<Record<string, TaskRecord>>
  readonly health: HealthRecord | null
  /** When all processes had ended, wall ms; null while it lives. */
  readonly endedMs: number | null
  /** It has run longer than it may, and is ended for that. */
  readonly isOverdue?: true
}

export interface HealthRecord {
  /** What the verdict is for: a changed deployment asks anew. */
  readonly deploymentId: string
  readonly isHealthy: boolean
  readonly timestamp: string
}

export type AllocationInput =
  | {
      readonly kind: 'desired'
      readonly allocation: Allocation
      readonly job: Job
      readonly clusterId: string
      readonly want: 'run' | 'stop'
    }
  /** The server's set does not hold it any more. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'admit' }
  | { readonly kind: 'server-heard' }
  /** It was out of sight of the server for so long that this was noted. */
  | { readonly kind: 'reconnected' }
  | { readonly kind: 'task'; readonly task: string; readonly input: TaskInput }
  | { readonly kind: 'restart'; readonly task: string | null; readonly allTasks: boolean }
  | { readonly kind: 'signal'; readonly task: string | null; readonly signal: string }
  /** What its checks say now, by check. */
  | { readonly kind: 'checks'; readonly checks: Readonly<Record<string, CheckResult>> }
  | { readonly kind: 'timer'; readonly timer: AllocationTimer; readonly serial: number }
  /** First input of a new life of the agent. */
  | { readonly kind: 'restore' }
  /** The agent goes and takes its processes with it; they start again when it is back. */
  | { readonly kind: 'rest' }

export type AllocationTimer = 'health' | 'shutdown-delay' | 'max-run'

export type AllocationAction =
  | { readonly kind: 'task'; readonly task: string; readonly action: TaskAction }
  | { readonly kind: 'timer'; readonly timer: AllocationTimer; readonly serial: number; readonly delayMs: number }

export interface AllocationLimits {
  readonly killTimeoutMsMax: number
}

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

  /** Leaders first, then all others but sidecars, then the sidecars: each class once the one before is dead. */
  #killNext(now: Now): readonly AllocationAction[] {
    const ending = this.#ending
    if (ending === undefined || ending.step !== 'tasks') return []
    const living = this.#group.Tasks.filter((task) => !isPoststop(task) && this.#tasks.get(task.Name)?.isDead === false)
    const leaders = living.filter(({ Leader }) => Leader)
    const others = living.filter((task) => !isSidecar(task))
    const next = leaders.length > 0 ? leaders : others.length > 0 ? others : living
    return next.flatMap(({ Name }) => this.#toTask(Name, stopInput(ending), now))
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

  /** A failed task, a dead leader, or only sidecars left: the rest of the group ends. */
  #spreadEnd(now: Now): readonly AllocationAction[] {
    if (this.#ending !== undefined) return []
    const states = this.#group.Tasks.map((task) => ({ task, runner: this.#tasks.get(task.Name) }))
    const dead = states.filter(({ runner }) => runner?.isDead === true)
    const others = states.filter(({ task, runner }) => !isPoststop(task) && runner?.isDead === false)
    if (others.length === 0) return []
    const failed = dead.find(({ task, runner }) => !isPoststop(task) && runner?.record.state.Failed === true)
    if (failed !== undefined) {
      const because = taskEvent('Sibling Task Failed', now.wallMs, [{ fact: 'failed_sibling', text: failed.task.Name }])
      return this.#end({ because, skipDelay: true, step: 'tasks' }, now)
    }
    if (dead.some(({ task }) => task.Leader))
      return this.#end({ because: taskEvent('Leader Task Dead', now.wallMs), skipDelay: true, step: 'tasks' }, now)
    const mains = states.filter(({ task }) => isMain(task))
    const isMainDead = mains.length > 0 && mains.every(({ runner }) => runner?.isDead === true)
    if (isMainDead && others.every(({ task }) => isSidecar(task))) {
      return this.#end({ because: taskEvent('Main Tasks Dead', now.wallMs), skipDelay: true, step: 'tasks' }, now)
    }
    return []
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
    return this.#group.Tasks.filter((task) => this.#tasks.get(task.Name)?.record.phase === 'gated' && this.#mayOpen(task)).flatMap(
      ({ Name }) => this.#toTask(Name, { kind: 'open' }, now),
    )
  }

  #mayOpen(task: Task): boolean {
    const others = this.#group.Tasks.filter((other) => other !== task)
    const recordOf = (other: Task) => this.#tasks.get(other.Name)?.record
    if (isPoststop(task)) return others.every((other) => isPoststop(other) || recordOf(other)?.phase === 'dead')
    if (this.#ending !== undefined) return false
    switch (task.Lifecycle?.Hook) {
      case 'prestart':
        return true
      case 'poststart':
        return others.filter(isMain).every((main) => hasBegun(recordOf(main)))
      default:
        return others.filter(({ Lifecycle }) => Lifecycle?.Hook === 'prestart').every((other) => isPrestartDone(other, recordOf(other)))
    }
  }

  #lookAtHealth(now: Now): readonly AllocationAction[] {
    const rules = this.#healthRules()
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

  /** Undefined when nobody asks for the health of this allocation, or it is known already. */
  #healthRules() {
    const { allocation, job, health, isAdmitted } = this.#record
    if (!isAdmitted || health !== null || (job.Type !== 'service' && job.Type !== 'system')) return undefined
    const known = allocation.DeploymentStatus?.Healthy
    if (known !== undefined && known !== null) return undefined
    const isDeployed = allocation.DeploymentID !== undefined && allocation.DeploymentID !== ''
    const asked = isDeployed ? this.#group.Update : this.#group.Migrate
    if (asked === null || asked === undefined || asked.HealthCheck === 'manual') return undefined
    return {
      tasks: this.#group.Tasks,
      services: this.#group.Services,
      healthCheck: asked.HealthCheck,
      minHealthyTime: asked.MinHealthyTime,
      healthyDeadline: asked.HealthyDeadline,
    }
  }

  #noticeEnd(now: Now): void {
    if (this.hasEnded || this.#isResting) return
    if (![...this.#tasks.values()].every(({ isDead }) => isDead)) return
    this.#record = { ...this.#record, endedMs: now.wallMs }
  }

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

/** @throws OrchestratorError UNKNOWN_GROUP when the job has no such group: the server's set contradicts itself */
export function findGroup({ allocation, job }: { readonly allocation: Allocation; readonly job: Job }): TaskGroup {
  const group = job.TaskGroups.find(({ Name }) => Name === allocation.TaskGroup)
  if (group !== undefined) return group
  throw new OrchestratorError('UNKNOWN_GROUP', `job ${job.ID} has no group ${allocation.TaskGroup} for allocation ${allocation.ID}`, {
    allocationId: allocation.ID,
    jobId: job.ID,
  })
}

/** What has ended stays ended; only its remains are still cleared away, and its body may be told anew. */
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

function isPoststop({ Lifecycle }: Task): boolean {
  return Lifecycle?.Hook === 'poststop'
}

function isSidecar({ Lifecycle }: Task): boolean {
  return Lifecycle?.Sidecar === true && Lifecycle.Hook !== 'poststop'
}

function isMain({ Lifecycle }: Task): boolean {
  return Lifecycle === null || Lifecycle === undefined || Lifecycle.Hook === ''
}

function hasBegun(record: TaskRecord | undefined): boolean {
  return record !== undefined && (record.state.State === 'running' || record.state.StartedAt !== ZERO_TIME)
}

function isPrestartDone(task: Task, record: TaskRecord | undefined): boolean {
  if (record === undefined) return false
  return isSidecar(task) ? hasBegun(record) : record.phase === 'dead' && !record.state.Failed
}

const DESCRIPTIONS: Readonly<Partial<Record<ClientStatus, string>>> = {
  pending: 'No tasks have started',
  running: 'Tasks are running',
  failed: 'Failed tasks',
  complete: 'All tasks have completed',
}

/** Failed and complete only once all has ended; a group that is being ended because one failed still holds its share. */
function clientStatusOf(states: readonly TaskState[], hasEnded: boolean): ClientStatus {
  if (hasEnded) return states.some(({ Failed }) => Failed) ? 'failed' : 'complete'
  return states.some(({ State }) => State === 'running') ? 'running' : 'pending'
}
