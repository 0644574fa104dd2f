/**
 * The log of a single server, embedded. LMDB with `overlappingSync: false` resolves a put only when its data is on disk;
 * all puts of one turn are one transaction. Snapshots are files beside it: written whole, synced, then renamed.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { AppendOutcome, CommandLog, LogRecord, Snapshot } from '../../controller/index.js'
import { DataDamagedError, explainError, type LogIndex, OrchestratorError, TerminalError } from '../../domain/index.js'
import { type FolderLock, lockFolder } from './folder-lock.js'
import { type HistoryRules, type KnownSnapshot, NO_HISTORY, snapshotsToKeep } from './retention.js'
import { readSnapshotFile, writeSnapshotFile } from './snapshot-file.js'

const TRIM_PER_TURN = 1_000

export class LmdbCommandLog implements CommandLog {
  readonly #lock: FolderLock
  readonly #folder: string
  readonly #root: RootDatabase
  readonly #records: Database<LogRecord, number>
  readonly #snapshotFolder: string
  readonly #history: HistoryRules
  #last: { readonly nextIndex: LogIndex; readonly hash: string; readonly epoch: number } | undefined
  /** Snapshots that are being written: the store is not closed under them. */
  readonly #saving = new Set<Promise<void>>()
  #isClosing = false
  syncCount = 0

  /**
   * @param check of the store's folder, before it is opened. @throws TerminalError FOLDER_LOCKED, DataDamagedError, and what `check` throws
   */
  static async open(
    folder: string,
    check: (storeFolder: string) => Promise<void> = async () => {},
    history: HistoryRules = NO_HISTORY,
  ): Promise<LmdbCommandLog> {
    mkdirSync(join(folder, 'snapshots'), { recursive: true })
    const lock = await lockFolder(folder, 'log')
    try {
      await check(join(folder, 'log'))
      return new LmdbCommandLog(folder, lock, false, history)
    } catch (error) {
      await lock.release()
      throw asDamage(error, folder)
    }
  }

  /** For looking only, also while a server writes. @throws DataDamagedError, TerminalError NO_STATE */
  static openForReading(folder: string): LmdbCommandLog {
    if (!existsSync(join(folder, 'log', 'data.mdb'))) throw new TerminalError('NO_STATE', `${folder} holds no state of a server`)
    try {
      return new LmdbCommandLog(folder, { release: async () => {} }, true, NO_HISTORY)
    } catch (error) {
      throw asDamage(error, folder)
    }
  }

  private constructor(folder: string, lock: FolderLock, isReadOnly: boolean, history: HistoryRules) {
    this.#lock = lock
    this.#history = history
    this.#folder = folder
    this.#snapshotFolder = join(folder, 'snapshots')
    this.#root = open({ path: join(folder, 'log'), overlappingSync: false, maxDbs: 2, readOnly: isReadOnly })
    this.#records = this.#root.openDB<LogRecord, number>({ name: 'records', encoding: 'msgpack', cache: false })
  }

  /** Nothing was ever written, or all of it is gone. */
  async isEmpty(): Promise<boolean> {
    return this.#records.getKeysCount({ limit: 1 }) === 0 && (await this.#snapshotIndexes()).length === 0
  }

  async loadSnapshot(): Promise<Snapshot | undefined> {
    const indexes = await this.#snapshotIndexes()
    const damages: string[] = []
    for (const index of indexes.reverse()) {
      try {
        return await readSnapshotFile(this.#snapshotPath(index))
      } catch (error) {
        if (!(error instanceof DataDamagedError)) throw error
        damages.push(error.message)
      }
    }
    if (damages.length > 0) throw new DataDamagedError('SNAPSHOT_DAMAGED', `no snapshot is sound: ${damages.join('; ')}`)
    return undefined
  }

  async *read(fromIndex: LogIndex): AsyncIterable<LogRecord> {
    const newest = [...this.#records.getRange({ reverse: true, limit: 1 })][0]?.value
    if (newest !== undefined) this.#last = { nextIndex: newest.firstIndex + newest.count, hash: newest.hash, epoch: newest.epoch }
    // The record that holds `fromIndex` may begin before it.
    const first = [...this.#records.getRange({ start: fromIndex, reverse: true, limit: 1 })][0]?.value
    const start = first !== undefined && first.firstIndex + first.count > fromIndex ? first.firstIndex : fromIndex
    try {
      for (const { value } of this.#records.getRange({ start })) yield value
    } catch (error) {
      throw asDamage(error, this.#folder)
    }
  }

  async append(record: LogRecord): Promise<AppendOutcome> {
    const last = this.#last
    if (last !== undefined && (record.firstIndex !== last.nextIndex || record.previousHash !== last.hash || record.epoch < last.epoch)) {
      return { kind: 'refused', reason: `the log continues at ${last.nextIndex} in epoch ${last.epoch}` }
    }
    try {
      this.#last = { nextIndex: record.firstIndex + record.count, hash: record.hash, epoch: record.epoch }
      await this.#records.put(record.firstIndex, record)
      this.syncCount++
      return { kind: 'durable' }
    } catch (error) {
      return { kind: 'refused', reason: `writing to disk failed: ${explainError(error)}` }
    }
  }

  /** @throws TerminalError LOG_CLOSED */
  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    if (this.#isClosing) throw new TerminalError('LOG_CLOSED', `the log in ${this.#folder} is closed`)
    const saving = this.#saveSnapshot(snapshot)
    this.#saving.add(saving)
    await saving.finally(() => this.#saving.delete(saving))
  }

  async #saveSnapshot(snapshot: Snapshot): Promise<void> {
    const path = this.#snapshotPath(snapshot.index)
    await writeSnapshotFile(path, snapshot)
    const known = await this.snapshots()
    const kept = snapshotsToKeep(known, Date.now(), this.#history)
    for (const one of known) if (!kept.includes(one)) await unlink(this.#snapshotPath(one.index))
    // The first of all is not enough to trim for: were it damaged, the log alone would tell everything.
    if (kept.length > 1) await this.#trimBelow(kept[0]!.index)
  }

  async snapshots(): Promise<readonly KnownSnapshot[]> {
    const known: KnownSnapshot[] = []
    for (const index of await this.#snapshotIndexes()) {
      // Another process may be taking it away.
      const found = await stat(this.#snapshotPath(index)).catch(() => undefined)
      if (found !== undefined) known.push({ index, writtenMs: found.mtimeMs })
    }
    return known
  }

  /** @throws DataDamagedError @throws TerminalError SNAPSHOT_UNREADABLE */
  loadSnapshotAt(index: LogIndex): Promise<Snapshot> {
    return readSnapshotFile(this.#snapshotPath(index))
  }

  /** The folder's lock is held until this process dies, so nobody else can lead. */
  lease(): { readonly confirmedMs: number; readonly leaseMs: number } {
    return { confirmedMs: 0, leaseMs: Number.POSITIVE_INFINITY }
  }

  /** A snapshot that is being written is finished; what it makes superfluous in the log is left for the next one. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.allSettled(this.#saving)
    await this.#root.close()
    await this.#lock.release()
  }

  async #trimBelow(index: LogIndex): Promise<void> {
    while (!this.#isClosing) {
      const keys: number[] = []
      for (const { key, value } of this.#records.getRange({ limit: TRIM_PER_TURN }))
        if (value.firstIndex + value.count - 1 <= index) keys.push(key)
      if (keys.length === 0) return
      for (const key of keys.slice(0, -1)) this.#records.remove(key)
      await this.#records.remove(keys.at(-1)!)
    }
  }

  async #snapshotIndexes(): Promise<number[]> {
    const names = await readdir(this.#snapshotFolder)
    return names.flatMap((name) => (/^\d+\.snapshot$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((a, b) => a - b)
  }

  #snapshotPath(index: LogIndex): string {
    return join(this.#snapshotFolder, `${index}.snapshot`)
  }
}

/** What the store says in its own words, or the decoder in its, is damage as long as it is none of our refusals. */
function asDamage(error: unknown, folder: string): unknown {
  if (error instanceof OrchestratorError || typeof (error as NodeJS.ErrnoException).syscall === 'string') return error
  return new DataDamagedError('STORE_DAMAGED', `the log in ${folder} cannot be read: ${explainError(error)}`, { folder }, error)
}
