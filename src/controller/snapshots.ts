/** Snapshots made outside of a leader: of a folded log, of an empty cluster, and one that counts on from a later number. */
import { builtInRows, cutState, decodeSnapshot, encodeCut, State } from '../state/index.js'
import { checksumOf } from './checksum.js'
import type { Snapshot } from './ports.js'

export function snapshotOf({ state, chainHash }: { readonly state: State; readonly chainHash: string }): Snapshot {
  const bytes = Buffer.concat([...encodeCut(cutState(state))])
  return { index: state.index, epoch: state.epoch, chainHash, checksum: checksumOf(bytes), bytes }
}

/**
 * A cluster that knows nothing. Its numbers begin at the present millisecond, above any that its hosts and readers can have seen before: nobody
 * takes what it says for old.
 */
export function emptySnapshot(clusterId: string, nowMs: number): Snapshot {
  const state = new State()
  Object.assign(state, { index: nowMs, atMs: nowMs, epoch: nowMs, clusterId })
  builtInRows(state, nowMs)
  return snapshotOf({ state, chainHash: '' })
}

/** The same state, counting on from the present millisecond. The log begins anew behind it. */
export function raiseSnapshot(snapshot: Snapshot, nowMs: number): Snapshot {
  const state = decodeSnapshot(snapshot.bytes)
  Object.assign(state, { index: Math.max(state.index + 1, nowMs), epoch: Math.max(state.epoch + 1, nowMs) })
  return snapshotOf({ state, chainHash: '' })
}
