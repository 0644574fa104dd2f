/** The state as it was, from what is kept of the log: at a time, or at the end of the time in which a commit was the applied one. */
import type { LogIndex } from '../../domain/index.js'
import { apply, type Command, decodeSnapshot, State } from '../../state/index.js'
import { CommandReader } from '../log-record.js'
import type { LogRecord, Snapshot } from '../ports.js'

/** What is kept of a log. */
export interface PastLog {
  /** By index, oldest first. `writtenMs` is a little later than what they hold. */
  snapshots(): Promise<readonly { readonly index: LogIndex; readonly writtenMs: number }[]>
  loadSnapshotAt(index: LogIndex): Promise<Snapshot>
  read(fromIndex: LogIndex): AsyncIterable<LogRecord>
}

export type PastPoint = { readonly kind: 'commit'; readonly id: string } | { readonly kind: 'time'; readonly atMs: number }

export type PastState =
  | {
      readonly kind: 'state'
      readonly state: State
      /** Nothing that came later can change it. */
      readonly isOver: boolean
    }
  | { readonly kind: 'refused'; readonly text: string }

const COMMIT = /^[0-9a-f]{7,64}$/
/** `Date.parse` reads much else, each engine in its own way. */
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/** Undefined for what is neither. A day is its beginning in UTC. */
export function readPastPoint(text: string): PastPoint | undefined {
  if (COMMIT.test(text)) return { kind: 'commit', id: text }
  const atMs = TIME.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : { kind: 'time', atMs }
}

/** @throws DataDamagedError, and what the log throws */
export async function foldPast(log: PastLog, point: PastPoint, nowMs: number): Promise<PastState> {
  if (point.kind === 'time') {
    if (point.atMs > nowMs) return refused(`${toText(point.atMs)} is yet to come; it is ${toText(nowMs)}`)
    return foldUntil(log, (_, { atMs }) => atMs > point.atMs, { writtenMs: point.atMs })
  }
  const found = await findCommit(log, point.id)
  return 'text' in found ? found : foldUntil(log, (index) => index > found.index, { index: found.index })
}

/** @param isBeyond of the index and the command that would be applied next @param bound what a snapshot to begin with may be at most */
async function foldUntil(
  log: PastLog,
  isBeyond: (index: LogIndex, command: Command) => boolean,
  bound: { readonly index?: LogIndex; readonly writtenMs?: number },
): Promise<PastState> {
  const snapshots = await log.snapshots()
  const { index = Number.POSITIVE_INFINITY, writtenMs = Number.POSITIVE_INFINITY } = bound
  const usable = snapshots.filter((snapshot) => snapshot.index <= index && snapshot.writtenMs <= writtenMs)
  if (snapshots.length > 0 && usable.length === 0) return refuseOlder(await stateAt(log, snapshots[0]!.index))
  const state = usable.length === 0 ? new State() : await stateAt(log, usable.at(-1)!.index)
  const commands = new CommandReader()
  for await (const record of log.read(state.index + 1)) {
    for (const command of commands.read(record)) {
      if (!isBeyond(state.index + 1, command)) {
        apply(state, state.index + 1, command)
        continue
      }
      if (state.index > 0) return { kind: 'state', state, isOver: true }
      apply(state, 1, command)
      return refuseOlder(state)
    }
  }
  return { kind: 'state', state, isOver: false }
}

async function stateAt(log: PastLog, index: LogIndex): Promise<State> {
  return decodeSnapshot((await log.loadSnapshotAt(index)).bytes)
}

function refuseOlder(oldest: State): PastState {
  return refused(
    `what is kept begins at ${toText(oldest.atMs)}${describeApplied(oldest)}; what was wanted before is in git, and what ran is forgotten`,
  )
}

/** The last index before anything was done for the commit that came after. */
async function findCommit(
  log: PastLog,
  id: string,
): Promise<{ readonly index: LogIndex } | Extract<PastState, { readonly kind: 'refused' }>> {
  const [oldest] = await log.snapshots()
  const state = oldest === undefined ? new State() : await stateAt(log, oldest.index)
  const applied = new Map(state.sources.all().map((source) => [source.id, source.commit?.id ?? '']))
  const found = new Set<string>()
  const isApplied = () => {
    const here = [...applied.values()].filter((commit) => commit.startsWith(id))
    for (const commit of here) found.add(commit)
    return here.length > 0
  }
  /** Of the commands behind the oldest state. */
  const times: number[] = []
  const parsedMs = new Map<string, number>()
  let isHere = isApplied()
  let last: LogIndex | undefined
  const commands = new CommandReader()
  for await (const record of log.read(state.index + 1)) {
    for (const command of commands.read(record)) {
      times.push(command.atMs)
      if (command.kind === 'commit-trace') parsedMs.set(command.trace.commit.id, command.trace.parsedMs)
      if (command.kind !== 'source-sync') continue
      const next = command.status.commit?.id ?? ''
      applied.set(command.status.id, next)
      const wasHere = isHere
      isHere = isApplied()
      if (wasHere && !isHere) last = state.index + countBefore(times, parsedMs.get(next))
    }
  }
  if (isHere) last = state.index + times.length
  if (found.size > 1) return refused(`${id} is the beginning of ${found.size} commits: ${[...found].sort().join(', ')}`)
  if (last !== undefined) return { index: last }
  const since = state.index === 0 ? '' : ` since ${toText(state.atMs)}${describeApplied(state)}, which is as far as what is kept goes back`
  return refused(`no commit ${id} was applied${since}`)
}

/** Commands before what a commit has changed: its cursor moves last, and nothing of it is older than its being parsed. */
function countBefore(times: readonly number[], parsedMs = Number.POSITIVE_INFINITY): number {
  let count = times.length - 1
  while (count > 0 && times[count - 1]! >= parsedMs) count--
  return count
}

function describeApplied(state: State): string {
  const commits = state.sources.all().flatMap(({ commit }) => (commit === null ? [] : [commit.id.slice(0, 12)]))
  return commits.length === 0 ? '' : ` (commit ${commits.join(', ')})`
}

function refused(text: string): Extract<PastState, { readonly kind: 'refused' }> {
  return { kind: 'refused', text }
}

function toText(ms: number): string {
  return new Date(ms).toISOString()
}
