/** Sprig's functions on text. Source: Sprig's public documentation, "String Functions", "String Slice Functions". */
import { type Bytes, fromText, mapText, toText } from '../../bytes.js'
import { refuse } from '../../failure.js'
import { printPlain } from '../../format/print.js'
import { quoteBytes } from '../../format/quote.js'
import { ANY, boolValue, recordValue, stringsValue, stringValue, type Value } from '../../values.js'
import { anyArguments, bytesOf, countOf, type FunctionTable, fixed, ofType, variadic } from '../signature.js'
import { lower, replaceBytes, splitBytes, title, trimPrefix, trimSet, trimSpace, trimSuffix, upper } from '../strings.js'
import { camelCase, kebabCase, snakeCase, swapCase } from './cases.js'

/** Anything as text, as `toString` has it. */
export function strval(value: Value): Bytes {
  return printPlain(value)
}

const isNothing = (value: Value): boolean => value.kind === 'invalid' || (value.kind === 'nil' && value.type === ANY)

/** A list as texts, without what is nil; anything else as a list of one. */
export function toStrings(value: Value | undefined): readonly Bytes[] {
  if (value === undefined || value.kind === 'nil' || value.kind === 'invalid') return []
  return value.kind === 'slice' ? value.items.filter((item) => !isNothing(item)).map(strval) : [strval(value)]
}

function truncate(width: number, text: Bytes): Bytes {
  if (width < 0) return text.length + width > 0 ? text.slice(text.length + width) : text
  return text.slice(0, width)
}

function substring(start: number, end: number, text: Bytes): Bytes {
  if (start < 0) return cut(text, 0, end)
  if (end < 0 || end > text.length) return cut(text, start, text.length)
  return cut(text, start, end)
}

function cut(text: Bytes, start: number, end: number): Bytes {
  if (start > end || end > text.length) return refuse(`slice bounds out of range [${start}:${end}]`)
  return text.slice(start, end)
}

function abbreviate(left: number, width: number, text: Bytes): Bytes {
  if (text.length <= width || width < 4 || (left > 0 && width < 7)) return text
  const isAtStart = left <= 4
  if (isAtStart) return `${text.slice(0, width - 3)}...`
  const offset = Math.min(left, text.length)
  if (offset + width - 3 < text.length) return `...${abbreviate(0, width - 3, text.slice(offset))}`
  return `...${text.slice(text.length - (width - 3))}`
}

const WORD_BREAKS = /(?:^|\s)(\S)/gu

function wrap(text: Bytes, width: number, newline: string, breaksWords: boolean): Bytes {
  const runes = [...toText(text)]
  const limit = Math.max(1, width)
  let output = ''
  let offset = 0
  while (runes.length - offset > limit) {
    if (runes[offset] === ' ') {
      offset++
      continue
    }
    const space = lastSpaceBefore(runes, offset, offset + limit)
    if (space >= offset) {
      output += runes.slice(offset, space).join('') + newline
      offset = space + 1
    } else if (breaksWords) {
      output += runes.slice(offset, offset + limit).join('') + newline
      offset += limit
    } else {
      const next = runes.indexOf(' ', offset + limit)
      output += runes.slice(offset, next < 0 ? runes.length : next).join('') + (next < 0 ? '' : newline)
      offset = next < 0 ? runes.length : next + 1
    }
  }
  return fromText(output + runes.slice(offset).join(''))
}

function lastSpaceBefore(runes: readonly string[], start: number, end: number): number {
  for (let at = end; at >= start; at--) if (runes[at] === ' ') return at
  return -1
}

function indent(width: number, text: Bytes, produce: (bytes: number) => void): Bytes {
  if (width < 0) return refuse('strings: negative Repeat count')
  const lines = text.split('\n')
  produce(lines.length * width)
  return ' '.repeat(width) + lines.join(`\n${' '.repeat(width)}`)
}

/** `_0`, `_1` and so on: what `split` makes of a text. */
function numbered(parts: readonly Bytes[]): Value {
  return recordValue(
    parts.map((part, at) => [`_${at}`, stringValue(part)] as const),
    'string',
  )
}

function splitN(text: Bytes, separator: Bytes, limit: number): readonly Bytes[] {
  if (limit === 0) return []
  const parts = splitBytes(text, separator)
  return limit < 0 || parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)]
}

const onOne = (change: (text: Bytes) => Bytes) => ofType('string', 1, ([text]) => stringValue(change(bytesOf(text))))
const onTwo = (change: (first: Bytes, second: Bytes) => Bytes) =>
  ofType('string', 2, ([first, second]) => stringValue(change(bytesOf(first), bytesOf(second))))
const test = (holds: (part: Bytes, text: Bytes) => boolean) =>
  ofType('string', 2, ([part, text]) => boolValue(holds(bytesOf(part), bytesOf(text))))
const withCount = (change: (count: number, text: Bytes, produce: (bytes: number) => void) => Bytes) =>
  fixed(['int', 'string'], ([count, text], context) => stringValue(change(countOf(count), bytesOf(text), context.produce)))

const trimAll = onTwo((cutset, text) => trimSet(text, cutset))

export const SPRIG_STRINGS: FunctionTable = {
  hello: fixed([], () => stringValue('Hello!')),
  abbrev: withCount((width, text) => (width < 4 ? text : abbreviate(0, width, text))),
  abbrevboth: fixed(['int', 'int', 'string'], ([left, right, text]) => {
    const [from, width] = [countOf(left), countOf(right)]
    return stringValue(width < 4 || (from > 0 && width < 7) ? bytesOf(text) : abbreviate(from, width, bytesOf(text)))
  }),
  trunc: withCount(truncate),
  trim: onOne(trimSpace),
  upper: onOne(upper),
  lower: onOne(lower),
  title: onOne(title),
  untitle: onOne((text) =>
    mapText(text, (all) => all.replace(/(^|\s)(\S)/gu, (_, before: string, char: string) => before + char.toLowerCase())),
  ),
  substr: fixed(['int', 'int', 'string'], ([start, end, text]) => stringValue(substring(countOf(start), countOf(end), bytesOf(text)))),
  repeat: withCount((count, text, produce) => {
    if (count < 0) return refuse('strings: negative Repeat count')
    produce(count * text.length)
    return text.repeat(count)
  }),
  trimall: trimAll,
  trimAll,
  trimSuffix: onTwo((suffix, text) => trimSuffix(text, suffix)),
  trimPrefix: onTwo((prefix, text) => trimPrefix(text, prefix)),
  nospace: onOne((text) => mapText(text, (all) => all.replace(/\s+/gu, ''))),
  initials: onOne((text) => mapText(text, (all) => [...all.matchAll(WORD_BREAKS)].map((match) => match[1]).join(''))),
  swapcase: onOne(swapCase),
  snakecase: onOne(snakeCase),
  camelcase: onOne(camelCase),
  kebabcase: onOne(kebabCase),
  wrap: withCount((width, text) => wrap(text, width, '\n', false)),
  wrapWith: fixed(['int', 'string', 'string'], ([width, newline, text]) =>
    stringValue(wrap(bytesOf(text), countOf(width), toText(bytesOf(newline)), true)),
  ),
  contains: test((part, text) => text.includes(part)),
  hasPrefix: test((part, text) => text.startsWith(part)),
  hasSuffix: test((part, text) => text.endsWith(part)),
  quote: variadic([ANY], (args) =>
    stringValue(
      args
        .filter((arg) => !isNothing(arg))
        .map((arg) => quoteBytes(strval(arg)))
        .join(' '),
    ),
  ),
  squote: variadic([ANY], (args) =>
    stringValue(
      args
        .filter((arg) => !isNothing(arg))
        .map((arg) => `'${printPlain(arg)}'`)
        .join(' '),
    ),
  ),
  cat: variadic([ANY], (args) =>
    stringValue(
      args
        .filter((arg) => !isNothing(arg))
        .map(printPlain)
        .join(' '),
    ),
  ),
  indent: withCount(indent),
  nindent: withCount((width, text, produce) => `\n${indent(width, text, produce)}`),
  replace: ofType('string', 3, ([from, to, text], context) =>
    stringValue(replaceBytes(bytesOf(text), bytesOf(from), bytesOf(to), context.produce)),
  ),
  plural: fixed(['string', 'string', 'int'], ([one, many, count]) => (countOf(count) === 1 ? one! : many!)),
  toString: anyArguments(1, ([value]) => stringValue(strval(value!))),
  toStrings: anyArguments(1, ([value]) => stringsValue(toStrings(value))),
  join: fixed(['string', ANY], ([separator, list]) => stringValue(toStrings(list).join(bytesOf(separator)))),
  sortAlpha: anyArguments(1, ([list]) => stringsValue(list?.kind === 'slice' ? [...toStrings(list)].sort() : [strval(list!)])),
  split: onSplit((separator, text) => numbered(splitBytes(text, separator))),
  splitList: onSplit((separator, text) => stringsValue(splitBytes(text, separator))),
  splitn: fixed(['string', 'int', 'string'], ([separator, limit, text]) =>
    numbered(splitN(bytesOf(text), bytesOf(separator), countOf(limit))),
  ),
}

function onSplit(split: (separator: Bytes, text: Bytes) => Value) {
  return ofType('string', 2, ([separator, text]) => split(bytesOf(separator), bytesOf(text)))
}
