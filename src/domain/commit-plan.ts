/** What somebody's tree says, in short, and what the server would make of it as a commit. Drover's own: `POST /drover/v1/plan`. */
import type { Reason } from './explanation.js'
import type { LogIndex } from './ids.js'
import type { Job } from './job.js'
import type { JobOrder } from './job-order.js'
import type { NodePool } from './node-pool.js'
import type { SchedulingResult } from './plan.js'
import type { SchedulerConfiguration } from './scheduler-configuration.js'
import type { Commit, Held, Mistake, NodeDeclaration, SetAside } from './source.js'

/** A tree as it was read, by the same code that reads commits; for jobs a hash of what they specify stands for them. */
export interface CommitSummary {
  /** Whose commit it would be; absent: the first one's. */
  readonly source?: string
  /** False: only some files were read, so nothing is said of what is not there. */
  readonly isWhole: boolean
  /** The applied commit that this one does not descend from; null where it does, or is none yet. */
  readonly leaves: string | null
  readonly isShallow: boolean
  readonly trailers: Commit['trailers']
  readonly jobs: readonly SummarizedJob[]
  /** Files with mistakes; the job that each names, where that can be read. */
  readonly unsound: readonly UnsoundFile[]
  /** Null where the hosts were not read. */
  readonly agents: SummarizedAgents | null
}

export interface UnsoundFile {
  readonly path: string
  readonly namespace: string | null
  readonly jobId: string | null
  readonly bundle?: string
}

export interface SummarizedJob {
  readonly path: string
  readonly namespace: string
  readonly id: string
  /** Hash of what the job specifies. */
  readonly spec: string
  /** What a registered job may not become another of. */
  readonly type: string
  readonly isPeriodic: boolean
  readonly isParameterized: boolean
  readonly needs: JobNeeds
  /** When its changes are carried out; absent: at once. */
  readonly order?: JobOrder
}

/** What a job asks for that its namespace or its source may forbid. */
export interface JobNeeds {
  readonly nodePool: string
  readonly priority: number
  readonly hostVolumes: readonly { readonly name: string; readonly source: string }[]
  readonly tasks: readonly {
    readonly name: string
    readonly driver: string
    /** By what it is more than a guest on its host, in words. */
    readonly privileges: readonly string[]
  }[]
  /** Of jobs on whose changes it is dispatched. */
  readonly hookNamespaces: readonly string[]
}

export interface SummarizedAgents {
  readonly poolNames: readonly string[]
  readonly declarations: readonly NodeDeclaration[]
  readonly pools: readonly NodePool[]
  readonly configuration: SchedulerConfiguration | null
  /** Paths of files with mistakes. */
  readonly unsound: readonly string[]
  readonly isComplete: boolean
}

export interface PlannedJob {
  readonly namespace: string
  readonly id: string
  readonly path: string
  /** `moved`: the same job in another file, also of another source. `set-aside`: asked for before, failed, and not tried again as it is. */
  readonly change: 'new' | 'changed' | 'moved' | 'none' | 'set-aside' | 'removed' | 'frozen'
  readonly setAside: SetAside | null
  /** What would be waited for before it changes, in words. */
  readonly waitsFor: readonly string[]
}

/** Of a processor in MHz, and of memory in MiB. */
export interface Amounts {
  readonly cpuMhz: number
  readonly memoryMb: number
}

/** What the hosts of one pool have for allocations, and what is promised on them. */
export interface PoolCapacity {
  readonly pool: string
  /** Those that are not down. */
  readonly hosts: number
  readonly total: Amounts
  readonly promised: Amounts
  /** Of that, by jobs that the plan removes. */
  readonly freed: Amounts
}

/** What a job holds, and what it would hold after a plan. */
export interface JobUsage {
  readonly pool: string
  readonly before: Amounts
  readonly after: Amounts
}

/** What would happen if a job were registered now. */
export interface JobForecast {
  readonly result: SchedulingResult
  /** Empty where nobody asks why. */
  readonly reasons: readonly Reason[]
  readonly index: LogIndex
  /** As it would be registered, with the counts that scalers have moved. */
  readonly job: Job
  readonly usage: JobUsage
}

export interface CommitPlan {
  readonly jobs: readonly PlannedJob[]
  readonly capacity: readonly PoolCapacity[]
  readonly held: Held | null
  /** Namespaces that it would make. */
  readonly namespaces: readonly string[]
  readonly hosts: readonly { readonly name: string; readonly change: 'new' | 'changed' | 'removed' }[]
  readonly pools: readonly { readonly name: string; readonly change: 'new' | 'changed' | 'removed' }[]
  readonly isSchedulerChanged: boolean
  /** What is wrong with files beside what whoever asks has found in them: what others have, and what the source may not do. */
  readonly refusals: readonly Mistake[]
  /** Acts by trailer that would be done, and those that would come to nothing, with the reason. */
  readonly acts: readonly string[]
  readonly ignored: readonly string[]
}
