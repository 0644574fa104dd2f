/** consul-template's functions on text. */
import { type Bytes, fromText, mapText, runesOf } from '../bytes.js'
import { refuse } from '../failure.js'
import { compileRegex, isMatch, replaceAllRegex } from '../regex.js'
import { boolValue, recordValue, stringsValue, stringValue, type Value } from '../values.js'
import { bytesOf, countOf, type FunctionTable, fixed, itemsOf, ofType } from './signature.js'

/** `String.toUpperCase` without its changes of length: Go maps one character to one. */
export function mapCase(bytes: Bytes, change: (char: string) => string): Bytes {
  return mapText(bytes, (text) =>
    Array.from(text, (char) => {
      const changed = change(char)
      return [...changed].length === 1 ? changed : char
    }).join(''),
  )
}

export const upper = (bytes: Bytes): Bytes => mapCase(bytes, (char) => char.toUpperCase())
export const lower = (bytes: Bytes): Bytes => mapCase(bytes, (char) => char.toLowerCase())

/** The first letter of each word large; a word ends where Go's strings.Title sees its end. */
export function title(bytes: Bytes): Bytes {
  return mapText(bytes, (text) =>
    text.replace(/(^|[^\p{L}\p{Nd}_])(\p{L})/gu, (_, before: string, letter: string) => before + single(letter)),
  )
}

function single(letter: string): string {
  const large = letter.toUpperCase()
  return [...large].length === 1 ? large : letter
}

const WORDS = new Intl.Segmenter('en', { granularity: 'word' })
/** Letters whose titlecase is neither their capital nor that with small letters behind it. */
const TITLECASE: Readonly<Record<string, string>> = { Ǆ: 'ǅ', Ǉ: 'ǈ', Ǌ: 'ǋ', Ǳ: 'ǲ' }

/** The first letter of each word large, words being those of Unicode: `don't` is one. */
export function titleWords(bytes: Bytes): Bytes {
  return mapText(bytes, (text) =>
    Array.from(WORDS.segment(text), ({ segment }) => segment.replace(/\p{L}/u, (letter) => titleLetter(letter))).join(''),
  )
}

function titleLetter(letter: string): string {
  const [first = '', ...rest] = [...letter.toUpperCase()]
  return rest.length > 0 ? first + rest.join('').toLowerCase() : (TITLECASE[first] ?? first)
}

const SPACE = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const SPACES_AROUND = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g')

export function trimSpace(bytes: Bytes): Bytes {
  return mapText(bytes, (text) => text.replace(SPACES_AROUND, ''))
}

export function trimSet(bytes: Bytes, cutset: Bytes): Bytes {
  const runes = runesOf(bytes)
  const cut = new Set(runesOf(cutset))
  let start = 0
  let end = runes.length
  while (start < end && cut.has(runes[start]!)) start++
  while (end > start && cut.has(runes[end - 1]!)) end--
  return fromText(runes.slice(start, end).join(''))
}

export function trimPrefix(bytes: Bytes, prefix: Bytes): Bytes {
  return bytes.startsWith(prefix) ? bytes.slice(prefix.length) : bytes
}

export function trimSuffix(bytes: Bytes, suffix: Bytes): Bytes {
  return bytes.endsWith(suffix) ? bytes.slice(0, bytes.length - suffix.length) : bytes
}

/** Splits as Go does: by nothing means into characters. */
export function splitBytes(bytes: Bytes, separator: Bytes): readonly Bytes[] {
  return separator === '' ? runesOf(bytes).map(fromText) : bytes.split(separator)
}

export function replaceBytes(bytes: Bytes, from: Bytes, to: Bytes, produce: (bytes: number) => void): Bytes {
  const parts = from === '' ? ['', ...runesOf(bytes).map(fromText), ''] : bytes.split(from)
  produce(parts.length * to.length)
  return from === '' ? parts.slice(1, -1).reduce((made, part) => made + part + to, to) : parts.join(to)
}

function indent([spaces, input]: readonly Value[], produce: (bytes: number) => void): Value {
  const width = countOf(spaces)
  if (width < 0) return refuse('indent value must be a positive integer')
  const lines = bytesOf(input).split('\n')
  produce(lines.length * width)
  return stringValue(lines.map((line) => (line === '' ? '' : ' '.repeat(width) + line)).join('\n'))
}

function splitToMap([separator, assignment, input]: readonly Value[]): Value {
  const text = trimSpace(bytesOf(input))
  const pairs = text === '' ? [] : splitBytes(text, bytesOf(separator))
  const members = pairs.flatMap((pair) => {
    const at = pair.indexOf(bytesOf(assignment))
    return at < 0 ? [] : [[pair.slice(0, at), stringValue(pair.slice(at + bytesOf(assignment).length))] as const]
  })
  return recordValue(members, 'string')
}

const onOne = (change: (bytes: Bytes) => Bytes) => ofType('string', 1, ([input]) => stringValue(change(bytesOf(input))))
const onTwo = (change: (first: Bytes, second: Bytes) => Bytes) =>
  ofType('string', 2, ([first, second]) => stringValue(change(bytesOf(first), bytesOf(second))))

export const STRING_FUNCTIONS: FunctionTable = {
  toLower: onOne(lower),
  toUpper: onOne(upper),
  toTitle: onOne(titleWords),
  trimSpace: onOne(trimSpace),
  trim: onTwo((cutset, input) => trimSet(input, cutset)),
  trimPrefix: onTwo((prefix, input) => trimPrefix(input, prefix)),
  trimSuffix: onTwo((suffix, input) => trimSuffix(input, suffix)),
  replaceAll: ofType('string', 3, ([from, to, input], context) =>
    stringValue(replaceBytes(bytesOf(input), bytesOf(from), bytesOf(to), context.produce)),
  ),
  regexMatch: ofType('string', 2, ([pattern, input]) => boolValue(isMatch(compileRegex(bytesOf(pattern)), bytesOf(input)))),
  regexReplaceAll: ofType('string', 3, ([pattern, replacement, input], context) => {
    context.produce(bytesOf(input).length * bytesOf(replacement).length)
    return stringValue(replaceAllRegex(bytesOf(pattern), bytesOf(replacement), bytesOf(input)))
  }),
  split: ofType('string', 2, ([separator, input]) => {
    const text = trimSpace(bytesOf(input))
    return text === '' ? stringsValue([]) : stringsValue(splitBytes(text, bytesOf(separator)))
  }),
  splitToMap: ofType('string', 3, splitToMap),
  join: fixed(['string', '[]string'], ([separator, list], context) => {
    const items = itemsOf(list).map(bytesOf)
    context.produce(items.length * bytesOf(separator).length)
    return stringValue(items.join(bytesOf(separator)))
  }),
  indent: fixed(['int', 'string'], (args, context) => indent(args, context.produce)),
}
