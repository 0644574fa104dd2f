/** Members that print as one text each, and how two sets of them differ. */
import { compareBytes } from '../hcl/values.js'
import type { DiffType, FieldDiff, Plain } from './model.js'

export function fieldDiff(name: string, old: string, next: string): FieldDiff {
  const type: DiffType = old === next ? 'None' : old === '' ? 'Added' : next === '' ? 'Deleted' : 'Edited'
  return { Type: type, Name: name, Old: old, New: next, Annotations: null }
}

/** By name; what is the same in both only when `isContextual`. */
export function fieldDiffs(old: ReadonlyMap<string, string>, next: ReadonlyMap<string, string>, isContextual: boolean): FieldDiff[] {
  const names = [...new Set([...old.keys(), ...next.keys()])].sort(compareBytes)
  return names
    .map((name) => fieldDiff(name, old.get(name) ?? '', next.get(name) ?? ''))
    .filter((field) => isContextual || field.Type !== 'None')
}

export interface FlattenRules {
  readonly skip?: readonly string[]
  /** Members that print `nil` when they are null; others are left out. */
  readonly nil?: readonly string[]
}

/** Texts, numbers and truth values by name; maps of them as `Name[key]`. */
export function flattenMembers(object: Plain | null | undefined, rules: FlattenRules = {}): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [name, value] of Object.entries(object ?? {})) {
    if (rules.skip?.includes(name) === true) continue
    if (value === null && rules.nil?.includes(name) === true) flat.set(name, 'nil')
    else if (isScalar(value)) flat.set(name, String(value))
    else if (isPlain(value))
      for (const [key, inner] of Object.entries(value)) if (isScalar(inner)) flat.set(`${name}[${key}]`, String(inner))
  }
  return flat
}

/** Everything inside, by path: `port_map[0][web]`. */
export function flattenDeep(value: unknown, root = ''): Map<string, string> {
  const flat = new Map<string, string>()
  const visit = (inner: unknown, path: string): void => {
    if (Array.isArray(inner)) for (const [at, item] of inner.entries()) visit(item, `${path}[${at}]`)
    else if (isPlain(inner)) for (const [key, item] of Object.entries(inner)) visit(item, path === '' ? key : `${path}[${key}]`)
    else flat.set(path, inner === null || inner === undefined ? 'nil' : typeof inner === 'number' ? shortestFloat(inner) : String(inner))
  }
  visit(value ?? {}, root)
  return flat
}

/** The shortest form, with an exponent from a million on. */
function shortestFloat(value: number): string {
  if (value === 0) return '0'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 21 && (power < 6 || digits.replace(/[-.]/g, '').length > 21)) return plainDigits(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

function plainDigits(value: number): string {
  return Math.abs(value) < 1e-6 ? value.toFixed(20).replace(/0+$/, '') : String(value)
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
