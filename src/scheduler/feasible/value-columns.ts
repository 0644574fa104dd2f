/** What an attribute is on each node, as numbers: the same number for the same value. Kept; only nodes that changed are read again. */
import { resolveTarget } from './constraints.js'
import type { NodeTable } from './node-table.js'

export interface ValueColumn {
  /** By row of the node table: an index into `values`; -1 where the node has none. */
  readonly ids: Int32Array
  readonly values: readonly string[]
}

export const NO_VALUE = -1

const KEPT_MAX = 256

export class ValueColumns {
  readonly #table: NodeTable
  readonly #kept = new Map<string, Column>()

  constructor(table: NodeTable) {
    this.#table = table
  }

  of(target: string): ValueColumn {
    let column = this.#kept.get(target)
    if (column === undefined) {
      if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
      column = new Column(target)
      this.#kept.set(target, column)
    }
    return column.refresh(this.#table)
  }
}

class Column implements ValueColumn {
  readonly #target: string
  readonly #idOf = new Map<string, number>()
  readonly values: string[] = []
  ids = new Int32Array(0)
  #seen = -1

  constructor(target: string) {
    this.#target = target
  }

  refresh(table: NodeTable): this {
    if (this.#seen === table.clock) return this
    if (this.ids.length < table.rowCount) {
      const longer = new Int32Array(Math.max(64, 2 * table.rowCount)).fill(NO_VALUE)
      longer.set(this.ids)
      this.ids = longer
    }
    for (let row = 0; row < table.rowCount; row++) if (table.changedAt[row]! > this.#seen) this.ids[row] = this.#read(table, row)
    this.#seen = table.clock
    return this
  }

  #read(table: NodeTable, row: number): number {
    const node = table.nodes[row]
    const value = node === undefined ? undefined : resolveTarget(node, this.#target)
    if (value === undefined) return NO_VALUE
    let id = this.#idOf.get(value)
    if (id === undefined) {
      id = this.values.push(value) - 1
      this.#idOf.set(value, id)
    }
    return id
  }
}
