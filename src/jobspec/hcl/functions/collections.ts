/** Functions on lists, tuples, maps and objects. */
import { convert, toWhole, unify } from '../convert.js'
import { formatNumeric, numeric } from '../numbers.js'
import {
  areEqual,
  boolValue,
  compareBytes,
  entriesOf,
  itemsOf,
  listValue,
  mapValue,
  numberValue,
  objectValue,
  stringValue,
  tupleValue,
  typeOf,
  type Value,
} from '../values.js'
import { anything, asText, type CallContext, type FunctionTable, listOf, nullable, number, refuse, text } from './signature.js'

const RANGE_MAX = 1024

function itemsOrRefuse(value: Value | undefined, argument: number): readonly Value[] {
  const items = value === undefined ? undefined : itemsOf(value)
  return items ?? refuse('a list, tuple or set is required', argument)
}

function entriesOrRefuse(value: Value | undefined, argument: number): ReadonlyMap<string, Value> {
  const entries = value === undefined ? undefined : entriesOf(value)
  return entries ?? refuse('a map or an object is required', argument)
}

function whole(value: Value | undefined, argument: number): number {
  return (value === undefined ? undefined : toWhole(value)) ?? refuse('a whole number is required', argument)
}

/** Items under the element type of the list they were taken from. */
function likeList(source: Value | undefined, items: readonly Value[]): Value {
  return source?.kind === 'list' || source?.kind === 'set' ? listValue(source.of, items) : tupleValue(items)
}

function concat(lists: readonly Value[], context: CallContext): Value {
  if (lists.length === 0) refuse('at least one argument is required')
  const items = lists.flatMap((list, at) => itemsOrRefuse(list, at))
  context.produce(items.length)
  const [first] = lists
  if (first?.kind !== 'list' || lists.some((list) => list.kind !== 'list')) return tupleValue(items)
  const of = unify(lists.map((list) => (list.kind === 'list' ? list.of : 'dynamic')))
  const converted = of === undefined ? undefined : convert(tupleValue(items), { kind: 'list', of })
  return converted !== undefined && 'value' in converted ? converted.value : tupleValue(items)
}

function flatten(value: Value, context: CallContext): Value {
  const flat: Value[] = []
  const visit = (items: readonly Value[]): void => {
    for (const item of items) {
      const inner = itemsOf(item)
      if (inner === undefined) flat.push(item)
      else visit(inner)
    }
  }
  visit(itemsOrRefuse(value, 0))
  context.produce(flat.length)
  return tupleValue(flat)
}

function merge(maps: readonly Value[], context: CallContext): Value {
  const given = maps.filter((map) => map.kind !== 'null')
  const entries = given.flatMap((map, at) => [...entriesOrRefuse(map, at)])
  context.produce(entries.length)
  const of =
    given.length > 0 && given.every((map) => map.kind === 'map')
      ? unify(given.map((map) => (map.kind === 'map' ? map.of : 'dynamic')))
      : undefined
  return of === undefined ? objectValue(entries) : mapValue(of, entries)
}

function lookup([map, key, fallback]: readonly Value[]): Value {
  const found = entriesOrRefuse(map, 0).get(asText(key))
  if (found !== undefined) return found
  if (map?.kind !== 'map') return fallback!
  const converted = convert(fallback!, map.of)
  return 'value' in converted
    ? converted.value
    : refuse(`the default value must have the same type as the map elements: ${converted.refusal}`, 2)
}

function index([collection, key]: readonly Value[]): Value {
  const entries = collection === undefined ? undefined : entriesOf(collection)
  if (entries !== undefined) {
    const name = convert(key!, 'string')
    return ('value' in name ? entries.get(asText(name.value)) : undefined) ?? refuse('key does not exist in collection', 1)
  }
  const items = collection?.kind === 'set' ? undefined : itemsOrRefuse(collection, 0)
  return items?.[whole(key, 1)] ?? refuse('index out of range', 1)
}

function element([list, at]: readonly Value[]): Value {
  const items = list?.kind === 'set' ? refuse('a set has no positions', 0) : itemsOrRefuse(list, 0)
  const position = whole(at, 1)
  if (items.length === 0) refuse('cannot use element function with an empty list', 0)
  if (position < 0) refuse('cannot use element function with a negative index', 1)
  return items[position % items.length]!
}

function slice([list, from, to]: readonly Value[]): Value {
  const items = list?.kind === 'set' ? refuse('cannot slice a set, because its elements do not have indices', 0) : itemsOrRefuse(list, 0)
  const start = whole(from, 1)
  const end = whole(to, 2)
  if (start < 0 || start > items.length) refuse('start index must be within the list and not negative', 1)
  if (end < start || end > items.length) refuse('end index must not be smaller than the start index nor beyond the list', 2)
  return likeList(list, items.slice(start, end))
}

function chunklist([list, size]: readonly Value[]): Value {
  const items = itemsOrRefuse(list, 0)
  const width = whole(size, 1)
  if (width < 0) refuse('the size argument must be positive', 1)
  const of = list?.kind === 'list' ? list.of : 'dynamic'
  const chunks: Value[] = []
  for (let at = 0; at < items.length; at += width || items.length) chunks.push(listValue(of, items.slice(at, at + (width || items.length))))
  return listValue({ kind: 'list', of }, chunks)
}

function range(args: readonly Value[], context: CallContext): Value {
  const numbers = args.map((arg) => (arg.kind === 'number' ? arg.value : numeric(0)))
  if (numbers.length < 1 || numbers.length > 3) refuse('must have one, two, or three arguments')
  const start = numbers.length === 1 ? numeric(0) : numbers[0]!
  const end = numbers.length === 1 ? numbers[0]! : numbers[1]!
  const down = end.lt(start)
  const step = numbers[2] ?? numeric(down ? -1 : 1)
  if (step.isZero()) refuse('step must not be zero', 2)
  if (down && step.isPositive()) refuse('end must be greater than start when step is positive', 1)
  if (!down && step.isNegative() && !start.eq(end)) refuse('end must be less than start when step is negative', 1)
  const items: Value[] = []
  for (let at = start; down ? at.gt(end) : at.lt(end); at = at.plus(step)) {
    if (items.length >= RANGE_MAX)
      refuse(`more than ${RANGE_MAX} values were generated; either decrease the difference between start and end or use a smaller step`)
    items.push(numberValue(at))
  }
  context.produce(items.length)
  return listValue('number', items)
}

function zipmap([keys, values]: readonly Value[]): Value {
  const names = itemsOrRefuse(keys, 0)
  const items = itemsOrRefuse(values, 1)
  if (names.length !== items.length) refuse(`number of keys (${names.length}) does not match number of values (${items.length})`, 1)
  const entries = names.map((name, at) => [asText(name), items[at]!] as const)
  return values?.kind === 'list' ? mapValue(values.of, entries) : objectValue(entries)
}

function distinct(list: Value, context: CallContext): Value {
  const seen = new Set<string>()
  const kept: Value[] = []
  for (const item of itemsOrRefuse(list, 0)) {
    const key = item.kind === 'string' ? `s${item.value}` : item.kind === 'number' ? `n${formatNumeric(item.value)}` : undefined
    if (key === undefined) context.spend(kept.length)
    if (key === undefined ? kept.some((other) => areEqual(other, item)) : seen.has(key)) continue
    if (key !== undefined) seen.add(key)
    kept.push(item)
  }
  return likeList(list, kept)
}

function coalesce(args: readonly Value[]): Value {
  if (args.length === 0) refuse('at least one argument is required')
  const of = unify(args.map(typeOf)) ?? refuse('all arguments must have the same type')
  const found = args.find((arg) => arg.kind !== 'null') ?? refuse('no non-null arguments')
  const converted = convert(found, of)
  return 'value' in converted ? converted.value : refuse(converted.refusal)
}

function coalescelist(args: readonly Value[]): Value {
  const found = args.find((arg) => arg.kind !== 'null' && (itemsOf(arg)?.length ?? 0) > 0)
  return found ?? refuse('no non-null, non-empty arguments')
}

function length(value: Value): Value {
  const size = itemsOf(value)?.length ?? (value.kind === 'map' ? value.entries.size : undefined)
  return size === undefined ? refuse('collection must be a list, a map or a tuple') : numberValue(size)
}

export const COLLECTION_FUNCTIONS: FunctionTable = {
  chunklist: { parameters: [listOf('list', 'dynamic'), number('size')], run: chunklist },
  coalesce: { parameters: [], rest: nullable('vals'), run: coalesce },
  coalescelist: { parameters: [], rest: nullable('vals'), run: coalescelist },
  compact: {
    parameters: [listOf('list', 'string')],
    run: ([list]) =>
      likeList(
        list,
        itemsOrRefuse(list, 0).filter((item) => item.kind === 'string' && item.value !== ''),
      ),
  },
  concat: { parameters: [], rest: anything('seqs'), run: concat },
  contains: {
    parameters: [anything('list'), anything('value')],
    run: ([list, value]) => boolValue(itemsOrRefuse(list, 0).some((item) => areEqual(item, value!))),
  },
  distinct: { parameters: [listOf('list', 'dynamic')], run: ([list], context) => distinct(list!, context) },
  element: { parameters: [anything('list'), number('index')], run: element },
  flatten: { parameters: [anything('list')], run: ([list], context) => flatten(list!, context) },
  index: { parameters: [anything('collection'), anything('key')], run: index },
  keys: {
    parameters: [anything('inputMap')],
    run: ([map]) =>
      (map?.kind === 'map' ? listValue : (_: string, items: readonly Value[]) => tupleValue(items))(
        'string',
        [...entriesOrRefuse(map, 0).keys()].map(stringValue),
      ),
  },
  length: { parameters: [anything('collection')], run: ([collection]) => length(collection!) },
  lookup: { parameters: [anything('inputMap'), text('key'), anything('default')], run: lookup },
  merge: { parameters: [], rest: nullable('maps'), run: merge },
  range: { parameters: [], rest: number('params'), run: range },
  slice: { parameters: [anything('list'), number('start_index'), number('end_index')], run: slice },
  sort: {
    parameters: [listOf('list', 'string')],
    run: ([list]) => {
      const items = itemsOrRefuse(list, 0)
      if (items.some((item) => item.kind === 'null')) refuse('given list element is null; a null string cannot be sorted', 0)
      return listValue('string', items.map(asText).sort(compareBytes).map(stringValue))
    },
  },
  values: {
    parameters: [anything('mapping')],
    run: ([map]) =>
      map?.kind === 'map' ? listValue(map.of, [...map.entries.values()]) : tupleValue([...entriesOrRefuse(map, 0).values()]),
  },
  zipmap: { parameters: [listOf('keys', 'string'), anything('values')], run: zipmap },
}
