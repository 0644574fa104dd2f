/**
 * One table of the replicated state: rows by key, declared groupings, and the log index of its last change.
 *
 * I13 `index` only grows, and deletions move it too, so whoever waits for "newer than N" misses nothing.
 * I14 A stored row is frozen; a change is a new row (deeply frozen where `freezeDeeply` was set, as tests do).
 */
import { invariant, type LogIndex } from '../domain/index.js'

/** What readers get: everything but the ways to change it. */
export interface TableView<Row extends object, Grouping extends string = never> {
  readonly name: string
  readonly index: LogIndex
  readonly count: number
  get(key: string): Row | undefined
  /** Every row, ordered by key, so that nothing decided from it depends on insertion history. */
  all(): readonly Row[]
  /** Every row in no promised order, without a copy: for sums and searches. */
  values(): IterableIterator<Row>
  keys(): IterableIterator<string>
  entries(): IterableIterator<[key: string, row: Row]>
  /** The rows whose grouping gives `groupKey`, ordered by key. */
  by(grouping: Grouping, groupKey: string): readonly Row[]
  /** The same rows in no promised order and without a copy: for sums and searches. */
  valuesBy(grouping: Grouping, groupKey: string): Iterable<Row>
  /** How many rows `by` would give, in constant time. */
  countBy(grouping: Grouping, groupKey: string): number
  /** Every (grouping, group key) that the row belongs to. */
  groupsOf(row: Row): readonly (readonly [Grouping, string])[]
  /** Called in the same turn for each row put or deleted from now on. Returns the way to stop. */
  observe(observer: TableObserver<Row>): () => void
}

export type TableObserver<Row> = (before: Row | undefined, after: Row | undefined, key: string) => void

export type Groupings<Row, Grouping extends string> = Readonly<Record<Grouping, (row: Row) => string | undefined>>

let isDeepFreezing = false

/** Tests and the simulation freeze stored objects to the bottom; production freezes the row only. */
export function freezeDeeply(enabled: boolean): void {
  isDeepFreezing = enabled
}

/** Most groups are one row for all their life, and a map for each would take more memory than the rows do. */
type Group<Row> = Row | Map<string, Row>

export class Table<Row extends object, Grouping extends string = never> implements TableView<Row, Grouping> {
  readonly name: string
  index: LogIndex = 0
  readonly #keyOf: (row: Row) => string
  readonly #rows = new Map<string, Row>()
  readonly #groupings: readonly (readonly [name: Grouping, keyOf: (row: Row) => string | undefined])[]
  readonly #groups = new Map<Grouping, Map<string, Group<Row>>>()
  readonly #observers = new Set<TableObserver<Row>>()
  #keysInOrder: readonly string[] | undefined

  constructor(name: string, keyOf: (row: Row) => string, groupings: Groupings<Row, Grouping>) {
    this.name = name
    this.#keyOf = keyOf
    this.#groupings = Object.entries(groupings) as [Grouping, (row: Row) => string | undefined][]
    for (const [grouping] of this.#groupings) this.#groups.set(grouping, new Map())
  }

  get count(): number {
    return this.#rows.size
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  all(): readonly Row[] {
    this.#keysInOrder ??= [...this.#rows.keys()].sort()
    return this.#keysInOrder.map((key) => this.#rows.get(key)!)
  }

  values(): IterableIterator<Row> {
    return this.#rows.values()
  }

  keys(): IterableIterator<string> {
    return this.#rows.keys()
  }

  entries(): IterableIterator<[key: string, row: Row]> {
    return this.#rows.entries()
  }

  by(grouping: Grouping, groupKey: string): readonly Row[] {
    const group = this.#groups.get(grouping)?.get(groupKey)
    if (group === undefined) return []
    if (!(group instanceof Map)) return [group]
    return [...group.keys()].sort().map((key) => group.get(key)!)
  }

  valuesBy(grouping: Grouping, groupKey: string): Iterable<Row> {
    const group = this.#groups.get(grouping)?.get(groupKey)
    if (group === undefined) return []
    return group instanceof Map ? group.values() : [group]
  }

  countBy(grouping: Grouping, groupKey: string): number {
    const group = this.#groups.get(grouping)?.get(groupKey)
    if (group === undefined) return 0
    return group instanceof Map ? group.size : 1
  }

  groupsOf(row: Row): readonly (readonly [Grouping, string])[] {
    return this.#groupings.flatMap(([grouping, keyOf]) => {
      const groupKey = keyOf(row)
      return groupKey === undefined ? [] : [[grouping, groupKey] as const]
    })
  }

  observe(observer: TableObserver<Row>): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  put(index: LogIndex, row: Row): void {
    invariant(index >= this.index, `table ${this.name} at index ${this.index} was written at ${index}`)
    const key = this.#keyOf(row)
    const before = this.#rows.get(key)
    const stored = isDeepFreezing ? deepFreeze(row) : Object.freeze(row)
    if (before === undefined) this.#keysInOrder = undefined
    this.#rows.set(key, stored)
    this.#regroup(key, before, stored)
    this.index = index
    for (const observer of this.#observers) observer(before, stored, key)
  }

  delete(index: LogIndex, key: string): void {
    const before = this.#rows.get(key)
    if (before === undefined) return
    invariant(index >= this.index, `table ${this.name} at index ${this.index} was written at ${index}`)
    this.#keysInOrder = undefined
    this.#rows.delete(key)
    this.#regroup(key, before, undefined)
    this.index = index
    for (const observer of this.#observers) observer(before, undefined, key)
  }

  #regroup(key: string, before: Row | undefined, after: Row | undefined): void {
    for (const [grouping, keyOf] of this.#groupings) {
      const groups = this.#groups.get(grouping)!
      const from = before === undefined ? undefined : keyOf(before)
      const to = after === undefined ? undefined : keyOf(after)
      if (from !== undefined && from !== to) removeFromGroup(groups, from, key)
      if (to !== undefined) this.#addToGroup(groups, to, key, after!)
    }
  }

  #addToGroup(groups: Map<string, Group<Row>>, groupKey: string, key: string, row: Row): void {
    const group = groups.get(groupKey)
    if (group instanceof Map) {
      group.set(key, row)
      return
    }
    const only = group === undefined ? key : this.#keyOf(group)
    if (only === key) groups.set(groupKey, row)
    else
      groups.set(
        groupKey,
        new Map([
          [only, group!],
          [key, row],
        ]),
      )
  }
}

function removeFromGroup<Row>(groups: Map<string, Group<Row>>, groupKey: string, key: string): void {
  const group = groups.get(groupKey)
  if (!(group instanceof Map)) {
    groups.delete(groupKey)
    return
  }
  group.delete(key)
  if (group.size === 1) for (const [, only] of group) groups.set(groupKey, only)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
