/** Functions that turn values into texts and back: base64, JSON, YAML, CSV, URLs. */
import { parseDocument, type ScalarTag } from 'yaml'
import { numeric } from '../numbers.js'
import { FALSE, listValue, NULL, numberValue, objectValue, stringValue, TRUE, tupleValue, type Value } from '../values.js'
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from './base64.js'
import { fromJsonText, toJsonText } from './json.js'
import { asText, type FunctionTable, nullable, refuse, text } from './signature.js'
import { toYamlText } from './yaml.js'

const YAML_ALIASES_MAX = 100

/** What Nomad's reader of YAML takes from version 1.1: words for truth, and dates, which become texts. */
const WORDS_OF_1_1: readonly ScalarTag[] = [
  { default: true, tag: 'tag:yaml.org,2002:bool', test: /^(?:y|Y|yes|Yes|YES|on|On|ON)$/, resolve: () => true },
  { default: true, tag: 'tag:yaml.org,2002:bool', test: /^(?:n|N|no|No|NO|off|Off|OFF)$/, resolve: () => false },
  {
    default: true,
    tag: 'tag:yaml.org,2002:timestamp',
    test: /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?$/,
    resolve: timestamp,
  },
]

/** In RFC 3339. */
function timestamp(written: string): string {
  const [, year, month, day, hour = '0', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    /^(\d+)-(\d+)-(\d+)(?:[Tt \t]+(\d+):(\d+):(\d+)(\.\d*)?[ \t]*(\S+)?)?$/.exec(written) ?? []
  const two = (digits = ''): string => digits.padStart(2, '0')
  const offset = /^([-+])(\d{1,2}):?(\d{2})?$/.exec(zone)
  const suffix = offset === null ? 'Z' : `${offset[1]}${two(offset[2])}:${offset[3] ?? '00'}`
  const parts = fraction.replace(/\.?0*$/, '')
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}${parts}${suffix}`
}

function base64decode(written: string): string {
  const bytes = decodeBase64(written) ?? refuse('failed to decode base64 data', 0)
  return decodeUtf8(bytes) ?? refuse('the result of decoding the provided string is not valid UTF-8', 0)
}

/** Only what a query may hold stays as it is; a blank becomes a plus. */
function urlencode(input: string): string {
  return encodeURIComponent(input)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+')
}

function csvRows(input: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < input.length) {
    let cell = ''
    if (input[at] === '"') {
      for (at++; ; at++) {
        if (at >= input.length) refuse('a quoted field is not closed', 0)
        if (input[at] !== '"') cell += input[at]
        else if (input[at + 1] === '"') {
          cell += '"'
          at++
        } else break
      }
      at++
      if (at < input.length && !/[,\r\n]/.test(input[at]!)) refuse('extraneous or missing " in a quoted field', 0)
    } else {
      const end = input.slice(at).search(/[,\r\n]/)
      cell = end < 0 ? input.slice(at) : input.slice(at, at + end)
      if (cell.includes('"')) refuse('bare " in a field that is not quoted', 0)
      at = end < 0 ? input.length : at + end
    }
    row.push(cell)
    if (input[at] === ',') {
      at++
      if (at >= input.length) row.push('')
      continue
    }
    if (input[at] === '\r') at++
    if (input[at] === '\n') at++
    rows.push(row)
    row = []
  }
  if (row.length > 0) rows.push(row)
  return rows.filter((cells) => cells.length > 1 || cells[0] !== '')
}

function csvdecode(input: string): Value {
  const [names, ...rows] = csvRows(input)
  if (names === undefined) return refuse('missing header line', 0)
  if (new Set(names).size < names.length) return refuse('duplicate column name', 0)
  const objects = rows.map((cells, at) => {
    if (cells.length !== names.length) return refuse(`record on line ${at + 2}: wrong number of fields`, 0)
    return objectValue(names.map((name, column) => [name, stringValue(cells[column] ?? '')]))
  })
  return listValue({ kind: 'object', entries: new Map(names.map((name) => [name, 'string'])) }, objects)
}

function yamldecode(input: string): Value {
  const options = { version: '1.2', intAsBigInt: true, uniqueKeys: false, merge: true, prettyErrors: false } as const
  const document = parseDocument(input, { ...options, customTags: (tags) => [...WORDS_OF_1_1, ...tags] })
  const [error] = document.errors
  if (error !== undefined) return refuse(error.message.split('\n')[0] ?? 'not a YAML document', 0)
  try {
    return fromPlain(document.toJS({ maxAliasCount: YAML_ALIASES_MAX, mapAsMap: true }))
  } catch (problem) {
    if (problem instanceof ReferenceError) return refuse(problem.message, 0)
    throw problem
  }
}

function fromPlain(plain: unknown): Value {
  if (plain === null || plain === undefined) return NULL
  if (typeof plain === 'string') return stringValue(plain)
  if (typeof plain === 'boolean') return plain ? TRUE : FALSE
  if (typeof plain === 'bigint') return numberValue(numeric(plain.toString()))
  if (typeof plain === 'number') return Number.isFinite(plain) ? numberValue(plain) : refuse('infinity and NaN are not supported', 0)
  if (Array.isArray(plain)) return tupleValue(plain.map(fromPlain))
  if (plain instanceof Map) return objectValue([...plain].map(([name, value]) => [String(name).normalize('NFC'), fromPlain(value)]))
  return refuse('unsupported YAML type', 0)
}

export const ENCODING_FUNCTIONS: FunctionTable = {
  base64encode: { parameters: [text('str')], run: ([input]) => stringValue(encodeBase64(encodeUtf8(asText(input)))) },
  base64decode: { parameters: [text('str')], run: ([input]) => stringValue(base64decode(asText(input))) },
  urlencode: { parameters: [text('str')], run: ([input]) => stringValue(urlencode(asText(input))) },
  jsonencode: { parameters: [nullable('val')], run: ([value]) => stringValue(toJsonText(value!)) },
  jsondecode: {
    parameters: [text('str')],
    run: ([input], context) => {
      context.spend(asText(input).length / 8)
      return fromJsonText(asText(input)) ?? refuse('the text is no JSON', 0)
    },
  },
  csvdecode: {
    parameters: [text('str')],
    run: ([input], context) => {
      context.spend(asText(input).length / 8)
      return csvdecode(asText(input))
    },
  },
  yamlencode: { parameters: [nullable('value')], run: ([value]) => stringValue(toYamlText(value!)) },
  yamldecode: {
    parameters: [text('src')],
    run: ([input], context) => {
      context.spend(asText(input).length)
      return yamldecode(asText(input))
    },
  },
}
