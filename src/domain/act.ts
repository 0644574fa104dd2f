/**
 * Acts on what runs: asked for by commit trailer, or over the API of a server whose `api.writes` is `runtime`. Each is decided in one turn, on
 * the newest state, and is refused whole or done whole.
 */
import type { LogIndex } from './ids.js'

export interface ActRequests {
  readonly 'job-dispatch': {
    readonly namespace: string
    readonly jobId: string
    /** Base64; empty for none. */
    readonly payload: string
    readonly meta: Readonly<Record<string, string>>
    /** A second request with the same token answers the child of the first; empty for none. */
    readonly token: string
    readonly idPrefix: string
    /** 0: that of the parameterized job. */
    readonly priority: number
  }
  readonly 'job-force': { readonly namespace: string; readonly jobId: string }
  /** `count` null: only a note of what a scaler thought. */
  readonly 'job-scale': {
    readonly namespace: string
    readonly jobId: string
    readonly group: string
    readonly count: number | null
    readonly message: string
    readonly isError: boolean
    readonly meta: Readonly<Record<string, unknown>> | null
    /** Bounds and roll-outs that are under way are not heeded. */
    readonly overridesPolicy: boolean
  }
  /** Of a child of a periodic or parameterized job: no file says that it is wanted. */
  readonly 'child-stop': { readonly namespace: string; readonly jobId: string; readonly purge: boolean }
  readonly 'job-evaluate': { readonly namespace: string; readonly jobId: string; readonly forceReschedule: boolean }
  /** `groups` null: all whose canaries wait. */
  readonly 'deployment-promote': { readonly deploymentId: string; readonly groups: readonly string[] | null }
  readonly 'deployment-fail': { readonly deploymentId: string }
  readonly 'deployment-pause': { readonly deploymentId: string; readonly isPaused: boolean }
  readonly 'deployment-unblock': { readonly deploymentId: string }
  /** Ids of allocations of this deployment. */
  readonly 'deployment-health': {
    readonly deploymentId: string
    readonly healthy: readonly string[]
    readonly unhealthy: readonly string[]
  }
  /** `drain` null ends one; `deadlineMs` 0: as long as it takes, negative: at once. */
  readonly 'node-drain': {
    readonly nodeId: string
    readonly drain: { readonly deadlineMs: number; readonly ignoreSystemJobs: boolean } | null
    readonly markEligible: boolean
    readonly meta: Readonly<Record<string, string>> | null
  }
  readonly 'node-eligibility': { readonly nodeId: string; readonly eligibility: string }
  readonly 'node-evaluate': { readonly nodeId: string }
  readonly 'allocation-stop': { readonly allocationId: string; readonly skipsShutdownDelay: boolean }
  /** Of hosts whose replacement is paused; null: of all of them. */
  readonly 'losses-release': { readonly nodeIds: readonly string[] | null }
  readonly 'summaries-reconcile': Readonly<Record<string, never>>
}

export interface ActAnswers {
  /** `evaluationId` is empty where none was made. */
  readonly 'job-dispatch': { readonly childId: string; readonly evaluationId: string; readonly childCreateIndex: LogIndex }
  readonly 'job-force': { readonly evaluationId: string }
  readonly 'job-scale': { readonly evaluationId: string; readonly jobModifyIndex: LogIndex }
  readonly 'child-stop': { readonly evaluationId: string }
  readonly 'job-evaluate': { readonly evaluationId: string }
  readonly 'deployment-promote': DeploymentAnswer
  readonly 'deployment-fail': DeploymentAnswer
  readonly 'deployment-pause': DeploymentAnswer
  readonly 'deployment-unblock': DeploymentAnswer
  readonly 'deployment-health': DeploymentAnswer
  readonly 'node-drain': { readonly evaluationIds: readonly string[] }
  readonly 'node-eligibility': { readonly evaluationIds: readonly string[] }
  readonly 'node-evaluate': { readonly evaluationIds: readonly string[] }
  readonly 'allocation-stop': { readonly evaluationId: string }
  readonly 'losses-release': { readonly nodeIds: readonly string[] }
  readonly 'summaries-reconcile': null
}

export interface DeploymentAnswer {
  readonly evaluationId: string
  /** Version that a failure goes back to; null: none. */
  readonly revertedTo: number | null
}

export type ActName = keyof ActRequests

/** Why nothing was done. */
export interface ActRefusal {
  readonly kind: 'refused'
  /** `missing`: there is no such thing; `malformed`: no state would make it right; `impossible`: not as things are; `desired`: the repository says so. */
  readonly reason: 'missing' | 'malformed' | 'impossible' | 'desired'
  readonly text: string
}

export type ActOutcome<Name extends ActName> =
  | { readonly kind: 'done'; readonly answer: ActAnswers[Name]; readonly index: LogIndex }
  | ActRefusal
