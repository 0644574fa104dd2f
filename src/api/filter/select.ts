/** Follows a selector into an object, part by part, by the types of what it meets. */
import { parseType, type Structs, type Type, type Typed } from './types.js'

export type Found =
  | { readonly kind: 'found'; readonly typed: Typed }
  /** The last part is a key that the map has not. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrong'; readonly reason: string }

export function find(root: Typed, parts: readonly string[], structs: Structs): Found {
  let { type, value } = root
  for (const [at, part] of parts.entries()) {
    while (type.kind === 'pointer' && isSet(value)) type = type.of
    if (type.kind === 'any') type = typeOfValue(value)
    const step = stepInto(type, value, part, structs)
    if (typeof step === 'string') {
      const isLast = at === parts.length - 1
      if (step === NO_KEY && isLast) return { kind: 'missing' }
      const reason =
        step === NO_KEY
          ? ` at part ${at}: couldn't find key "${part}"`
          : step.startsWith(':')
            ? `: at part ${at},${step.slice(1)}`
            : ` at part ${at}:${step}`
      return { kind: 'wrong', reason: `${pointerOf(parts)}${reason}` }
    }
    type = step.type
    value = step.value
  }
  if (type.kind === 'any') type = typeOfValue(value)
  return { kind: 'found', typed: { type, value } }
}

const NO_KEY = 'no key'

/** One level down, or what is wrong with going there: after `:` a fault of the value, else of the part. */
function stepInto(type: Type, value: unknown, part: string, structs: Structs): Typed | string {
  switch (type.kind) {
    case 'struct': {
      const notation = type.members[part]
      if (notation === undefined) return ` couldn't find key: struct field with name "${part}"`
      return { type: parseType(notation, structs), value: (value as Readonly<Record<string, unknown>> | undefined | null)?.[part] }
    }
    case 'map': {
      const map = (value ?? {}) as Readonly<Record<string, unknown>>
      return Object.hasOwn(map, part) ? { type: type.of, value: map[part] } : NO_KEY
    }
    case 'slice': {
      if (!/^-?\d+$/.test(part)) return ` couldn't convert value "${part}" to type int`
      const list = (value ?? []) as readonly unknown[]
      const index = Number(part)
      if (index < 0 || index >= list.length) return ` index ${index} is out of range (length = ${list.length})`
      return { type: type.of, value: list[index] }
    }
    default:
      return `: invalid value kind: ${kindName(type, value)}`
  }
}

/** What Go would call the kind of this value: an unset pointer is `invalid`. */
export function kindName(type: Type, value: unknown): string {
  if (type.kind === 'pointer') return isSet(value) ? kindName(type.of, value) : 'invalid'
  if (type.kind === 'any') return isSet(value) ? typeOfValue(value).kind : 'invalid'
  return type.kind
}

function typeOfValue(value: unknown): Type {
  if (typeof value === 'string') return { kind: 'string' }
  if (typeof value === 'boolean') return { kind: 'bool' }
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? 'int' : 'float64' }
  if (Array.isArray(value)) return { kind: 'slice', of: { kind: 'any' } }
  if (isSet(value)) return { kind: 'map', of: { kind: 'any' } }
  return { kind: 'pointer', of: { kind: 'any' } }
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined
}

/** As a JSON pointer. */
function pointerOf(parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
