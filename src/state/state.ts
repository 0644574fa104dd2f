/** The replicated state: what you get by folding the log. Readers see a `StateView`, only `apply` sees a `State`. */
import { type Allocation, type Job, type LogIndex, SCHEDULER_CONFIGURATION_DEFAULT, type SchedulerConfiguration } from '../domain/index.js'
import { createTables, jobVersionKey, type Tables, type TableViews } from './schema.js'

/** What is not a table: single values, replaced whole. */
export interface Counters {
  readonly index: LogIndex
  /** Wall time of the newest Command, in milliseconds: objects take all their times from it. */
  readonly atMs: number
  readonly epoch: number
  /** Fixed by the first entry of the log; empty before. */
  readonly clusterId: string
  readonly schedulerConfiguration: SchedulerConfiguration
}

export interface StateView extends Counters, TableViews {
  /** The version of a job that an allocation (or deployment) names. */
  findJobVersion(namespace: string, jobId: string, createIndex: number, version: number): Job | undefined
}

/** The version of its job that an allocation was made for. */
export function jobOfAllocation(
  view: Pick<StateView, 'findJobVersion'>,
  { Namespace, JobID, JobCreateIndex, JobVersion }: Pick<Allocation, 'Namespace' | 'JobID' | 'JobCreateIndex' | 'JobVersion'>,
): Job | undefined {
  return view.findJobVersion(Namespace, JobID, JobCreateIndex, JobVersion)
}

// The tables become members through the interface, so that `createTables` stays the only list of them.
export interface State extends Tables {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: as above
export class State implements StateView {
  index: LogIndex = 0
  atMs = 0
  epoch = 0
  clusterId = ''
  schedulerConfiguration: SchedulerConfiguration = SCHEDULER_CONFIGURATION_DEFAULT

  constructor() {
    Object.assign(this, createTables())
  }

  findJobVersion(namespace: string, jobId: string, createIndex: number, version: number): Job | undefined {
    return this.jobVersions.get(jobVersionKey(namespace, jobId, createIndex, version))
  }
}
