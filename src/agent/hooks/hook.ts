/**
 * What happens around a task is a row of a table: what it is called, which tasks have it, and what carries it out. The machines walk
 * the rows and know none of them by name.
 */
import type { Allocation, Clock, Job, Logger, Node, Task, TaskEvent, TaskGroup, TaskState } from '../../domain/index.js'
import type { Driver, TaskDirectories, TaskMount } from '../driver.js'
import type { IdentityTokens, TaskEnvironment, Variables } from '../environment.js'
import type { HookPorts, ProgramResult, TaskProgram } from '../ports.js'
import type { IdentityToken } from '../protocol.js'
import type { TaskFact } from '../task-events.js'
import type { TaskHookRule, TaskInput } from '../task-record.js'
import type { Found, Query, Value } from '../template/index.js'

export interface HookRow extends TaskHookRule {
  /** Pure. */
  appliesTo(task: Task, group: TaskGroup): boolean
  create(context: HookContext): TaskHook
}

/** One row at work for one task. */
export interface TaskHook {
  /** Before the task starts. @throws HookFailure; whatever else it throws is a failure that trying again may mend */
  prestart(signal: AbortSignal): Promise<void>
  /** The task runs: started, or found again after a restart of the agent. */
  running?(): void
  /** What its environment gains, asked before each start. */
  environment?(): HookEnvironment
  /** What is to be put into its root, asked before each start. Only drivers that isolate do so. */
  mounts?(): readonly TaskMount[]
  /** Devices of the host that it may use, asked before each start. */
  devices?(): readonly string[]
  /** The task is dead, or the agent leaves it alone from now on. */
  close?(): void
}

export interface HookEnvironment {
  readonly identity?: IdentityTokens
  readonly hook?: Variables
  readonly device?: Variables
  /** Set last, as they are. */
  readonly template?: Variables
}

/** What templates of a namespace may ask the server for. */
export interface TemplateData {
  find(query: Query): Found<Value>
  /** Calls back when an answer has changed; returns the way to stop. */
  watch(queries: readonly Query[], onChange: () => void): () => void
}

/** What a hook knows of its task. Functions, because the server may change an allocation in place. */
export interface HookContext {
  readonly allocation: () => Allocation
  readonly job: () => Job
  readonly group: () => TaskGroup
  readonly task: () => Task
  readonly node: () => Node
  readonly state: () => TaskState
  /** Without what hooks and templates add, identities aside. */
  readonly environment: () => TaskEnvironment
  /** Where on the host a path lies that the author wrote for the task, with its references filled in. Relative to the task's folder. */
  readonly hostPath: (path: string) => string
  /** How its driver lets it see its folders. */
  readonly isolation: () => Driver['isolation']
  readonly directories: TaskDirectories
  /** Folders of the allocation are made once, whichever task is first. */
  readonly createFolders: () => Promise<void>
  /** What is known of the group without any of its tasks. */
  readonly groupEnvironment: () => TaskEnvironment
  readonly ports: HookPorts
  readonly region: string
  readonly data: TemplateData
  /** Of this task, by name; rejects while no server answers. @throws OrchestratorError IDENTITY when the server refuses */
  readonly signIdentities: (names: readonly string[]) => Promise<readonly IdentityToken[]>
  /** Inside the task, as its driver does it. */
  readonly run: (program: TaskProgram) => Promise<ProgramResult>
  readonly clock: Clock
  readonly logger: Logger
  /** Chance in [0, 1). */
  readonly fraction: () => number
  /** To the task's machine. */
  readonly post: (input: TaskInput) => void
  readonly event: (type: string, ...facts: readonly TaskFact[]) => TaskEvent
}

/** A hook could not do its part: what is told, and whether the restart policy may try again, or is not even asked. */
export class HookFailure extends Error {
  constructor(
    readonly event: TaskEvent,
    readonly isRecoverable: boolean,
    readonly isFinal = false,
  ) {
    super(event.DisplayMessage)
  }
}
