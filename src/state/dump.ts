/** The whole state as one text with a fixed order, for comparing two folds of the same log (I2). */

import { tablesOf } from './snapshot.js'
import type { State } from './state.js'

export function dumpState(state: State): string {
  const head = [state.index, state.atMs, state.epoch, state.clusterId, state.schedulerConfiguration].map((value) => textInNameOrder(value))
  const tables = tablesOf(state).map(
    ([name, table]) =>
      `["${name}",${table.index},[${table
        .all()
        .map((row) => textInNameOrder(row))
        .join(',')}]]`,
  )
  return `[${[...head, `[${tables.join(',')}]`].join(',')}]`
}

export function textInNameOrder(value: unknown): string {
  return JSON.stringify(value, inNameOrder)
}

function inNameOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
