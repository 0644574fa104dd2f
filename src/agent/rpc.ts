/**
 * What the server may ask of an agent, method by method: one request, then parts until the stream ends. Failures end the
 * stream with a code: UNKNOWN_ALLOCATION, UNKNOWN_TASK, NO_SUCH_FILE, NOT_A_FILE, BAD_OFFSET, PATH_ESCAPES, SECRET_FILE,
 * TASK_NOT_RUNNING, SIGNAL_REFUSED, NO_LOG_TIMES, BAD_REQUEST, PROGRAM, TOO_MANY_SESSIONS, UNKNOWN_SESSION.
 */
import type { ExecOutput, TerminalSize } from './driver.js'
import type { RpcMethod } from './protocol.js'

export interface RpcRequests {
  readonly logs: LogsRequest
  readonly 'fs-list': PathRequest
  readonly 'fs-stat': PathRequest
  readonly 'fs-read': ReadRequest
  readonly stats: StatsRequest
  readonly restart: RestartRequest
  readonly signal: SignalRequest
  readonly checks: ChecksRequest
  readonly exec: ExecRpcRequest
  readonly 'exec-input': ExecInputRequest
  readonly gc: CollectRequest
}

export interface RpcParts {
  readonly logs: Frame
  /** One part: every entry of the folder. */
  readonly 'fs-list': readonly FileEntry[]
  /** One part. */
  readonly 'fs-stat': FileEntry
  readonly 'fs-read': Frame
  /** One part: of the named allocation, or of the host. */
  readonly stats: AllocationStats | HostStats
  /** One part. */
  readonly restart: { readonly ok: true }
  /** One part. */
  readonly signal: { readonly ok: true }
  /** One part: what is known of each check. */
  readonly checks: readonly CheckReport[]
  readonly exec: ExecPart
  /** One part, once it was taken. */
  readonly 'exec-input': { readonly ok: true }
  /** One part. */
  readonly gc: { readonly ok: true }
}

export interface LogsRequest {
  readonly allocationId: string
  readonly task: string
  readonly type: 'stdout' | 'stderr'
  /** Where `offsetBytes` counts from; the end counts backwards, and less than 0 counts from the other end. */
  readonly origin: 'start' | 'end'
  readonly offsetBytes: number
  /** Only what was written then or later, as far as it is known, and then nothing else says where to begin. Milliseconds since 1970. */
  readonly sinceMs?: number
  /** Pieces end where another time begins, and tell theirs. */
  readonly withTimes?: boolean
  /** Stay and send what is written later; ends when the task is dead and everything was sent. */
  readonly follow: boolean
}

/** `path` is relative to the allocation's folder, as in `alloc/logs/web.stdout.0`; empty or `/` is that folder. */
export interface PathRequest {
  readonly allocationId: string
  readonly path: string
}

export interface ReadRequest extends PathRequest {
  readonly origin: 'start' | 'end'
  readonly offsetBytes: number
  /** 0: to the end. */
  readonly limitBytes: number
  readonly follow: boolean
}

/** A piece of a file. `file` is relative to the allocation's folder. One without data tells an event, or that all is well. */
export interface Frame {
  readonly file: string
  /** Of the first byte of `data`. */
  readonly offsetBytes: number
  readonly data: Uint8Array
  /** When it was written, to the second; absent: nobody knows, or nobody asked. */
  readonly atMs?: number
  readonly event?: 'file deleted' | 'file truncated'
}

export interface FileEntry {
  readonly name: string
  readonly isFolder: boolean
  readonly sizeBytes: number
  /** As `ls` prints it: `-rw-r--r--`. */
  readonly mode: string
  readonly modifiedMs: number
  /** Empty for folders and in lists. */
  readonly contentType: string
}

/** Absent `allocationId`: of the host. */
export interface StatsRequest {
  readonly allocationId?: string
}

export interface AllocationStats {
  readonly kind: 'allocation'
  readonly atMs: number
  /** By name, those that run. */
  readonly tasks: Readonly<Record<string, TaskStats>>
}

export interface TaskStats {
  readonly memoryBytes: number
  readonly userTimeMs: number
  readonly systemTimeMs: number
  /** Of one core, since the sample before: 100 is a whole core. */
  readonly cpuPercent: number
  readonly pids: readonly number[]
}

export interface HostStats {
  readonly kind: 'host'
  readonly atMs: number
  readonly uptimeSeconds: number
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number; readonly freeBytes: number }
  /** By core, in percent of that core since the sample before. */
  readonly cpu: readonly {
    readonly name: string
    readonly userPercent: number
    readonly systemPercent: number
    readonly idlePercent: number
  }[]
  /** Of the file system that holds the allocations. */
  readonly disk: { readonly path: string; readonly totalBytes: number; readonly availableBytes: number }
}

/** Absent `task`: all that run; `allTasks`: those that have ended, too. */
export interface RestartRequest {
  readonly allocationId: string
  readonly task?: string
  readonly allTasks: boolean
}

/** `signal` as in `SIGUSR1`. Absent `task`: all that run. */
export interface SignalRequest {
  readonly allocationId: string
  readonly task?: string
  readonly signal: string
}

export interface ChecksRequest {
  readonly allocationId: string
}

/** Runs a program beside a task. It ends when the asker goes away. */
export interface ExecRpcRequest {
  /** Made by the asker: names the program in what it is told. */
  readonly execId: string
  readonly allocationId: string
  readonly task: string
  readonly command: readonly string[]
  /** Absent: without a terminal. */
  readonly terminal?: TerminalSize
}

export type ExecPart =
  | { readonly kind: 'started' }
  | ({ readonly kind: 'output' } & ExecOutput)
  /** It is there and says nothing. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'exited'; readonly exitCode: number }

/** One call after the other: what is told later is asked once the call before was answered. */
export interface ExecInputRequest {
  readonly execId: string
  readonly input:
    | { readonly kind: 'data'; readonly data: Uint8Array }
    | { readonly kind: 'end' }
    | { readonly kind: 'resize'; readonly size: TerminalSize }
}

/** Absent: all that have ended. */
export interface CollectRequest {
  readonly allocationId?: string
}

export interface CheckReport {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly task: string
  readonly isReadiness: boolean
  readonly status: 'pending' | 'success' | 'failure'
  readonly statusCode: number
  readonly output: string
  /** 0: never made. */
  readonly atMs: number
}

export const RPC_METHODS: readonly RpcMethod[] = [
  'logs',
  'fs-list',
  'fs-stat',
  'fs-read',
  'stats',
  'restart',
  'signal',
  'checks',
  'exec',
  'exec-input',
  'gc',
]
