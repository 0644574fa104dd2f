/**
 * The values that templates handle: each carries its Go type as Go prints it (`[]string`, `map[string]interface {}`), because what a
 * template may do with a value, and how it is printed, depends on it.
 */
import type { Bytes } from './bytes.js'
import type { Instant } from './go-time.js'

export type GoType = string

export const ANY: GoType = 'interface {}'
/** A parameter of this type takes whatever there is, also nothing. */
export const ANYTHING: GoType = 'reflect.Value'

export interface MapEntry {
  readonly key: Value
  readonly value: Value
}

/** Shown by name and called like a function: `.Keys`, `scratch.Set "a" 1`. */
export interface Method {
  readonly parameters: readonly GoType[]
  readonly isVariadic?: boolean
  run(args: readonly Value[]): Value
}

export type Value =
  /** Nothing at all: a key that a map does not have. */
  | { readonly kind: 'invalid' }
  /** Nothing of a type: a nil slice, map, pointer or interface. */
  | { readonly kind: 'nil'; readonly type: GoType }
  | { readonly kind: 'bool'; readonly type: GoType; readonly value: boolean }
  | { readonly kind: 'int' | 'uint'; readonly type: GoType; readonly value: bigint }
  | { readonly kind: 'float'; readonly type: GoType; readonly value: number }
  | { readonly kind: 'string'; readonly type: GoType; readonly value: Bytes }
  /** `capacity` is shown by debugging functions only; as many as there are items when absent. */
  | { readonly kind: 'slice'; readonly type: GoType; readonly items: readonly Value[]; readonly capacity?: number }
  | { readonly kind: 'channel'; readonly type: GoType; readonly items: readonly Value[] }
  /** `entries` is keyed by `keyOf`, and shared by all that hold the map, as Go's maps are; methods are those of a named map type. */
  | {
      readonly kind: 'map'
      readonly type: GoType
      readonly entries: Map<string, MapEntry>
      readonly methods?: Readonly<Record<string, Method>>
    }
  /** `text` is what its String method answers. */
  | {
      readonly kind: 'struct'
      readonly type: GoType
      readonly isPointer: boolean
      readonly fields: Readonly<Record<string, Value>>
      readonly methods?: Readonly<Record<string, Method>>
      readonly text?: Bytes
      /** Of a `time.Time`. */
      readonly instant?: Instant
    }

export type MapValue = Extract<Value, { kind: 'map' }>

export const INVALID: Value = { kind: 'invalid' }
/** A nil interface. */
export const NIL: Value = { kind: 'nil', type: ANY }
export const TRUE: Value = { kind: 'bool', type: 'bool', value: true }
export const FALSE: Value = { kind: 'bool', type: 'bool', value: false }

export function boolValue(value: boolean): Value {
  return value ? TRUE : FALSE
}

export function stringValue(value: Bytes): Value {
  return { kind: 'string', type: 'string', value }
}

export function intValue(value: bigint | number, type: GoType = 'int'): Value {
  return { kind: 'int', type, value: BigInt.asIntN(type === 'int32' ? 32 : 64, BigInt(value)) }
}

export function uintValue(value: bigint | number, type: GoType = 'uint64'): Value {
  return { kind: 'uint', type, value: BigInt.asUintN(type === 'uint8' ? 8 : 64, BigInt(value)) }
}

export function floatValue(value: number): Value {
  return { kind: 'float', type: 'float64', value }
}

export function sliceValue(element: GoType, items: readonly Value[]): Value {
  return { kind: 'slice', type: `[]${element}`, items }
}

export function stringsValue(items: readonly Bytes[]): Value {
  return sliceValue('string', items.map(stringValue))
}

export function mapValue(key: GoType, element: GoType, entries: Iterable<MapEntry>): MapValue {
  const keyed = new Map<string, MapEntry>()
  for (const entry of entries) keyed.set(keyOf(entry.key), entry)
  return { kind: 'map', type: `map[${key}]${element}`, entries: keyed }
}

/** `map[string]interface {}`, the form of parsed JSON. */
export function recordValue(members: Iterable<readonly [Bytes, Value]>, element: GoType = ANY): MapValue {
  return mapValue(
    'string',
    element,
    [...members].map(([key, value]) => ({ key: stringValue(key), value })),
  )
}

export function structValue(
  type: GoType,
  fields: Readonly<Record<string, Value>>,
  more: {
    readonly isPointer?: boolean
    readonly methods?: Readonly<Record<string, Method>>
    readonly text?: Bytes
    readonly instant?: Instant
  } = {},
): Value {
  return { kind: 'struct', type, isPointer: false, fields, ...more }
}

/** Equal for keys that Go's maps take for the same. */
export function keyOf(key: Value): string {
  switch (key.kind) {
    case 'bool':
    case 'int':
    case 'uint':
    case 'float':
    case 'string':
      return `${key.type}:${key.value}`
    default:
      return key.kind
  }
}

export function typeOf(value: Value): GoType {
  if (value.kind === 'invalid') return '<nil>'
  return value.kind === 'struct' && value.isPointer ? `*${value.type}` : value.type
}

const MAP_TYPE = /^map\[(interface \{\}|[^\]]*)\](.*)$/s
/** Types that have a name of their own and are maps below it. */
const NAMED_MAPS: Readonly<Record<GoType, readonly [key: GoType, element: GoType]>> = {
  'dependency.NomadVarItems': ['string', 'dependency.NomadVarItem'],
}

export function mapTypes(type: GoType): readonly [key: GoType, element: GoType] {
  const match = MAP_TYPE.exec(type)
  return match === null ? (NAMED_MAPS[type] ?? [ANY, ANY]) : [match[1] ?? ANY, match[2] ?? ANY]
}

export function elementType(type: GoType): GoType {
  return type.startsWith('[]') ? type.slice(2) : ANY
}

const NILABLE = /^(\[\]|map\[|\*|interface \{\}$|reflect\.Value$|<-chan )/

export function canBeNil(type: GoType): boolean {
  return NILABLE.test(type)
}

/** The zero value of a type that this language meets. */
export function zeroOf(type: GoType): Value {
  if (type === ANYTHING) return INVALID
  if (canBeNil(type)) return { kind: 'nil', type }
  if (type === 'string') return stringValue('')
  if (type === 'bool') return FALSE
  if (/^int/.test(type)) return intValue(0, type)
  if (/^uint/.test(type)) return uintValue(0, type)
  if (/^float/.test(type)) return { kind: 'float', type, value: 0 }
  return structValue(type, {})
}

export function isTrue(value: Value): boolean {
  switch (value.kind) {
    case 'invalid':
    case 'nil':
      return false
    case 'bool':
      return value.value
    case 'int':
    case 'uint':
      return value.value !== 0n
    case 'float':
      return value.value !== 0
    case 'string':
      return value.value !== ''
    case 'slice':
      return value.items.length > 0
    case 'map':
      return value.entries.size > 0
    case 'channel':
    case 'struct':
      return true
  }
}

const KEY_ORDER: Readonly<Record<string, number>> = { nil: 0, string: 1, int: 2, uint: 3, float: 4, bool: 5 }

/** Keys in the order in which Go prints and ranges over maps: each kind by value. */
export function sortedEntries(map: MapValue): readonly MapEntry[] {
  return [...map.entries.values()].sort((a, b) => compareKeys(a.key, b.key))
}

export function compareKeys(a: Value, b: Value): number {
  if (a.kind !== b.kind) return (KEY_ORDER[a.kind] ?? 9) - (KEY_ORDER[b.kind] ?? 9)
  if (!('value' in a) || !('value' in b)) return 0
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
}

/** What a map holds under `key`, as text, if it does. */
export function member(map: MapValue, key: Bytes): Value | undefined {
  const [keyType] = mapTypes(map.type)
  return keyType === 'string' || keyType === ANY ? map.entries.get(`string:${key}`)?.value : undefined
}
