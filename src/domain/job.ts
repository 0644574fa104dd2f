/** A job in stored (canonical) form: every member present, `null` where unset. Source: Nomad API docs, "Jobs" */
import type { Affinity, Constraint, Spread, TaskGroup, UpdateStrategy } from './task-group.js'
import type { Nanoseconds } from './units.js'

export type JobType = 'service' | 'batch' | 'system' | 'sysbatch'
export type JobStatus = 'pending' | 'running' | 'dead'

export interface Job {
  readonly Stop: boolean
  readonly Region: string
  readonly Namespace: string
  readonly ID: string
  readonly ParentID: string
  readonly Name: string
  readonly Type: JobType
  readonly Priority: number
  readonly AllAtOnce: boolean
  readonly Datacenters: readonly string[]
  readonly NodePool: string
  readonly Constraints: readonly Constraint[] | null
  readonly Affinities: readonly Affinity[] | null
  readonly Spreads: readonly Spread[] | null
  readonly TaskGroups: readonly TaskGroup[]
  readonly Update: UpdateStrategy
  readonly Multiregion: Multiregion | null
  readonly Periodic: PeriodicConfig | null
  readonly ParameterizedJob: ParameterizedJobConfig | null
  readonly Dispatched: boolean
  readonly DispatchIdempotencyToken: string
  readonly Payload: string | null
  readonly Meta: Readonly<Record<string, string>> | null
  readonly ConsulToken: string
  readonly ConsulNamespace: string
  readonly VaultToken: string
  readonly VaultNamespace: string
  readonly NomadTokenID: string
  readonly Status: JobStatus
  readonly StatusDescription: string
  readonly Stable: boolean
  readonly Version: number
  readonly SubmitTime: Nanoseconds
  readonly CreateIndex: number
  readonly ModifyIndex: number
  /** Moves only when the specification changes; used for check-and-set. */
  readonly JobModifyIndex: number
  readonly UI: JobUI | null
  readonly VersionTag: JobVersionTag | null
}

export interface JobUI {
  readonly Description: string
  readonly Links: readonly { readonly Label: string; readonly Url: string }[] | null
}

export interface JobVersionTag {
  readonly Name: string
  readonly Description: string
  readonly TaggedTime: Nanoseconds
}

export interface PeriodicConfig {
  readonly Enabled: boolean
  readonly Spec: string
  readonly Specs: readonly string[] | null
  readonly SpecType: string
  readonly ProhibitOverlap: boolean
  readonly TimeZone: string
}

export interface ParameterizedJobConfig {
  readonly Payload: string
  readonly MetaRequired: readonly string[] | null
  readonly MetaOptional: readonly string[] | null
}

export interface Multiregion {
  readonly Strategy: { readonly MaxParallel: number; readonly OnFailure: string } | null
  readonly Regions: readonly MultiregionRegion[] | null
}

export interface MultiregionRegion {
  readonly Name: string
  readonly Count: number
  readonly Datacenters: readonly string[] | null
  readonly NodePool: string
  readonly Meta: Readonly<Record<string, string>> | null
}

/** Counts of a job's allocations by client status; `Queued` is what its last evaluation could not place. */
export interface TaskGroupSummary {
  readonly Queued: number
  readonly Complete: number
  readonly Failed: number
  readonly Running: number
  readonly Starting: number
  readonly Lost: number
  readonly Unknown: number
}

/** Of a periodic or parameterized job: the jobs that were made from it. */
export interface ChildrenCounts {
  readonly Pending: number
  readonly Running: number
  readonly Dead: number
}

export interface JobSummary {
  readonly JobID: string
  readonly Namespace: string
  readonly Summary: Readonly<Record<string, TaskGroupSummary>>
  readonly Children: ChildrenCounts | null
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

/** The group of that name, if the job has one. */
export function findTaskGroup(job: Job, name: string): TaskGroup | undefined {
  return job.TaskGroups.find((group) => group.Name === name)
}

/** What a job may be dispatched with, before it is written as text. Source: Nomad docs, "dispatch" */
export const PAYLOAD_BYTES_MAX = 16 * 1024

/** Launched at its times: not stopped, not switched off, and not waiting to be dispatched first. */
export function isTimed(job: Job): job is Job & { readonly Periodic: PeriodicConfig } {
  return job.Periodic?.Enabled === true && !job.Stop && (job.ParameterizedJob === null || job.Dispatched)
}

/** Periodic and parameterized jobs are templates: they are never placed themselves, their children are. */
export function isTemplateJob(job: Job): boolean {
  return job.Periodic !== null || (job.ParameterizedJob !== null && !job.Dispatched)
}
