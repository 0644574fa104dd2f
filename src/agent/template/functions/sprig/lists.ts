/** Sprig's lists: always new ones. Source: Sprig's documentation, "Lists and List Functions". */
import { refuse } from '../../failure.js'
import { ANY, boolValue, NIL, sliceValue, typeOf, type Value } from '../../values.js'
import { isDeepEqual } from '../collections.js'
import { anyArguments, countOf, type FunctionTable, fixed, type TemplateFunction, variadic } from '../signature.js'
import { toInt64 } from './numbers.js'
import { isEmpty } from './values.js'

const list = (items: readonly Value[]): Value => sliceValue(ANY, items)

/** The items of what must be a list. */
function itemsFor(name: string, value: Value | undefined): readonly Value[] {
  if (value?.kind === 'slice') return value.items
  if (value?.kind === 'nil' && value.type.startsWith('[]')) return []
  return refuse(`Cannot ${name} on type ${value === undefined || value.kind === 'invalid' ? '<nil>' : typeOf(value)}`)
}

function onList(verb: string, change: (items: readonly Value[]) => Value): TemplateFunction {
  return anyArguments(1, ([value]) => change(itemsFor(verb, value)))
}

function unique(items: readonly Value[]): readonly Value[] {
  return items.filter((item, at) => items.findIndex((other) => isDeepEqual(other, item)) === at)
}

function chunks(size: number, items: readonly Value[]): Value {
  if (size < 1) return refuse('the size of a chunk is at least 1')
  const parts = Array.from({ length: Math.ceil(items.length / size) }, (_, at) => list(items.slice(at * size, (at + 1) * size)))
  return sliceValue('[]interface {}', parts)
}

function slice([value, ...bounds]: readonly Value[]): Value {
  const items = itemsFor('slice', value)
  if (items.length === 0) return NIL
  const start = bounds[0] === undefined ? 0 : Number(toInt64(bounds[0]))
  const end = bounds[1] === undefined ? items.length : Number(toInt64(bounds[1]))
  if (start < 0 || end > items.length || start > end) return refuse('reflect.Value.Slice: slice index out of bounds')
  return value?.kind === 'slice' ? { ...value, items: items.slice(start, end) } : NIL
}

function isIn(needle: Value | undefined, haystack: Value | undefined): Value {
  if (haystack === undefined || haystack.kind === 'nil' || haystack.kind === 'invalid') return boolValue(false)
  return boolValue(needle !== undefined && itemsFor('find has', haystack).some((item) => isDeepEqual(item, needle)))
}

/** Functions that Sprig has under a second name, which there differs in how a failure is told. */
const PLAIN: FunctionTable = {
  append: anyArguments(2, ([value, item]) => list([...itemsFor('push', value), item!])),
  push: anyArguments(2, ([value, item]) => list([...itemsFor('push', value), item!])),
  prepend: anyArguments(2, ([value, item]) => list([item!, ...itemsFor('prepend', value)])),
  first: onList('find first', (items) => items[0] ?? NIL),
  rest: onList('find rest', (items) => (items.length === 0 ? { kind: 'nil', type: '[]interface {}' } : list(items.slice(1)))),
  last: onList('find last', (items) => items.at(-1) ?? NIL),
  initial: onList('find initial', (items) => (items.length === 0 ? { kind: 'nil', type: '[]interface {}' } : list(items.slice(0, -1)))),
  reverse: onList('find reverse', (items) => list([...items].reverse())),
  uniq: onList('find uniq', (items) => list(unique(items))),
  compact: onList('compact', (items) => list(items.filter((item) => !isEmpty(item)))),
  without: variadic([ANY, ANY], ([value, ...omitted]) =>
    list(itemsFor('find without', value).filter((item) => !omitted.some((other) => isDeepEqual(other, item)))),
  ),
  has: anyArguments(2, ([needle, haystack]) => isIn(needle, haystack)),
  slice: variadic([ANY, ANY], slice),
  chunk: fixed(['int', ANY], ([size, value]) => chunks(countOf(size), itemsFor('chunk', value))),
}

function withMust(table: FunctionTable): FunctionTable {
  const named = Object.entries(table).map(([name, called]) => [`must${name[0]!.toUpperCase()}${name.slice(1)}`, called] as const)
  return { ...table, ...Object.fromEntries(named) }
}

const make = variadic([ANY], (args) => list(args))

export const SPRIG_LISTS: FunctionTable = {
  ...withMust(PLAIN),
  list: make,
  tuple: make,
  concat: variadic([ANY], (args) => list(args.flatMap((arg) => itemsFor('concat', arg)))),
}
