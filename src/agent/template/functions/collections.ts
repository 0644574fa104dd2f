/** consul-template's functions on lists and maps. */
import type { Bytes } from '../bytes.js'
import { refuse } from '../failure.js'
import { sprint } from '../format/print.js'
import { quoteBytes } from '../format/quote.js'
import {
  ANY,
  boolValue,
  isTrue,
  keyOf,
  type MapEntry,
  type MapValue,
  mapValue,
  NIL,
  recordValue,
  stringValue,
  typeOf,
  type Value,
} from '../values.js'
import { anyArguments, bytesOf, type FunctionTable, fixed, itemsOf, ofType } from './signature.js'

/** Equal in type and in all that is inside. */
export function isDeepEqual(a: Value, b: Value): boolean {
  if (a.kind !== b.kind || typeOf(a) !== typeOf(b)) return false
  if (a.kind === 'slice' && b.kind === 'slice') {
    return a.items.length === b.items.length && a.items.every((item, at) => isDeepEqual(item, b.items[at]!))
  }
  if (a.kind === 'map' && b.kind === 'map') {
    return a.entries.size === b.entries.size && [...a.entries].every(([key, entry]) => hasEqual(b, key, entry))
  }
  if (a.kind === 'struct' && b.kind === 'struct') {
    return Object.entries(a.fields).every(([name, field]) => b.fields[name] !== undefined && isDeepEqual(field, b.fields[name]))
  }
  return 'value' in a && 'value' in b ? a.value === b.value : true
}

function hasEqual(map: MapValue, key: string, entry: MapEntry): boolean {
  const other = map.entries.get(key)
  return other !== undefined && isDeepEqual(entry.value, other.value)
}

/** In a list by value, in text as a part. Integers of any size are compared; lists and maps are in nothing. */
function isIn(collection: Value | undefined, value: Value | undefined): boolean {
  if (value === undefined) return false
  if (collection?.kind === 'slice') return collection.items.some((item) => isSame(item, value))
  if (collection?.kind !== 'string') return false
  if (value.kind === 'nil' || value.kind === 'invalid') return refuse('nothing is searched for in a text')
  return value.kind === 'string' && collection.value.includes(value.value)
}

function isSame(item: Value, value: Value): boolean {
  return 'value' in item && 'value' in value && item.kind === value.kind && item.kind !== 'bool' && item.value === value.value
}

function containsSome(combine: (values: readonly Value[], isFound: (value: Value) => boolean) => boolean) {
  return fixed(['[]interface {}', ANY], ([values, collection]) => boolValue(combine(itemsOf(values), (value) => isIn(collection, value))))
}

type Tree = Map<Bytes, Value | Tree>

function place(tree: Tree, path: readonly Bytes[], value: Value, whole: Bytes): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    if (name !== '') tree.set(name, value)
    return
  }
  const existing = tree.get(name)
  if (existing !== undefined && !(existing instanceof Map)) {
    refuse(`not a map: ${quoteBytes(whole)}: ${quoteBytes(name)} already has value ${quoteBytes(sprint([existing]))}`)
  }
  const below = existing instanceof Map ? existing : new Map<Bytes, Value | Tree>()
  tree.set(name, below)
  place(below, rest, value, whole)
}

function toRecord(tree: Tree): Value {
  return recordValue([...tree].map(([name, value]) => [name, value instanceof Map ? toRecord(value) : value] as const))
}

/** Keys with slashes become maps in maps. */
function explodePairs(pairs: readonly (readonly [Bytes, Value])[]): Value {
  const tree: Tree = new Map()
  for (const [path, value] of [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))) place(tree, path.split('/'), value, path)
  return toRecord(tree)
}

function memberPairs(map: Value | undefined): readonly (readonly [Bytes, Value])[] {
  return map?.kind === 'map' ? [...map.entries.values()].map(({ key, value }) => [bytesOf(key), value] as const) : []
}

/** Members of `source` fill what `target` lacks or has empty; with `overrides` they win. Changes `target`, as Go does. */
export function mergeMaps(target: MapValue, source: MapValue, overrides: boolean): MapValue {
  for (const [key, entry] of source.entries) {
    const existing = target.entries.get(key)
    if (existing?.value.kind === 'map' && entry.value.kind === 'map') mergeMaps(existing.value, entry.value, overrides)
    else if (entry.value.kind !== 'nil' && (overrides || existing === undefined || !isTrue(existing.value))) target.entries.set(key, entry)
  }
  return target
}

export const asMap = (value: Value | undefined): MapValue => (value?.kind === 'map' ? value : recordValue([]))

function field(value: Value, name: string): Value {
  const target = value.kind === 'struct' ? value.fields[name] : undefined
  return target ?? NIL
}

function grouped(keyType: string, elementType: string, values: readonly Value[], keysOf: (value: Value) => readonly Value[]): Value {
  const groups = new Map<string, { readonly key: Value; readonly items: Value[] }>()
  for (const value of values) {
    for (const key of keysOf(value)) {
      const id = keyOf(key)
      const group = groups.get(id) ?? { key, items: [] }
      groups.set(id, group)
      group.items.push(value)
    }
  }
  const entries = [...groups.values()].map(({ key, items }) => ({
    key,
    value: { kind: 'slice', type: `[]${elementType}`, items } as const,
  }))
  return mapValue(keyType, `[]${elementType}`, entries)
}

/** Groups by a field of services, whatever they were asked by. */
function byField(name: string, fieldName: string, keyType: string) {
  return anyArguments(1, ([services]) => {
    if (services?.kind === 'nil' && services.type === ANY) return mapValue(keyType, '[]interface {}', [])
    const isServices = services?.kind === 'slice' && (services.items[0] === undefined || services.items[0].kind === 'struct')
    if (!isServices || !services.type.startsWith('[]*dependency.')) {
      return refuse(`${name}: wrong argument type ${services === undefined ? '<nil>' : typeOf(services)}`)
    }
    return grouped(keyType, ANY, services.items, (service) => {
      const value = field(service, fieldName)
      return value.kind === 'slice' ? value.items : [value]
    })
  })
}

const SERVICES = '[]*dependency.HealthService'

/** Groups by values of the services' meta; `|int` pads numbers so that they sort. */
function byMeta([meta, services]: readonly Value[]): Value {
  const wanted = bytesOf(meta)
    .split(',')
    .map((part) => part.trim().split('|'))
  return grouped('string', '*dependency.HealthService', itemsOf(services), (service) => {
    const known = asMap(field(service, 'ServiceMeta'))
    const parts = wanted.map(([name = '', type]) => {
      const value = known.entries.get(`string:${name}`)?.value
      const text = value?.kind === 'string' ? value.value : ''
      if (type !== 'int') return text
      return /^[+-]?\d+$/.test(text)
        ? text.padStart(5, '0')
        : refuse(`byMeta: meta key ${quoteBytes(name)} is no integer: ${quoteBytes(text)}`)
    })
    return [stringValue(parts.join('_'))]
  })
}

const PAIRS = '[]*dependency.KeyPair'

/** Pairs below their topmost folder, by the rest of their key. */
function byKey([pairs]: readonly Value[]): Value {
  const groups = new Map<Bytes, MapEntry[]>()
  for (const pair of itemsOf(pairs)) {
    const [top = '', ...rest] = bytesOf(field(pair, 'Key')).split('/')
    if (rest.length === 0 || rest.join('/') === '' || pair.kind !== 'struct') continue
    const key = stringValue(rest.join('/'))
    const entry = { key, value: { ...pair, fields: { ...pair.fields, Key: key } } }
    groups.set(top, [...(groups.get(top) ?? []), entry])
  }
  const entries = [...groups].map(([top, members]) => ({
    key: stringValue(top),
    value: mapValue('string', '*dependency.KeyPair', members),
  }))
  return mapValue('string', 'map[string]*dependency.KeyPair', entries)
}

export const COLLECTION_FUNCTIONS: FunctionTable = {
  contains: anyArguments(2, ([value, collection]) => boolValue(isIn(collection, value))),
  in: anyArguments(2, ([collection, value]) => boolValue(isIn(collection, value))),
  containsAll: containsSome((values, isFound) => values.every(isFound)),
  containsAny: containsSome((values, isFound) => values.some(isFound)),
  containsNone: containsSome((values, isFound) => !values.some(isFound)),
  containsNotAll: containsSome((values, isFound) => !values.every(isFound)),
  explode: ofType(PAIRS, 1, ([pairs]) =>
    explodePairs(itemsOf(pairs).map((pair) => [bytesOf(field(pair, 'Key')), field(pair, 'Value')] as const)),
  ),
  explodeMap: ofType('map[string]interface {}', 1, ([map]) => explodePairs(memberPairs(map))),
  mergeMap: ofType('map[string]interface {}', 2, ([target, source]) => mergeMaps(asMap(target), asMap(source), false)),
  mergeMapWithOverride: ofType('map[string]interface {}', 2, ([target, source]) => mergeMaps(asMap(target), asMap(source), true)),
  byKey: ofType(PAIRS, 1, byKey),
  byTag: byField('byTag', 'Tags', 'string'),
  byPort: byField('byPort', 'Port', 'int'),
  byMeta: fixed(['string', SERVICES], byMeta),
}
