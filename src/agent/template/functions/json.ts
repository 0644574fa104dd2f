/** JSON as Go's encoding/json reads and writes it. */
import { type Bytes, fromText, toText } from '../bytes.js'
import { refuse } from '../failure.js'
import { formatFloat } from '../format/floats.js'
import { formatInstant } from '../go-time.js'
import { ANY, boolValue, floatValue, mapTypes, NIL, recordValue, sliceValue, stringValue, type Value } from '../values.js'
import { anyArguments, bytesOf, type FunctionTable, ofType } from './signature.js'

const DEPTH_MAX = 500

/** @throws FunctionRefusal */
export function parseJson(bytes: Bytes): Value {
  let parsed: unknown
  try {
    parsed = JSON.parse(toText(bytes))
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
  return fromJson(parsed, 0)
}

function fromJson(parsed: unknown, depth: number): Value {
  if (depth > DEPTH_MAX) return refuse(`nested more than ${DEPTH_MAX} deep`)
  if (parsed === null) return NIL
  if (typeof parsed === 'boolean') return boolValue(parsed)
  if (typeof parsed === 'string') return stringValue(fromText(parsed))
  if (typeof parsed === 'number') return Number.isFinite(parsed) ? floatValue(parsed) : refuse('a number is out of the range of float64')
  if (Array.isArray(parsed)) {
    const items = parsed.map((item) => fromJson(item, depth + 1))
    const list = sliceValue(ANY, items)
    return list.kind === 'slice' ? { ...list, capacity: grown(items.length) } : list
  }
  return recordValue(Object.entries(parsed as object).map(([name, value]) => [fromText(name), fromJson(value, depth + 1)] as const))
}

/** What a slice that grows one by one can hold. */
function grown(count: number): number {
  let capacity = count === 0 ? 0 : 1
  while (capacity < count) capacity = capacity < 256 ? capacity * 2 : capacity + (capacity + 768) / 4
  return Math.floor(capacity)
}

const HTML = /[<>&]/g
const SEPARATORS = /[\u2028\u2029]/g
const escapeUnit = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

function quote(bytes: Bytes, escapesHtml: boolean): Bytes {
  const quoted = JSON.stringify(toText(bytes)).replace(SEPARATORS, escapeUnit)
  return fromText(escapesHtml ? quoted.replace(HTML, escapeUnit) : quoted)
}

/** Positional between 1e-6 and 1e21, otherwise with an exponent of no leading zero. */
function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) return refuse(`json: unsupported value: ${formatFloat(value, 'g', undefined)}`)
  const magnitude = Math.abs(value)
  const isPositional = magnitude === 0 || (magnitude >= 1e-6 && magnitude < 1e21)
  return isPositional ? formatFloat(value, 'f', undefined) : formatFloat(value, 'e', undefined).replace(/e-0(\d)$/, 'e-$1')
}

interface Style {
  readonly escapesHtml: boolean
  /** Per level; '' writes everything on one line. */
  readonly indent: string
}

/** @throws FunctionRefusal */
export function writeJson(value: Value, style: Style, level = ''): Bytes {
  switch (value.kind) {
    case 'invalid':
    case 'nil':
      return 'null'
    case 'bool':
    case 'int':
    case 'uint':
      return String(value.value)
    case 'float':
      return jsonNumber(value.value)
    case 'string':
      return quote(value.value, style.escapesHtml)
    case 'channel':
      return refuse(`json: unsupported type: ${value.type}`)
    case 'slice':
      return brackets(
        '[',
        ']',
        value.items.map((item) => writeJson(item, style, level + style.indent)),
        style,
        level,
      )
    case 'map':
      return writeMap(value, style, level)
    case 'struct':
      return writeStruct(value, style, level)
  }
}

function writeMap(value: Extract<Value, { kind: 'map' }>, style: Style, level: string): Bytes {
  const [keyType] = mapTypes(value.type)
  if (keyType === ANY) return refuse(`json: unsupported type: ${value.type}`)
  const members = [...value.entries.values()].map(({ key, value: element }) => [keyText(key), element] as const)
  members.sort(([a], [b]) => (a < b ? -1 : 1))
  return writeMembers(members, style, level)
}

function keyText(key: Value): Bytes {
  return 'value' in key ? String(key.value) : ''
}

function writeMembers(members: readonly (readonly [Bytes, Value])[], style: Style, level: string): Bytes {
  const separator = style.indent === '' ? ':' : ': '
  const written = members.map(
    ([name, member]) => `${quote(name, style.escapesHtml)}${separator}${writeJson(member, style, level + style.indent)}`,
  )
  return brackets('{', '}', written, style, level)
}

/** Types that stand in JSON as what they print. */
const TEXT_TYPES: ReadonlySet<string> = new Set(['dependency.NomadVarItem', 'semver.Version'])

function writeStruct(value: Extract<Value, { kind: 'struct' }>, style: Style, level: string): Bytes {
  if (value.instant !== undefined) return quote(formatInstant(value.instant, '2006-01-02T15:04:05.999999999Z07:00'), style.escapesHtml)
  if (TEXT_TYPES.has(value.type)) return quote(value.text ?? '', style.escapesHtml)
  return writeMembers(Object.entries(value.fields), style, level)
}

function brackets(open: string, close: string, items: readonly Bytes[], style: Style, level: string): Bytes {
  if (items.length === 0) return open + close
  if (style.indent === '') return open + items.join(',') + close
  const inner = `\n${level}${style.indent}`
  return `${open}${inner}${items.join(`,${inner}`)}\n${level}${close}`
}

function written(name: string, style: Style) {
  return anyArguments(1, ([value]) => {
    if (value?.kind === 'channel' || value === undefined)
      return refuse(`${name}: json: unsupported type: ${value?.kind === 'channel' ? value.type : ''}`)
    return stringValue(writeJson(value, style))
  })
}

export const JSON_FUNCTIONS: FunctionTable = {
  parseJSON: ofType('string', 1, ([input]) => (bytesOf(input) === '' ? recordValue([]) : parseJson(bytesOf(input)))),
  toJSON: written('toJSON', { escapesHtml: true, indent: '' }),
  toJSONPretty: written('toJSONPretty', { escapesHtml: true, indent: '  ' }),
  toUnescapedJSON: written('toUnescapedJSON', { escapesHtml: false, indent: '' }),
  toUnescapedJSONPretty: written('toUnescapedJSONPretty', { escapesHtml: false, indent: '  ' }),
}
