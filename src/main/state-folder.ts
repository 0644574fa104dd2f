/** The folder in which a server keeps its state: opened, looked through, begun again. */
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { checkStore } from '../adapters/lmdb/check-store.js'
import { LmdbCommandLog } from '../adapters/lmdb/command-log.js'
import { lockFolder } from '../adapters/lmdb/folder-lock.js'
import { type HistoryRules, NO_HISTORY } from '../adapters/lmdb/retention.js'
import { readSnapshotFile, writeSnapshotFile } from '../adapters/lmdb/snapshot-file.js'
import { emptySnapshot, foldLog, raiseSnapshot, type Snapshot, snapshotOf } from '../controller/index.js'
import { DataDamagedError, TerminalError } from '../domain/index.js'
import { decodeSnapshot, type State } from '../state/index.js'
import { readClusterMark, writeClusterMark } from './cluster-mark.js'

export function stateFolder(dataFolder: string): string {
  return join(dataFolder, 'state')
}

export function logFolder(dataFolder: string): string {
  return join(stateFolder(dataFolder), 'log')
}

export interface OpenOptions {
  /** Begin again as this cluster, over what its hosts run. */
  readonly adoptCluster: string | undefined
  /** What is kept of the past; absent: nothing but what a start needs. */
  readonly history?: HistoryRules
  /** Reads the store before it is opened; tests that run from sources name another. */
  readonly check?: (storeFolder: string) => Promise<void>
}

export interface OpenedState {
  readonly log: LmdbCommandLog
  /** What was there could not be read and was moved here. */
  readonly movedTo: string | undefined
}

/**
 * The log, if it is sound and that of the cluster that the folder belongs to.
 * @throws DataDamagedError with what is damaged and what to do; TerminalError FOLDER_LOCKED, OTHER_CLUSTER
 */
export async function openState(
  dataFolder: string,
  { adoptCluster, history = NO_HISTORY, check = checkStore }: OpenOptions,
): Promise<OpenedState> {
  const folder = stateFolder(dataFolder)
  const mark = readClusterMark(dataFolder)
  try {
    return { log: await openSound(folder, { mark, check, adoptCluster, history }), movedTo: undefined }
  } catch (error) {
    if (!(error instanceof DataDamagedError)) throw error
    if (adoptCluster === undefined) throw withRemedy(error, dataFolder, mark)
    const movedTo = moveAside(folder, 'damaged')
    return { log: await openSound(folder, { mark: undefined, check, adoptCluster, history }), movedTo }
  }
}

async function openSound(
  folder: string,
  { mark, check, adoptCluster, history }: Required<OpenOptions> & { readonly mark: string | undefined },
): Promise<LmdbCommandLog> {
  const log = await LmdbCommandLog.open(folder, check, history)
  try {
    const isEmpty = await log.isEmpty()
    if (isEmpty && adoptCluster !== undefined) await log.saveSnapshot(emptySnapshot(adoptCluster, Date.now()))
    else if (isEmpty && mark !== undefined) throw new DataDamagedError('STATE_LOST', `the state of cluster ${mark} in ${folder} is gone`)
    else if (!isEmpty && adoptCluster !== undefined) await refuseOtherCluster(log, adoptCluster)
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

async function refuseOtherCluster(log: LmdbCommandLog, clusterId: string): Promise<void> {
  const { state } = await foldLog(log)
  if (state.clusterId === clusterId) return
  throw new TerminalError(
    'OTHER_CLUSTER',
    `the state here is that of cluster ${state.clusterId}, not ${clusterId}; move it away to begin again`,
  )
}

/** What an operator can do about it, in the order of what loses least. */
function withRemedy(error: DataDamagedError, dataFolder: string, mark: string | undefined): DataDamagedError {
  const id = mark ?? 'ID (which every agent says when it is refused)'
  const remedy = `restore a snapshot with: drover snapshot restore FILE --data-dir ${dataFolder}; without one begin again over what the hosts run with: drover server --config FILE --adopt-cluster ${id}`
  return new DataDamagedError(error.code, `${error.message}; ${remedy}`, error.facts, error.cause)
}

/** Nothing is ever deleted: what an operator calls damaged may still be looked at. */
function moveAside(folder: string, why: string): string {
  for (let number = 1; ; number++) {
    const path = `${folder}.${why}-${number}`
    if (existsSync(path)) continue
    renameSync(folder, path)
    return path
  }
}

/** The newest state as one file; also while a server runs. @throws DataDamagedError, TerminalError NO_STATE */
export async function saveSnapshot(dataFolder: string, file: string, check = checkStore): Promise<Snapshot> {
  await check(logFolder(dataFolder))
  const log = LmdbCommandLog.openForReading(stateFolder(dataFolder))
  try {
    const snapshot = snapshotOf(await foldLog(log))
    await writeSnapshotFile(file, snapshot)
    return snapshot
  } finally {
    await log.close()
  }
}

/**
 * Puts the state of a snapshot in the place of what is there, which is moved aside. It counts on from now, so that hosts and readers
 * that have seen later things than it holds take it for newer. @throws TerminalError FOLDER_LOCKED, DataDamagedError
 */
export async function restoreSnapshot(
  dataFolder: string,
  file: string,
): Promise<{ readonly snapshot: Snapshot; readonly movedTo: string | undefined }> {
  const snapshot = raiseSnapshot(await readSnapshotFile(file), Date.now())
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const folder = stateFolder(dataFolder)
  let movedTo: string | undefined
  if (existsSync(folder)) {
    // Whoever holds it may be writing.
    await (await lockFolder(folder, 'log')).release()
    movedTo = moveAside(folder, 'before-restore')
  }
  const log = await LmdbCommandLog.open(folder)
  try {
    await log.saveSnapshot(snapshot)
  } finally {
    await log.close()
  }
  writeClusterMark(dataFolder, decodeSnapshot(snapshot.bytes).clusterId)
  return { snapshot, movedTo }
}

/** @throws DataDamagedError */
export async function inspectSnapshot(file: string): Promise<{ readonly snapshot: Snapshot; readonly state: State }> {
  const snapshot = await readSnapshotFile(file)
  return { snapshot, state: decodeSnapshot(snapshot.bytes) }
}

/** Reads everything and writes nothing. @throws DataDamagedError with what is damaged */
export async function examineState(dataFolder: string, check = checkStore): Promise<State> {
  const mark = readClusterMark(dataFolder)
  const folder = stateFolder(dataFolder)
  if (mark !== undefined && !existsSync(join(logFolder(dataFolder), 'data.mdb')))
    throw new DataDamagedError('STATE_LOST', `the state of cluster ${mark} in ${folder} is gone`)
  await check(logFolder(dataFolder))
  const log = LmdbCommandLog.openForReading(folder)
  try {
    const { state } = await foldLog(log)
    if (state.clusterId === '')
      throw new DataDamagedError('STATE_LOST', `${folder} holds no state${mark === undefined ? '' : ` of cluster ${mark}`}`)
    if (mark !== undefined && mark !== state.clusterId)
      throw new DataDamagedError(
        'OTHER_CLUSTER',
        `the folder belongs to cluster ${mark}, the state in it is that of cluster ${state.clusterId}`,
      )
    return state
  } finally {
    await log.close()
  }
}
