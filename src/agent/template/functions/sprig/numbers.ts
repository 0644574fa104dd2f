/** Sprig's arithmetic, which takes anything for a number and what is none for zero. Source: Sprig's documentation, "Math Functions". */
import { Decimal } from 'decimal.js'
import { ITEM_BYTES } from '../../budget.js'
import { toText } from '../../bytes.js'
import { refuse } from '../../failure.js'
import { parseFloatText, parseIntegerLiteral } from '../../literals.js'
import { ANY, floatValue, intValue, sliceValue, stringValue, type Value } from '../../values.js'
import { larger, parseDecimalInteger, smaller } from '../math.js'
import { anyArguments, bytesOf, type CallContext, countOf, type FunctionTable, ofType, variadic } from '../signature.js'

const wrap64 = (value: bigint): bigint => BigInt.asIntN(64, value)

export function toInt64(value: Value | undefined): bigint {
  switch (value?.kind) {
    case 'int':
    case 'uint':
      return wrap64(value.value)
    case 'float':
      return Math.abs(value.value) < 2 ** 63 ? BigInt(Math.trunc(value.value)) : -(2n ** 63n)
    case 'bool':
      return value.value ? 1n : 0n
    case 'string':
      return textToInt64(toText(value.value))
    default:
      return 0n
  }
}

/** A number as Go would read it in source; a fraction is cut off only when there is one of zeros. */
function textToInt64(text: string): bigint {
  const plain = /^([+-]?\d+)\.0*$/.exec(text)?.[1] ?? text
  const integer = parseIntegerLiteral(plain)
  return integer !== undefined && integer >= -(2n ** 63n) && integer < 2n ** 63n ? integer : 0n
}

export function toFloat64(value: Value | undefined): number {
  if (value?.kind === 'float') return value.value
  if (value?.kind === 'string') return parseFloatText(toText(value.value), true) ?? 0
  return Number(toInt64(value))
}

const int64 = (value: bigint): Value => intValue(value, 'int64')

function divide(a: bigint, b: bigint, by: (a: bigint, b: bigint) => bigint): Value {
  return b === 0n ? refuse('runtime error: integer divide by zero') : int64(by(a, b))
}

/** Decimal arithmetic, so that 0.1 + 0.2 is 0.3; divisions keep sixteen places. */
function decimals(first: Value, rest: readonly Value[], apply: (a: Decimal, b: Decimal) => Decimal): Value {
  return floatValue(rest.reduce((sum, value) => apply(sum, new Decimal(toFloat64(value))), new Decimal(toFloat64(first))).toNumber())
}

function divided(a: Decimal, b: Decimal): Decimal {
  if (b.isZero()) return refuse('decimal division by 0')
  return a.div(b).toDecimalPlaces(16, Decimal.ROUND_HALF_UP)
}

function sequence(start: number, end: number, step: number, context: CallContext): readonly number[] {
  const count = Math.max(0, Math.ceil((end - start) / step))
  context.produce(Number.isFinite(count) ? count * ITEM_BYTES : 0)
  return Array.from({ length: Number.isFinite(count) ? count : 0 }, (_, at) => start + at * step)
}

function steps(start: number, stop: number, step: number, context: CallContext): readonly number[] {
  const isMoving = stop < start ? step < 0 : step > 0
  return isMoving ? sequence(start, stop, step, context) : []
}

function seq(params: readonly number[], context: CallContext): string {
  if (params.length === 0 || params.length > 3) return ''
  const [first = 0, second = 0, third = 0] = params
  if (params.length === 3) return second === 0 ? '' : steps(first, third + Math.sign(second), second, context).join(' ')
  const [start, end] = params.length === 1 ? [1, first] : [first, second]
  const step = end < start ? -1 : 1
  return sequence(start, end + step, step, context).join(' ')
}

function round(value: number, places: number, threshold: number): number {
  const scale = 10 ** places
  const digit = scale * value
  const rest = digit - Math.trunc(digit)
  const isUp = Math.abs(rest) >= threshold
  return (isUp ? (value > 0 ? Math.ceil(digit) : Math.floor(digit)) : Math.trunc(digit)) / scale
}

const ints = (values: readonly number[]): Value =>
  sliceValue(
    'int',
    values.map((value) => intValue(value)),
  )
const numbers = (args: readonly Value[]): readonly number[] => args.map(countOf)

function extreme(choose: (a: bigint, b: bigint) => bigint) {
  return variadic([ANY, ANY], ([first, ...rest]) => int64(rest.map(toInt64).reduce(choose, toInt64(first))))
}

const max = extreme(larger)

export const SPRIG_NUMBERS: FunctionTable = {
  atoi: ofType('string', 1, ([text]) => {
    const value = parseDecimalInteger(toText(bytesOf(text)))
    return intValue(typeof value === 'bigint' ? value : 0n)
  }),
  int64: anyArguments(1, ([value]) => int64(toInt64(value))),
  int: anyArguments(1, ([value]) => intValue(toInt64(value))),
  float64: anyArguments(1, ([value]) => floatValue(toFloat64(value))),
  toDecimal: anyArguments(1, ([value]) => {
    const text = value?.kind === 'string' ? toText(value.value) : value !== undefined && 'value' in value ? String(value.value) : ''
    return int64(/^[0-7]+$/.test(text) ? BigInt(`0o${text}`) : 0n)
  }),
  seq: variadic(['int'], (args, context) => stringValue(seq(numbers(args), context))),
  until: ofType('int', 1, ([count], context) => ints(steps(0, countOf(count), countOf(count) < 0 ? -1 : 1, context))),
  untilStep: ofType('int', 3, (args, context) => {
    const [start = 0, stop = 0, step = 0] = numbers(args)
    return ints(steps(start, stop, step, context))
  }),
  add1: anyArguments(1, ([value]) => int64(toInt64(value) + 1n)),
  add: variadic([ANY], (args) => int64(args.reduce((sum, value) => sum + toInt64(value), 0n))),
  sub: anyArguments(2, ([a, b]) => int64(toInt64(a) - toInt64(b))),
  div: anyArguments(2, ([a, b]) => divide(toInt64(a), toInt64(b), (x, y) => x / y)),
  mod: anyArguments(2, ([a, b]) => divide(toInt64(a), toInt64(b), (x, y) => x % y)),
  mul: variadic([ANY, ANY], ([first, ...rest]) => int64(rest.reduce((product, value) => wrap64(product * toInt64(value)), toInt64(first)))),
  add1f: anyArguments(1, ([value]) => decimals(value!, [intValue(1)], (a, b) => a.add(b))),
  addf: variadic([ANY], (args) => decimals(floatValue(0), args, (a, b) => a.add(b))),
  subf: variadic([ANY, ANY], ([first, ...rest]) => decimals(first!, rest, (a, b) => a.sub(b))),
  divf: variadic([ANY, ANY], ([first, ...rest]) => decimals(first!, rest, divided)),
  mulf: variadic([ANY, ANY], ([first, ...rest]) => decimals(first!, rest, (a, b) => a.mul(b))),
  biggest: max,
  max,
  min: extreme(smaller),
  maxf: variadic([ANY, ANY], (args) => floatValue(Math.max(...args.map(toFloat64)))),
  minf: variadic([ANY, ANY], (args) => floatValue(Math.min(...args.map(toFloat64)))),
  ceil: anyArguments(1, ([value]) => floatValue(Math.ceil(toFloat64(value)))),
  floor: anyArguments(1, ([value]) => floatValue(Math.floor(toFloat64(value)))),
  round: variadic([ANY, 'int', 'float64'], ([value, places, threshold]) =>
    floatValue(round(toFloat64(value), countOf(places), threshold?.kind === 'float' ? threshold.value : 0.5)),
  ),
  randInt: ofType('int', 2, (args, context) => {
    const [min = 0, max = 0] = numbers(args)
    if (max <= min) return refuse('invalid argument to Intn')
    const [a = 0, b = 0, c = 0, d = 0] = context.random(4)
    return intValue(min + ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % (max - min)))
  }),
}
