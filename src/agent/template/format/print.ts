/** `print`, `println` and `printf`: Go's fmt over the values of templates. Source: the documentation of package fmt. */
import { type Bytes, fromText, runeAt, runesOf } from '../bytes.js'
import { refuse } from '../failure.js'
import { sortedEntries, typeOf, type Value } from '../values.js'
import { formatFloat } from './floats.js'
import { isPrintable, quoteBytes } from './quote.js'

const WIDTH_MAX = 1_000_000

interface Verb {
  readonly letter: string
  readonly flags: ReadonlySet<string>
  readonly width: number | undefined
  readonly precision: number | undefined
}

const PLAIN: Verb = { letter: 'v', flags: new Set(), width: undefined, precision: undefined }

/** A space between two operands of which neither is a string. */
export function sprint(values: readonly Value[]): Bytes {
  let output = ''
  values.forEach((value, index) => {
    const previous = values[index - 1]
    if (previous !== undefined && previous.kind !== 'string' && value.kind !== 'string') output += ' '
    output += printPlain(value)
  })
  return output
}

export function sprintln(values: readonly Value[]): Bytes {
  return `${values.map(printPlain).join(' ')}\n`
}

/** `%v`. */
export function printPlain(value: Value): Bytes {
  return value.kind === 'string' ? value.value : formatValue(PLAIN, value, 0)
}

/** @throws FunctionRefusal when width or precision are beyond reason */
export function sprintf(pattern: Bytes, values: readonly Value[], produce: (bytes: number) => void): Bytes {
  return new Printer(pattern, values, produce).print()
}

const FLAGS = '#0+- '

class Printer {
  private at = 0
  private argument = 0
  private isReordered = false
  private isGoodIndex = true
  private output = ''

  constructor(
    private readonly pattern: Bytes,
    private readonly values: readonly Value[],
    private readonly produce: (bytes: number) => void,
  ) {}

  print(): Bytes {
    while (this.at < this.pattern.length) {
      const percent = this.pattern.indexOf('%', this.at)
      const end = percent < 0 ? this.pattern.length : percent
      this.output += this.pattern.slice(this.at, end)
      this.at = end + 1
      if (percent >= 0) this.verb()
    }
    if (!this.isReordered && this.argument < this.values.length) this.output += this.extra()
    return this.output
  }

  private extra(): Bytes {
    const rest = this.values.slice(this.argument).map((value) => (isNothing(value) ? '<nil>' : `${typeOf(value)}=${printPlain(value)}`))
    return `%!(EXTRA ${rest.join(', ')})`
  }

  private verb(): void {
    this.isGoodIndex = true
    const flags = new Set<string>()
    while (FLAGS.includes(this.pattern[this.at] ?? 'x')) flags.add(this.pattern[this.at++]!)
    this.index()
    let width = this.number(true, '%!(BADWIDTH)')
    let precision: number | undefined
    if (this.pattern[this.at] === '.') {
      this.at++
      this.index()
      precision = this.number(false, '%!(BADPREC)') ?? 0
      if (precision < 0) precision = undefined
    }
    this.index()
    if (width !== undefined && width < 0) {
      flags.add('-')
      width = -width
    }
    if (flags.has('-')) flags.delete('0')
    if (this.pattern[this.at] === 'v') nameFlags(flags)
    if (this.at >= this.pattern.length) {
      this.output += '%!(NOVERB)'
      return
    }
    const { rune, size } = runeAt(this.pattern, this.at)
    this.at += size
    this.one({ letter: rune, flags, width, precision })
  }

  /** `[n]` chooses the argument. */
  private index(): void {
    if (this.pattern[this.at] !== '[') return
    this.isReordered = true
    const match = /^\[(\d+)\]/.exec(this.pattern.slice(this.at, this.at + 12))
    const close = this.pattern.indexOf(']', this.at)
    const index = match === null ? -1 : Number(match[1]) - 1
    if (close < 0) this.at += 1
    else this.at = close + 1
    if (index < 0 || index >= this.values.length) this.isGoodIndex = false
    else this.argument = index
  }

  private number(isWidth: boolean, problem: string): number | undefined {
    if (this.pattern[this.at] === '*') {
      this.at++
      const value = this.values[this.argument]
      this.argument++
      if (value?.kind === 'int' || value?.kind === 'uint') {
        const number = Number(value.value)
        if (Math.abs(number) <= WIDTH_MAX && (isWidth || number >= 0)) return this.charged(number)
      }
      this.output += problem
      return undefined
    }
    const digits = /^\d+/.exec(this.pattern.slice(this.at, this.at + 20))?.[0]
    if (digits === undefined) return undefined
    this.at += digits.length
    const number = Number(digits)
    return number > WIDTH_MAX ? refuse(`the width and precision of a verb are at most ${WIDTH_MAX}`) : this.charged(number)
  }

  private charged(number: number): number {
    this.produce(Math.abs(number))
    return number
  }

  private one(verb: Verb): void {
    if (verb.letter === '%') this.output += '%'
    else if (!this.isGoodIndex) this.output += `%!${fromText(verb.letter)}(BADINDEX)`
    else if (this.argument >= this.values.length) this.output += `%!${fromText(verb.letter)}(MISSING)`
    else this.output += formatArgument(verb, this.values[this.argument++]!)
  }
}

/** With `%v` the plus asks for names of fields and the sharp for Go source; they say nothing of signs and prefixes then. */
function nameFlags(flags: Set<string>): void {
  if (flags.delete('+')) flags.add('names')
  if (flags.delete('#')) flags.add('source')
}

function isNothing(value: Value): boolean {
  return value.kind === 'invalid' || (value.kind === 'nil' && value.type === 'interface {}')
}

function formatArgument(verb: Verb, value: Value): Bytes {
  if (verb.letter === 'T') return pad(verb, isNothing(value) ? '<nil>' : typeOf(value))
  return formatValue(verb, value, 0)
}

function formatValue(verb: Verb, value: Value, depth: number): Bytes {
  const isSource = verb.letter === 'v' && verb.flags.has('source')
  switch (value.kind) {
    case 'invalid':
      return verb.letter === 'v' ? pad(verb, '<nil>') : `%!${verb.letter}(<nil>)`
    case 'nil':
      return formatNil(verb, value.type, isSource)
    case 'bool':
      return verb.letter === 'v' || verb.letter === 't' ? pad(verb, String(value.value)) : badVerb(verb, value)
    case 'int':
    case 'uint':
      return formatInteger(verb, value, isSource)
    case 'float':
      return formatFloatValue(verb, value)
    case 'string':
      return formatString(verb, value.value, value, isSource)
    case 'slice':
      return formatSlice(verb, value, depth, isSource)
    case 'channel':
      return pad(verb, '0x0')
    case 'map':
      return formatMap(verb, value, depth, isSource)
    case 'struct':
      return formatStruct(verb, value, depth, isSource)
  }
}

function formatNil(verb: Verb, type: string, isSource: boolean): Bytes {
  if (type.startsWith('[]') || type.startsWith('map[')) {
    if (isSource) return `${type}(nil)`
    return pad(verb, type.startsWith('[]') ? '[]' : 'map[]')
  }
  if (isSource && type.startsWith('*')) return `(${type})(nil)`
  return verb.letter === 'v' ? pad(verb, '<nil>') : `%!${verb.letter}(<nil>)`
}

function badVerb(verb: Verb, value: Value): Bytes {
  const shown = isNothing(value) ? '<nil>' : `${typeOf(value)}=${formatValue({ ...verb, letter: 'v' }, value, 0)}`
  return `%!${fromText(verb.letter)}(${shown})`
}

function pad(verb: Verb, text: Bytes): Bytes {
  const missing = (verb.width ?? 0) - runesOf(text).length
  if (missing <= 0) return text
  if (verb.flags.has('-')) return text + ' '.repeat(missing)
  return (verb.flags.has('0') ? '0' : ' ').repeat(missing) + text
}

const RADIX: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 }

function formatInteger(verb: Verb, value: Extract<Value, { kind: 'int' | 'uint' }>, isSource: boolean): Bytes {
  if (isSource && value.kind === 'uint') return pad(verb, `0x${value.value.toString(16)}`)
  switch (verb.letter) {
    case 'c':
      return pad(verb, fromText(toRune(value.value)))
    case 'q':
      return pad(verb, quoteBytes(fromText(toRune(value.value)), "'", verb.flags.has('+')))
    case 'U':
      return pad({ ...verb, flags: without(verb.flags, '0') }, formatUnicode(verb, value.value))
  }
  const radix = RADIX[verb.letter]
  if (radix === undefined) return badVerb(verb, value)
  const magnitude = (value.value < 0n ? -value.value : value.value).toString(radix)
  const digits = verb.letter === 'X' ? magnitude.toUpperCase() : magnitude
  return padNumber(verb, value.value < 0n, integerPrefix(verb, digits, isSource), atLeast(verb, digits, value.value))
}

function atLeast(verb: Verb, digits: string, value: bigint): string {
  if (verb.precision === 0 && value === 0n) return ''
  return digits.padStart(verb.precision ?? 0, '0')
}

function integerPrefix(verb: Verb, digits: string, isSource: boolean): string {
  if (verb.letter === 'O') return '0o'
  if (!verb.flags.has('#') || isSource) return ''
  if (verb.letter === 'b') return '0b'
  if (verb.letter === 'o') return digits.startsWith('0') ? '' : '0'
  if (verb.letter === 'x') return '0x'
  return verb.letter === 'X' ? '0X' : ''
}

function without(flags: ReadonlySet<string>, flag: string): ReadonlySet<string> {
  return new Set([...flags].filter((other) => other !== flag))
}

/** Sign and prefix stand before zeros, behind spaces. */
function padNumber(verb: Verb, isNegative: boolean, prefix: string, digits: string): Bytes {
  const sign = isNegative ? '-' : verb.flags.has('+') ? '+' : verb.flags.has(' ') ? ' ' : ''
  const isZeroed = verb.flags.has('0') && verb.precision === undefined
  const missing = (verb.width ?? 0) - sign.length - digits.length
  if (isZeroed && missing > 0) return `${sign}${prefix}${'0'.repeat(missing)}${digits}`
  return pad({ ...verb, flags: without(verb.flags, '0') }, sign + prefix + digits)
}

function toRune(code: bigint): string {
  const isPoint = code >= 0n && code <= 0x10ffffn && !(code >= 0xd800n && code < 0xe000n)
  return isPoint ? String.fromCodePoint(Number(code)) : '\ufffd'
}

function formatUnicode(verb: Verb, code: bigint): Bytes {
  const written = `U+${code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, verb.precision ?? 0), '0')}`
  const rune = toRune(code)
  return verb.flags.has('#') && isPrintable(rune) ? `${written} '${fromText(rune)}'` : written
}

function formatFloatValue(verb: Verb, value: Extract<Value, { kind: 'float' }>): Bytes {
  const { letter, precision } = verb
  if (!'veEfFgGxXb'.includes(letter)) return badVerb(verb, value)
  const isGeneral = 'vgGxXb'.includes(letter)
  const digits = precision ?? (isGeneral ? undefined : 6)
  const text = formatFloat(value.value, letter === 'v' ? 'g' : letter, digits)
  const isNegative = text.startsWith('-')
  const magnitude = text.replace(/^[+-]/, '')
  const isNumber = Number.isFinite(value.value)
  const shown =
    verb.flags.has('#') && 'vgGeEfF'.includes(letter) && isNumber ? withPoint(magnitude, isGeneral ? (precision ?? 6) : -1) : magnitude
  const isPlus = !isNumber && !isNegative && magnitude === 'Inf' && !verb.flags.has(' ')
  const flags = new Set(verb.flags)
  if (!isNumber) flags.delete('0')
  if (isPlus && (letter === 'v' || verb.flags.has('+'))) flags.add('+')
  if (Number.isNaN(value.value) && !verb.flags.has('+')) flags.delete('+')
  return padNumber({ ...verb, flags, precision: undefined }, isNegative, '', isPlus ? magnitude : shown)
}

/** The flag `#`: a point always, and for `%g` the zeros that it leaves out. */
function withPoint(text: string, digitsWanted: number): string {
  const [mantissa = '', exponent] = text.split(/(?=[eE])/)
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`
  const significant = pointed.replace('.', '').replace(/^0+/, '').length
  const zeros = digitsWanted < 0 ? 0 : Math.max(0, digitsWanted - significant - (significant === 0 ? 1 : 0))
  return `${pointed}${'0'.repeat(zeros)}${exponent ?? ''}`
}

function formatString(verb: Verb, bytes: Bytes, value: Value, isSource: boolean): Bytes {
  if (isSource) return pad(verb, quoteBytes(bytes))
  switch (verb.letter) {
    case 'v':
    case 's':
      return pad(verb, truncated(verb, bytes))
    case 'q':
      return pad(verb, formatQuoted(verb, truncated(verb, bytes)))
    case 'x':
    case 'X':
      return pad(verb, formatHex(verb, verb.precision === undefined ? bytes : bytes.slice(0, verb.precision)))
    default:
      return badVerb(verb, value)
  }
}

function truncated(verb: Verb, bytes: Bytes): Bytes {
  return verb.precision === undefined ? bytes : fromText(runesOf(bytes).slice(0, verb.precision).join(''))
}

function formatQuoted(verb: Verb, bytes: Bytes): Bytes {
  const isRaw = verb.flags.has('#') && !/[`\x00-\x08\x0a-\x1f\x7f]/.test(bytes)
  return isRaw ? `\`${bytes}\`` : quoteBytes(bytes, '"', verb.flags.has('+'))
}

function formatHex(verb: Verb, bytes: Bytes): Bytes {
  const pairs = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0'))
  const prefix = verb.flags.has('#') ? '0x' : ''
  if (pairs.length === 0) return ''
  const text = verb.flags.has(' ') ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('')
  return verb.letter === 'X' ? text.toUpperCase() : text
}

function formatSlice(verb: Verb, value: Extract<Value, { kind: 'slice' }>, depth: number, isSource: boolean): Bytes {
  const items = value.items.map((item) => formatElement(verb, item, depth + 1, isSource))
  return isSource ? `${value.type}{${items.join(', ')}}` : `[${items.join(' ')}]`
}

function formatElement(verb: Verb, value: Value, depth: number, isSource: boolean): Bytes {
  if (isNothing(value)) return isSource ? 'interface {}(nil)' : pad(verb, '<nil>')
  return formatValue(verb, value, depth)
}

function formatMap(verb: Verb, value: Extract<Value, { kind: 'map' }>, depth: number, isSource: boolean): Bytes {
  const entries = sortedEntries(value).map(
    (entry) => `${formatElement(verb, entry.key, depth + 1, isSource)}:${formatElement(verb, entry.value, depth + 1, isSource)}`,
  )
  return isSource ? `${value.type}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`
}

function formatStruct(verb: Verb, value: Extract<Value, { kind: 'struct' }>, depth: number, isSource: boolean): Bytes {
  if (value.text !== undefined && !isSource && 'vsqxX'.includes(verb.letter)) return formatString(verb, value.text, value, false)
  const names = isSource || verb.flags.has('names')
  const fields = Object.entries(value.fields).map(([name, field]) => {
    const text = formatElement(verb, field, depth + 1, isSource)
    return names ? `${name}:${text}` : text
  })
  const prefix = value.isPointer ? '&' : ''
  return isSource ? `${prefix}${value.type}{${fields.join(', ')}}` : `${prefix}{${fields.join(' ')}}`
}
