/** YAML in the layout that Go's yaml.v2 gives it: block style, sequences not indented below their key, long lines folded at 80. */
import { type Bytes, fromText, toText } from '../bytes.js'
import { refuse } from '../failure.js'
import { formatFloat } from '../format/floats.js'
import type { MapEntry, Value } from '../values.js'
import { needsQuotes } from './yaml-scalars.js'

const WIDTH = 80

/** @throws FunctionRefusal */
export function writeYaml(value: Value): Bytes {
  return fromText(block(value, 0, true, 0))
}

/** A value at `indent`; what is not inline begins on the line that it stands on when `isFirst`, otherwise on the next. */
function block(value: Value, indent: number, isFirst: boolean, column: number): string {
  switch (value.kind) {
    case 'slice':
      if (value.items.length === 0) return `${lead(isFirst)}[]\n`
      return (isFirst ? '' : '\n') + value.items.map((item, at) => sequenceItem(item, indent, isFirst && at === 0)).join('')
    case 'map':
      if (value.entries.size === 0) return `${lead(isFirst)}{}\n`
      return mapping(sortKeys([...value.entries.values()]), indent, isFirst)
    case 'struct': {
      const entries = Object.entries(value.fields).map(([name, field]) => ({
        key: { kind: 'string', type: 'string', value: name.toLowerCase() } as const,
        value: field,
      }))
      return entries.length === 0 ? `${lead(isFirst)}{}\n` : mapping(entries, indent, isFirst)
    }
    default:
      return `${lead(isFirst)}${scalar(value, indent, column)}\n`
  }
}

function lead(isFirst: boolean): string {
  return isFirst ? '' : ' '
}

function sequenceItem(item: Value, indent: number, isInline: boolean): string {
  const start = `${isInline ? '' : ' '.repeat(indent)}- `
  return start + block(item, indent + 2, true, indent + 2)
}

function mapping(entries: readonly MapEntry[], indent: number, isFirst: boolean): string {
  const lines = entries.map(({ key, value }, at) => {
    const written = `${isFirst && at === 0 ? '' : ' '.repeat(indent)}${scalar(key, indent, 0, true)}:`
    const isSequence = value.kind === 'slice'
    return written + block(value, isSequence ? indent : indent + 2, false, indent + written.trimStart().length + 1)
  })
  return (isFirst ? '' : '\n') + lines.join('')
}

function scalar(value: Value, indent: number, column: number, isKey = false): string {
  switch (value.kind) {
    case 'invalid':
      return 'null'
    case 'nil':
      return value.type.startsWith('[]') ? '[]' : value.type.startsWith('map') ? '{}' : 'null'
    case 'bool':
    case 'int':
    case 'uint':
      return String(value.value)
    case 'float':
      return yamlFloat(value.value)
    case 'string':
      return text(value.value, indent, column, isKey)
    default:
      return refuse(`cannot marshal a value of type ${value.type}`)
  }
}

function yamlFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  return formatFloat(value, 'g', undefined)
}

function text(bytes: Bytes, indent: number, column: number, isKey: boolean): string {
  const content = toText(bytes)
  if (needsQuotes(bytes)) return doubleQuoted(content, indent, column)
  const traits = analyze(content)
  if (content.includes('\n') && !isKey && !traits.isSpecial && !traits.hasSpaceBeforeBreak) return literal(content, Math.max(indent, 2))
  if (traits.isPlain) return fold(content, indent, column)
  return traits.isSpecial || traits.hasSpaceBeforeBreak ? doubleQuoted(content, indent, column) : singleQuoted(content, indent, column)
}

interface Traits {
  readonly isPlain: boolean
  /** Holds what only double quotes can carry. */
  readonly isSpecial: boolean
  readonly hasSpaceBeforeBreak: boolean
}

const PRINTABLE = /^[\n\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u
const INDICATOR_FIRST = /^[#,[\]{}&*!|>'"%@`]|^[?:-](?:[\s]|$)/
const INDICATOR_WITHIN = /:(?:\s|$)|\s#/

function analyze(content: string): Traits {
  const isSpecial = !PRINTABLE.test(content)
  const hasSpaceBeforeBreak = / [\n\u0085\u2028\u2029]/.test(content)
  const hasBreak = /[\n\u0085\u2028\u2029]/.test(content)
  const isBare = !INDICATOR_FIRST.test(content) && !INDICATOR_WITHIN.test(content) && !/^(?:---|\.\.\.)/.test(content)
  const isTrimmed = !/^ | $/.test(content)
  return { isPlain: content !== '' && !isSpecial && !hasBreak && isBare && isTrimmed, isSpecial, hasSpaceBeforeBreak }
}

/** `|` with what its ends need to be kept. */
function literal(content: string, indent: number): string {
  const hint = /^[ \n]/.test(content) ? '2' : ''
  const chomp = !content.endsWith('\n') ? '-' : content === '\n' || content.endsWith('\n\n') ? '+' : ''
  const body = content.endsWith('\n') ? content.slice(0, -1) : content
  const lines = body.split('\n').map((line) => (line === '' ? '' : ' '.repeat(indent) + line))
  return `|${hint}${chomp}\n${lines.join('\n')}`
}

/** Breaks at single spaces once a line is beyond the width. */
function fold(content: string, indent: number, column: number, isQuoted = false): string {
  let output = ''
  let at = column
  for (let index = 0; index < content.length; index++) {
    const char = content[index]!
    const isBreakable = char === ' ' && content[index - 1] !== ' ' && content[index + 1] !== ' ' && at > WIDTH
    const isInside = !isQuoted || (index > 0 && index < content.length - 1)
    if (isBreakable && isInside) {
      output += `\n${' '.repeat(indent)}`
      at = indent
    } else {
      output += char
      at++
    }
  }
  return output
}

function singleQuoted(content: string, indent: number, column: number): string {
  const folded = fold(content.replaceAll("'", "''"), indent, column + 1, true)
  return `'${folded.replace(/\n(?! )/g, '\n\n')}'`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
  '\ufeff': '\\ufeff',
}

function doubleQuoted(content: string, indent: number, column: number): string {
  let output = ''
  let at = column + 1
  const chars = [...content]
  chars.forEach((char, index) => {
    const isBreakable = char === ' ' && chars[index - 1] !== ' ' && at > WIDTH && index > 0 && index < chars.length - 1
    if (isBreakable) {
      output += `\n${' '.repeat(indent)}${chars[index + 1] === ' ' ? '\\' : ''}`
      at = indent
      return
    }
    const shown = ESCAPES[char] ?? (PRINTABLE.test(char) ? char : hexEscape(char.codePointAt(0) ?? 0))
    output += shown
    at += shown.length
  })
  return `"${output}"`
}

function hexEscape(code: number): string {
  const digits = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

/** Booleans and numbers by value, then text in natural order: `a2` before `a10`, letters after everything else. */
function sortKeys(entries: readonly MapEntry[]): readonly MapEntry[] {
  return [...entries].sort((a, b) => compareYamlKeys(a.key, b.key))
}

function compareYamlKeys(a: Value, b: Value): number {
  const [left, right] = [keyNumber(a), keyNumber(b)]
  if (left !== undefined && right !== undefined) return left - right
  if (left !== undefined) return -1
  if (right !== undefined) return 1
  if (a.kind !== 'string' || b.kind !== 'string') return a.kind === b.kind ? 0 : a.kind === 'string' ? 1 : -1
  return isNaturallyLess(toText(a.value), toText(b.value)) ? -1 : 1
}

function keyNumber(value: Value): number | undefined {
  if (value.kind === 'bool') return value.value ? 1 : 0
  return value.kind === 'int' || value.kind === 'uint' || value.kind === 'float' ? Number(value.value) : undefined
}

const isLetter = (char: string): boolean => /^\p{L}$/u.test(char)
const isDigit = (char: string | undefined): boolean => char !== undefined && /^\p{Nd}$/u.test(char)

function isNaturallyLess(a: string, b: string): boolean {
  const [left, right] = [[...a], [...b]]
  for (let at = 0; at < left.length && at < right.length; at++) {
    const [x, y] = [left[at]!, right[at]!]
    if (x === y) continue
    if (isLetter(x) && isLetter(y)) return x < y
    if (isLetter(x) || isLetter(y)) return isLetter(y)
    const [one, other] = [digitsFrom(left, at), digitsFrom(right, at)]
    if (one.value !== other.value) return one.value < other.value
    return one.count === other.count ? x < y : one.count < other.count
  }
  return left.length < right.length
}

function digitsFrom(chars: readonly string[], start: number): { readonly value: number; readonly count: number } {
  let count = 0
  while (isDigit(chars[start + count])) count++
  return { value: Number(chars.slice(start, start + count).join('') || '0'), count }
}
