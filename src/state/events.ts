/** What one Command did to the tables, for those who follow along. */
import type { LogIndex } from '../domain/index.js'
import type { CommandKind } from './command.js'
import type { TableName } from './schema.js'

export interface RowChange {
  readonly table: TableName
  readonly key: string
  /** `undefined`: the row is new. */
  readonly before: object | undefined
  /** `undefined`: the row was deleted. */
  readonly after: object | undefined
}

export interface StateEvents {
  readonly index: LogIndex
  readonly kind: CommandKind
  /** By table and key, in the order in which they were first touched. */
  readonly changes: Map<string, RowChange>
}
