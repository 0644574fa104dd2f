/** Go's literals: quoted strings, characters, numbers. Source: the Go language specification, "Lexical elements". */
import { type Bytes, fromText, runesOf } from './bytes.js'

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g

/** `undefined` when the literal is not sound. */
export function unquote(literal: Bytes): Bytes | undefined {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '')
  const quote = literal[0] ?? ''
  let isSound = true
  const value = literal.slice(1, -1).replace(ESCAPE, (_, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (octal !== undefined) {
      const byte = Number.parseInt(octal, 8)
      isSound &&= byte < 256
      return String.fromCharCode(byte & 255)
    }
    const point = short ?? long
    if (point !== undefined) {
      const code = Number.parseInt(point, 16)
      const isPoint = code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
      isSound &&= isPoint
      return isPoint ? fromText(String.fromCodePoint(code)) : ''
    }
    const meant = simple === quote ? quote : SIMPLE_ESCAPES[simple ?? '']
    isSound &&= meant !== undefined
    return meant ?? ''
  })
  return isSound ? value : undefined
}

/** The code point of a character literal. */
export function unquoteCharacter(literal: Bytes): number | undefined {
  const value = unquote(literal)
  const runes = value === undefined ? [] : runesOf(value)
  return runes.length === 1 ? runes[0]?.codePointAt(0) : undefined
}

const UNDERSCORED = /^[+-]?(?:0[xXoObB]_?)?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*$/
const DIGITS: readonly (readonly [pattern: RegExp, prefix: string])[] = [
  [/^0[xX]([0-9a-fA-F]+)$/, '0x'],
  [/^0[oO]([0-7]+)$/, '0o'],
  [/^0[bB]([01]+)$/, '0b'],
  [/^0([0-7]+)$/, '0o'],
  [/^(0|[1-9][0-9]*)$/, ''],
]

/** An integer as Go's `ParseInt` reads it with base 0: prefixes, a leading zero for octal, underscores between digits. */
export function parseIntegerLiteral(text: string): bigint | undefined {
  if (text.includes('_') && !UNDERSCORED.test(text)) return undefined
  const plain = text.replaceAll('_', '')
  const isNegative = plain.startsWith('-')
  const digits = /^[+-]/.test(plain) ? plain.slice(1) : plain
  for (const [pattern, prefix] of DIGITS) {
    const match = pattern.exec(digits)
    if (match !== null) return isNegative ? -BigInt(prefix + match[1]) : BigInt(prefix + match[1])
  }
  return undefined
}

const DECIMAL_FLOAT = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const HEX_FLOAT = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)$/
const SPECIAL_FLOAT = /^([+-]?)(?:(inf|infinity)|nan)$/i

/** A float as Go's `ParseFloat` reads it. */
export function parseFloatText(text: string, allowsSpecial: boolean): number | undefined {
  const plain = text.replaceAll('_', '')
  if (text.includes('_') && !/^[+-]?0[xX]/.test(text)) return undefined
  if (DECIMAL_FLOAT.test(plain)) {
    const value = Number(plain)
    return Number.isFinite(value) ? value : undefined
  }
  const hex = HEX_FLOAT.exec(plain)
  if (hex !== null && `${hex[2]}${hex[3]}` !== '') {
    const fraction = hex[3] ?? ''
    const value = Number(BigInt(`0x${hex[2]}${fraction}`)) * 2 ** (Number(hex[4]) - 4 * fraction.length)
    return hex[1] === '-' ? -value : value
  }
  const special = allowsSpecial ? SPECIAL_FLOAT.exec(text) : null
  if (special === null) return undefined
  if (special[2] === undefined) return Number.NaN
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}
