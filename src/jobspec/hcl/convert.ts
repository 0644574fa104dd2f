/** Conversion between types, and the type that several values can share. Refusals are sentences for people. */
import { formatNumeric, isInRange, numeric, parseNumeric } from './numbers.js'
import {
  areTypesEqual,
  describeType,
  describeTypeOf,
  entriesOf,
  FALSE,
  itemsOf,
  listValue,
  mapValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  TRUE,
  type Type,
  tupleValue,
  typeOf,
  type Value,
} from './values.js'

export type Conversion = { readonly value: Value } | { readonly refusal: string }

export function convert(value: Value, type: Type): Conversion {
  if (value.kind === 'unknown' || type === 'dynamic') return { value }
  if (value.kind === 'null') return { value: { kind: 'null', type } }
  if (typeof type === 'string') return convertPrimitive(value, type)
  switch (type.kind) {
    case 'list':
    case 'set':
      return convertSequence(value, type)
    case 'map':
      return convertMap(value, type.of)
    case 'tuple':
      return convertTuple(value, type.items)
    case 'object':
      return convertObject(value, type.entries)
  }
}

function convertPrimitive(value: Value, type: 'string' | 'number' | 'bool'): Conversion {
  if (value.kind === type) return { value }
  if (type === 'string' && value.kind === 'number') return { value: stringValue(formatNumeric(value.value)) }
  if (type === 'string' && value.kind === 'bool') return { value: stringValue(String(value.value)) }
  if (type === 'number' && value.kind === 'string') {
    const number = parseNumeric(value.value)
    return number === undefined ? { refusal: 'a number is required' } : { value: numberValue(number) }
  }
  if (type === 'bool' && value.kind === 'string') {
    if (value.value === 'true' || value.value === '1') return { value: TRUE }
    if (value.value === 'false' || value.value === '0') return { value: FALSE }
    return { refusal: 'a bool is required' }
  }
  return { refusal: `${type} required, but have ${describeTypeOf(value)}` }
}

function convertSequence(value: Value, type: { readonly kind: 'list' | 'set' | 'map'; readonly of: Type }): Conversion {
  const items = itemsOf(value)
  if (items === undefined) return { refusal: `${describeType(type)} required, but have ${describeTypeOf(value)}` }
  const of = type.of === 'dynamic' ? unify(items.map(typeOf)) : type.of
  if (of === undefined) return { refusal: 'all list elements must have the same type' }
  const converted = convertAll(items, of)
  if ('refusal' in converted) return converted
  return { value: type.kind === 'set' ? setValue(of, converted.items) : listValue(of, converted.items) }
}

function convertAll(items: readonly Value[], type: Type): { readonly items: readonly Value[] } | { readonly refusal: string } {
  const converted: Value[] = []
  for (const item of items) {
    const one = convert(item, type)
    if ('refusal' in one) return { refusal: `incorrect list element type: ${one.refusal}` }
    converted.push(one.value)
  }
  return { items: converted }
}

function convertMap(value: Value, elementType: Type): Conversion {
  const entries = entriesOf(value)
  if (entries === undefined) return { refusal: `map of ${describeType(elementType)} required, but have ${describeTypeOf(value)}` }
  const of = elementType === 'dynamic' ? unify([...entries.values()].map(typeOf)) : elementType
  if (of === undefined) return { refusal: 'all map elements must have the same type' }
  const converted: [string, Value][] = []
  for (const [name, entry] of entries) {
    const one = convert(entry, of)
    if ('refusal' in one) return { refusal: `incorrect map element type: ${one.refusal}` }
    converted.push([name, one.value])
  }
  return { value: mapValue(of, converted) }
}

function convertTuple(value: Value, types: readonly Type[]): Conversion {
  if (value.kind !== 'tuple' && value.kind !== 'list') return { refusal: `tuple required, but have ${describeTypeOf(value)}` }
  if (value.items.length !== types.length) return { refusal: `a tuple of ${types.length} elements is required` }
  const converted: Value[] = []
  for (const [at, item] of value.items.entries()) {
    const one = convert(item, types[at] ?? 'dynamic')
    if ('refusal' in one) return { refusal: `element ${at}: ${one.refusal}` }
    converted.push(one.value)
  }
  return { value: tupleValue(converted) }
}

/** Attributes that the type does not name are dropped. */
function convertObject(value: Value, types: ReadonlyMap<string, Type>): Conversion {
  const entries = entriesOf(value)
  if (entries === undefined) return { refusal: `object required, but have ${describeTypeOf(value)}` }
  const converted: [string, Value][] = []
  for (const [name, type] of types) {
    const entry = entries.get(name)
    if (entry === undefined) return { refusal: `attribute "${name}" is required` }
    const one = convert(entry, type)
    if ('refusal' in one) return { refusal: `attribute "${name}": ${one.refusal}` }
    converted.push([name, one.value])
  }
  return { value: objectValue(converted) }
}

/** The type that values of all these types convert to; `undefined` when there is none. */
export function unify(types: readonly Type[]): Type | undefined {
  const known = types.filter((type) => type !== 'dynamic')
  const [first] = known
  if (first === undefined) return 'dynamic'
  if (known.every((type) => areTypesEqual(type, first))) return first
  if (known.every((type) => typeof type === 'string')) return known.includes('string') ? 'string' : undefined
  const complex = known.filter((type) => typeof type !== 'string')
  if (complex.length < known.length) return undefined
  if (complex.every((type) => type.kind === 'object' || type.kind === 'map')) return unifyMaps(complex)
  if (complex.every((type) => type.kind === 'tuple' || type.kind === 'list' || type.kind === 'set')) return unifyLists(complex)
  return undefined
}

type ComplexType = Exclude<Type, string>

function unifyMaps(types: readonly ComplexType[]): Type | undefined {
  const objects = types.filter((type) => type.kind === 'object')
  const [first] = objects
  if (objects.length === types.length && first !== undefined) {
    const names = [...first.entries.keys()]
    const haveSameNames = objects.every(({ entries }) => entries.size === names.length && names.every((name) => entries.has(name)))
    if (haveSameNames) {
      const entries = names.map((name) => [name, unify(objects.map((type) => type.entries.get(name) ?? 'dynamic'))] as const)
      if (entries.some(([, type]) => type === undefined)) return undefined
      return { kind: 'object', entries: new Map(entries.map(([name, type]) => [name, type ?? 'dynamic'])) }
    }
  }
  const of = unify(types.flatMap((type) => (type.kind === 'object' ? [...type.entries.values()] : 'of' in type ? [type.of] : [])))
  return of === undefined ? undefined : { kind: 'map', of }
}

function unifyLists(types: readonly ComplexType[]): Type | undefined {
  const tuples = types.filter((type) => type.kind === 'tuple')
  const [first] = tuples
  if (tuples.length === types.length && first !== undefined && tuples.every((type) => type.items.length === first.items.length)) {
    const items = first.items.map((_, at) => unify(tuples.map((type) => type.items[at] ?? 'dynamic')))
    if (items.every((type) => type !== undefined)) return { kind: 'tuple', items: items.map((type) => type ?? 'dynamic') }
  }
  const of = unify(types.flatMap((type) => (type.kind === 'tuple' ? type.items : 'of' in type ? [type.of] : [])))
  if (of === undefined) return undefined
  const areSets = types.every((type) => type.kind === 'set')
  return { kind: areSets ? 'set' : 'list', of }
}

/** Whole and within what a position or a count may be. */
export function toWhole(value: Value): number | undefined {
  const converted = convert(value, 'number')
  if ('refusal' in converted || converted.value.kind !== 'number') return undefined
  const number = converted.value.value
  if (!number.isInteger() || !isInRange(number) || number.abs().gt(numeric(Number.MAX_SAFE_INTEGER))) return undefined
  return number.toNumber()
}
