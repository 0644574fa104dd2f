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
  | Refusal

interface Refusal {
  readonly kind: 'refused'
  readonly text: string
}

const COMMIT = /^[0-9a-f]{7,64}$/
/** `Date.parse` reads much else, each engine in its own way. */
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/** Undefined for what is neither. A day is its beginning in UTC. */
export function readPastPoint(text: string): PastPoint | undefined {
  if (COMMIT.test(text)) return { kind: 'commit', id: text }
  const atMs = TIME.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : { kind: 'time', atMs }
}

/** The first moment that is no more part of what is asked for; nothing: the end of the log. */
interface End {
  readonly index?: LogIndex | undefined
  readonly atMs?: number | undefined
}

/** @throws DataDamagedError, and what the log throws */
export async function foldPast(log: PastLog, point: PastPoint, nowMs: number): Promise<PastState> {
  if (point.kind === 'time') {
    if (point.atMs > nowMs) return refused(`${toText(point.atMs)} is yet to come; it is ${toText(nowMs)}`)
    return foldUntil(log, { atMs: point.atMs + 1 })
  }
  const found = await findCommit(log, point.id)
  return 'text' in found ? found : foldUntil(log, found)
}

async function foldUntil(
  log: PastLog,
  { index: endIndex = Number.POSITIVE_INFINITY, atMs: endMs = Number.POSITIVE_INFINITY }: End,
): Promise<PastState> {
  const start = await startBefore(log, { index: endIndex, atMs: endMs })
  if ('text' in start) return start
  const state = start
  const commands = new CommandReader()
  for await (const record of log.read(state.index + 1)) {
    for (const [at, command] of commands.read(record).entries()) {
      const index = record.firstIndex + at
      if (index <= state.index) continue
      if (index < endIndex && command.atMs < endMs) {
        apply(state, index, command)
        continue
      }
      if (state.index > 0) return { kind: 'state', state, isOver: true }
      apply(state, index, command)
      return refuseOlder(state)
    }
  }
  return { kind: 'state', state, isOver: false }
}

/** The newest state that is kept and of which nothing is beyond the end. */
async function startBefore(log: PastLog, end: { readonly index: LogIndex; readonly atMs: number }): Promise<State | Refusal> {
  const snapshots = await log.snapshots()
  const [oldest] = snapshots
  if (oldest === undefined) return new State()
  for (const { index } of snapshots.filter((snapshot) => snapshot.index < end.index && snapshot.writtenMs < end.atMs).reverse()) {
    const state = await stateAt(log, index)
    // Where the clock of the machine was set back, a file looks older than what it holds.
    if (state.atMs < end.atMs) return state
  }
  return refuseOlder(await stateAt(log, oldest.index))
}

async function stateAt(log: PastLog, index: LogIndex): Promise<State> {
  return decodeSnapshot((await log.loadSnapshotAt(index)).bytes)
}

function refuseOlder(oldest: State): Refusal {
  return refused(
    `what is kept begins at ${toText(oldest.atMs)}${describeApplied(oldest)}; what was wanted before is in git, and what ran is forgotten`,
  )
}

/** The end of the last time in which the commit was the applied one: before anything was done for the one that came after. */
async function findCommit(log: PastLog, id: string): Promise<End | Refusal> {
  const [oldest] = await log.snapshots()
  const state = oldest === undefined ? new State() : await stateAt(log, oldest.index)
  const applied = new Map(state.sources.all().map((source) => [source.id, source.commit?.id ?? '']))
  const found = new Set<string>()
  const isApplied = () => {
    const here = [...applied.values()].filter((commit) => commit.startsWith(id))
    for (const commit of here) found.add(commit)
    return here.length > 0
  }
  const parsedMs = new Map<string, number>()
  let isHere = isApplied()
  let end: End | undefined
  for await (const { index, command } of commitMoves(log, state.index + 1)) {
    if (command.kind === 'commit-trace') {
      parsedMs.set(command.trace.commit.id, command.trace.parsedMs)
      continue
    }
    const next = command.status.commit?.id ?? ''
    applied.set(command.status.id, next)
    const wasHere = isHere
    isHere = isApplied()
    // A cursor moves last: what was done for the commit is not older than its being parsed.
    if (wasHere && !isHere) end = { index, atMs: parsedMs.get(next) }
    parsedMs.delete(next)
  }
  if (found.size > 1) return refused(`${id} is the beginning of ${found.size} commits: ${[...found].sort().join(', ')}`)
  if (isHere) return {}
  if (end !== undefined) return end
  const since = state.index === 0 ? '' : ` since ${toText(state.atMs)}${describeApplied(state)}, which is as far as what is kept goes back`
  return refused(`no commit ${id} was applied${since}`)
}

type CommitMove = Extract<Command, { readonly kind: 'source-sync' | 'commit-trace' }>

/** Which records are looked into: most of a log is of what runs, and taking it apart is most of the time. The names stand in them as they are. */
const TELLING = ['source-sync', 'commit-trace', 'command-part', 'leadership-begin'] as const satisfies readonly Command['kind'][]

async function* commitMoves(log: PastLog, fromIndex: LogIndex): AsyncIterable<{ readonly index: LogIndex; readonly command: CommitMove }> {
  const commands = new CommandReader()
  for await (const record of log.read(fromIndex)) {
    const payload = Buffer.from(record.payload.buffer, record.payload.byteOffset, record.payload.length)
    if (!TELLING.some((kind) => payload.includes(kind))) continue
    for (const [at, command] of commands.read(record).entries()) {
      const index = record.firstIndex + at
      if (index >= fromIndex && (command.kind === 'source-sync' || command.kind === 'commit-trace')) yield { index, command }
    }
  }
}

function describeApplied(state: State): string {
  const commits = state.sources.all().flatMap(({ commit }) => (commit === null ? [] : [commit.id.slice(0, 12)]))
  return commits.length === 0 ? '' : ` (commit ${commits.join(', ')})`
}

function refused(text: string): Refusal {
  return { kind: 'refused', text }
}

function toText(ms: number): string {
  return new Date(ms).toISOString()
}
