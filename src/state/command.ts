/**
 * Everything that can happen, as data. Kinds are append-only, because old logs must replay: new behaviour is a new kind.
 * Whoever proposes a command has chosen its ids and times before and put them inside; `apply` never asks.
 * What takes more than 256 KiB in the log is divided (`divide-command.ts`), or written in several parts.
 */
import type {
  Allocation,
  AllocationReport,
  CommitTrace,
  DeploymentStatusUpdate,
  DrainStrategy,
  Evaluation,
  FrozenFile,
  HookRun,
  Job,
  JobRef,
  JobSource,
  Namespace,
  NamespaceOrder,
  Node,
  NodeDeclaration,
  NodePool,
  NodeStatus,
  Plan,
  SchedulerConfiguration,
  SchedulingEligibility,
  ServiceRegistration,
  SourceClaim,
  SourceStatus,
  Variable,
  VersionTimes,
  WaitingChange,
} from '../domain/index.js'

export type CommandBody =
  /**
   * Taking the lead. The first one of a log fixes the cluster id. `leader` is made up for this life of the process: without it two that
   * take the same epoch in the same millisecond would write the same record, and each would find its own in the log.
   */
  | { readonly kind: 'leadership-begin'; readonly epoch: number; readonly clusterId: string; readonly leader: string }
  /** Says nothing and confirms the lease. */
  | { readonly kind: 'leadership-confirm' }
  | {
      readonly kind: 'job-register'
      readonly job: Job
      readonly source: JobSource | null
      readonly evaluations: readonly Evaluation[]
      /** Of a version that repeats an older one, because a newer one has failed: the one that it repeats. */
      readonly revertOf?: number
    }
  | {
      readonly kind: 'job-deregister'
      readonly namespace: string
      readonly jobId: string
      readonly purge: boolean
      readonly evaluations: readonly Evaluation[]
    }
  /**
   * A periodic job comes to one of its times, or is launched out of turn. `child` is null where the launch before it still runs and two
   * must not overlap: the time passes.
   */
  | {
      readonly kind: 'periodic-launch'
      readonly namespace: string
      readonly jobId: string
      /** Times up to this one are done with, in milliseconds. */
      readonly launchMs: number
      readonly child: Job | null
      readonly evaluations: readonly Evaluation[]
    }
  /** Counts all summaries anew. */
  | { readonly kind: 'summaries-reconcile' }
  /**
   * Of what one reading of a commit found: files that cannot be read now, paths that can be read again or are gone, and the sources of
   * jobs whose content did not change. Each holds by itself.
   */
  | {
      readonly kind: 'source-files'
      readonly frozen: readonly FrozenFile[]
      readonly mended: readonly string[]
      readonly moved: readonly JobSource[]
      /** Whose paths `mended` are; absent: of the first source. */
      readonly sourceId?: string
    }
  /** Closes the reading of a commit: moves the cursor. `frozen` and `moved`: only in logs from before `source-files`. */
  | {
      readonly kind: 'source-sync'
      readonly status: Omit<SourceStatus, 'modifyIndex'> & { readonly frozen?: readonly FrozenFile[] }
      readonly moved?: readonly JobSource[]
    }
  /** A commit wants a job changed, and what it waits for is not there yet. Registering or deregistering the job ends it. */
  | { readonly kind: 'change-wait'; readonly change: WaitingChange }
  /** Nobody wants these changes any more. */
  | { readonly kind: 'changes-drop'; readonly changes: readonly JobRef[] }
  /** How a commit got here. `forgotten`: keys of older ones. */
  | { readonly kind: 'commit-trace'; readonly trace: CommitTrace; readonly forgotten: readonly string[] }
  /** Versions that have come to their end. */
  | { readonly kind: 'version-times'; readonly times: readonly VersionTimes[] }
  /** A hook was dispatched, or what was made from it has ended. */
  | { readonly kind: 'hook-run'; readonly run: HookRun }
  /** When the jobs of a namespace may change; null: at any time. */
  | { readonly kind: 'namespace-order'; readonly namespace: string; readonly order: NamespaceOrder | null }
  /** The trailers of these commits of one source have been heeded, once and for all. */
  | { readonly kind: 'commits-acted'; readonly commits: readonly string[]; readonly sourceId?: string }
  /** What namespaces and variables are of a source other than the first, and what no longer is. */
  | { readonly kind: 'source-claims'; readonly claimed: readonly SourceClaim[]; readonly released: readonly SourceClaim[] }
  /** One piece of a Command that is too large for one entry of the log. The last piece is the Command; those before it do nothing. */
  | { readonly kind: 'command-part'; readonly bytes: Uint8Array; readonly isLast: boolean }
  /** Hosts that may join from now on, and names that may no longer. */
  | { readonly kind: 'node-declare'; readonly declarations: readonly NodeDeclaration[]; readonly removed: readonly string[] }
  /** `reportNumber`: of the newest report this host has made; less than what is known once its disk was lost. */
  | { readonly kind: 'node-register'; readonly node: Node; readonly reportNumber: number; readonly evaluations: readonly Evaluation[] }
  | {
      readonly kind: 'node-status'
      readonly nodeId: string
      readonly status: NodeStatus
      readonly description: string
      readonly evaluations: readonly Evaluation[]
    }
  | {
      readonly kind: 'node-eligibility'
      readonly nodeId: string
      readonly eligibility: SchedulingEligibility
      readonly evaluations: readonly Evaluation[]
    }
  | {
      readonly kind: 'node-drain'
      readonly nodeId: string
      readonly drain: DrainStrategy | null
      readonly eligibility: SchedulingEligibility
      readonly evaluations: readonly Evaluation[]
      /** What whoever asked for it wants to be remembered. */
      readonly meta?: Readonly<Record<string, string>> | null
    }
  /** Everything on the host that the drain concerned has ended. */
  | { readonly kind: 'node-drain-complete'; readonly nodeId: string; readonly isDeadlineReached: boolean }
  /** What the host's file says of its work has been carried out. */
  | { readonly kind: 'host-order'; readonly nodeId: string; readonly statement: string }
  /** A host that nobody declares any more and that runs nothing is forgotten. */
  | { readonly kind: 'node-deregister'; readonly nodeId: string; readonly evaluations: readonly Evaluation[] }
  /** So many hosts were lost at once that what they ran is not replaced, until they are back or somebody says so. */
  | { readonly kind: 'loss-hold'; readonly nodeIds: readonly string[] }
  /** What these hosts ran is replaced from now on. */
  | { readonly kind: 'loss-release'; readonly nodeIds: readonly string[]; readonly evaluations: readonly Evaluation[] }
  | { readonly kind: 'evaluation-update'; readonly evaluations: readonly Evaluation[] }
  /**
   * A plan, whole or in parts. Only the last part (`closes`) carries the evaluation's end and those it created, so a
   * crash between parts leaves the evaluation to be worked on again.
   */
  | { readonly kind: 'plan-apply'; readonly plan: Plan; readonly closes: PlanClosing | null }
  | {
      readonly kind: 'allocation-update'
      readonly nodeId: string
      /** The node's own count of its reports; absent where there is none. */
      readonly number?: number
      readonly reports: readonly AllocationReport[]
      readonly services: readonly ServiceRegistration[]
      readonly evaluations: readonly Evaluation[]
    }
  /** Asks that allocations be moved, stopped or rescheduled; the evaluations carry it out. */
  | {
      readonly kind: 'allocation-transition'
      readonly transitions: Readonly<Record<string, NonNullable<Allocation['DesiredTransition']>>>
      readonly evaluations: readonly Evaluation[]
    }
  /** A server without history takes over what a node runs and the newest commit still wants. */
  | { readonly kind: 'allocation-adopt'; readonly nodeId: string; readonly allocations: readonly Allocation[] }
  | {
      readonly kind: 'deployment-update'
      readonly updates: readonly DeploymentStatusUpdate[]
      readonly evaluations: readonly Evaluation[]
    }
  /** The canaries of these groups have proved themselves: the rest may follow. */
  | {
      readonly kind: 'deployment-promote'
      readonly deploymentId: string
      readonly groups: readonly string[]
      readonly evaluations: readonly Evaluation[]
    }
  /** A person says of allocations of a deployment whether they are well. */
  | {
      readonly kind: 'deployment-health'
      readonly deploymentId: string
      readonly healthy: readonly string[]
      readonly unhealthy: readonly string[]
      readonly evaluations: readonly Evaluation[]
    }
  /** A scaler moved the count of a group, as a version of its own, or (`count` null) noted something. */
  | {
      readonly kind: 'job-scale'
      readonly namespace: string
      readonly jobId: string
      readonly group: string
      readonly count: number | null
      readonly message: string
      readonly isError: boolean
      readonly meta: Readonly<Record<string, unknown>> | null
      readonly evaluations: readonly Evaluation[]
    }
  | { readonly kind: 'node-pool-put'; readonly pool: NodePool }
  | { readonly kind: 'node-pool-delete'; readonly name: string }
  | { readonly kind: 'namespace-put'; readonly namespace: Namespace }
  | { readonly kind: 'namespace-delete'; readonly name: string }
  /** What a file below `vars/` says now. The file's path is not kept: it is made of namespace and path. */
  | {
      readonly kind: 'variable-put'
      readonly namespace: string
      readonly path: string
      readonly items: Variable['Items']
      readonly readers?: readonly string[]
    }
  | { readonly kind: 'variable-delete'; readonly namespace: string; readonly path: string }
  | { readonly kind: 'scheduler-configure'; readonly configuration: SchedulerConfiguration }
  /** Garbage collection, in bounded batches; each row is checked again when it is applied. */
  | {
      readonly kind: 'garbage-collect'
      readonly evaluations: readonly string[]
      readonly allocations: readonly string[]
      readonly deployments: readonly string[]
      readonly nodes: readonly string[]
      readonly jobs: readonly { readonly namespace: string; readonly jobId: string }[]
    }

export interface PlanClosing {
  readonly evaluation: Evaluation
  readonly created: readonly Evaluation[]
}

/** A body with the instant the leader gave it: never earlier than the one before. */
export type Command = CommandBody & { readonly atMs: number }

export type CommandKind = Command['kind']
