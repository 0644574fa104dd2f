/** Whether a JSON body has the types of the objects that filters know: what Go's decoder would refuse is refused. */
import { STRUCTS } from './structs.js'
import { type Integer, parseType, type Type } from './types.js'

export interface WrongType {
  /** Member names with dots, elements of lists left out. */
  readonly path: string
  readonly got: string
  readonly wanted: string
}

/** The first value of another type than its member's. Members are matched without regard to case; unknown ones are ignored. */
export function findWrongType(value: unknown, name: string): WrongType | undefined {
  return check(value, parseType(name, STRUCTS), '')
}

function check(value: unknown, type: Type, path: string): WrongType | undefined {
  if (value === null || value === undefined) return undefined
  switch (type.kind) {
    case 'any':
      return undefined
    case 'pointer':
      return check(value, type.of, path)
    case 'slice':
      return Array.isArray(value) ? firstWrong(value.map((item) => [item, type.of, path])) : wrong(value, path, 'list')
    case 'map':
      return isObject(value)
        ? firstWrong(Object.entries(value).map(([key, item]) => [item, type.of, join(path, key)]))
        : wrong(value, path, 'map')
    case 'struct':
      return isObject(value) ? firstWrong(membersOf(value, type.members, path)) : wrong(value, path, 'object')
    default:
      return isScalar(value, type.kind) ? undefined : wrong(value, path, type.kind)
  }
}

type Part = readonly [value: unknown, type: Type, path: string]

function membersOf(value: object, members: Readonly<Record<string, string>>, path: string): readonly Part[] {
  const byLowerName = new Map(Object.entries(members).map(([name, notation]) => [name.toLowerCase(), [name, notation] as const]))
  return Object.entries(value).flatMap(([key, item]) => {
    const member = byLowerName.get(key.toLowerCase())
    return member === undefined ? [] : [[item, parseType(member[1], STRUCTS), join(path, member[0])] as const]
  })
}

function firstWrong(parts: readonly Part[]): WrongType | undefined {
  for (const [value, type, path] of parts) {
    const found = check(value, type, path)
    if (found !== undefined) return found
  }
  return undefined
}

function isScalar(value: unknown, kind: string): boolean {
  if (kind === 'string') return typeof value === 'string'
  if (kind === 'bool') return typeof value === 'boolean'
  if (typeof value !== 'number') return false
  if (kind === 'float64') return true
  const [least, most] = RANGES[kind as Integer]
  return Number.isInteger(value) && value >= least && value <= most
}

const RANGES: Readonly<Record<Integer, readonly [least: number, most: number]>> = {
  int: [-(2 ** 63), 2 ** 63],
  int8: [-128, 127],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
  uint16: [0, 65_535],
  uint8: [0, 255],
}

function wrong(value: unknown, path: string, wanted: string): WrongType {
  const got = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return { path, got, wanted }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
