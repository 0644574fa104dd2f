/** Sprig's functions on values of any kind: defaults, types, JSON. Source: Sprig's documentation, "Default", "Type" and "Flow Control". */
import type { Bytes } from '../../bytes.js'
import { FunctionRefusal, refuse } from '../../failure.js'
import { ANY, boolValue, isTrue, NIL, stringValue, typeOf, type Value } from '../../values.js'
import { isDeepEqual } from '../collections.js'
import { parseJson, writeJson } from '../json.js'
import { anyArguments, bytesOf, type FunctionTable, fixed, ofType, variadic } from '../signature.js'

/** As `isTrue`, but a struct is never empty and nothing always is. */
export function isEmpty(value: Value | undefined): boolean {
  return value === undefined || !isTrue(value)
}

function kindOf(value: Value | undefined): string {
  if (value === undefined || value.kind === 'invalid') return 'invalid'
  if (value.kind === 'slice' || value.kind === 'map') return value.kind
  if (value.kind === 'channel') return 'chan'
  if (value.kind === 'struct') return value.isPointer ? 'ptr' : 'struct'
  if (value.kind === 'nil')
    return value.type === ANY ? 'invalid' : value.type.startsWith('[]') ? 'slice' : value.type.startsWith('*') ? 'ptr' : 'map'
  return value.type
}

function shownType(value: Value | undefined): string {
  return value === undefined || (value.kind === 'nil' && value.type === ANY) ? '<nil>' : typeOf(value)
}

/** Quiet where the other form complains. */
function orElse(fallback: Value, run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    if (error instanceof FunctionRefusal) return fallback
    throw error
  }
}

interface JsonStyle {
  readonly escapesHtml: boolean
  readonly indent: string
}

function jsonWriters(name: string, style: JsonStyle): FunctionTable {
  const write = (value: Value | undefined): Value => stringValue(writeJson(value ?? NIL, style))
  return {
    [`to${name}`]: anyArguments(1, ([value]) => orElse(stringValue(''), () => write(value))),
    [`mustTo${name}`]: anyArguments(1, ([value]) => write(value)),
  }
}

const named = (value: Value | undefined): Bytes => bytesOf(value)
const copy = anyArguments(1, ([value]) => deepCopy(value ?? NIL))

function deepCopy(value: Value): Value {
  if (value.kind === 'slice') return { ...value, items: value.items.map(deepCopy) }
  if (value.kind === 'map') {
    return { ...value, entries: new Map([...value.entries].map(([key, entry]) => [key, { key: entry.key, value: deepCopy(entry.value) }])) }
  }
  return value
}

export const SPRIG_VALUES: FunctionTable = {
  default: variadic([ANY, ANY], ([fallback, given]) => (isEmpty(given) ? fallback! : given!)),
  empty: anyArguments(1, ([value]) => boolValue(isEmpty(value))),
  coalesce: variadic([ANY], (args) => args.find((arg) => !isEmpty(arg)) ?? NIL),
  all: variadic([ANY], (args) => boolValue(args.every((arg) => !isEmpty(arg)))),
  any: variadic([ANY], (args) => boolValue(args.some((arg) => !isEmpty(arg)))),
  ternary: fixed([ANY, ANY, 'bool'], ([yes, no, condition]) => (isEmpty(condition) ? no! : yes!)),
  fromJson: ofType('string', 1, ([text]) => orElse(NIL, () => parseJson(bytesOf(text)))),
  mustFromJson: ofType('string', 1, ([text]) => parseJson(bytesOf(text))),
  ...jsonWriters('Json', { escapesHtml: true, indent: '' }),
  ...jsonWriters('PrettyJson', { escapesHtml: true, indent: '  ' }),
  ...jsonWriters('RawJson', { escapesHtml: false, indent: '' }),
  deepCopy: copy,
  mustDeepCopy: copy,
  deepEqual: anyArguments(2, ([a, b]) => boolValue(isDeepEqual(a!, b!))),
  typeOf: anyArguments(1, ([value]) => stringValue(shownType(value))),
  typeIs: fixed(['string', ANY], ([name, value]) => boolValue(named(name) === shownType(value))),
  typeIsLike: fixed(['string', ANY], ([name, value]) => boolValue([named(name), `*${named(name)}`].includes(shownType(value)))),
  kindOf: anyArguments(1, ([value]) => stringValue(kindOf(value))),
  kindIs: fixed(['string', ANY], ([name, value]) => boolValue(named(name) === kindOf(value))),
  fail: ofType('string', 1, ([message]) => refuse(bytesOf(message))),
}
