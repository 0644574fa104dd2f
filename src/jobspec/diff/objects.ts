/** How two objects of a kind differ. */
import { compareBytes } from '../hcl/values.js'
import { type FlattenRules, fieldDiff, fieldDiffs, flattenDeep, flattenMembers, isPlain } from './fields.js'
import type { Child, KeyedChild, Kind } from './kinds.js'
import { type DiffType, type FieldDiff, type ObjectDiff, orNull, type Plain, typeBetween } from './model.js'

/** `undefined` when there is nothing to tell. */
export function objectDiff(
  kind: Kind,
  old: Plain | null | undefined,
  next: Plain | null | undefined,
  isContextual: boolean,
): ObjectDiff | undefined {
  if (old == null && next == null) return undefined
  if (old != null && next != null && keyOf(old) === keyOf(next)) return undefined
  const showsAll = isContextual && kind.isTerse !== true
  const childMembers = [...(kind.children ?? []).map((child) => child.member), ...(kind.flattened ?? [])]
  const rules = { ...kind.rules, skip: [...(kind.rules?.skip ?? []), ...childMembers] }
  const fields = fieldDiffs(textsOf(kind, old, rules), textsOf(kind, next, rules), showsAll)
  const objects = childDiffs(kind.children ?? [], old, next, showsAll)
  const between = typeBetween(old, next)
  if ((between === 'Edited' ? kind.tellsHidden !== true : kind.dropsEmpty === true) && !hasChange(fields, objects)) return undefined
  const type = between === 'Edited' && kind.isTypedByFields === true ? typeOfFields(fields) : between
  return { Type: type, Name: kind.name, Fields: orNull(fields), Objects: orNull(objects) }
}

function typeOfFields(fields: readonly FieldDiff[]): DiffType {
  const types = new Set(fields.map((field) => field.Type).filter((type) => type !== 'None'))
  const [only] = types
  return types.size === 1 && only !== undefined ? only : 'Edited'
}

function hasChange(fields: readonly FieldDiff[], objects: readonly ObjectDiff[]): boolean {
  return fields.some((field) => field.Type !== 'None') || objects.some((object) => object.Type !== 'None')
}

function textsOf(kind: Kind, object: Plain | null | undefined, rules: FlattenRules): Map<string, string> {
  const flat = flattenMembers(object == null ? object : { ...kind.zeros, ...object }, rules)
  for (const member of kind.joined ?? []) {
    const list = object?.[member]
    if (Array.isArray(list) && list.length > 0) flat.set(member, list.join(','))
  }
  for (const member of kind.flattened ?? []) {
    for (const [path, text] of flattenDeep(object?.[member], member)) flat.set(path, text)
  }
  return flat
}

export function childDiffs(
  children: readonly Child[],
  old: Plain | null | undefined,
  next: Plain | null | undefined,
  isContextual: boolean,
): ObjectDiff[] {
  return children.flatMap((child) => childDiff(child, memberOf(child, old), memberOf(child, next), isContextual))
}

function memberOf(child: Child, object: Plain | null | undefined): unknown {
  return (child.path ?? [child.member]).reduce<unknown>((inner, member) => (isPlain(inner) ? inner[member] : undefined), object)
}

function childDiff(child: Child, old: unknown, next: unknown, isContextual: boolean): ObjectDiff[] {
  switch (child.form) {
    case 'one': {
      const [before, after] = [asPlain(old), asPlain(next)]
      const absent = before === null && after === null ? null : (child.absent ?? null)
      const diff = objectDiff(child.kind, before ?? absent, after ?? absent, isContextual)
      if (diff !== undefined) return [diff]
      return child.isAlwaysTold === true ? [{ Type: 'None', Name: child.kind.name, Fields: null, Objects: null }] : []
    }
    case 'texts':
      return textSetDiff(child.member, asTexts(old), asTexts(next), isContextual, child.isTerse === true)
    case 'free':
      if (child.tellsEmpty === true && isHollow(old) !== isHollow(next) && (old == null || next == null))
        return [{ Type: next == null ? 'Deleted' : 'Added', Name: child.member, Fields: null, Objects: null }]
      return freeDiff(child.member, old, next, isContextual && child.isTerse !== true)
    case 'set':
      return setDiff(child.kind, asList(old), asList(next), isContextual)
    case 'keyed':
      return pairedDiff(child.kind, pairByKey(asList(old), asList(next), child), isContextual)
    case 'by-name':
      return diffsOf(child.kind, pairByName(asPlain(old), asPlain(next)), isContextual)
    case 'positional': {
      const diffs = pairedDiff(child.kind, pairByPosition(asList(old), asList(next)), isContextual)
      return child.isSortedTwice === true ? inOrder(diffs) : diffs
    }
    case 'matched':
      return pairedDiff(child.kind, pairByLikeness(asList(old), asList(next)), isContextual)
  }
}

function isHollow(value: unknown): boolean {
  return isPlain(value) && Object.keys(value).length === 0
}

function asPlain(value: unknown): Plain | null {
  return isPlain(value) ? value : null
}

function asList(value: unknown): readonly Plain[] {
  return Array.isArray(value) ? value.filter(isPlain) : []
}

function asTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** One field for each element, all under the set's name. */
function textSetDiff(name: string, old: readonly string[], next: readonly string[], isContextual: boolean, isTerse: boolean): ObjectDiff[] {
  const before = new Set(old)
  const after = new Set(next)
  const added = [...after].filter((text) => !before.has(text))
  const removed = [...before].filter((text) => !after.has(text))
  const kept = [...before].filter((text) => after.has(text))
  if (added.length + removed.length === 0 && (!isContextual || isTerse || kept.length === 0)) return []
  const fields = [
    ...added.map((text) => fieldDiff(name, '', text)),
    ...removed.map((text) => fieldDiff(name, text, '')),
    ...(isContextual ? kept.map((text) => fieldDiff(name, text, text)) : []),
  ]
  const type: DiffType = added.length > 0 ? (removed.length > 0 ? 'Edited' : 'Added') : removed.length > 0 ? 'Deleted' : 'None'
  return [{ Type: type, Name: name, Fields: fields.sort(compareFields), Objects: null }]
}

function compareFields(left: FieldDiff, right: FieldDiff): number {
  return compareBytes(left.Name, right.Name) || compareBytes(left.Old, right.Old) || compareBytes(left.New, right.New)
}

function freeDiff(name: string, old: unknown, next: unknown, isContextual: boolean): ObjectDiff[] {
  const before = flattenDeep(old)
  const after = flattenDeep(next)
  const fields = fieldDiffs(before, after, isContextual)
  if (fields.every((field) => field.Type === 'None')) return []
  const type = typeBetween(before.size === 0 ? null : before, after.size === 0 ? null : after)
  return [{ Type: type, Name: name, Fields: fields, Objects: null }]
}

/** What is in one list and not in the other; order and repetition say nothing. */
function setDiff(kind: Kind, old: readonly Plain[], next: readonly Plain[], isContextual: boolean): ObjectDiff[] {
  const before = new Map(old.map((item) => [contentOf(item), item]))
  const after = new Map(next.map((item) => [contentOf(item), item]))
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, item]) => [item, null] as const)
  const added = [...after].filter(([key]) => !before.has(key)).map(([, item]) => [null, item] as const)
  return pairedDiff(kind, [...removed, ...added], isContextual)
}

type Pair = readonly [old: Plain | null, next: Plain | null]

function pairedDiff(kind: Kind, pairs: readonly Pair[], isContextual: boolean): ObjectDiff[] {
  return inOrder(diffsOf(kind, pairs, isContextual))
}

function diffsOf(kind: Kind, pairs: readonly Pair[], isContextual: boolean): ObjectDiff[] {
  return pairs.flatMap(([old, next]) => objectDiff(kind, old, next, isContextual) ?? [])
}

const TYPES_IN_ORDER: readonly DiffType[] = ['Edited', 'Added', 'Deleted', 'None']

function compareTypes(left: DiffType, right: DiffType): number {
  return TYPES_IN_ORDER.indexOf(left) - TYPES_IN_ORDER.indexOf(right)
}

/**
 * By type, name, and then whatever comes first in anything that they hold: no order that every pair agrees with, but the one in which
 * Nomad tells them.
 */
function isBefore(left: ObjectDiff, right: ObjectDiff): boolean {
  if (left.Type !== right.Type) return compareTypes(left.Type, right.Type) < 0
  if (left.Name !== right.Name) return compareBytes(left.Name, right.Name) < 0
  const [fields, objects] = [left.Fields ?? [], left.Objects ?? []]
  const [otherFields, otherObjects] = [right.Fields ?? [], right.Objects ?? []]
  if (fields.length !== otherFields.length) return fields.length < otherFields.length
  if (objects.length !== otherObjects.length) return objects.length < otherObjects.length
  return (
    fields.some((field, at) => compareFields(field, otherFields[at]!) < 0) ||
    objects.some((object, at) => isBefore(object, otherObjects[at]!))
  )
}

/** By insertion: with an order like that the way of sorting decides. */
function inOrder(diffs: readonly ObjectDiff[]): ObjectDiff[] {
  const sorted: ObjectDiff[] = []
  for (const diff of diffs) {
    let at = sorted.length
    while (at > 0 && isBefore(diff, sorted[at - 1]!)) at--
    sorted.splice(at, 0, diff)
  }
  return sorted
}

function pairByKey(old: readonly Plain[], next: readonly Plain[], { key, pairsOnly }: KeyedChild): Pair[] {
  if (pairsOnly === true && old.length === 1 && next.length === 1) return [[old[0]!, next[0]!]]
  const byKey = (list: readonly Plain[]): Map<string, Plain> => new Map(list.map((item) => [String(item[key] ?? ''), item]))
  return pairMaps(byKey(old), byKey(next))
}

function pairByName(old: Plain | null, next: Plain | null): Pair[] {
  const byName = (object: Plain | null): Map<string, Plain> =>
    new Map(Object.entries(object ?? {}).flatMap(([name, value]) => (isPlain(value) ? [[name, value] as const] : [])))
  return pairMaps(byName(old), byName(next))
}

function pairMaps(old: ReadonlyMap<string, Plain>, next: ReadonlyMap<string, Plain>): Pair[] {
  return [...new Set([...old.keys(), ...next.keys()])].map((key) => [old.get(key) ?? null, next.get(key) ?? null])
}

function pairByPosition(old: readonly Plain[], next: readonly Plain[]): Pair[] {
  return Array.from({ length: Math.max(old.length, next.length) }, (_, at) => [old[at] ?? null, next[at] ?? null])
}

/** Members that say what a service is. */
const LIKENESS = ['Name', 'PortLabel', 'AddressMode', 'Provider', 'TaskName', 'Type', 'Command', 'Path', 'Interval', 'Timeout', 'Method']

function pairByLikeness(old: readonly Plain[], next: readonly Plain[]): Pair[] {
  const left = new Set(next.keys())
  const pairs: Pair[] = []
  for (const item of old) {
    const best = [...left].map((at) => [at, likeness(item, next[at]!)] as const).sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]
    if (best === undefined) pairs.push([item, null])
    else {
      left.delete(best[0])
      pairs.push([item, next[best[0]]!])
    }
  }
  return [...pairs, ...[...left].map((at) => [null, next[at]!] as const)]
}

function likeness(old: Plain, next: Plain): number {
  return (
    LIKENESS.filter((name) => old[name] !== undefined && old[name] === next[name] && old[name] !== '').length +
    (old['Name'] === next['Name'] ? 1 : 0)
  )
}

/** The same text for items that hold the same: an empty list is none. */
function contentOf(item: Plain): string {
  return keyOf(withoutEmpty(item))
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(withoutEmpty)
  if (!isPlain(value)) return value
  const members = Object.entries(value).map(([name, inner]) => [name, withoutEmpty(inner)] as const)
  return members.length === 0 ? null : Object.fromEntries(members)
}

/** The same text for equal objects, whatever the order of their members. */
export function keyOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(keyOf).join(',')}]`
  if (!isPlain(value)) return JSON.stringify(value ?? null)
  const names = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort(compareBytes)
  return `{${names.map((name) => `${JSON.stringify(name)}:${keyOf(value[name])}`).join(',')}}`
}
