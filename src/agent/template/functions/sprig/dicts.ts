/** Sprig's dictionaries, which are changed in place. Source: Sprig's documentation, "Dictionaries and Dict Functions". */
import type { Bytes } from '../../bytes.js'
import { refuse } from '../../failure.js'
import { ANY, boolValue, type MapValue, NIL, recordValue, sliceValue, stringsValue, stringValue, typeOf, type Value } from '../../values.js'
import { asMap, mergeMaps } from '../collections.js'
import { bytesOf, type FunctionTable, fixed, type TemplateFunction, variadic } from '../signature.js'
import { strval } from './strings.js'

const DICT = 'map[string]interface {}'

function entryOf(map: MapValue, key: Bytes): Value | undefined {
  return map.entries.get(`string:${key}`)?.value
}

function dict(args: readonly Value[]): Value {
  const pairs: (readonly [Bytes, Value])[] = []
  for (let at = 0; at < args.length; at += 2) pairs.push([strval(args[at]!), args[at + 1] ?? stringValue('')])
  return recordValue(pairs)
}

function set([map, key, value]: readonly Value[]): Value {
  asMap(map).entries.set(`string:${bytesOf(key)}`, { key: key!, value: value ?? NIL })
  return map!
}

function unset([map, key]: readonly Value[]): Value {
  asMap(map).entries.delete(`string:${bytesOf(key)}`)
  return map!
}

function chosen(map: Value | undefined, isKept: (key: Bytes) => boolean): Value {
  const members = [...asMap(map).entries.values()].filter(({ key }) => isKept(bytesOf(key)))
  return recordValue(members.map(({ key, value }) => [bytesOf(key), value] as const))
}

function merge(overrides: boolean): TemplateFunction {
  return variadic([DICT, DICT], ([target, ...sources]) =>
    sources.reduce<MapValue>((made, source) => mergeMaps(made, asMap(source), overrides), asMap(target)),
  )
}

/** `dig "a" "b" fallback map`. */
function dig(args: readonly Value[]): Value {
  if (args.length < 3) return refuse('dig needs at least three arguments')
  const keys = args.slice(0, -2).map(bytesOf)
  const fallback = args.at(-2)!
  let current: Value = args.at(-1)!
  for (const key of keys) {
    if (current.kind !== 'map') return refuse(`interface conversion: interface {} is ${typeOf(current)}, not ${DICT}`)
    const next = entryOf(current, key)
    if (next === undefined) return fallback
    current = next
  }
  return current
}

const merging = merge(false)
const overwriting = merge(true)

export const SPRIG_DICTS: FunctionTable = {
  dict: variadic([ANY], dict),
  get: fixed([DICT, 'string'], ([map, key]) => entryOf(asMap(map), bytesOf(key)) ?? stringValue('')),
  set: fixed([DICT, 'string', ANY], set),
  unset: fixed([DICT, 'string'], unset),
  hasKey: fixed([DICT, 'string'], ([map, key]) => boolValue(entryOf(asMap(map), bytesOf(key)) !== undefined)),
  pluck: variadic(['string', DICT], ([key, ...maps]) => {
    const found = maps.map((map) => entryOf(asMap(map), bytesOf(key))).filter((value) => value !== undefined)
    return sliceValue(ANY, found)
  }),
  keys: variadic([DICT], (maps) => stringsValue(maps.flatMap((map) => [...asMap(map).entries.values()].map(({ key }) => bytesOf(key))))),
  values: fixed([DICT], ([map]) =>
    sliceValue(
      ANY,
      [...asMap(map).entries.values()].map(({ value }) => value),
    ),
  ),
  pick: variadic([DICT, 'string'], ([map, ...keys]) => chosen(map, (key) => keys.some((one) => bytesOf(one) === key))),
  omit: variadic([DICT, 'string'], ([map, ...keys]) => chosen(map, (key) => !keys.some((one) => bytesOf(one) === key))),
  merge: merging,
  mustMerge: merging,
  mergeOverwrite: overwriting,
  mustMergeOverwrite: overwriting,
  dig: variadic([ANY], dig),
}
