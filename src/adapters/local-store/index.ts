/**
 * What an agent must not forget, in LMDB: a write resolves when it is on disk. One agent a folder, by a lock.
 *
 * A disk that takes nothing more keeps nobody from starting: what was written can be read, and a write is refused until there is
 * room. Some room of its own the store keeps inside its file, as pages that were written once and are free.
 */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { LocalStore } from '../../agent/index.js'
import { MEBIBYTE_BYTES } from '../../domain/index.js'
import { type FolderLock, lockFolder } from '../lmdb/folder-lock.js'

type Database = RootDatabase<unknown, string>

const FREE_PAGES_BYTES = 4 * MEBIBYTE_BYTES
const FILLER = '_filler'

export class LmdbLocalStore implements LocalStore {
  readonly #path: string
  readonly #lock: FolderLock
  #database: Database
  /** Opened for reading only: the disk takes nothing now. */
  #isReadOnly: boolean

  /** @throws TerminalError FOLDER_LOCKED */
  static async open(folder: string): Promise<LmdbLocalStore> {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const lock = await lockFolder(folder, 'agent')
    const path = join(folder, 'agent-state')
    try {
      const store = new LmdbLocalStore(path, openToWrite(path), lock, false)
      await store.#keepFreePages()
      return store
    } catch (error) {
      if (statSync(join(path, 'data.mdb'), { throwIfNoEntry: false }) === undefined) throw error
      return new LmdbLocalStore(path, open({ path, readOnly: true, cache: false }), lock, true)
    }
  }

  private constructor(path: string, database: Database, lock: FolderLock, isReadOnly: boolean) {
    this.#path = path
    this.#database = database
    this.#lock = lock
    this.#isReadOnly = isReadOnly
  }

  get(key: string): unknown {
    return this.#database.get(key)
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
          else void database.put(key, value)
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
    if (statSync(join(this.#path, 'data.mdb')).size >= FREE_PAGES_BYTES) return
    try {
      await this.write({ [FILLER]: new Uint8Array(FREE_PAGES_BYTES) })
    } catch {
      return
    }
    await this.write({ [FILLER]: undefined })
  }
}

/** Batches are ours: those that the library makes of a turn by itself reject a promise that nobody holds. @throws as the disk does */
function openToWrite(path: string): Database {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700)
  return open({ path, overlappingSync: false, cache: false, eventTurnBatching: false })
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
