/** What the HTTP API asks of the server it is part of. */

import type { RpcMethod } from '../agent/index.js'
import type { Job, LogIndex, Mistake, SchedulingResult } from '../domain/index.js'
import type { StateView, TableName } from '../state/index.js'

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
  readonly isLeader: boolean
  /** Milliseconds since this server heard from the leader; 0 on the leader. */
  readonly lastContactMs: number
}

/** Long answers from an agent: logs, files, statistics. Parts are what `agent/rpc.ts` says for the method. */
export interface AgentCaller {
  call(nodeId: string, method: RpcMethod, request: unknown, signal: AbortSignal): AsyncIterable<unknown>
}

/** Dry run of the scheduler: what would happen if `job` were registered now. */
export interface Planner {
  plan(job: Job): Promise<{ readonly result: SchedulingResult; readonly index: LogIndex }>
}

/** Text to Job, as the reconciler does it; used by parse, validate and plan. */
export interface JobspecParser {
  parse(request: {
    readonly path: string
    readonly text: string
    /** Text of a variables file, HCL. */
    readonly variables?: string
  }): Promise<
    | { readonly kind: 'job'; readonly job: Job; readonly warnings: readonly string[] }
    | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  >
}
