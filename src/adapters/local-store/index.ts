/**
 * What an agent must not forget, in LMDB: a write resolves when it is on disk. One agent a folder, by a lock.
 *
 * Each value has a checksum: one that is damaged is told by its key, and the others are read. A store that cannot be read at all makes
 * way for an empty one. Some damage ends the whole process where it is met: a mark beside the store says that it was being opened, and
 * the next life lets another process read it first.
 *
 * A disk that takes nothing more keeps nobody from starting: what was written can be read, and a write is refused until there is
 * room. Some room of its own the store keeps inside its file, as pages that were written once and are free.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { LocalStore } from '../../agent/index.js'
import { explainError, OrchestratorError } from '../../domain/index.js'
import { fromCheckedJson, toCheckedJson } from '../checked-json.js'
import { checkStore } from '../lmdb/check-store.js'
import { type FolderLock, lockFolder } from '../lmdb/folder-lock.js'

type Database = RootDatabase<unknown, string>

export interface LocalStoreOptions {
  /** The compiled reader; tests that run from sources name it. */
  readonly reader?: URL
  /** The whole store is lost; told what became of it. */
  readonly onDamage?: (text: string) => void
}

const READER = new URL('./read-local-store.js', import.meta.url)
/** As many values of 64 KiB as make 4 MiB: the encoder keeps a buffer of the largest value that it has met for good. */
const FILLER_BYTES = 64 * 1024
const FILLER_COUNT = 64
/** What marks a store, behind the header of its first page. */
const MAGIC = 0xbeef_c0de
const MAGIC_AT = 24
const HEAD_BYTES = 28
const FILLER = '_filler/'

export class LmdbLocalStore implements LocalStore {
  readonly #path: string
  readonly #lock: FolderLock
  #database: Database
  /** Opened for reading only: the disk takes nothing now. */
  #isReadOnly: boolean

  /** @throws TerminalError FOLDER_LOCKED */
  static async open(folder: string, { reader = READER, onDamage }: LocalStoreOptions = {}): Promise<LmdbLocalStore> {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const lock = await lockFolder(folder, 'agent')
    const path = join(folder, 'agent-state')
    const mark = `${path}.opening`
    const makeWay = (problem: string) => {
      rmSync(`${path}.damaged`, { recursive: true, force: true })
      renameSync(path, `${path}.damaged`)
      onDamage?.(`${path} cannot be read and was put aside as ${path}.damaged: ${problem}`)
    }
    const problem = headProblem(join(path, 'data.mdb'))
    if (problem !== undefined) makeWay(problem)
    else if (existsSync(mark)) await checkStore(path, { reader }).catch((error: unknown) => makeWay(explainError(error)))
    tryTo(() => writeFileSync(mark, ''))
    try {
      return await LmdbLocalStore.#openAsItIs(path, lock)
    } catch (error) {
      if (!existsSync(join(path, 'data.mdb'))) throw error
      makeWay(explainError(error))
      return await LmdbLocalStore.#openAsItIs(path, lock)
    } finally {
      tryTo(() => rmSync(mark, { force: true }))
    }
  }

  static async #openAsItIs(path: string, lock: FolderLock): Promise<LmdbLocalStore> {
    try {
      const store = new LmdbLocalStore(path, openToWrite(path), lock, false)
      store.#readAll()
      await store.#keepFreePages()
      return store
    } catch (error) {
      if (!existsSync(join(path, 'data.mdb'))) throw error
      const store = new LmdbLocalStore(path, open({ path, readOnly: true, cache: false }), lock, true)
      store.#readAll()
      return store
    }
  }

  /** Every page of it. @throws when one cannot be read */
  #readAll(): void {
    for (const key of this.#database.getKeys()) this.#database.getBinary(key)
  }

  private constructor(path: string, database: Database, lock: FolderLock, isReadOnly: boolean) {
    this.#path = path
    this.#database = database
    this.#lock = lock
    this.#isReadOnly = isReadOnly
  }

  get(key: string): unknown {
    const value = this.#valueOf(key)
    // What earlier versions wrote is no text.
    return typeof value === 'string' ? fromCheckedJson(value) : value
  }

  #valueOf(key: string): unknown {
    try {
      return this.#database.get(key)
    } catch (cause) {
      throw new OrchestratorError('DAMAGED', explainError(cause), { key }, cause)
    }
  }

  async setAside(key: string): Promise<void> {
    const bytes = this.#database.getBinary(key)
    if (bytes === undefined) return
    const folder = `${this.#path}.damaged-parts`
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, key.replaceAll('/', '-')), bytes, { mode: 0o600 })
    await this.write({ [key]: undefined })
  }

  keys(prefix: string): readonly string[] {
    const keys: string[] = []
    for (const key of this.#database.getKeys({ start: prefix })) {
      if (!key.startsWith(prefix)) break
      keys.push(key)
    }
    return keys
  }

  async write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#demandWritable()
    const database = this.#database
    await settle(
      database.batch(() => {
        for (const [key, value] of Object.entries(changes)) {
          if (value === undefined) void database.remove(key)
          else void database.put(key, value instanceof Uint8Array ? value : toCheckedJson(value))
        }
      }),
    )
  }

  async close(): Promise<void> {
    await this.#database.close()
    await this.#lock.release()
  }

  /** @throws as the disk does */
  async #demandWritable(): Promise<void> {
    if (!this.#isReadOnly) return
    const database = openToWrite(this.#path)
    await this.#database.close()
    this.#database = database
    this.#isReadOnly = false
  }

  /** Without room for them there are none this time. */
  async #keepFreePages(): Promise<void> {
    const { size } = statSync(join(this.#path, 'data.mdb'))
    const names = Array.from({ length: FILLER_COUNT }, (_, at) => `${FILLER}${at}`)
    try {
      if (size < FILLER_COUNT * FILLER_BYTES)
        await this.write(Object.fromEntries(names.map((name) => [name, new Uint8Array(FILLER_BYTES)])))
    } catch {
      return
    }
    // Those of a life that ended in between, too.
    const left = this.keys(FILLER)
    if (left.length > 0) await this.write(Object.fromEntries(left.map((name) => [name, undefined])))
  }
}

/** Batches are ours: those that the library makes of a turn by itself reject a promise that nobody holds. @throws as the disk does */
function openToWrite(path: string): Database {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700)
  return open({ path, overlappingSync: false, cache: false, eventTurnBatching: false })
}

/** Whether a file begins as a store does; most of what does not would end the process. Source: lmdb.h, `MDB_meta`. */
function headProblem(file: string): string | undefined {
  if (!existsSync(file)) return undefined
  const head = Buffer.alloc(HEAD_BYTES)
  const descriptor = openSync(file, 'r')
  try {
    const size = readSync(descriptor, head)
    if (size === 0) return 'it is empty'
    return head.readUInt32LE(MAGIC_AT) === MAGIC ? undefined : 'it is no store'
  } finally {
    closeSync(descriptor)
  }
}

/** A disk that takes nothing more keeps nobody from starting. */
function tryTo(act: () => void): void {
  try {
    act()
  } catch {
    // Without the mark the next life opens as if nothing had been.
  }
}

/** A failed commit tells its cause in a promise of its own. */
async function settle(commit: Promise<unknown>): Promise<void> {
  try {
    await commit
  } catch (error) {
    const cause = (error as { readonly commitError?: Promise<never> }).commitError
    if (cause === undefined) throw error
    await cause
    throw error
  }
}
