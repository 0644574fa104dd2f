/** What the agent asks of its host. Real adapters and the simulated host implement these. */
import type { AllocatedTaskResources, Allocation, DriverInfo, Job, Node, Task } from '../domain/index.js'

/** What a driver needs to start one task. Paths are absolute on the host. */
export interface TaskStart {
  readonly allocation: Allocation
  readonly job: Job
  readonly task: Task
  /** Grows with every start of this task in this allocation: names the run in files and handles. */
  readonly attempt: number
  readonly environment: Readonly<Record<string, string>>
  readonly resources: AllocatedTaskResources
  readonly directories: TaskDirectories
}

export interface TaskDirectories {
  /** `<allocation>/<task>` */
  readonly task: string
  readonly local: string
  readonly secrets: string
  /** `<allocation>/alloc` */
  readonly shared: string
  readonly logs: string
}

/** Plain data that finds a started task again after a restart of agent and supervisor. */
export type TaskHandle = Readonly<Record<string, unknown>>

export interface TaskExit {
  readonly exitCode: number
  readonly signal: number
  readonly isOutOfMemory: boolean
  /** Set when how it ended is not known: the process and its exit file are both gone. */
  readonly error?: string
}

export interface Driver {
  readonly name: string
  fingerprint(): Promise<DriverInfo & { readonly nodeAttributes: Readonly<Record<string, string>> }>
  /** @throws OrchestratorError DRIVER_START with `facts.recoverable` */
  start(request: TaskStart): Promise<TaskHandle>
  /** Finds the task of an earlier life: still running, or ended with its exit recorded. False: it is gone without trace. */
  attach(handle: TaskHandle): Promise<boolean>
  /** Resolves once, when the task has ended. */
  wait(handle: TaskHandle): Promise<TaskExit>
  /** `name` as in `SIGINT`. */
  signal(handle: TaskHandle, name: string): Promise<void>
  /** Ends everything the task started, at once. `wait` resolves afterwards. */
  kill(handle: TaskHandle): Promise<void>
  /** Forgets an ended task and frees what it held on the host. */
  destroy(handle: TaskHandle): Promise<void>
  usage(handle: TaskHandle): Promise<TaskUsage>
}

export interface TaskUsage {
  readonly memoryBytes: number
  readonly cpuTimeMs: number
  readonly pids: readonly number[]
}

/** Small durable key-value store of one agent: intent is written before it is acted upon. */
export interface LocalStore {
  get(key: string): unknown
  /** Keys that start with `prefix`, in order. */
  keys(prefix: string): readonly string[]
  /** Resolves when everything given is durable, all or nothing. `undefined` deletes. */
  write(changes: Readonly<Record<string, unknown>>): Promise<void>
  close(): Promise<void>
}

/** The folders of allocations on the host. */
export interface AllocationDirectories {
  create(allocation: Allocation, tasks: readonly Task[]): Promise<void>
  of(allocationId: string, taskName: string): TaskDirectories
  remove(allocationId: string): Promise<void>
  /** Allocation ids that have folders. */
  list(): Promise<readonly string[]>
}

/** What this host is: everything of a Node that the host itself knows. */
export type Fingerprint = () => Promise<Node>
