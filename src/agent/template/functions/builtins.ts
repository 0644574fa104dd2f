/** The functions that Go's templates have of themselves; `and` and `or` are the executor's. */
import { type Bytes, isValidUtf8, mapText, runeAt, toArray } from '../bytes.js'
import { refuse } from '../failure.js'
import { sprint, sprintf, sprintln } from '../format/print.js'
import { isPrintable } from '../format/quote.js'
import {
  ANY,
  ANYTHING,
  boolValue,
  INVALID,
  intValue,
  isTrue,
  keyOf,
  mapTypes,
  stringValue,
  typeOf,
  uintValue,
  type Value,
  zeroOf,
} from '../values.js'
import { bytesOf, type FunctionTable, fixed, variadic } from './signature.js'

function indexOne(item: Value, index: Value): Value {
  switch (item.kind) {
    case 'invalid':
      return refuse('index of nil pointer')
    case 'nil':
      if (item.type.startsWith('[]')) return atIndex(index, 0, () => INVALID)
      return item.type.startsWith('map[') ? zeroOf(mapTypes(item.type)[1]) : refuse('index of nil pointer')
    case 'slice':
      return atIndex(index, item.items.length, (at) => item.items[at] ?? refuse(`index out of range: ${at}`))
    case 'string':
      return atIndex(index, item.value.length, (at) =>
        at < item.value.length ? uintValue(item.value.charCodeAt(at), 'uint8') : refuse(`index out of range: ${at}`),
      )
    case 'map': {
      const [keyType, element] = mapTypes(item.type)
      return item.entries.get(keyOf(keyFor(index, keyType)))?.value ?? zeroOf(element)
    }
    default:
      return refuse(`can't index item of type ${typeOf(item)}`)
  }
}

function keyFor(index: Value, type: string): Value {
  if (index.kind === 'invalid') return type === ANY ? index : refuse(`value is nil; should be of type ${type}`)
  if (type === ANY || typeOf(index) === type) return index
  const isInteger = (index.kind === 'int' || index.kind === 'uint') && /^u?int/.test(type)
  return isInteger ? intValue(index.value, type) : refuse(`value has type ${typeOf(index)}; should be ${type}`)
}

function position(index: Value, size: number): number {
  if (index.kind === 'invalid') return refuse('cannot index slice/array with nil')
  if (index.kind !== 'int' && index.kind !== 'uint') return refuse(`cannot index slice/array with type ${typeOf(index)}`)
  return index.value < 0n || index.value > BigInt(size) ? refuse(`index out of range: ${index.value}`) : Number(index.value)
}

function atIndex(index: Value, size: number, take: (at: number) => Value): Value {
  return take(position(index, size))
}

function index(args: readonly Value[]): Value {
  const [item = INVALID, ...indexes] = args
  if (item.kind === 'invalid') return refuse('index of untyped nil')
  return indexes.reduce((current, one) => indexOne(current, one.kind === 'nil' && one.type === ANY ? INVALID : one), item)
}

function slice(args: readonly Value[]): Value {
  const [item = INVALID, ...indexes] = args
  if (item.kind === 'invalid') return refuse('slice of untyped nil')
  if (indexes.length > 3) return refuse(`too many slice indexes: ${indexes.length}`)
  if (item.kind !== 'string' && item.kind !== 'slice') return refuse(`can't slice item of type ${typeOf(item)}`)
  if (item.kind === 'string' && indexes.length === 3) return refuse('cannot 3-index slice a string')
  const size = item.kind === 'string' ? item.value.length : item.items.length
  const [start = 0, end = size, limit = end] = indexes.map((one) => position(one, size))
  if (start > end) return refuse(`invalid slice index: ${start} > ${end}`)
  if (end > limit) return refuse(`invalid slice index: ${end} > ${limit}`)
  return item.kind === 'string' ? stringValue(item.value.slice(start, end)) : { ...item, items: item.items.slice(start, end) }
}

export function lengthOf(value: Value): number | undefined {
  switch (value.kind) {
    case 'string':
      return value.value.length
    case 'slice':
      return value.items.length
    case 'map':
      return value.entries.size
    case 'nil':
      return value.type.startsWith('[]') || value.type.startsWith('map[') ? 0 : undefined
    case 'channel':
      return 0
    default:
      return undefined
  }
}

function length(value: Value): Value {
  if (value.kind === 'invalid') return refuse('len of nil pointer')
  const size = lengthOf(value)
  return size === undefined ? refuse(value.kind === 'nil' ? 'len of nil pointer' : `len of type ${typeOf(value)}`) : intValue(size)
}

type Basic = 'bool' | 'int' | 'uint' | 'float' | 'string'

function basicKind(value: Value): Basic | undefined {
  return ['bool', 'int', 'uint', 'float', 'string'].includes(value.kind) ? (value.kind as Basic) : undefined
}

const isWhole = (kind: Basic | undefined): boolean => kind === 'int' || kind === 'uint'

function isEqual(left: Value, right: Value): boolean {
  const [leftKind, rightKind] = [basicKind(left), basicKind(right)]
  if (leftKind !== rightKind) {
    if (isWhole(leftKind) && isWhole(rightKind)) return 'value' in left && 'value' in right && left.value === right.value
    if (left.kind === 'invalid' || right.kind === 'invalid') return false
    return refuse(`incompatible types for comparison: ${typeOf(left)} and ${typeOf(right)}`)
  }
  if ('value' in left && 'value' in right) return left.value === right.value
  return isEqualComposite(left, right)
}

function isEqualComposite(left: Value, right: Value): boolean {
  const isNothing = (value: Value) => value.kind === 'invalid' || value.kind === 'nil'
  if (isNothing(left) || isNothing(right)) {
    const isOneMissing = left.kind === 'invalid' || right.kind === 'invalid'
    if (!isOneMissing && typeOf(left) !== typeOf(right)) refuse(`non-comparable types ${typeOf(left)}, ${typeOf(right)}`)
    return isNothing(left) && isNothing(right)
  }
  if (left.kind !== right.kind) return refuse(`non-comparable types ${typeOf(left)}, ${typeOf(right)}`)
  return left.kind === 'struct' ? left === right : refuse(`non-comparable type ${typeOf(right)}`)
}

function isLess(left: Value, right: Value): boolean {
  const [leftKind, rightKind] = [basicKind(left), basicKind(right)]
  if (leftKind === undefined || rightKind === undefined) return refuse('invalid type for comparison')
  if (leftKind !== rightKind && !(isWhole(leftKind) && isWhole(rightKind))) {
    return refuse(`incompatible types for comparison: ${typeOf(left)} and ${typeOf(right)}`)
  }
  if (leftKind === 'bool') return refuse('invalid type for comparison')
  return 'value' in left && 'value' in right && left.value < right.value
}

type Comparison = (left: Value, right: Value) => boolean

/** A nil interface compares like nothing at all. */
function plain(value: Value | undefined): Value {
  return value === undefined || (value.kind === 'nil' && value.type === ANY) ? INVALID : value
}

function compare(comparison: Comparison) {
  return fixed([ANYTHING, ANYTHING], ([left, right]) => boolValue(comparison(plain(left), plain(right))))
}

const isAtMost: Comparison = (left, right) => isLess(left, right) || isEqual(left, right)

/** Anything as text: a lone string as it is, everything else as `print` has it. */
function textOf(args: readonly Value[]): Bytes {
  return sprint(args.map((arg) => (plain(arg).kind === 'invalid' ? stringValue('<no value>') : arg)))
}

const HTML: Readonly<Record<string, string>> = { '\0': '\ufffd', '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escapeHtml(bytes: Bytes): Bytes {
  return mapBytes(bytes, (text) => text.replace(/[\0"'&<>]/g, (char) => HTML[char] ?? char))
}

/** Keeps what is no text as it is. */
function mapBytes(bytes: Bytes, change: (text: string) => string): Bytes {
  return isValidUtf8(bytes) ? mapText(bytes, change) : change(bytes)
}

const JS: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '"': '\\"' }

function escapeJs(bytes: Bytes): Bytes {
  let output = ''
  for (let at = 0; at < bytes.length; ) {
    const { rune, size } = runeAt(bytes, at)
    output += escapeJsRune(rune, bytes.slice(at, at + size))
    at += size
  }
  return output
}

function escapeJsRune(rune: string, bytes: Bytes): Bytes {
  const simple = JS[rune]
  if (simple !== undefined) return simple
  const code = rune.codePointAt(0) ?? 0
  if (code < 0x20 || '<>&='.includes(rune) || (code > 0x7f && !isPrintable(rune))) {
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  }
  return bytes
}

export function escapeQuery(bytes: Bytes): Bytes {
  return Array.from(bytes, (byte) =>
    /[A-Za-z0-9_.~-]/.test(byte) ? byte : byte === ' ' ? '+' : `%${toArray(byte)[0]!.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('')
}

export const BUILTIN_FUNCTIONS: FunctionTable = {
  // The executor evaluates these two; they stand here so that the parser knows them.
  and: variadic([ANYTHING, ANYTHING], ([value = INVALID]) => value),
  or: variadic([ANYTHING, ANYTHING], ([value = INVALID]) => value),
  not: fixed([ANYTHING], ([value = INVALID]) => boolValue(!isTrue(value))),
  len: fixed([ANYTHING], ([value = INVALID]) => length(value)),
  index: variadic([ANYTHING, ANYTHING], index),
  slice: variadic([ANYTHING, ANYTHING], slice),
  call: variadic([ANYTHING, ANYTHING], ([value = INVALID]) =>
    value.kind === 'invalid' ? refuse('call of nil') : refuse(`non-function of type ${typeOf(value)}`),
  ),
  print: variadic([ANY], (args) => stringValue(sprint(args))),
  println: variadic([ANY], (args) => stringValue(sprintln(args))),
  printf: variadic(['string', ANY], ([pattern, ...args], context) => stringValue(sprintf(bytesOf(pattern), args, context.produce))),
  html: variadic([ANY], (args) => stringValue(escapeHtml(textOf(args)))),
  js: variadic([ANY], (args) => stringValue(escapeJs(textOf(args)))),
  urlquery: variadic([ANY], (args) => stringValue(escapeQuery(textOf(args)))),
  eq: variadic([ANYTHING, ANYTHING], ([left, ...others]) => {
    if (others.length === 0) return refuse('missing argument for comparison')
    return boolValue(others.some((other) => isEqual(plain(left), plain(other))))
  }),
  ne: compare((left, right) => !isEqual(left, right)),
  lt: compare(isLess),
  le: compare(isAtMost),
  gt: compare((left, right) => !isAtMost(left, right)),
  ge: compare((left, right) => !isLess(left, right)),
}
