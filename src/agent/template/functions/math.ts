/** consul-template's arithmetic: the second argument is the one that is worked on. */
import { ITEM_BYTES } from '../budget.js'
import { toText } from '../bytes.js'
import { FunctionRefusal, refuse } from '../failure.js'
import { quoteBytes } from '../format/quote.js'
import { parseFloatText } from '../literals.js'
import { ANY, boolValue, floatValue, intValue, typeOf, uintValue, type Value } from '../values.js'
import { anyArguments, bytesOf, type FunctionTable, ofType, type TemplateFunction, variadic } from './signature.js'

type Numeric = Extract<Value, { kind: 'int' | 'uint' | 'float' }>

function numeric(value: Value | undefined): Numeric | undefined {
  return value?.kind === 'int' || value?.kind === 'uint' || value?.kind === 'float' ? value : undefined
}

function unknownType(name: string, value: Value | undefined): never {
  const shown = value?.kind === 'string' ? quoteBytes(value.value) : '%!q'
  return refuse(`${name}: unknown type for ${shown} (${value === undefined || value.kind === 'invalid' ? '<nil>' : typeOf(value)})`)
}

interface Operation {
  readonly name: string
  whole(a: bigint, b: bigint): bigint
  /** Absent where floats are not taken. */
  real?(a: number, b: number): number
}

/** Integers stay integers: two unsigned ones stay unsigned, everything else becomes `int64`; a float makes the result one. */
function arithmetic({ name, whole, real }: Operation): TemplateFunction {
  return anyArguments(2, ([second, first]) => {
    const a = numeric(first) ?? unknownType(name, first)
    const b = numeric(second) ?? unknownType(name, second)
    if (a.kind === 'float' || b.kind === 'float') {
      if (real === undefined) return unknownType(name, b.kind === 'float' ? b : a)
      return floatValue(real(Number(a.value), Number(b.value)))
    }
    const result = whole(a.value, b.value)
    return a.kind === 'uint' && b.kind === 'uint' ? uintValue(result) : intValue(result, 'int64')
  })
}

function divided(a: bigint, b: bigint, divide: (a: bigint, b: bigint) => bigint): bigint {
  return b === 0n ? refuse('runtime error: integer divide by zero') : divide(a, b)
}

export function smaller(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

export function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

/** Reads text as strconv does; the empty text is zero. */
function parsed(name: string, goName: string, read: (text: string) => Value | 'range' | undefined, empty: Value): TemplateFunction {
  return ofType('string', 1, ([input]) => {
    const bytes = bytesOf(input)
    if (bytes === '') return empty
    const value = read(toText(bytes))
    if (value !== undefined && value !== 'range') return value
    const problem = value === 'range' ? 'value out of range' : 'invalid syntax'
    return refuse(`${name}: strconv.${goName}: parsing ${quoteBytes(bytes)}: ${problem}`)
  })
}

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

export function parseDecimalInteger(text: string): bigint | 'range' | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return value < INT64.min || value > INT64.max ? 'range' : value
}

function readInt(text: string): Value | 'range' | undefined {
  const value = parseDecimalInteger(text)
  return typeof value === 'bigint' ? intValue(value, 'int64') : value
}

function readUint(text: string): Value | 'range' | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined
  return BigInt(text) >= 2n ** 64n ? 'range' : uintValue(BigInt(text))
}

function readFloat(text: string): Value | 'range' | undefined {
  const value = parseFloatText(text, true)
  if (value !== undefined) return floatValue(value)
  return Number.isFinite(Number(text)) || text.trim() === '' || Number.isNaN(Number(text)) ? undefined : 'range'
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false])),
}

function readBool(text: string): Value | undefined {
  return Object.hasOwn(BOOLEANS, text) ? boolValue(BOOLEANS[text]!) : undefined
}

function loopBound(value: Value | undefined): bigint {
  if (value?.kind === 'int' || value?.kind === 'uint') return value.value
  if (value?.kind !== 'string')
    return refuse(`loop: bad argument type: ${value === undefined || value.kind === 'invalid' ? '<nil>' : typeOf(value)}`)
  const read = parseDecimalInteger(toText(value.value))
  if (typeof read === 'bigint') return read
  throw new FunctionRefusal(
    `parseInt: strconv.ParseInt: parsing ${quoteBytes(value.value)}: ${read === 'range' ? 'value out of range' : 'invalid syntax'}`,
  )
}

function loop(args: readonly Value[], produce: (bytes: number) => void): Value {
  if (args.length < 1 || args.length > 2) return refuse(`loop: wrong number of arguments, expected 1 or 2, but got ${args.length}`)
  const bounds = args.map(loopBound)
  const [start, stop] = bounds.length === 1 ? [0n, bounds[0]!] : [bounds[0]!, bounds[1]!]
  const count = stop > start ? Number(stop - start) : 0
  produce(count * ITEM_BYTES)
  return { kind: 'channel', type: '<-chan int64', items: Array.from({ length: count }, (_, at) => intValue(start + BigInt(at), 'int64')) }
}

export const MATH_FUNCTIONS: FunctionTable = {
  add: arithmetic({ name: 'add', whole: (a, b) => a + b, real: (a, b) => a + b }),
  subtract: arithmetic({ name: 'subtract', whole: (a, b) => a - b, real: (a, b) => a - b }),
  multiply: arithmetic({ name: 'multiply', whole: (a, b) => a * b, real: (a, b) => a * b }),
  divide: arithmetic({ name: 'divide', whole: (a, b) => divided(a, b, (x, y) => x / y), real: (a, b) => a / b }),
  modulo: arithmetic({ name: 'modulo', whole: (a, b) => divided(a, b, (x, y) => x % y) }),
  minimum: arithmetic({ name: 'minimum', whole: smaller, real: Math.min }),
  maximum: arithmetic({ name: 'maximum', whole: larger, real: Math.max }),
  parseBool: parsed('parseBool', 'ParseBool', readBool, boolValue(false)),
  parseFloat: parsed('parseFloat', 'ParseFloat', readFloat, floatValue(0)),
  parseInt: parsed('parseInt', 'ParseInt', readInt, intValue(0, 'int64')),
  parseUint: parsed('parseUint', 'ParseUint', readUint, uintValue(0)),
  loop: variadic([ANY], (args, context) => loop(args, context.produce)),
}
