/** What an agent and its supervisor say to each other: JSON lines over a unix socket that only its owner may open. */
import { createHash } from 'node:crypto'
import type { RunLimits } from './cgroup.js'

export interface RunStart {
  /** Names the folder; one run for each id, however often it is asked for. */
  readonly runId: string
  /** Names the task that this is a run of: there is one living run of it at a time. */
  readonly taskId: string
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the task. */
  readonly environment: Readonly<Record<string, string>>
  readonly workFolder: string
  /** `uid`, `gid` to change to; null: as the supervisor. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  /** Path of the network namespace that it is to be in; null: the supervisor's. */
  readonly networkNamespace: string | null
  readonly logs: RunLogs
  /** Absent: as much as the host has. */
  readonly limits?: RunLimits
  /** Absent: it runs in the root that the supervisor has. */
  readonly sandbox?: RunSandbox
}

/** A root of the task's own, which command, arguments and groups are those of. */
export interface RunSandbox {
  /** Of a program that makes the root, stands in its work folder and runs there the words that follow, as a child of its own. */
  readonly words: readonly string[]
  /** Where these are in that root. */
  readonly tools: { readonly sh: string; readonly setsid: string; readonly env: string }
  /** The shell that holds the task is the first process of a namespace of its own: when it goes, all goes. */
  readonly hasOwnProcesses: boolean
}

export interface RunLogs {
  readonly folder: string
  readonly task: string
  readonly filesMax: number
  readonly fileBytesMax: number
  readonly isDisabled: boolean
}

export interface RunInfo {
  readonly runId: string
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
  /** It has ended while nobody looked, and nothing tells how. */
  readonly isLost: boolean
}

export interface RunExit {
  readonly exitCode: number
  readonly signal: number
  readonly isOutOfMemory: boolean
  readonly error?: string
}

export interface Operations {
  readonly start: { readonly request: RunStart; readonly answer: RunInfo }
  /** Null: there is no such run. One that has ended is still there until it is destroyed. */
  readonly find: { readonly request: { readonly runId: string }; readonly answer: RunInfo | null }
  /** Answered when the run has ended. */
  readonly wait: { readonly request: { readonly runId: string }; readonly answer: RunExit }
  /** To the task's own process only. */
  readonly signal: { readonly request: { readonly runId: string; readonly signal: string }; readonly answer: null }
  /** Ids of the runs that there are, also of those that have ended. */
  readonly list: { readonly request: Readonly<Record<string, never>>; readonly answer: readonly string[] }
  /** SIGKILL to everything the task has started. */
  readonly kill: { readonly request: { readonly runId: string }; readonly answer: null }
  readonly destroy: { readonly request: { readonly runId: string }; readonly answer: null }
  /** The task's own process, and the groups that it is in. Null: it is not there, or not any more. */
  readonly place: {
    readonly request: { readonly runId: string }
    readonly answer: { readonly pid: number; readonly groups: readonly string[] } | null
  }
  readonly pids: { readonly request: { readonly runId: string }; readonly answer: readonly number[] }
  /** Ends the supervisor when it has no runs that live. */
  readonly retire: { readonly request: Record<string, never>; readonly answer: { readonly isRetiring: boolean } }
}

export type Operation = keyof Operations

export type Request = {
  readonly [Name in Operation]: { readonly id: number; readonly operation: Name; readonly request: Operations[Name]['request'] }
}[Operation]

export type Answer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string; readonly isRecoverable: boolean } }

export const SOCKET_FILE = 'supervisor.sock'

/** Where the socket is when the disk of the supervisor's folder takes none. @param folder its real path */
export function passingFolder(folder: string): string {
  return `/run/drover-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`
}

export const RUNS_FOLDER = 'runs'
/** Of wrappers that wait for a run. */
export const READY_FOLDER = 'ready'
/** What it says; its very last words, should it end by a mistake of its own, stand there too. */
export const LOG_FILE = 'supervisor.log'

/** A refusal with a code, as the asker gets it. */
export class RunError extends Error {
  readonly code: string
  readonly isRecoverable: boolean

  constructor(code: string, message: string, isRecoverable = false) {
    super(message)
    this.code = code
    this.isRecoverable = isRecoverable
  }
}

/** Splits a stream of text into its lines; what is left over waits for more. */
export class Lines {
  #rest = ''

  add(text: string): readonly string[] {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    return lines.filter((line) => line !== '')
  }
}
