/**
 * Values of expressions, as HCL's type system has them. Objects and tuples know the type of each member; maps, lists and
 * sets have one element type. `unknown` stands for what could not be computed: the fault is told where it arose, once.
 */
import { formatNumeric, type Numeric, numeric } from './numbers.js'

export type Type =
  | 'string'
  | 'number'
  | 'bool'
  /** Any type: of an empty list's elements, of a bare null. */
  | 'dynamic'
  | { readonly kind: 'list' | 'set' | 'map'; readonly of: Type }
  | { readonly kind: 'tuple'; readonly items: readonly Type[] }
  | { readonly kind: 'object'; readonly entries: ReadonlyMap<string, Type> }

export type Value =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'null'; readonly type: Type }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: Numeric }
  | { readonly kind: 'bool'; readonly value: boolean }
  | TupleValue
  | SequenceValue
  | ObjectValue
  | MapValue

export interface TupleValue {
  readonly kind: 'tuple'
  readonly items: readonly Value[]
}

/** A set's items are distinct and in order. */
export interface SequenceValue {
  readonly kind: 'list' | 'set'
  readonly of: Type
  readonly items: readonly Value[]
}

/** Entries in byte order of their keys. */
export interface ObjectValue {
  readonly kind: 'object'
  readonly entries: ReadonlyMap<string, Value>
}

export interface MapValue {
  readonly kind: 'map'
  readonly of: Type
  readonly entries: ReadonlyMap<string, Value>
}

export const UNKNOWN: Value = { kind: 'unknown' }
export const NULL: Value = { kind: 'null', type: 'dynamic' }
export const TRUE: Value = { kind: 'bool', value: true }
export const FALSE: Value = { kind: 'bool', value: false }

export function stringValue(text: string): Value {
  return { kind: 'string', value: isAscii(text) ? text : text.normalize('NFC') }
}

export function numberValue(value: number | string | Numeric): Value {
  return { kind: 'number', value: typeof value === 'object' ? value : numeric(value) }
}

export function boolValue(value: boolean): Value {
  return value ? TRUE : FALSE
}

export function tupleValue(items: readonly Value[]): Value {
  return weighed({ kind: 'tuple', items })
}

export function listValue(of: Type, items: readonly Value[]): Value {
  return weighed({ kind: 'list', of, items })
}

/** Sorts and removes doubles. */
export function setValue(of: Type, items: readonly Value[]): Value {
  const sorted = sortValues(items)
  return weighed({ kind: 'set', of, items: sorted.filter((item, at) => at === 0 || !areEqual(item, sorted[at - 1]!)) })
}

export function objectValue(entries: Iterable<readonly [string, Value]>): Value {
  return weighed({ kind: 'object', entries: sortEntries(entries) })
}

export function mapValue(of: Type, entries: Iterable<readonly [string, Value]>): Value {
  return weighed({ kind: 'map', of, entries: sortEntries(entries) })
}

/** The last of equal keys wins. */
function sortEntries(entries: Iterable<readonly [string, Value]>): ReadonlyMap<string, Value> {
  const map = new Map(entries)
  return map.size < 2 ? map : new Map([...map].sort(([left], [right]) => compareBytes(left, right)))
}

/** Order of the UTF-8 bytes, which is that of the code points. */
export function compareBytes(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a === b) continue
    const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff
    if (isSurrogate(a) !== isSurrogate(b)) return isSurrogate(a) ? 1 : -1
    return a - b
  }
  return left.length - right.length
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

export function typeOf(value: Value): Type {
  switch (value.kind) {
    case 'unknown':
      return 'dynamic'
    case 'null':
      return value.type
    case 'string':
    case 'number':
    case 'bool':
      return value.kind
    case 'tuple':
      return { kind: 'tuple', items: value.items.map(typeOf) }
    case 'list':
    case 'set':
    case 'map':
      return { kind: value.kind, of: value.of }
    case 'object':
      return { kind: 'object', entries: new Map([...value.entries].map(([name, entry]) => [name, typeOf(entry)])) }
  }
}

export function areTypesEqual(left: Type, right: Type): boolean {
  if (left === right) return true
  if (typeof left === 'string' || typeof right === 'string' || left.kind !== right.kind) return false
  if (left.kind === 'tuple' && right.kind === 'tuple') {
    return left.items.length === right.items.length && left.items.every((item, at) => areTypesEqual(item, right.items[at]!))
  }
  if (left.kind === 'object' && right.kind === 'object') {
    const { entries } = right
    return (
      left.entries.size === entries.size &&
      [...left.entries].every(([name, type]) => areTypesEqual(type, entries.get(name) ?? 'dynamic') && entries.has(name))
    )
  }
  return 'of' in left && 'of' in right && areTypesEqual(left.of, right.of)
}

/** What people are shown of a value's type; as far as it is needed for that, so that nothing is walked. */
export function describeTypeOf(value: Value): string {
  if (value.kind === 'tuple' || value.kind === 'object') return value.kind
  return describeType(typeOf(value))
}

/** What people are shown: `list of string`. */
export function describeType(type: Type): string {
  if (typeof type === 'string') return type === 'dynamic' ? 'dynamic' : type
  return 'of' in type ? `${type.kind} of ${describeType(type.of)}` : type.kind
}

/** As `==` has it: values of different types are never equal. */
export function areEqual(left: Value, right: Value): boolean {
  if (left.kind === 'null' || right.kind === 'null') return left.kind === right.kind
  switch (left.kind) {
    case 'string':
    case 'bool':
      return right.kind === left.kind && left.value === right.value
    case 'number':
      return right.kind === 'number' && left.value.eq(right.value)
    case 'tuple':
      return right.kind === 'tuple' && areListsEqual(left.items, right.items)
    case 'list':
    case 'set':
      return right.kind === left.kind && areTypesEqual(left.of, right.of) && areListsEqual(left.items, right.items)
    case 'object':
      return right.kind === 'object' && areEntriesEqual(left.entries, right.entries)
    case 'map':
      return right.kind === 'map' && areTypesEqual(left.of, right.of) && areEntriesEqual(left.entries, right.entries)
    case 'unknown':
      return false
  }
}

function areListsEqual(left: readonly Value[], right: readonly Value[]): boolean {
  return left.length === right.length && left.every((item, at) => areEqual(item, right[at]!))
}

function areEntriesEqual(left: ReadonlyMap<string, Value>, right: ReadonlyMap<string, Value>): boolean {
  return left.size === right.size && [...left].every(([name, value]) => areEqual(value, right.get(name) ?? UNKNOWN))
}

/** The order in which a set is walked: texts by bytes, numbers by size, anything else by its text. */
function sortValues(items: readonly Value[]): Value[] {
  const keyed = items.map((value) => ({ value, key: value.kind === 'number' ? '' : sortKey(value) }))
  keyed.sort(({ value: left, key: leftKey }, { value: right, key: rightKey }) => {
    if (left.kind === 'number' && right.kind === 'number') return left.value.cmp(right.value)
    return compareBytes(left.kind === 'number' ? sortKey(left) : leftKey, right.kind === 'number' ? sortKey(right) : rightKey)
  })
  return keyed.map(({ value }) => value)
}

function sortKey(value: Value): string {
  switch (value.kind) {
    case 'string':
      return value.value
    case 'number':
      return formatNumeric(value.value)
    case 'bool':
      return String(value.value)
    case 'null':
    case 'unknown':
      return value.kind
    case 'tuple':
    case 'list':
    case 'set':
      return value.items.map(sortKey).join('\u0000')
    case 'object':
    case 'map':
      return [...value.entries].map(([name, entry]) => `${name}\u0001${sortKey(entry)}`).join('\u0000')
  }
}

/** The items of anything that can be walked by position; `undefined` of what cannot. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  return value.kind === 'tuple' || value.kind === 'list' || value.kind === 'set' ? value.items : undefined
}

export function entriesOf(value: Value): ReadonlyMap<string, Value> | undefined {
  return value.kind === 'object' || value.kind === 'map' ? value.entries : undefined
}

/**
 * What it costs to walk a value once: its members, and those of its members, as often as they can be reached. Values share their parts, so
 * one that is small to hold may be large to walk. Added up as values are made, so that it is known before anybody walks.
 */
export interface Weight {
  readonly steps: number
  readonly depth: number
}

const weights = new WeakMap<object, Weight>()
/** A text is walked faster than a tree. */
const CHARACTERS_PER_STEP = 64

export function textSteps(length: number): number {
  return 1 + Math.floor(length / CHARACTERS_PER_STEP)
}

export function weightOf(value: Value): Weight {
  const known = weights.get(value)
  if (known !== undefined) return known
  if (value.kind === 'string') return { steps: textSteps(value.value.length), depth: 1 }
  if (itemsOf(value) === undefined && entriesOf(value) === undefined) return PLAIN
  return weigh(value)
}

const PLAIN: Weight = { steps: 1, depth: 1 }

function weighed(value: Value): Value {
  weigh(value)
  return value
}

function weigh(value: Value): Weight {
  let steps = 1
  let depth = 0
  const add = (weight: Weight) => {
    steps += weight.steps
    depth = Math.max(depth, weight.depth)
  }
  for (const item of itemsOf(value) ?? []) add(weightOf(item))
  for (const [name, entry] of entriesOf(value) ?? []) {
    add(weightOf(entry))
    steps += textSteps(name.length)
  }
  if ('of' in value) add(typeWeightOf(value.of))
  const weight = { steps, depth: depth + 1 }
  weights.set(value, weight)
  return weight
}

function typeWeightOf(type: Type): Weight {
  if (typeof type === 'string') return PLAIN
  const known = weights.get(type)
  if (known !== undefined) return known
  let steps = 1
  let depth = 0
  const parts = type.kind === 'tuple' ? type.items : type.kind === 'object' ? type.entries.values() : [type.of]
  for (const part of parts) {
    const weight = typeWeightOf(part)
    steps += weight.steps
    depth = Math.max(depth, weight.depth)
  }
  const weight = { steps, depth: depth + 1 }
  weights.set(type, weight)
  return weight
}
