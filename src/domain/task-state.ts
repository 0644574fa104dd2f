/** What a client knows of a task, and the events it tells of it. Source: Nomad API docs, "Allocations" */
import type { Nanoseconds } from './units.js'

export interface TaskState {
  readonly State: 'pending' | 'running' | 'dead'
  readonly Failed: boolean
  readonly Restarts: number
  readonly LastRestart: string
  readonly StartedAt: string
  readonly FinishedAt: string
  /** At most the last ten, oldest first. */
  readonly Events: readonly TaskEvent[]
  readonly Paused?: string
}

export interface TaskEvent {
  readonly Type: string
  readonly Time: Nanoseconds
  readonly Message: string
  readonly DisplayMessage: string
  readonly Details: Readonly<Record<string, string>> | null
  readonly FailsTask: boolean
  readonly RestartReason: string
  readonly SetupError: string
  readonly DriverError: string
  readonly ExitCode: number
  readonly Signal: number
  readonly KillTimeout: Nanoseconds
  readonly KillError: string
  readonly KillReason: string
  readonly StartDelay: Nanoseconds
  readonly DownloadError: string
  readonly ValidationError: string
  readonly DiskLimit: number
  readonly FailedSibling: string
  readonly VaultError: string
  readonly TaskSignalReason: string
  readonly TaskSignal: string
  readonly DriverMessage: string
  readonly GenericSource: string
}

export const TASK_EVENTS_MAX = 10
