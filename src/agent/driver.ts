/**
 * What runs the tasks of one kind on a host. Drivers stand in a table by their names; the agent knows none of them. What a driver takes
 * in `config` is told by its schema in the jobspec layer, so that `validate`, the server and the agent read it in one way.
 */
import type { AllocatedTaskResources, Allocation, AllocNetworkStatus, DNSConfig, DriverInfo, Job, Task } from '../domain/index.js'

/** What a driver needs to start one task. Paths are absolute on the host. */
export interface TaskStart extends TaskPlace {
  readonly allocation: Allocation
  readonly job: Job
  /** Grows with every start of this task in this allocation: names the run in files and handles. */
  readonly attempt: number
  /** `task.Config` with every reference filled in. */
  readonly config: Readonly<Record<string, unknown>>
  readonly resources: AllocatedTaskResources
  /** Besides the folders of the task itself. Only for drivers that isolate: others see the host's paths. */
  readonly mounts: readonly TaskMount[]
  /** Devices of the host that it may use, at the same paths in its root. Without a root of its own a task sees all that its host has. */
  readonly devices: readonly string[]
  /** What people should know while the start is under way. */
  readonly tell: (progress: DriverProgress) => void
  /** The start is not wanted any more: whatever takes long in it may be given up, with any error. */
  readonly signal: AbortSignal
}

/** What everything that runs for a task has in common. */
export interface TaskPlace {
  readonly task: Task
  /** The folders in it are as the task sees them, see `Driver.isolation`. */
  readonly environment: Readonly<Record<string, string>>
  readonly directories: TaskDirectories
  readonly network: AllocationNetwork
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

/** A folder or file of the host at another place in the task. */
export interface TaskMount {
  readonly source: string
  /** Absolute, as the task sees it. */
  readonly target: string
  readonly isReadOnly: boolean
  readonly propagation: 'private' | 'host-to-task' | 'bidirectional'
}

/** The network of an allocation, made ready before its first task and given back after its last. */
export type AllocationNetwork =
  | {
      readonly kind: 'host'
      /** Of its group; absent: the name servers of the host. */
      readonly dns?: DNSConfig
    }
  | {
      /** A namespace of the allocation's own, which all of its tasks join. */
      readonly kind: 'namespace'
      readonly path: string
      readonly status: AllocNetworkStatus
      readonly hostname: string
      /** The container that holds it, for engines whose containers can only join each other. */
      readonly container?: string
    }

/** Makes the namespace in which the network of an allocation is set up. */
export interface NamespaceMaker {
  /** Makes one without a network, or finds it made. @throws OrchestratorError NETWORK, DRIVER_START */
  create(allocationId: string, hostname: string): Promise<{ readonly path: string; readonly container?: string }>
  /** Without effect where there is none. */
  remove(allocationId: string): Promise<void>
}

export interface DriverProgress {
  readonly text: string
  readonly details: Readonly<Record<string, string>>
}

/** Plain data that finds a started task again after a restart of agent and supervisor. */
export type TaskHandle = Readonly<Record<string, unknown>>

export interface TaskExit {
  readonly exitCode: number
  readonly signal: number
  readonly isOutOfMemory: boolean
  /** Set when it ended badly in a way that its code does not say, or when how it ended is not known. */
  readonly error?: string
}

export interface DriverFingerprint extends DriverInfo {
  /** What the node gains by it. */
  readonly nodeAttributes: Readonly<Record<string, string>>
}

/** A host whose engine or tool is missing has the driver undetected; one whose engine is away has it unhealthy, and its tasks run on. */
export interface Driver {
  readonly name: string
  /** `none`: a task sees its folders at their places on the host; else at `/alloc`, `/local` and `/secrets` of a root of its own. */
  readonly isolation: 'none' | 'chroot' | 'image'
  /** For networks that its tasks can join. Absent: they join any of the host's. */
  readonly namespaces?: NamespaceMaker
  fingerprint(): Promise<DriverFingerprint>
  /**
   * One run for each (allocation, task, attempt): asked again for the same, it answers with the run that there is. One living run
   * for each (allocation, task): asked for another attempt while one lives, it answers with that one.
   * @throws OrchestratorError DRIVER_START with `facts.recoverable`; DRIVER_CONFIG when the configuration is wrong
   */
  start(request: TaskStart): Promise<TaskHandle>
  /** The run of a start that was asked for in an earlier life of the agent, whether or not its answer arrived. */
  find(allocationId: string, taskName: string, attempt: number): Promise<TaskHandle | undefined>
  /**
   * Finds the task of an earlier life: still running, or ended with its exit recorded. False: it is gone without trace.
   * @throws OrchestratorError while nobody can say: it is asked again
   */
  attach(handle: TaskHandle): Promise<boolean>
  /** Resolves once, when the task has ended and its output is in its logs. Goes on waiting while its engine is away. */
  wait(handle: TaskHandle): Promise<TaskExit>
  /** Why its tasks take no signals; absent: they do. One that has none hears of its end alone, in its driver's own way. */
  readonly takesNoSignals?: string
  /** `name` as in `SIGINT`. Without effect on what has ended. */
  signal(handle: TaskHandle, name: string): Promise<void>
  /** Ends everything the task started, at once. `wait` resolves afterwards. */
  kill(handle: TaskHandle): Promise<void>
  /** Ends what is left of a run, forgets it and frees what it held on the host. Without effect when it is gone. */
  clear(handle: TaskHandle): Promise<void>
  stats(handle: TaskHandle): Promise<TaskUsage>
  /** Ends every run of this agent's whose allocation nobody claims. @returns how many there were */
  endUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number>
  /**
   * A program beside a running task: as its user, in its folder or its root, with its environment.
   * @throws OrchestratorError PROGRAM when it cannot be started
   */
  exec(handle: TaskHandle, place: TaskPlace, request: ExecRequest): Promise<ExecSession>
  /** The agent goes: what runs is left alone, and what is under way for it is given up. */
  close(): void
}

export interface ExecRequest {
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** Absent: without a terminal, its two streams apart. */
  readonly terminal?: TerminalSize
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface ExecOutput {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

/** A program that somebody talks to. Whoever has one ends it. */
export interface ExecSession {
  /** What it says, until it says no more. What is not taken is not read. */
  readonly output: AsyncIterable<ExecOutput>
  /** Its exit code; 128 and its number for a signal. */
  readonly exitCode: Promise<number>
  /** Resolves when more may be written. */
  write(data: Uint8Array): Promise<void>
  endInput(): void
  resize(size: TerminalSize): Promise<void>
  /** Nobody listens any more: it is ended where the driver can. */
  end(): void
}

export interface TaskUsage {
  readonly memoryBytes: number
  readonly userTimeMs: number
  readonly systemTimeMs: number
  readonly pids: readonly number[]
}
