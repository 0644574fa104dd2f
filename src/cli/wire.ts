/** The members of the API's answers that commands show. */

export interface JobStub {
  readonly ID: string
  readonly Namespace: string
  readonly Type: string
  readonly Status: string
  readonly Stop: boolean
  readonly Priority: number
  readonly SubmitTime: number
  readonly JobSummary: JobSummary
}

/** Of `/v1/jobs/statuses`: what of a job is there, beside how much is wanted. */
export interface JobStatusAnswer {
  readonly ID: string
  readonly Namespace: string
  readonly Type: string
  readonly Status: string
  readonly Stop: boolean
  readonly Version: number
  readonly SubmitTime: number
  readonly GroupCountSum: number
  readonly Priority: number
  readonly NodePool: string
  readonly Datacenters: readonly string[] | null
  readonly Allocs: readonly { readonly ClientStatus: string; readonly JobVersion: number }[] | null
  /** Null: other jobs are not made from it. */
  readonly ChildStatuses: readonly string[] | null
}

export interface JobSummary {
  readonly Children: Readonly<Record<'Pending' | 'Running' | 'Dead', number>> | null
  readonly Summary: Readonly<
    Record<string, Readonly<Record<'Queued' | 'Complete' | 'Failed' | 'Running' | 'Starting' | 'Lost' | 'Unknown', number>>>
  >
}

export interface JobAnswer {
  readonly ID: string
  readonly Namespace: string
  readonly Type: string
  readonly Status: string
  readonly StatusDescription: string
  readonly Stop: boolean
  readonly Priority: number
  readonly Version: number
  readonly SubmitTime: number
  readonly NodePool: string
  readonly Datacenters: readonly string[]
  readonly Periodic: { readonly Spec: string; readonly Specs: readonly string[] | null; readonly TimeZone: string } | null
  readonly ParameterizedJob: object | null
  /** It was made from a parameterized one. */
  readonly Dispatched: boolean
  readonly TaskGroups: readonly {
    readonly Name: string
    readonly Count: number
    readonly Tasks: readonly { readonly Name: string; readonly Driver: string }[]
  }[]
}

export interface AllocationStub {
  readonly ID: string
  readonly Name: string
  readonly Namespace: string
  readonly JobID: string
  readonly JobVersion: number
  readonly TaskGroup: string
  readonly NodeID: string
  readonly NodeName: string
  readonly DesiredStatus: string
  readonly DesiredDescription: string
  readonly ClientStatus: string
  readonly ClientDescription: string
  readonly TaskStates: Readonly<Record<string, TaskState>> | null
  readonly CreateIndex: number
  readonly CreateTime: number
  readonly ModifyTime: number
}

export interface AllocationAnswer extends Partial<Omit<AllocationStub, 'TaskStates'>> {
  readonly ID: string
  readonly EvalID?: string
  readonly TaskStates?: Readonly<Record<string, TaskState>>
  readonly Job: JobAnswer | null
  readonly PreviousAllocation?: string
  readonly NextAllocation?: string
  readonly DeploymentID?: string
}

export interface TaskState {
  readonly State: string
  readonly Failed: boolean
  readonly Restarts: number
  readonly StartedAt: string
  readonly FinishedAt: string
  readonly Events: readonly { readonly Type: string; readonly Time: number; readonly DisplayMessage: string }[] | null
}

export interface EvaluationAnswer {
  readonly ID: string
  readonly Namespace: string
  readonly JobID: string
  readonly Type: string
  readonly Status: string
  readonly StatusDescription?: string
  readonly TriggeredBy: string
  readonly Priority: number
  readonly BlockedEval?: string
  readonly CreateTime: number
  readonly CreateIndex: number
  readonly FailedTGAllocs?: Readonly<Record<string, PlacementMetrics>> | null
}

/** Why one group could not be placed. */
export interface PlacementMetrics {
  readonly NodesEvaluated: number
  readonly ConstraintFiltered: Readonly<Record<string, number>> | null
  readonly DimensionExhausted: Readonly<Record<string, number>> | null
  readonly CoalescedFailures: number
}

export interface DeploymentAnswer {
  readonly ID: string
  readonly Namespace: string
  readonly CreateIndex: number
  readonly JobID: string
  readonly JobVersion: number
  readonly Status: string
  readonly StatusDescription: string
  readonly CreateTime: number
  readonly TaskGroups: Readonly<
    Record<string, Readonly<Record<'DesiredTotal' | 'PlacedAllocs' | 'HealthyAllocs' | 'UnhealthyAllocs', number>>>
  >
}

export interface NodeStub {
  readonly ID: string
  readonly Address: string
  readonly Version: string
  /** Only when they were asked for. */
  readonly NodeResources?: NodeResourcesAnswer
  readonly ReservedResources?: NodeResourcesAnswer
  readonly Name: string
  readonly Datacenter: string
  readonly NodePool: string
  readonly NodeClass: string
  readonly Status: string
  readonly SchedulingEligibility: string
  readonly Drain: boolean
  readonly Drivers: Readonly<Record<string, { readonly Detected: boolean; readonly Healthy: boolean; readonly HealthDescription: string }>>
}

export interface NodeResourcesAnswer {
  readonly Cpu: { readonly CpuShares: number }
  readonly Memory: { readonly MemoryMB: number }
  readonly Disk: { readonly DiskMB: number }
}

export interface NodeAnswer extends NodeStub {
  readonly Attributes: Readonly<Record<string, string>>
  readonly NodeResources: NodeResourcesAnswer
  readonly ReservedResources: NodeResourcesAnswer
}

export interface SearchAnswer {
  readonly Matches: Readonly<Record<string, readonly string[] | null>>
}

export interface SettingsAnswer {
  readonly region: string
  readonly writes: 'none' | 'runtime'
}

export interface NodeDrainAnswer {
  /** Null: it is not being drained. */
  readonly drain: { readonly deadline: string | null; readonly ignoresSystemJobs: boolean; readonly startedAt: string } | null
  readonly left: readonly {
    readonly allocationId: string
    readonly name: string
    readonly namespace: string
    readonly jobId: string
    readonly wait: string
    readonly why: string
  }[]
}

export interface SourceAnswer {
  readonly id: string
  readonly ref: string
  readonly overlay: string | null
  /** False: what it has stays, and nobody looks at its repository. */
  readonly isFollowed: boolean
  /** How many of its jobs are registered. */
  readonly jobs: number
  readonly remote: { readonly problem: string | null; readonly ageMs: number | null } | null
  readonly commit: { readonly id: string; readonly subject: string; readonly author: string } | null
  /** Why the repository could not be read the last time. */
  readonly problem: string | null
  readonly frozen: readonly {
    readonly path: string
    readonly namespace: string | null
    readonly jobId: string | null
    readonly mistakes: readonly { readonly place: string; readonly summary: string; readonly detail: string }[]
  }[]
  readonly held: {
    readonly reason: string
    readonly remedy: string
    readonly jobs: readonly { readonly namespace: string; readonly jobId: string }[]
  } | null
}

export interface HealthAnswer {
  readonly server: { readonly ok: boolean; readonly message: string }
}

/** What a job owes to the repository. */
export interface JobSourceAnswer {
  readonly namespace: string
  readonly jobId: string
  /** The source, and the path in it. */
  readonly source: string
  readonly path: string
  readonly version: number
  readonly commit: CommitAnswer
  /** Null for a job that is gone. */
  readonly standing: StandingAnswer | null
  readonly order?: OrderAnswer
}

/** When a job's changes are carried out. */
export interface OrderAnswer {
  readonly dependsOn: readonly { readonly namespace: string; readonly jobId: string }[]
  readonly bundle: string
  readonly suspend: { readonly untilMs: number; readonly reason: string } | null
}

export interface BlamedFieldAnswer {
  readonly path: string
  readonly value: string | number | boolean
  readonly version: number
  readonly isOldest: boolean
  readonly commit: (CommitAnswer & { readonly atMs: number }) | null
}

export interface TraceAnswer {
  /** Null: it was not applied. */
  readonly trace: {
    readonly source: string
    readonly commit: CommitAnswer & { readonly atMs: number }
    readonly detectedMs: number
    readonly verifiedMs: number | null
    readonly parsedMs: number
    readonly appliedMs: number
    readonly registered: number
    readonly waiting: number
    readonly removed: number
    readonly frozen: number
  } | null
  readonly held: SourceAnswer['held']
  readonly jobs: readonly {
    readonly namespace: string
    readonly jobId: string
    readonly version: number | null
    readonly registeredMs: number | null
    readonly plannedMs: number | null
    readonly placedMs: number | null
    readonly endedMs: number | null
    readonly outcome: string
    readonly waitsFor: readonly string[]
  }[]
}

/** A change that the newest commit asks for and that waits. */
export interface WaitingAnswer {
  readonly namespace: string
  readonly jobId: string
  readonly path: string
  readonly change: 'new' | 'changed' | 'removed'
  readonly commit: string
  readonly sinceMs: number
  readonly reasons: readonly { readonly code: string; readonly text: string }[]
}

export interface CommitAnswer {
  readonly id: string
  readonly subject: string
  readonly author: string
}

/** What runs, and what was set aside because it failed. */
export interface StandingAnswer {
  readonly version: number
  readonly commit: CommitAnswer | null
  readonly revertOf: number | null
  readonly setAside: { readonly version: number; readonly commit: CommitAnswer; readonly path: string; readonly reason: string } | null
}

export interface DiffAnswer {
  readonly Type: string
  readonly Name?: string
  readonly Fields?: readonly { readonly Type: string; readonly Name: string; readonly Old: string; readonly New: string }[] | null
  readonly Objects?: readonly DiffAnswer[] | null
  readonly TaskGroups?: readonly DiffAnswer[] | null
  readonly Tasks?: readonly DiffAnswer[] | null
}

/** Of `/drover/v1/plan`. */
export interface CommitPlanAnswer {
  readonly jobs: readonly {
    readonly namespace: string
    readonly id: string
    readonly path: string
    readonly change: 'new' | 'changed' | 'moved' | 'none' | 'set-aside' | 'removed' | 'frozen'
    readonly setAside: StandingAnswer['setAside']
    /** What would be waited for before it changes. */
    readonly waitsFor: readonly string[]
  }[]
  readonly capacity: readonly {
    readonly pool: string
    readonly hosts: number
    readonly total: AmountsAnswer
    readonly promised: AmountsAnswer
    readonly freed: AmountsAnswer
  }[]
  readonly held: SourceAnswer['held']
  readonly namespaces: readonly string[]
  readonly hosts: readonly { readonly name: string; readonly change: string }[]
  readonly pools: readonly { readonly name: string; readonly change: string }[]
  readonly isSchedulerChanged: boolean
  readonly acts: readonly string[]
  readonly ignored: readonly string[]
  /** Mistakes that only the server can tell. */
  readonly refusals: readonly {
    readonly path: string
    readonly line: number
    readonly column: number
    readonly summary: string
    readonly detail: string
  }[]
}

/** What a commit of the server's own repository would change. */
export interface RefPlanAnswer extends Omit<CommitPlanAnswer, 'jobs' | 'refusals'> {
  readonly source: string
  readonly ref: string
  readonly commit: CommitAnswer
  readonly appliedId: string | null
  readonly jobs: readonly (CommitPlanAnswer['jobs'][number] & { readonly plan: PlanAnswer | null })[]
  readonly mistakes: readonly { readonly place: string; readonly summary: string; readonly detail: string }[]
}

export interface AmountsAnswer {
  readonly cpuMhz: number
  readonly memoryMb: number
}

export interface PlanAnswer {
  /** Only when they were asked for as part of a commit. */
  readonly Usage?: { readonly pool: string; readonly before: AmountsAnswer; readonly after: AmountsAnswer }
  /** Only when they were asked for. */
  readonly Reasons?: readonly ReasonAnswer[]
  readonly Diff: DiffAnswer | null
  readonly Annotations: {
    readonly DesiredTGUpdates: Readonly<Record<string, Readonly<Record<string, number>>>>
    readonly PreemptedAllocs: readonly { readonly Name: string; readonly NodeName: string }[] | null
  } | null
  readonly FailedTGAllocs: Readonly<Record<string, PlacementMetrics>> | null
  readonly Warnings: string
}

export interface ReasonAnswer {
  readonly code: string
  readonly group: string
  readonly text: string
  readonly facts: { readonly nodes?: readonly { readonly node: string; readonly verdict: string; readonly reason: string }[] }
}

export interface ExplanationAnswer {
  readonly standing: StandingAnswer
  readonly groups: readonly {
    readonly group: string
    readonly wanted: number
    readonly running: number
    readonly placements: readonly ReasonAnswer[]
    readonly stops: readonly ReasonAnswer[]
    readonly missing: readonly ReasonAnswer[]
  }[]
}

export interface NamespaceAnswer {
  readonly Name: string
  readonly Description: string
}

export interface ServicesAnswer {
  readonly Namespace: string
  readonly Services: readonly { readonly ServiceName: string }[]
}

export interface ServiceAnswer {
  readonly ServiceName: string
  readonly Namespace: string
  readonly Address: string
  readonly Port: number
  readonly Tags: readonly string[] | null
  readonly JobID: string
  readonly AllocID: string
  readonly NodeID: string
  readonly Datacenter: string
}

/** What an allocation was given; only when resources were asked for. */
export interface AllocatedAnswer {
  readonly NodeID: string
  readonly ClientStatus: string
  readonly AllocatedResources?: {
    readonly Tasks: Readonly<
      Record<string, { readonly Cpu: { readonly CpuShares: number }; readonly Memory: { readonly MemoryMB: number } }>
    >
    readonly Shared: {
      readonly DiskMB: number
      readonly Ports: readonly { readonly Label: string; readonly Value: number; readonly To: number; readonly HostIP: string }[] | null
    }
  } | null
}

/** Of a whole host, as its agent measured it. */
export interface UsageAnswer {
  readonly CPUTicksConsumed: number
  readonly Memory: { readonly Total: number; readonly Used: number }
}

export interface FileAnswer {
  readonly Name: string
  readonly IsDir: boolean
  readonly Size: number
  readonly FileMode: string
  readonly ModTime: string
}

export interface VersionsAnswer {
  readonly Versions: readonly (JobAnswer & { readonly Stable: boolean })[]
  readonly Diffs: readonly DiffAnswer[] | null
}

/** Which commit a version comes from. */
export interface VersionSourceAnswer {
  readonly version: number
  readonly path: string
  readonly commit: CommitAnswer
  readonly revertOf: number | null
  /** A scaler has moved a count. */
  readonly isScaled?: true
}

/** Who did something, or was refused. */
export interface AuditEntryAnswer {
  readonly number: number
  readonly atMs: number
  readonly actor:
    | { readonly kind: 'commit'; readonly commit: string; readonly name: string }
    | { readonly kind: 'api'; readonly address: string }
    | { readonly kind: 'host'; readonly name: string }
    | { readonly kind: 'server' }
  readonly action: string
  readonly subject: Readonly<Record<string, string | number | boolean>>
  readonly outcome: 'done' | 'refused'
  readonly reason: string
  readonly repeats?: number
}

/** What differs from the repository. */
export interface DriftAnswer {
  readonly subject:
    | { readonly kind: 'job'; readonly namespace: string; readonly jobId: string }
    | { readonly kind: 'host'; readonly name: string }
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'source'; readonly id: string }
  readonly field: string
  readonly wanted: string | null
  readonly actual: string | null
  readonly owner: 'git' | 'scaler' | 'operator'
  readonly actor: string
  readonly sinceMs: number | null
  readonly policy: 'healed' | 'waits' | 'left'
  readonly next: string
}
