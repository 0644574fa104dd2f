/** Variables of the environment, the pad, definitions, and what writes outside of the text. */
import type { Bytes } from '../bytes.js'
import { refuse } from '../failure.js'
import {
  ANY,
  boolValue,
  INVALID,
  type MapValue,
  type Method,
  NIL,
  recordValue,
  sliceValue,
  sortedEntries,
  stringValue,
  structValue,
  type Value,
} from '../values.js'
import { bytesOf, type CallContext, type FunctionTable, fixed, ofType, variadic } from './signature.js'

function mapOf(pad: Map<Bytes, Value>, name: Bytes): MapValue | undefined {
  const value = pad.get(name)
  return value?.kind === 'map' ? value : undefined
}

function setMember(pad: Map<Bytes, Value>, [name, key, value]: readonly Value[], replaces: boolean): Value {
  const known = pad.get(bytesOf(name))
  const map = known === undefined ? recordValue([]) : (mapOf(pad, bytesOf(name)) ?? refuse(`"${bytesOf(name)}" holds no map`))
  pad.set(bytesOf(name), map)
  const id = `string:${bytesOf(key)}`
  if (replaces || !map.entries.has(id)) map.entries.set(id, { key: key!, value: value ?? NIL })
  return stringValue('')
}

function setValue(pad: Map<Bytes, Value>, [name, value]: readonly Value[], replaces: boolean): Value {
  if (replaces || !pad.has(bytesOf(name))) pad.set(bytesOf(name), value ?? NIL)
  return stringValue('')
}

function mapValues(pad: Map<Bytes, Value>, name: Bytes): Value {
  const map = mapOf(pad, name)
  return sliceValue(ANY, map === undefined ? [] : sortedEntries(map).map(({ value }) => value))
}

/** `scratch.Set "name" 1` and the like: what one rendering keeps from line to line. */
function scratch({ scratch: pad }: CallContext): Value {
  const methods: Readonly<Record<string, Method>> = {
    Key: { parameters: ['string'], run: ([name]) => boolValue(pad.has(bytesOf(name))) },
    Get: { parameters: ['string'], run: ([name]) => pad.get(bytesOf(name)) ?? NIL },
    Set: { parameters: ['string', ANY], run: (args) => setValue(pad, args, true) },
    SetX: { parameters: ['string', ANY], run: (args) => setValue(pad, args, false) },
    MapSet: { parameters: ['string', 'string', ANY], run: (args) => setMember(pad, args, true) },
    MapSetX: { parameters: ['string', 'string', ANY], run: (args) => setMember(pad, args, false) },
    MapValues: { parameters: ['string'], run: ([name]) => mapValues(pad, bytesOf(name)) },
  }
  return structValue('template.Scratch', {}, { isPointer: true, methods })
}

function executeTemplate([name, ...data]: readonly Value[], context: CallContext): Value {
  if (data.length > 1) return refuse(`executeTemplate: wrong number of arguments, expected 1 or 2, but got ${data.length + 1}`)
  return stringValue(context.execute(bytesOf(name), data[0] ?? INVALID))
}

function disabled(why: string) {
  return variadic(['string'], () => refuse(`function is disabled: ${why}`))
}

export const ENVIRONMENT_FUNCTIONS: FunctionTable = {
  env: ofType('string', 1, ([name], context) => stringValue(context.environment(bytesOf(name)) ?? '')),
  envOrDefault: ofType('string', 2, ([name, fallback], context) => {
    const value = context.environment(bytesOf(name))
    return value === undefined ? fallback! : stringValue(value)
  }),
  mustEnv: ofType('string', 1, ([name], context) => {
    const value = context.environment(bytesOf(name)) ?? ''
    return value === '' ? refuse(`required environment variable ${bytesOf(name)} is empty`) : stringValue(value)
  }),
  executeTemplate: variadic(['string', ANY], executeTemplate),
  scratch: fixed([], (_, context) => scratch(context)),
  plugin: disabled('a template starts no programs'),
  writeToFile: disabled('a template writes only its destination'),
}
