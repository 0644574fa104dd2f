/** What an agent must not forget, in LMDB: a write resolves when it is on disk. One agent a folder, by a lock. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { LocalStore } from '../../agent/index.js'
import { type FolderLock, lockFolder } from '../lmdb/folder-lock.js'

export class LmdbLocalStore implements LocalStore {
  readonly #database: RootDatabase<unknown, string>
  readonly #lock: FolderLock

  /** @throws TerminalError FOLDER_LOCKED */
  static async open(folder: string): Promise<LmdbLocalStore> {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const lock = await lockFolder(folder, 'agent')
    return new LmdbLocalStore(open({ path: join(folder, 'agent-state'), overlappingSync: false, cache: false }), lock)
  }

  private constructor(database: RootDatabase<unknown, string>, lock: FolderLock) {
    this.#database = database
    this.#lock = lock
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
    // All puts of one turn are one transaction.
    const puts = Object.entries(changes).map(([key, value]) =>
      value === undefined ? this.#database.remove(key) : this.#database.put(key, value),
    )
    await Promise.all(puts)
  }

  async close(): Promise<void> {
    await this.#database.close()
    await this.#lock.release()
  }
}
