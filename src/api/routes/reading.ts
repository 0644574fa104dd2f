/** What the routes share: reading through the state, and choosing rows. */
import { type LogIndex, namespacedKey } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { answerRead, type Query, type ReadDeps, type Reading } from '../blocking.js'
import { joinList } from '../encode.js'
import { NAMESPACE_ALL } from '../parameters.js'
import type { Call, Handler } from '../router.js'

/** A read that a newer index can be waited for. */
export function reading(deps: ReadDeps, query: Query): Handler {
  return ofPastToo((call) => answerRead(deps, call, query))
}

/** Marks what can be asked of the past as well. */
export function ofPastToo(handler: Handler): Handler {
  return Object.assign(handler, { readsPast: true as const })
}

export function jobKeyOf(call: Call): string {
  return namespacedKey(call.parameters.namespace, call.id)
}

/** Predicate for rows of the namespace asked for; `*` is all of them. */
export function inNamespace(call: Call): (row: { readonly Namespace: string }) => boolean {
  const { namespace } = call.parameters
  return namespace === NAMESPACE_ALL ? () => true : (row) => row.Namespace === namespace
}

/** The table of a group of rows, woken by those rows only. */
export function tableReading(
  table: { readonly name: string; readonly index: LogIndex },
  fragments: readonly Uint8Array[],
  watch: Reading['watch'],
  nextToken?: string,
): Reading {
  return { index: table.index, watch, body: joinList(fragments), nextToken, isOfStateOnly: true }
}

/** Some tables report at least 1, so that a client that waits for 0 is not answered over and over. */
export function atLeastOne(index: LogIndex): LogIndex {
  return Math.max(1, index)
}

export type RowsOf<Name extends keyof StateView> = StateView[Name] extends { all(): readonly (infer Row)[] } ? Row : never
