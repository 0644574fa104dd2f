/** When a job's changes are carried out. Drover's own, kept beside the job: it is no part of what the job specifies, so changing it restarts nothing. */
import type { Job } from './job.js'
import type { JobSource } from './source.js'

export interface JobRef {
  readonly namespace: string
  readonly jobId: string
}

/** What the `drover` meta of a job says (docs/order.md). */
export interface JobOrder {
  /** A change waits until these are healthy as the newest commit wants them. */
  readonly dependsOn: readonly JobRef[]
  /** The changes of jobs of one bundle begin together or not at all; empty: it is in none. */
  readonly bundle: string
  /** The job stays as it is until then; null: it may change. */
  readonly suspend: { readonly untilMs: number; readonly reason: string } | null
  /** Of other jobs' changes, on whose occasion it is dispatched. */
  readonly hooks: readonly { readonly phase: HookPhase; readonly target: JobRef }[]
}

export type HookPhase = 'before' | 'after' | 'on_failure'

/** The last time that a hook was dispatched for a job: for what, and what became of it. Never forgotten while the hook is there. */
export interface HookRun {
  readonly hook: JobRef
  readonly target: JobRef
  readonly phase: HookPhase
  /** Stands for the change, or the version, that it was dispatched for: once each. */
  readonly mark: string
  /** The job that was made from it. */
  readonly childId: string
  readonly outcome: 'running' | 'done' | 'failed'
}

/** What the newest commit wants of a job and what is not carried out yet. */
export interface WaitingChange {
  readonly namespace: string
  readonly jobId: string
  /** The bundle that it belongs to; empty: none. */
  readonly bundle: string
  /** Null: the job is to be stopped, since its file is gone. */
  readonly job: Job | null
  readonly source: JobSource
  /** The commit that asks for it. */
  readonly commit: string
  readonly sinceMs: number
}

/** A time in which changes are carried out, or are not. It opens at the times of `schedule`, as clocks of the zone show them. */
export interface SyncWindow {
  readonly name: string
  /** Where there is one that allows, changes wait for such a time; one that denies wins. */
  readonly kind: 'allow' | 'deny'
  /** A cron expression. */
  readonly schedule: string
  readonly durationMs: number
  readonly timeZone: string
}

/** When the jobs of a namespace may change, as its `_namespace.hcl` says. */
export interface NamespaceOrder {
  readonly namespace: string
  readonly path: string
  readonly windows: readonly SyncWindow[]
  readonly suspend: JobOrder['suspend']
}

export type OrderCode = 'suspended' | 'window-closed' | 'dependency-not-healthy' | 'bundle-incomplete' | 'hook-running' | 'hook-failed'

/** Why a change waits. Codes keep their meaning; texts are for people. */
export interface WaitReason {
  readonly code: OrderCode
  readonly text: string
  readonly facts: Readonly<Record<string, string>>
}

/** A change that waits, as it is told. */
export interface ToldWait extends JobRef {
  /** The source, and the path in it. */
  readonly source: string
  readonly path: string
  readonly change: 'new' | 'changed' | 'removed'
  readonly commit: string
  readonly sinceMs: number
  readonly reasons: readonly WaitReason[]
}

export function refText({ namespace, jobId }: JobRef, from: string): string {
  return namespace === from ? jobId : `${namespace}/${jobId}`
}
