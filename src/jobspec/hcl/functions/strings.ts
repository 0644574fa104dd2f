/** Functions on texts. Lengths and positions count grapheme clusters. */
import { RE2JS } from 're2js'
import { graphemes } from '../../mistakes.js'
import { toWhole } from '../convert.js'
import { listValue, numberValue, stringValue, textSteps, type Value } from '../values.js'
import { asText, type CallContext, type FunctionSignature, type FunctionTable, listOf, number, refuse, text } from './signature.js'

/** A function of one text. */
function onText(change: (input: string) => string): FunctionSignature {
  return { parameters: [text('str')], run: ([input]) => stringValue(change(asText(input))) }
}

/** Case mapping of single characters: what would become several (ß) stays. */
function mapCase(input: string, change: (char: string) => string): string {
  let output = ''
  for (const char of input) {
    const changed = change(char)
    output += [...changed].length === 1 ? changed : char
  }
  return output
}

const upper = (input: string): string => mapCase(input, (char) => char.toUpperCase())
const isWordCharacter = (char: string): boolean => /[\p{L}\p{N}_]/u.test(char)
const isSeparator = (char: string): boolean => !isWordCharacter(char) && (char.charCodeAt(0) < 0x80 || /\s/u.test(char))

function title(input: string): string {
  let output = ''
  let isStart = true
  for (const char of input) {
    output += isStart ? upper(char) : char
    isStart = isSeparator(char)
  }
  return output
}

function trimSet(input: string, cut: string): string {
  const chars = [...input]
  const removed = new Set(cut)
  let start = 0
  let end = chars.length
  while (start < end && removed.has(chars[start]!)) start++
  while (end > start && removed.has(chars[end - 1]!)) end--
  return chars.slice(start, end).join('')
}

function substr(args: readonly Value[]): Value {
  const clusters = graphemes(asText(args[0]))
  const offset = toWhole(args[1]!) ?? refuse('whole number required', 1)
  const length = toWhole(args[2]!) ?? refuse('whole number required', 2)
  const start = Math.min(clusters.length, offset < 0 ? Math.max(0, clusters.length + offset) : offset)
  return stringValue(clusters.slice(start, length < 0 ? undefined : start + length).join(''))
}

/** Go's replacement templates to RE2JS's: `$1`, `${name}`, `$$`. */
function regexReplace(input: string, pattern: string, replacement: string, context: CallContext): string {
  context.spend(textSteps(input.length) * textSteps(pattern.length))
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    return refuse(`invalid regular expression: ${error instanceof Error ? error.message : String(error)}`, 1)
  }
  const names = compiled.namedGroups()
  const matcher = compiled.matcher(input)
  let output = ''
  let counted = 0
  let last = 0
  while (matcher.find()) {
    output += input.slice(last, matcher.start())
    output += replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (found, braced: string | undefined, bare: string | undefined) => {
      if (found === '$$') return '$'
      const name = braced ?? bare ?? ''
      const group = /^[0-9]+$/.test(name) ? Number(name) : names[name]
      return group === undefined || group > matcher.groupCount() ? '' : (matcher.group(group) ?? '')
    })
    context.spend(textSteps(output.length - counted))
    counted = output.length
    last = matcher.end()
  }
  return output + input.slice(last)
}

const reverse = onText((input) => graphemes(input).reverse().join(''))

export const STRING_FUNCTIONS: FunctionTable = {
  chomp: onText((input) => input.replace(/(?:\r\n?|\n)*$/, '')),
  lower: onText((input) => mapCase(input, (char) => char.toLowerCase())),
  upper: onText(upper),
  title: onText(title),
  trimspace: onText((input) => input.replace(/^[\s\u0085]+|[\s\u0085]+$/g, '')),
  reverse,
  strrev: reverse,
  strlen: { parameters: [text('str')], run: ([input]) => numberValue(graphemes(asText(input)).length) },
  substr: { parameters: [text('str'), number('offset'), number('length')], run: substr },
  trim: { parameters: [text('str'), text('cutset')], run: ([input, cut]) => stringValue(trimSet(asText(input), asText(cut))) },
  trimprefix: {
    parameters: [text('str'), text('prefix')],
    run: ([input, prefix]) =>
      stringValue(asText(input).startsWith(asText(prefix)) ? asText(input).slice(asText(prefix).length) : asText(input)),
  },
  trimsuffix: {
    parameters: [text('str'), text('suffix')],
    run: ([input, suffix]) =>
      stringValue(
        asText(input).endsWith(asText(suffix)) ? asText(input).slice(0, asText(input).length - asText(suffix).length) : asText(input),
      ),
  },
  indent: {
    parameters: [number('spaces'), text('str')],
    run: ([spaces, input], context) => {
      const width = toWhole(spaces!) ?? refuse('whole number required', 0)
      if (width < 0) refuse('the number of spaces must not be negative', 0)
      const lines = asText(input).split('\n')
      context.produce(lines.length * width)
      return stringValue(lines.join(`\n${' '.repeat(width)}`))
    },
  },
  join: {
    parameters: [text('separator'), listOf('lists', 'string')],
    rest: listOf('lists', 'string'),
    run: ([separator, ...lists], context) => {
      const parts = lists.flatMap((list) => ('items' in list ? list.items : []))
      if (parts.some((part) => part.kind === 'null')) refuse('element of the list is null; cannot concatenate null values', 1)
      context.produce(parts.length * asText(separator).length)
      return stringValue(parts.map(asText).join(asText(separator)))
    },
  },
  split: {
    parameters: [text('separator'), text('str')],
    run: ([separator, input], context) => {
      const by = asText(separator)
      const parts = by === '' ? [...asText(input)] : asText(input).split(by)
      context.produce(parts.length)
      return listValue('string', parts.map(stringValue))
    },
  },
  replace: {
    parameters: [text('str'), text('substr'), text('replace')],
    run: ([input, find, by], context) => {
      const parts = asText(find) === '' ? ['', ...asText(input), ''] : asText(input).split(asText(find))
      context.produce(parts.length * asText(by).length)
      return stringValue(parts.join(asText(by)))
    },
  },
  regex_replace: {
    parameters: [text('str'), text('pattern'), text('replace')],
    run: ([input, pattern, by], context) => stringValue(regexReplace(asText(input), asText(pattern), asText(by), context)),
  },
}
