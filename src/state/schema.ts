/**
 * The tables of the replicated state, their keys and their groupings: the one list that `State`, snapshots and
 * equality checks are made from.
 */
import {
  type Allocation,
  type CommitTrace,
  type Deployment,
  type Evaluation,
  type FrozenFile,
  type HookRun,
  type Job,
  type JobSource,
  type JobSummary,
  type Namespace,
  type NamespaceOrder,
  type Node,
  type NodeDeclaration,
  type NodePool,
  namespacedKey,
  type ScalingEvent,
  type ServiceRegistration,
  SOURCE_DEFAULT,
  type SourceClaim,
  type Sourced,
  type SourceStatus,
  sourceIdOf,
  type Variable,
  type VersionSource,
  type VersionTimes,
  type WaitingChange,
} from '../domain/index.js'
import { Table, type TableView } from './table.js'

/** What one group's scaler did, newest first, at most twenty. */
export interface ScalingEvents {
  readonly Namespace: string
  readonly JobID: string
  readonly Groups: Readonly<Record<string, readonly ScalingEvent[]>>
  readonly ModifyIndex: number
}

/** The newest report of a node that was taken: a late double of an older one must not take back what it said. */
export interface NodeReports {
  readonly nodeId: string
  readonly number: number
}

/** What the file of a host said of its work (`eligible`, `drain`) when that was last carried out. */
export interface HostOrder {
  readonly nodeId: string
  readonly statement: string
}

/** A host that was lost together with many others: nothing of what it ran is replaced for now. */
export interface HeldLoss {
  readonly nodeId: string
  readonly sinceMs: number
}

/** A commit whose trailers have been heeded: they do not count again, also when the ref comes back to it. */
export interface ActedCommit extends Sourced {
  readonly id: string
}

/** When a periodic job was launched last, so that none of its times counts twice. */
export interface PeriodicLaunch {
  readonly namespace: string
  readonly jobId: string
  readonly launchMs: number
}

export function jobKey(job: { readonly Namespace: string; readonly ID: string }): string {
  return namespacedKey(job.Namespace, job.ID)
}

/** Paths and commits of several sources may be the same; those of the first stand for themselves. */
export function sourcedKey(sourceId: string, key: string): string {
  return sourceId === SOURCE_DEFAULT ? key : `${sourceId}\u0000${key}`
}

export function claimKey({ kind, namespace, path }: Pick<SourceClaim, 'kind' | 'namespace' | 'path'>): string {
  return `${kind}\u0000${namespace}\u0000${path}`
}

/** The key of the job that came from there. */
export function jobSourceKey(source: { readonly namespace: string; readonly jobId: string }): string {
  return namespacedKey(source.namespace, source.jobId)
}

/** What tells two requests to dispatch the same thing from two requests to dispatch it twice. */
export function dispatchTokenKey(child: Pick<Job, 'Namespace' | 'ParentID'>, token: string): string {
  return `${namespacedKey(child.Namespace, child.ParentID)}\u0000${token}`
}

/** The key of the job that an allocation, evaluation, deployment or summary belongs to. */
export function ownerKey(row: { readonly Namespace: string; readonly JobID: string }): string {
  return namespacedKey(row.Namespace, row.JobID)
}

export function variableKey(variable: { readonly Namespace: string; readonly Path: string }): string {
  return namespacedKey(variable.Namespace, variable.Path)
}

/** One version of one incarnation of a job. */
export function jobVersionKey(namespace: string, jobId: string, createIndex: number, version: number): string {
  return `${namespace}\u0000${jobId}\u0000${createIndex}\u0000${version}`
}

export function versionSourceKey(source: Pick<VersionSource, 'namespace' | 'jobId' | 'createIndex' | 'version'>): string {
  return jobVersionKey(source.namespace, source.jobId, source.createIndex, source.version)
}

export function hookRunKey({ phase, hook, target }: Pick<HookRun, 'phase' | 'hook' | 'target'>): string {
  return `${jobSourceKey(hook)}\u0000${phase}\u0000${jobSourceKey(target)}`
}

export function createTables() {
  return {
    jobs: new Table<Job, 'parent' | 'dispatchToken'>('jobs', jobKey, {
      parent: (job) => (job.ParentID === '' ? undefined : namespacedKey(job.Namespace, job.ParentID)),
      dispatchToken: (job) => (job.DispatchIdempotencyToken === '' ? undefined : dispatchTokenKey(job, job.DispatchIdempotencyToken)),
    }),
    /** Every kept version, the current one included, so that an allocation always finds the job it runs. */
    jobVersions: new Table<Job, 'job'>('jobVersions', (job) => jobVersionKey(job.Namespace, job.ID, job.CreateIndex, job.Version), {
      job: jobKey,
    }),
    jobSummaries: new Table<JobSummary>('jobSummaries', ownerKey, {}),
    /** `path`: by source and path. */
    jobSources: new Table<JobSource, 'path' | 'source'>('jobSources', jobSourceKey, {
      path: (source) => sourcedKey(sourceIdOf(source), source.path),
      source: sourceIdOf,
    }),
    /** Files that could not be read at the newest commit, by source and path. */
    frozenFiles: new Table<FrozenFile, 'source'>('frozenFiles', (file) => sourcedKey(sourceIdOf(file), file.path), { source: sourceIdOf }),
    /** As long as the version itself is kept. */
    versionSources: new Table<VersionSource, 'job'>('versionSources', versionSourceKey, { job: jobSourceKey }),
    versionTimes: new Table<VersionTimes>('versionTimes', versionSourceKey, {}),
    /** How the newest commits got here. */
    commitTraces: new Table<CommitTrace>('commitTraces', (trace) => sourcedKey(sourceIdOf(trace), trace.commit.id), {}),
    periodicLaunches: new Table<PeriodicLaunch>('periodicLaunches', jobSourceKey, {}),
    scalingEvents: new Table<ScalingEvents>('scalingEvents', ownerKey, {}),
    evaluations: new Table<Evaluation, 'job' | 'status' | 'deployment'>('evaluations', (evaluation) => evaluation.ID, {
      job: ownerKey,
      status: (evaluation) => evaluation.Status,
      deployment: (evaluation) => evaluation.DeploymentID,
    }),
    allocations: new Table<Allocation, 'job' | 'node' | 'evaluation' | 'deployment'>('allocations', (allocation) => allocation.ID, {
      job: ownerKey,
      node: (allocation) => allocation.NodeID,
      evaluation: (allocation) => allocation.EvalID,
      deployment: (allocation) => allocation.DeploymentID,
    }),
    deployments: new Table<Deployment, 'job' | 'status'>('deployments', (deployment) => deployment.ID, {
      job: ownerKey,
      status: (deployment) => deployment.Status,
    }),
    nodes: new Table<Node, 'status' | 'pool'>('nodes', (node) => node.ID, {
      status: (node) => node.Status,
      pool: (node) => node.NodePool,
    }),
    nodeReports: new Table<NodeReports>('nodeReports', (reports) => reports.nodeId, {}),
    hostOrders: new Table<HostOrder>('hostOrders', (order) => order.nodeId, {}),
    heldLosses: new Table<HeldLoss>('heldLosses', (loss) => loss.nodeId, {}),
    /** Hosts that may join, by name. */
    nodeDeclarations: new Table<NodeDeclaration, 'publicKey'>('nodeDeclarations', (declaration) => declaration.name, {
      publicKey: (declaration) => declaration.publicKey || undefined,
    }),
    nodePools: new Table<NodePool>('nodePools', (pool) => pool.Name, {}),
    namespaces: new Table<Namespace>('namespaces', (namespace) => namespace.Name, {}),
    services: new Table<ServiceRegistration, 'job' | 'allocation' | 'name'>('services', (service) => service.ID, {
      job: ownerKey,
      allocation: (service) => service.AllocID,
      name: (service) => namespacedKey(service.Namespace, service.ServiceName),
    }),
    variables: new Table<Variable, 'namespace'>('variables', variableKey, { namespace: (variable) => variable.Namespace }),
    sources: new Table<SourceStatus>('sources', (source) => source.id, {}),
    /** What else sources other than the first have, beside jobs. */
    sourceClaims: new Table<SourceClaim, 'source'>('sourceClaims', claimKey, { source: ({ sourceId }) => sourceId }),
    /** What the newest commit wants and what is not carried out yet, by job. */
    waitingChanges: new Table<WaitingChange>('waitingChanges', jobSourceKey, {}),
    hookRuns: new Table<HookRun, 'hook'>('hookRuns', hookRunKey, { hook: ({ hook }) => jobSourceKey(hook) }),
    namespaceOrders: new Table<NamespaceOrder>('namespaceOrders', (order) => order.namespace, {}),
    actedCommits: new Table<ActedCommit>('actedCommits', (commit) => sourcedKey(sourceIdOf(commit), commit.id), {}),
  }
}

export type Tables = ReturnType<typeof createTables>
export type TableName = keyof Tables

type ViewOf<T> = T extends Table<infer Row, infer Grouping> ? TableView<Row, Grouping> : never

/** The tables without the ways to change them. */
export type TableViews = { readonly [Name in TableName]: ViewOf<Tables[Name]> }
