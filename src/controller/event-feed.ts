/**
 * What happened, Command by Command, for those who follow the event stream. Rows are collected as they are applied and let
 * out when their Command is durable; the last few hundred Commands are kept for who comes back.
 */
import type { LogIndex } from '../domain/index.js'
import { type CommandKind, createTables, type RowChange, type StateEvents, type StateView, type TableName } from '../state/index.js'
import { News } from './news.js'

const BATCHES_KEPT = 500
const BATCHES_AT_ONCE = 16

export class EventFeed {
  readonly #view: StateView
  readonly #kindNow: () => CommandKind
  readonly #pending: StateEvents[] = []
  /** The oldest first; `#firstNumber` is the number of the first of them. */
  readonly #kept: StateEvents[] = []
  #firstNumber = 0
  readonly #news = new News()

  /** `kindNow` tells which Command is being applied. */
  constructor(view: StateView, kindNow: () => CommandKind) {
    this.#view = view
    this.#kindNow = kindNow
    for (const table of Object.keys(createTables()) as TableName[]) this.#observe(table)
  }

  /** Whether anybody waits for what comes next. */
  get isFollowed(): boolean {
    return this.#news.isAwaited
  }

  /** Everything up to `index` is durable. */
  release(index: LogIndex): void {
    const count = this.#pending.findIndex((batch) => batch.index > index)
    const released = this.#pending.splice(0, count < 0 ? this.#pending.length : count)
    if (released.length === 0) return
    this.#kept.push(...released)
    const forgotten = Math.max(0, this.#kept.length - BATCHES_KEPT)
    this.#kept.splice(0, forgotten)
    this.#firstNumber += forgotten
    this.#news.tell()
  }

  /**
   * From the first kept Command at or after `fromIndex` (0: all that is kept; beyond the newest: what comes from now on).
   * Ends on abort, and when the reader is so slow that what it should see next is no longer kept.
   */
  async *follow(fromIndex: LogIndex, signal: AbortSignal): AsyncIterable<readonly StateEvents[]> {
    const at = this.#kept.findIndex((batch) => batch.index >= fromIndex)
    let next = this.#firstNumber + (at < 0 ? this.#kept.length : at)
    while (!signal.aborted) {
      if (next < this.#firstNumber) return
      const from = next - this.#firstNumber
      const batches = this.#kept.slice(from, from + BATCHES_AT_ONCE)
      next += batches.length
      if (batches.length === 0) await this.#news.next(signal)
      else yield batches
    }
  }

  #observe(table: TableName): void {
    const rows = this.#view[table] as {
      observe(observer: (before: object | undefined, after: object | undefined, key: string) => void): void
    }
    rows.observe((before, after, key) => this.#collect({ table, key, before, after }))
  }

  /** A row that one Command touches more often happened once. */
  #collect(change: RowChange): void {
    const index = this.#view.index
    const newest = this.#pending.at(-1)
    const batch = newest?.index === index ? newest : { index, kind: this.#kindNow(), changes: new Map<string, RowChange>() }
    if (batch !== newest) this.#pending.push(batch)
    const name = `${change.table}\u0000${change.key}`
    const earlier = batch.changes.get(name)
    batch.changes.set(name, earlier === undefined ? change : { ...change, before: earlier.before })
  }
}
