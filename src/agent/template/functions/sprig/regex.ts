/** Sprig's regular expressions. Source: Sprig's documentation, "Regular Expressions". */
import { type Bytes, fromText, toText } from '../../bytes.js'
import { FunctionRefusal } from '../../failure.js'
import { compileRegex, isMatch, matchesIn, replaceAllRegex, replaceMatches } from '../../regex.js'
import { boolValue, FALSE, stringsValue, stringValue, type Value } from '../../values.js'
import { bytesOf, countOf, type FunctionTable, fixed, ofType, type TemplateFunction } from '../signature.js'

function findAll(pattern: Bytes, bytes: Bytes, limit: number): readonly Bytes[] {
  const found: Bytes[] = []
  if (limit === 0) return found
  for (const match of matchesIn(compileRegex(pattern), toText(bytes))) {
    found.push(fromText(match.groups[0] ?? ''))
    if (found.length === limit) break
  }
  return found
}

function split(pattern: Bytes, bytes: Bytes, limit: number): readonly Bytes[] {
  const text = toText(bytes)
  const regex = compileRegex(pattern)
  if (limit === 0) return []
  if (pattern !== '' && text === '') return ['']
  const parts: string[] = []
  let start = 0
  let end = 0
  for (const match of matchesIn(regex, text)) {
    if (limit > 0 && parts.length === limit - 1) break
    end = match.start
    if (match.end !== 0) parts.push(text.slice(start, end))
    start = match.end
  }
  if (end !== text.length) parts.push(text.slice(start))
  return parts.map(fromText)
}

function literal(pattern: Bytes, bytes: Bytes, replacement: Bytes): Bytes {
  const text = toText(replacement)
  return replaceMatches(compileRegex(pattern), bytes, () => text)
}

const inThree = (change: (pattern: Bytes, bytes: Bytes, replacement: Bytes) => Bytes) =>
  ofType('string', 3, ([pattern, bytes, replacement], context) => {
    context.produce(bytesOf(bytes).length * bytesOf(replacement).length)
    return stringValue(change(bytesOf(pattern), bytesOf(bytes), bytesOf(replacement)))
  })
const toList = (change: (pattern: Bytes, bytes: Bytes, limit: number) => readonly Bytes[]) =>
  fixed(['string', 'string', 'int'], ([pattern, bytes, limit]) => stringsValue(change(bytesOf(pattern), bytesOf(bytes), countOf(limit))))

const match: TemplateFunction['run'] = ([pattern, bytes]) => boolValue(isMatch(compileRegex(bytesOf(pattern)), bytesOf(bytes)))

/** A pattern that is none matches nothing. */
function quietMatch(run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    if (error instanceof FunctionRefusal) return FALSE
    throw error
  }
}

const find = ofType('string', 2, ([pattern, bytes]) => stringValue(findAll(bytesOf(pattern), bytesOf(bytes), 1)[0] ?? ''))
const all = toList(findAll)
const replaceAll = inThree((pattern, bytes, replacement) => replaceAllRegex(pattern, replacement, bytes))
const replaceLiteral = inThree(literal)
const parts = toList(split)

export const SPRIG_REGEX: FunctionTable = {
  regexMatch: ofType('string', 2, (args, context) => quietMatch(() => match(args, context))),
  mustRegexMatch: ofType('string', 2, match),
  regexFind: find,
  mustRegexFind: find,
  regexFindAll: all,
  mustRegexFindAll: all,
  regexReplaceAll: replaceAll,
  mustRegexReplaceAll: replaceAll,
  regexReplaceAllLiteral: replaceLiteral,
  mustRegexReplaceAllLiteral: replaceLiteral,
  regexSplit: parts,
  mustRegexSplit: parts,
  regexQuoteMeta: ofType('string', 1, ([text]) => stringValue(bytesOf(text).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'))),
}
