/** What the HTTP API asks of the server it is part of. */

import type { RpcMethod, RpcParts, RpcRequests } from '../agent/index.js'
import type {
  ActName,
  ActOutcome,
  ActRequests,
  AuditEntry,
  Commit,
  CommitPlan,
  CommitSummary,
  EvaluationTime,
  FollowedHealth,
  HistogramReading,
  Job,
  JobExplanation,
  JobForecast,
  LogIndex,
  Mistake,
  ToldWait,
  TracedJob,
} from '../domain/index.js'
import type { ApiJob } from '../jobspec/index.js'
import type { StateEvents, StateView, TableName } from '../state/index.js'
import type { Family } from './metrics/family.js'
import type { ApiRequest, ApiResponse } from './request.js'

/** What a blocked reader waits for: a whole table, or one row or group of rows of it. */
export interface WatchKey {
  readonly table: TableName
  /** One row. */
  readonly key?: string
  /** The rows of one group, such as `['job', ownerKey]` of allocations. Neither key nor group: the whole table. */
  readonly group?: readonly [grouping: string, groupKey: string]
}

export interface StateReader {
  /**
   * Runs `query` in one turn and resolves with its answer when the durable index has reached `answer.index`, so nobody
   * sees what a crash could take back. @throws OrchestratorError NO_LEADER after ten seconds
   */
  read<Answer extends { readonly index: LogIndex }>(query: (view: StateView) => Answer): Promise<Answer>
  /**
   * Resolves at the next durable change of any of the keys, at once if one changed after `viewIndex`, which is
   * `view.index` of the turn whose answer was too old; also on abort.
   */
  changed(keys: readonly WatchKey[], viewIndex: LogIndex, signal: AbortSignal): Promise<void>
  /**
   * What happens from `fromIndex` on, Command by Command, when it is durable: as many at once as there are, within bounds. Ends on abort, and
   * when the reader is too slow to be told everything.
   */
  events(fromIndex: LogIndex, signal: AbortSignal): AsyncIterable<readonly StateEvents[]>
  /** Whether the state is still that of the index, all of it is durable, and this server is known to lead: what was read then may be told again. */
  isCurrent(index: LogIndex): boolean
  readonly isLeader: boolean
  /** Milliseconds since this server heard from the leader; 0 on the leader. */
  readonly lastContactMs: number
}

/** Long answers from an agent: logs, files, statistics. Parts are what `agent/rpc.ts` says for the method. */
export interface AgentCaller {
  /** @throws OrchestratorError with a code of `agent/rpc.ts`, or BUS_NO_RESPONDERS, BUS_TIMEOUT, BUS_CLOSED; also midway */
  call<Method extends RpcMethod>(
    nodeId: string,
    method: Method,
    request: RpcRequests[Method],
    signal: AbortSignal,
  ): AsyncIterable<RpcParts[Method]>
}

/** Who was woken together with many others asks for a turn, so that all of them do not keep everybody else waiting. */
export interface Turns {
  pass(): Promise<void>
}

/** Asks the scheduler, and changes nothing. */
export interface Planner {
  /** What would happen if `job` were registered now; `reasons` are empty unless `isExplained`. */
  plan(job: Job, isExplained: boolean): Promise<JobForecast>
  /** Why a job runs as it does; undefined when there is no such job. */
  explain(namespace: string, id: string): Promise<JobExplanation | undefined>
}

export interface CommitPlanner {
  plan(summary: CommitSummary): Promise<CommitPlan>
}

/** Reads any commit of the repositories, one after the other. */
export interface RefReader {
  /** @throws OrchestratorError GIT_REF, GIT_TREE, GIT_UNKNOWN_REF, GIT_REMOTE, TOO_BUSY, UNKNOWN_SOURCE */
  read(
    sourceId: string,
    ref: string,
  ): Promise<{
    readonly commit: Commit
    readonly appliedId: string | null
    readonly summary: CommitSummary
    /** Sound jobs by key, each with what is doubtful about it. */
    readonly jobs: ReadonlyMap<string, { readonly job: Job; readonly warnings: readonly string[] }>
    readonly mistakes: readonly Mistake[]
  }>
}

/** Acts on what runs. */
export interface Actor {
  /** Resolves when what was done is durable. @throws OrchestratorError NO_LEADER */
  perform<Name extends ActName>(name: Name, request: ActRequests[Name]): Promise<ActOutcome<Name>>
}

/** Forgets all that has ended, whenever that was, little by little. */
export interface Garbage {
  collectAll(): void
}

/** HCL text to a job as its author wrote it, nothing filled in; used by the parse endpoint. */
export interface JobspecParser {
  parse(request: {
    readonly path: string
    readonly text: string
    /** Text of a variables file, HCL. */
    readonly variables?: string
  }): Promise<
    | { readonly kind: 'job'; readonly job: ApiJob; readonly warnings: readonly string[] }
    | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
    /** Not read this time: to be tried again. */
    | { readonly kind: 'aborted'; readonly reason: string }
  >
}

export interface SourceHealth {
  /** Of every source that is followed, the first one first. */
  readonly sourceHealth: readonly FollowedHealth[]
}

/** Who did what, as far as it is kept. */
export interface AuditLog {
  /** From this number on. */
  kept(from: number): readonly AuditEntry[]
  /** The same, and what comes, until abort. */
  follow(from: number, signal: AbortSignal): AsyncIterable<readonly AuditEntry[]>
}

/** The state as it was. */
export interface Past {
  /**
   * What a request would have been answered with.
   * @param at the beginning of a commit's id, seven characters or more, or a time as in 2026-11-30T12:00:00Z
   * @throws ApiError BAD_REQUEST, NOT_FOUND, TOO_MANY
   */
  answer(at: string, request: PastRequest): Promise<ApiResponse>
}

export type PastRequest = Pick<ApiRequest, 'method' | 'path' | 'query' | 'body'>

/** What the newest commit asks for and what is not carried out yet. */
export interface WaitingChanges {
  waiting(view: StateView): readonly ToldWait[]
}

/** What is remembered of commits. */
export interface CommitMemory {
  tracedJobs(view: StateView, sourceId: string, commitId: string): readonly TracedJob[]
  /** Seconds from the time of a commit to each of its steps. */
  readonly commitSeconds: Readonly<Record<string, HistogramReading>>
}

export type HookOutcome = 'accepted' | 'refused' | 'too-many'

/** What forges say. */
export interface Webhooks {
  /** Decides by the secret of the source, and looks at the repository when it is right. */
  receive(source: string, headers: ApiRequest['headers'], body: Uint8Array): HookOutcome
  /** By source. */
  readonly counts: ReadonlyMap<string, Readonly<Record<HookOutcome, number>>>
}

/** How the scheduler keeps up. */
export interface SchedulingHealth {
  readonly evaluationTimes: readonly EvaluationTime[]
  /** From a placement until its host first tells of it. */
  readonly assignmentSeconds: HistogramReading
}

/** Whether jobs run as they are wanted. */
export interface JobHealth {
  /** @param key of the job */
  isHealthy(view: StateView, key: string): boolean
}

/** Metrics in the text format of Prometheus. */
export interface PrometheusText {
  format(families: readonly Family[]): Promise<{ readonly contentType: string; readonly text: string }>
}

export interface BusHealth {
  /** How long the broker has been away; 0 while it is there. */
  readonly awayMs: number
  /** Messages that were not heeded, by reason: see docs/security.md. */
  readonly droppedMessages: ReadonlyMap<string, number>
}

/** Contents of the repositories by blob id. `undefined`: gone, or no text. */
export interface SourceTexts {
  read(sourceId: string, blob: string): Promise<string | undefined>
}

/** Who this server is and what it lets through, fixed at its start. */
export interface ApiSettings {
  readonly region: string
  readonly datacenter: string
  readonly name: string
  /** `runtime`: acts on what runs are carried out, and what is desired is changed in the repository only. */
  readonly writes: 'none' | 'runtime'
  /** Whether what is in variables may be read over the API. */
  readonly showVariables: boolean
  /** Public JSON web keys of workload identities. */
  readonly identityKeys: readonly Readonly<Record<string, string>>[]
  /** Undefined: discovery is off. */
  readonly oidcIssuer?: string | undefined
  /** Drover's own. */
  readonly version: string
  /** Where this API listens, `host:port`. */
  readonly address: string
}
