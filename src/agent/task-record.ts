/** What is written down of one task, what its machine is told, and what it asks for. */
import { type RestartPolicy, type Task, type TaskEvent, type TaskState, ZERO_TIME } from '../domain/index.js'
import type { TaskExit, TaskHandle } from './driver.js'
import { taskEvent } from './task-events.js'

export type TaskPhase = 'gated' | 'preparing' | 'starting' | 'running' | 'stopping' | 'backing-off' | 'dead'

export interface TaskRun {
  readonly attempt: number
  readonly handle: TaskHandle
}

/** Nothing more, failed for good, a new start (which the restart policy counts after a failure), or a rest until the agent is back. */
export type AfterStop = 'dead' | 'fail' | 'restart' | 'restart-failure' | 'rest'

/** What is written to disk of one task. */
export interface TaskRecord {
  readonly phase: TaskPhase
  readonly state: TaskState
  /** Number of the newest start, from 1; 0: never started. Written before the driver is asked. */
  readonly attempt: number
  /** Of the run that lives, or that ended and is not cleared away yet. */
  readonly handle: TaskHandle | null
  /** What happens when the running process has ended. */
  readonly afterStop: AfterStop
  /** The hook that is under way while `preparing`. */
  readonly hook: string | null
  /** Hooks that run once in the life of the task and have. */
  readonly hooksDone: readonly string[]
  /** Runs that have ended and whose remains the driver still holds. */
  readonly remains: readonly TaskRun[]
  /** A start must wait until the server has said what it wants, because this process has not heard it yet. */
  readonly awaitsServer: boolean
}

/** What the machine cannot find in its record. */
export interface TaskRules {
  readonly task: Task
  readonly jobType: string
  readonly policy: RestartPolicy
  /** Longest time that a task may take to end, ms. */
  readonly killTimeoutMsMax: number
  /** What is done before each start, in order. */
  readonly hooks: readonly TaskHookRule[]
}

export interface TaskHookRule {
  readonly name: string
  /** `once`: a success is remembered over restarts of task and agent. */
  readonly runs: 'once' | 'each-start'
}

export interface Now {
  readonly wallMs: number
  readonly monotonicMs: number
  /** Chance in [0, 1), drawn for this event. */
  readonly fraction: number
}

export type TaskInput =
  | { readonly kind: 'open' }
  | { readonly kind: 'server-heard' }
  | { readonly kind: 'hook-done'; readonly hook: string }
  | { readonly kind: 'hook-failed'; readonly hook: string; readonly event: TaskEvent; readonly isRecoverable: boolean }
  | { readonly kind: 'started'; readonly attempt: number; readonly handle: TaskHandle }
  | { readonly kind: 'start-failed'; readonly attempt: number; readonly event: TaskEvent; readonly isRecoverable: boolean }
  | { readonly kind: 'exited'; readonly attempt: number; readonly exit: TaskExit }
  | { readonly kind: 'cleared'; readonly attempt: number }
  | { readonly kind: 'timer'; readonly serial: number }
  /** `because`: told before the kill itself. `killing`: told of the kill. `skipDelay`: without the task's shutdown delay. */
  | {
      readonly kind: 'stop'
      readonly because?: TaskEvent
      readonly killing?: string
      readonly skipDelay: boolean
      readonly afterwards: 'dead' | 'rest'
    }
  /** `isFailure`: the restart policy counts it as one. */
  | { readonly kind: 'restart'; readonly event: TaskEvent; readonly includesDead: boolean; readonly isFailure: boolean }
  /** `event`: told instead of the plain one. */
  | { readonly kind: 'signal'; readonly signal: string; readonly event?: TaskEvent }
  /** It must not go on: ended at once, for good. */
  | { readonly kind: 'fail'; readonly event: TaskEvent }
  | { readonly kind: 'note'; readonly event: TaskEvent }
  /** First input of a new life of the agent; the record is that of the life before. */
  | { readonly kind: 'restore' }
  /** The run of the record is still there, or has ended with its exit kept. */
  | { readonly kind: 'attached' }
  /** The run of the record is not there any more, and nothing tells how it ended. */
  | { readonly kind: 'lost' }

export type TaskAction =
  | { readonly kind: 'hook'; readonly hook: string }
  | { readonly kind: 'start'; readonly attempt: number }
  /** Asks the driver for a start of an earlier life whose answer was not written down. */
  | { readonly kind: 'find'; readonly attempt: number }
  | { readonly kind: 'attach'; readonly attempt: number; readonly handle: TaskHandle }
  | { readonly kind: 'wait'; readonly attempt: number; readonly handle: TaskHandle }
  | { readonly kind: 'signal'; readonly handle: TaskHandle; readonly signal: string }
  | { readonly kind: 'kill'; readonly handle: TaskHandle }
  /** Ends whatever is left of a run and forgets it. */
  | { readonly kind: 'clear'; readonly attempt: number; readonly handle: TaskHandle }
  | { readonly kind: 'timer'; readonly serial: number; readonly delayMs: number }

export function newTaskRecord(wallMs: number): TaskRecord {
  const state: TaskState = {
    State: 'pending',
    Failed: false,
    Restarts: 0,
    LastRestart: ZERO_TIME,
    StartedAt: ZERO_TIME,
    FinishedAt: ZERO_TIME,
    Events: [taskEvent('Received', wallMs)],
    Paused: '',
  }
  return {
    phase: 'gated',
    state,
    attempt: 0,
    handle: null,
    afterStop: 'dead',
    hook: null,
    hooksDone: [],
    remains: [],
    awaitsServer: false,
  }
}
