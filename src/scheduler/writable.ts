/**
 * A row that is being made. Rows are made member by member where many are: a spread for each member that may be absent costs more than the
 * choice of a node.
 */
export type Writable<Row> = { -readonly [Name in keyof Row]: Row[Name] }
