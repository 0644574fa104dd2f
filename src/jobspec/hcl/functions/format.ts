/** `format` and `formatlist`: Go's verbs over HCL values. */
import { Decimal } from 'decimal.js'
import { graphemes } from '../../mistakes.js'
import { convert } from '../convert.js'
import { itemsOf, listValue, stringValue, type Value, weightOf } from '../values.js'
import { toJsonText } from './json.js'
import { asText, type CallContext, type FunctionTable, nullable, refuse, text } from './signature.js'

const VERB = /%([ +#0-]*)(\d+)?(?:\.(\d*))?(?:\[(\d+)\])?([a-zA-Z%])/g
const WIDTH_MAX = 10_000

interface Verb {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly letter: string
}

function format(pattern: string, args: readonly Value[], context: CallContext): string {
  let next = 0
  let used = 0
  let isIndexed = false
  checkPattern(pattern)
  const output = pattern.replace(
    VERB,
    (_, flags: string, width: string | undefined, precision: string | undefined, position: string | undefined, letter: string) => {
      if (letter === '%') return '%'
      if (position !== undefined) {
        next = Number(position) - 1
        isIndexed = true
      }
      const value =
        args[next] ?? refuse(`not enough arguments for "%${letter}": need position ${next + 1} but have ${args.length} total`, 0)
      next++
      used = Math.max(used, next)
      const verb = { flags, width: Number(width ?? 0), precision: precision === undefined ? undefined : Number(precision), letter }
      if (verb.width > WIDTH_MAX || (verb.precision ?? 0) > WIDTH_MAX)
        refuse(`the width and precision of a verb are at most ${WIDTH_MAX}`, 0)
      context.spend(weightOf(value).steps + verb.width + (verb.precision ?? 0))
      return formatOne(verb, value, next)
    },
  )
  if (used < args.length && !isIndexed) refuse(`too many arguments; only ${used} used by format string`, used + 1)
  return output
}

function checkPattern(pattern: string): void {
  const stray = pattern.replace(VERB, '').indexOf('%')
  if (stray >= 0) refuse('unrecognized or incomplete format verb after "%"', 0)
}

function formatOne(verb: Verb, value: Value, argument: number): string {
  switch (verb.letter) {
    case 'v':
      return pad(verb, generalText(verb, value))
    case 't':
      return pad(verb, String(primitive(value, 'bool', argument).value))
    case 's':
      return pad(verb, cut(verb, String(primitive(value, 'string', argument).value)))
    case 'q':
      return pad(verb, toJsonText({ kind: 'string', value: cut(verb, String(primitive(value, 'string', argument).value)) }, false))
    case 'b':
    case 'd':
    case 'o':
    case 'x':
    case 'X':
      return formatInteger(verb, value, argument)
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return formatFloat(verb, value, argument)
    default:
      return refuse(`unsupported format verb "%${verb.letter}"`, 0)
  }
}

function primitive(
  value: Value,
  type: 'bool' | 'string' | 'number',
  argument: number,
): Extract<Value, { kind: 'bool' | 'string' | 'number' }> {
  const converted = value.kind === 'null' ? { refusal: 'unsupported value: null value cannot be formatted' } : convert(value, type)
  if ('refusal' in converted) return refuse(converted.refusal, argument)
  const result = converted.value
  return result.kind === 'bool' || result.kind === 'string' || result.kind === 'number'
    ? result
    : refuse(`unsupported value: ${type} required`, argument)
}

function generalText(verb: Verb, value: Value): string {
  const isPlain = !verb.flags.includes('#')
  if (value.kind === 'string' && isPlain) return cut(verb, value.value)
  if (value.kind === 'number') return value.value.toFixed()
  return toJsonText(value, false)
}

function cut(verb: Verb, input: string): string {
  return verb.precision === undefined ? input : graphemes(input).slice(0, verb.precision).join('')
}

function pad(verb: Verb, input: string): string {
  const missing = verb.width - graphemes(input).length
  if (missing <= 0) return input
  if (verb.flags.includes('-')) return input + ' '.repeat(missing)
  if (verb.flags.includes('0')) {
    const sign = /^[+-]/.test(input) ? input[0]! : ''
    return sign + '0'.repeat(missing) + input.slice(sign.length)
  }
  return ' '.repeat(missing) + input
}

function signed(verb: Verb, isNegative: boolean, digits: string): string {
  if (isNegative) return `-${digits}`
  if (verb.flags.includes('+')) return `+${digits}`
  return verb.flags.includes(' ') ? ` ${digits}` : digits
}

const BASES: Readonly<Record<string, number>> = { b: 2, d: 10, o: 8, x: 16, X: 16 }

function formatInteger(verb: Verb, value: Value, argument: number): string {
  const number = primitive(value, 'number', argument)
  if (number.kind !== 'number' || !number.value.isInteger()) return refuse('unsupported value: a whole number is required', argument)
  const base = BASES[verb.letter] ?? 10
  const magnitude = BigInt(number.value.abs().toFixed()).toString(base)
  const digits = verb.letter === 'X' ? magnitude.toUpperCase() : magnitude
  const prefix = verb.flags.includes('#') ? { x: '0x', X: '0X', o: '0' }[verb.letter] : undefined
  return pad(verb, signed(verb, number.value.isNegative() && !number.value.isZero(), (prefix ?? '') + digits))
}

function formatFloat(verb: Verb, value: Value, argument: number): string {
  const number = primitive(value, 'number', argument)
  if (number.kind !== 'number') return refuse('unsupported value: a number is required', argument)
  const digits = floatDigits(verb, number.value.abs())
  return pad(verb, signed(verb, number.value.isNegative() && !number.value.isZero(), digits))
}

function floatDigits(verb: Verb, value: Decimal): string {
  const { letter, precision } = verb
  if (letter === 'f') return value.toFixed(precision ?? 6, Decimal.ROUND_HALF_EVEN)
  if (letter === 'e' || letter === 'E') return exponential(value.toExponential(precision ?? 6, Decimal.ROUND_HALF_EVEN), letter)
  const short = precision === undefined ? value : value.toSignificantDigits(Math.max(1, precision), Decimal.ROUND_HALF_EVEN)
  const exponent = short.isZero() ? 0 : short.e
  const limit = precision === undefined ? Math.max(21, short.precision()) : Math.max(1, precision)
  const isExponential = exponent < -4 || exponent >= limit
  return isExponential ? exponential(short.toExponential(), letter === 'G' ? 'E' : 'e') : short.toFixed()
}

/** Go writes at least two digits of exponent. */
function exponential(written: string, letter: string): string {
  return written.replace(/e([+-])(\d+)$/, (_, sign: string, digits: string) => `${letter}${sign}${digits.padStart(2, '0')}`)
}

function formatlist(args: readonly Value[], context: CallContext): Value {
  const [pattern, ...rest] = args
  const lists = rest.map((arg) => itemsOf(arg))
  const lengths = new Set(lists.filter((list) => list !== undefined).map((list) => list.length))
  if (lengths.size > 1) refuse('the lists that are given must have the same length')
  const [count = 1] = lengths
  context.produce(count)
  const rows: Value[] = []
  for (let at = 0; at < count; at++) {
    const row = rest.map((arg, column) => lists[column]?.[at] ?? arg)
    const made = format(asText(pattern), row, context)
    context.produce(made.length)
    rows.push(stringValue(made))
  }
  return listValue('string', rows)
}

export const FORMAT_FUNCTIONS: FunctionTable = {
  format: {
    parameters: [text('format')],
    rest: nullable('args'),
    run: ([pattern, ...args], context) => stringValue(format(asText(pattern), args, context)),
  },
  formatlist: { parameters: [text('format')], rest: nullable('args'), run: formatlist },
}
