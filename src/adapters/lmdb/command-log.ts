/**
 * The log of a single server, embedded. LMDB with `overlappingSync: false` resolves a put only when its data is on disk;
 * all puts of one turn are one transaction. Snapshots are files beside it: written whole, synced, then renamed.
 */
import { mkdirSync } from 'node:fs'
import { open as openFile, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { type AppendOutcome, type CommandLog, checksumOf, type LogRecord, type Snapshot } from '../../controller/index.js'
import { DataDamagedError, explainError, type LogIndex } from '../../domain/index.js'
import { type FolderLock, lockFolder } from './folder-lock.js'

const SNAPSHOTS_KEPT = 2
const TRIM_PER_TURN = 1_000

export class LmdbCommandLog implements CommandLog {
  readonly #lock: FolderLock
  readonly #root: RootDatabase
  readonly #records: Database<LogRecord, number>
  readonly #snapshotFolder: string
  #last: { readonly nextIndex: LogIndex; readonly hash: string; readonly epoch: number } | undefined
  syncCount = 0

  /** @throws TerminalError FOLDER_LOCKED */
  static async open(folder: string): Promise<LmdbCommandLog> {
    mkdirSync(join(folder, 'snapshots'), { recursive: true })
    const lock = await lockFolder(folder, 'log')
    return new LmdbCommandLog(folder, lock)
  }

  private constructor(folder: string, lock: FolderLock) {
    this.#lock = lock
    this.#snapshotFolder = join(folder, 'snapshots')
    this.#root = open({ path: join(folder, 'log'), overlappingSync: false, maxDbs: 2 })
    this.#records = this.#root.openDB<LogRecord, number>({ name: 'records', encoding: 'msgpack', cache: false })
  }

  async loadSnapshot(): Promise<Snapshot | undefined> {
    const indexes = await this.#snapshotIndexes()
    const damaged: string[] = []
    for (const index of indexes.reverse()) {
      const snapshot = await readSnapshot(this.#snapshotPath(index))
      if (checksumOf(snapshot.bytes) === snapshot.checksum) return snapshot
      damaged.push(this.#snapshotPath(index))
    }
    if (damaged.length > 0)
      throw new DataDamagedError(
        'SNAPSHOT_CHECKSUM',
        `no snapshot is sound: ${damaged.join(', ')}; restore one with drover snapshot restore`,
      )
    return undefined
  }

  async *read(fromIndex: LogIndex): AsyncIterable<LogRecord> {
    const newest = [...this.#records.getRange({ reverse: true, limit: 1 })][0]?.value
    if (newest !== undefined) this.#last = { nextIndex: newest.firstIndex + newest.count, hash: newest.hash, epoch: newest.epoch }
    // The record that holds `fromIndex` may begin before it.
    const first = [...this.#records.getRange({ start: fromIndex, reverse: true, limit: 1 })][0]?.value
    const start = first !== undefined && first.firstIndex + first.count > fromIndex ? first.firstIndex : fromIndex
    for (const { value } of this.#records.getRange({ start })) yield value
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

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    const path = this.#snapshotPath(snapshot.index)
    await writeSnapshot(path, snapshot)
    const indexes = await this.#snapshotIndexes()
    for (const index of indexes.slice(0, -SNAPSHOTS_KEPT)) await unlink(this.#snapshotPath(index))
    const kept = indexes.slice(-SNAPSHOTS_KEPT)
    if (kept.length === SNAPSHOTS_KEPT) await this.#trimBelow(kept[0]!)
  }

  /** The folder's lock is held until this process dies, so nobody else can lead. */
  lease(): { readonly confirmedMs: number; readonly leaseMs: number } {
    return { confirmedMs: 0, leaseMs: Number.POSITIVE_INFINITY }
  }

  async close(): Promise<void> {
    await this.#root.close()
    await this.#lock.release()
  }

  async #trimBelow(index: LogIndex): Promise<void> {
    for (;;) {
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

/** One line of JSON, then the bytes. */
async function writeSnapshot(path: string, snapshot: Snapshot): Promise<void> {
  const { bytes, ...head } = snapshot
  const file = await openFile(`${path}.tmp`, 'w')
  try {
    await file.write(`${JSON.stringify(head)}\n`)
    await file.write(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
}

async function readSnapshot(path: string): Promise<Snapshot> {
  const content = await readFile(path)
  const end = content.indexOf(0x0a)
  try {
    return { ...(JSON.parse(content.toString('utf8', 0, end)) as Omit<Snapshot, 'bytes'>), bytes: content.subarray(end + 1) }
  } catch (cause) {
    throw new DataDamagedError(
      'SNAPSHOT_HEAD',
      `the snapshot ${path} has no readable head; move it away to use the one before`,
      { path },
      cause,
    )
  }
}
