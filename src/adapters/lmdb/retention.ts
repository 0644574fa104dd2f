/** Which snapshots of a log are kept: two for the next start, and what it takes to tell how things were. Pure. */
import type { LogIndex } from '../../domain/index.js'

export interface HistoryRules {
  /** How far back the past is kept, and at most how many Commands of it. */
  readonly ms: number
  readonly commandsMax: number
}

/** Only what a start needs. */
export const NO_HISTORY: HistoryRules = { ms: 0, commandsMax: 0 }

export interface KnownSnapshot {
  readonly index: LogIndex
  readonly writtenMs: number
}

const KEPT_FOR_START = 2
/** Between the oldest and the newest lie about so many, so that the past is not folded from its very beginning each time. */
const STEPS = 8

/** @param snapshots by index, oldest first @returns those to keep; the log is needed from the first of them on */
export function snapshotsToKeep(
  snapshots: readonly KnownSnapshot[],
  nowMs: number,
  { ms, commandsMax }: HistoryRules,
): readonly KnownSnapshot[] {
  const newest = snapshots.slice(-KEPT_FOR_START)
  const older = snapshots.slice(0, -KEPT_FOR_START)
  const endIndex = newest.at(-1)?.index ?? 0
  const isOldEnough = ({ index, writtenMs }: KnownSnapshot) => writtenMs <= nowMs - ms || index <= endIndex - commandsMax
  // One that is old enough is where the past begins; those before it are of no use.
  const first = [...older, ...newest.slice(0, 1)].findLastIndex(isOldEnough)
  if (first >= older.length) return newest
  const kept: KnownSnapshot[] = []
  for (const snapshot of older.slice(Math.max(0, first))) {
    const before = kept.at(-1)
    const isApart =
      before === undefined || snapshot.writtenMs - before.writtenMs >= ms / STEPS || snapshot.index - before.index >= commandsMax / STEPS
    if (isApart) kept.push(snapshot)
  }
  return [...kept, ...newest]
}
