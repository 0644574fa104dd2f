/** A local store without a disk. `rows` outlives it, as a disk would. */
import type { LocalStore } from './ports.js'

export class MemoryLocalStore implements LocalStore {
  readonly #rows: Map<string, unknown>
  readonly #becomesDurable: () => Promise<void>
  #newest: Promise<void> = Promise.resolve()

  /** @param becomesDurable how long a write takes; one that never resolves is lost, as in a crash */
  constructor(rows: Map<string, unknown> = new Map(), becomesDurable: () => Promise<void> = async () => {}) {
    this.#rows = rows
    this.#becomesDurable = becomesDurable
  }

  get(key: string): unknown {
    return structuredClone(this.#rows.get(key))
  }

  keys(prefix: string): readonly string[] {
    return [...this.#rows.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  async setAside(key: string): Promise<void> {
    this.#rows.delete(key)
  }

  write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const copy = structuredClone(changes)
    const durable = this.#becomesDurable()
    const before = this.#newest
    this.#newest = (async () => {
      await before
      await durable
      for (const [key, value] of Object.entries(copy)) {
        if (value === undefined) this.#rows.delete(key)
        else this.#rows.set(key, value)
      }
    })()
    return this.#newest
  }

  async close(): Promise<void> {}
}
