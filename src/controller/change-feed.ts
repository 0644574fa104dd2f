/**
 * Wakes readers that wait for something to change. Rows change when a Command is applied; readers learn of it only when
 * that Command is durable.
 */
import type { LogIndex } from '../domain/index.js'
import { createTables, type StateView, type TableName } from '../state/index.js'

/** A whole table, one row of it, or one group of its rows. */
export interface ChangeKey {
  readonly table: TableName
  readonly key?: string
  readonly group?: readonly [grouping: string, groupKey: string]
}

type Change = { readonly index: LogIndex; readonly names: readonly string[] }

/** Changes remembered so that a reader who asks a moment late is still told; who asks later reads again. */
const REMEMBERED_MAX = 8_192

export class ChangeFeed {
  readonly #view: StateView
  #pending: Change[] = []
  #remembered: Change[] = []
  /** Changes up to here may be forgotten. */
  #rememberedFrom: LogIndex = 0
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor(view: StateView) {
    this.#view = view
    this.#rememberedFrom = view.index
    for (const table of Object.keys(createTables()) as TableName[]) this.#observe(table)
  }

  /** Everything up to `index` is durable: whoever waits for it may look. */
  release(index: LogIndex): void {
    let released = 0
    for (const change of this.#pending) {
      if (change.index > index) break
      released++
      this.#remembered.push(change)
      for (const name of change.names) this.#wake(name)
    }
    this.#pending.splice(0, released)
    if (this.#remembered.length > REMEMBERED_MAX) {
      const forgotten = this.#remembered.splice(0, this.#remembered.length - REMEMBERED_MAX / 2)
      this.#rememberedFrom = forgotten.at(-1)!.index
    }
  }

  /** Resolves when one of the keys has changed durably after `viewIndex`, or on abort. */
  changed(keys: readonly ChangeKey[], viewIndex: LogIndex, signal: AbortSignal): Promise<void> {
    const names = keys.map(nameOf)
    if (signal.aborted || viewIndex < this.#rememberedFrom || this.#hasChanged(names, viewIndex)) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        for (const name of names) this.#leave(name, wake)
        resolve()
      }
      signal.addEventListener('abort', wake)
      for (const name of names) this.#enter(name, wake)
    })
  }

  get waiterCount(): number {
    let count = 0
    for (const waiters of this.#waiting.values()) count += waiters.size
    return count
  }

  #observe(table: TableName): void {
    const rows = this.#view[table] as unknown as {
      observe(observer: (before: object | undefined, after: object | undefined, key: string) => void): void
      groupsOf(row: object): readonly (readonly [string, string])[]
    }
    rows.observe((before, after, key) => {
      const names = new Set([nameOf({ table }), nameOf({ table, key })])
      for (const row of [before, after]) if (row !== undefined) for (const group of rows.groupsOf(row)) names.add(nameOf({ table, group }))
      this.#pending.push({ index: this.#view.index, names: [...names] })
    })
  }

  #hasChanged(names: readonly string[], viewIndex: LogIndex): boolean {
    for (let at = this.#remembered.length - 1; at >= 0; at--) {
      const change = this.#remembered[at]!
      if (change.index <= viewIndex) return false
      if (change.names.some((name) => names.includes(name))) return true
    }
    return false
  }

  #enter(name: string, wake: () => void): void {
    const waiters = this.#waiting.get(name)
    if (waiters === undefined) this.#waiting.set(name, new Set([wake]))
    else waiters.add(wake)
  }

  #leave(name: string, wake: () => void): void {
    const waiters = this.#waiting.get(name)
    waiters?.delete(wake)
    if (waiters?.size === 0) this.#waiting.delete(name)
  }

  #wake(name: string): void {
    for (const wake of [...(this.#waiting.get(name) ?? [])]) wake()
  }
}

function nameOf({ table, key, group }: ChangeKey): string {
  if (group !== undefined) return `${table}\u0001${group[0]}\u0001${group[1]}`
  return key === undefined ? table : `${table}\u0000${key}`
}
