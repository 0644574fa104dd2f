/** What has happened to each allocation of a group, judged by its own state and its node's (Nomad docs, "Placement"). */
import {
  type Allocation,
  findTaskGroup,
  isCanary,
  isClientTerminal,
  isServerTerminal,
  isTerminal,
  type Job,
  MILLISECOND,
  type Node,
  parseRfc3339Ms,
} from '../../domain/index.js'
import type { StateView } from '../../state/index.js'

export interface Classified {
  /** As wanted, or ended by itself: what the rest of the reconciler decides about. */
  readonly untainted: Allocation[]
  readonly migrate: Allocation[]
  readonly lost: Allocation[]
  /** On a node that has just gone silent: they become unknown. */
  readonly disconnecting: Allocation[]
  /** Back from a silent node. */
  readonly reconnecting: Allocation[]
  /** Unknown for longer than allowed. */
  readonly expiring: Allocation[]
  readonly ignore: Allocation[]
}

type Verdict = keyof Classified

/** A node as far as it is in trouble: undefined when it is well, or taken for well for now; null when it is gone. */
export type Taint = Node | null | undefined

export function taintOf(view: StateView, nodeId: string): Taint {
  const node = view.nodes.get(nodeId)
  if (node === undefined) return null
  if (node.DrainStrategy === null && view.heldLosses.get(nodeId) !== undefined) return undefined
  return node.Status === 'down' || node.Status === 'disconnected' || node.DrainStrategy !== null ? node : undefined
}

export function classify(
  view: StateView,
  allocations: readonly Allocation[],
  jobOf: (allocation: Allocation) => Job | undefined,
  nowMs: number,
): Classified {
  const sets: Classified = { untainted: [], migrate: [], lost: [], disconnecting: [], reconnecting: [], expiring: [], ignore: [] }
  for (const allocation of allocations) {
    const disconnect = disconnectRulesOf(allocation, jobOf(allocation))
    sets[judge(allocation, taintOf(view, allocation.NodeID), disconnect, nowMs)].push(allocation)
  }
  return sets
}

export interface DisconnectRules {
  readonly lostAfterMs: number
  readonly replace: boolean
}

/** Undefined when the group says nothing about nodes that go silent. */
export function disconnectRulesOf(allocation: Allocation, job: Job | undefined): DisconnectRules | undefined {
  const strategy = job === undefined ? undefined : findTaskGroup(job, allocation.TaskGroup)?.Disconnect
  if (strategy === null || strategy === undefined) return undefined
  return { lostAfterMs: strategy.LostAfter / MILLISECOND, replace: strategy.Replace !== false }
}

/** First match wins. */
function judge(allocation: Allocation, taint: Taint, disconnect: DisconnectRules | undefined, nowMs: number): Verdict {
  const isBack = needsReconnect(allocation)
  if (isBack && allocation.ClientStatus === 'failed' && allocation.DesiredStatus === 'run') return 'reconnecting'
  if (isServerTerminal(allocation)) {
    if (allocation.DesiredTransition?.MigrateDisablePlacement === true) return 'untainted'
    if (isCanaryToMove(allocation)) return 'migrate'
    return 'ignore'
  }
  if (isTerminal(allocation)) return isCanaryToMove(allocation) ? 'migrate' : 'untainted'
  if (isExpired(allocation, disconnect, nowMs)) return 'expiring'
  if (taint !== undefined && taint !== null && taint.Status === 'disconnected') return judgeDisconnected(allocation, disconnect)
  if (allocation.DesiredTransition?.Migrate === true) return 'migrate'
  if (taint === undefined || (taint !== null && taint.Status === 'ready')) return isBack ? 'reconnecting' : 'untainted'
  if (taint === null) return 'lost'
  return judgeDown(allocation, disconnect, taint)
}

function isCanaryToMove(allocation: Allocation): boolean {
  return isClientTerminal(allocation) && isCanary(allocation) && allocation.DesiredTransition?.Migrate === true
}

function judgeDisconnected(allocation: Allocation, disconnect: DisconnectRules | undefined): Verdict {
  if (allocation.ClientStatus === 'unknown') return 'untainted'
  if (allocation.ClientStatus === 'pending') return 'lost'
  return disconnect === undefined || disconnect.lostAfterMs === 0 ? 'lost' : 'disconnecting'
}

function judgeDown(allocation: Allocation, disconnect: DisconnectRules | undefined, node: Node): Verdict {
  if (node.Status !== 'down') return 'untainted'
  if (disconnect?.replace === false) {
    if (allocation.ClientStatus === 'unknown') return 'untainted'
    if (allocation.ClientStatus === 'running') return 'disconnecting'
  }
  return 'lost'
}

/** Was called unknown, and nothing has been noted since. */
export function needsReconnect(allocation: Allocation): boolean {
  const isHeard = allocation.ClientStatus === 'running' || allocation.ClientStatus === 'failed'
  return isHeard && wasOutOfSight(allocation)
}

/** Whatever its client says of it by now. */
export function wasOutOfSight({ AllocStates }: Allocation): boolean {
  return AllocStates?.filter(({ Field }) => Field === 0).at(-1)?.Value === 'unknown'
}

/** Of an earlier version, or of an earlier job of the same id. */
export function isOutdated(allocation: Allocation, job: Job): boolean {
  return allocation.JobVersion < job.Version || allocation.JobCreateIndex < job.CreateIndex
}

export function lastUnknownMs(allocation: Allocation): number | undefined {
  return parseRfc3339Ms(allocation.AllocStates?.filter((state) => state.Value === 'unknown').at(-1)?.Time)
}

function isExpired(allocation: Allocation, disconnect: DisconnectRules | undefined, nowMs: number): boolean {
  if (allocation.ClientStatus !== 'unknown' || disconnect === undefined || disconnect.lostAfterMs === 0) return false
  const sinceMs = lastUnknownMs(allocation)
  return sinceMs !== undefined && nowMs >= sinceMs + disconnect.lostAfterMs
}
