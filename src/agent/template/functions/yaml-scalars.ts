/** What a plain YAML scalar means to the reader that templates have (YAML 1.1, with the integers of Go). */
import { type Bytes, toText } from '../bytes.js'
import { parseIntegerLiteral } from '../literals.js'
import { FALSE, floatValue, intValue, NIL, stringValue, TRUE, uintValue, type Value } from '../values.js'

const WORDS: ReadonlyMap<string, Value> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, TRUE] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, FALSE] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, NIL] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, floatValue(Number.NaN)] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, floatValue(Number.POSITIVE_INFINITY)] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, floatValue(Number.NEGATIVE_INFINITY)] as const),
])
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ ])\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?)?$/
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

export function resolveScalar(bytes: Bytes): Value {
  const text = toText(bytes)
  const word = WORDS.get(text)
  if (word !== undefined) return word
  return /^[-+.0-9]/.test(text) ? (numberOf(text) ?? stringValue(bytes)) : stringValue(bytes)
}

function numberOf(text: string): Value | undefined {
  const plain = text.replaceAll('_', '')
  const integer = parseIntegerLiteral(plain)
  if (integer !== undefined && integer >= -(2n ** 63n) && integer < 2n ** 63n) return intValue(integer)
  if (integer !== undefined && integer >= 0n && integer < 2n ** 64n) return uintValue(integer)
  return FLOAT.test(plain) ? floatValue(Number(plain)) : undefined
}

/** Written plainly, `bytes` would not be read as text again, also by readers that know more than this one. */
export function needsQuotes(bytes: Bytes): boolean {
  const text = toText(bytes)
  return resolveScalar(bytes).kind !== 'string' || TIMESTAMP.test(text) || BASE_60.test(text)
}
