/** How far a commit has come, and when. Instants in milliseconds. */
import type { Commit, Sourced } from './source.js'

/** What became of a commit that was applied, as far as it is one thing for all its jobs. */
export interface CommitTrace extends Sourced {
  readonly commit: Commit
  /** The server saw that the ref names it. */
  readonly detectedMs: number
  /** Its signatures were found to count; null: none were asked for. */
  readonly verifiedMs: number | null
  /** Its files were read and checked. */
  readonly parsedMs: number
  /** Its jobs were registered, or put beside to wait. */
  readonly appliedMs: number
  readonly registered: number
  readonly waiting: number
  readonly removed: number
  readonly frozen: number
}

export type VersionOutcome = 'healthy' | 'failed' | 'superseded' | 'stopped'

/** When one version of a job, which a commit has made, went through what, written down once it has come to an end. */
export interface VersionTimes {
  readonly namespace: string
  readonly jobId: string
  readonly createIndex: number
  readonly version: number
  readonly commit: string
  readonly registeredMs: number
  /** Evaluated for the first time; null: not before it came to its end. */
  readonly plannedMs: number | null
  /** The first allocation was placed, or taken over as it runs. */
  readonly placedMs: number | null
  readonly endedMs: number
  readonly outcome: VersionOutcome
}

/** A job that a commit has changed, as it is told. Instants that have not come yet are null. */
export interface TracedJob {
  readonly namespace: string
  readonly jobId: string
  readonly path: string
  /** Null: it waits, and is no version yet. */
  readonly version: number | null
  readonly registeredMs: number | null
  readonly plannedMs: number | null
  readonly placedMs: number | null
  readonly endedMs: number | null
  readonly outcome: VersionOutcome | 'waiting' | 'in-progress'
  /** What is missing, in words; empty: nothing, or nothing that is known. */
  readonly waitsFor: readonly string[]
}
