/**
 * The types of what a filter can name. A selector is judged by the type, not by the value at hand: an unknown member is
 * an error, a member that happens to be unset is not (Nomad API docs, "HTTP API").
 *
 * Notation: `string bool int int8 int64 uint64 uint16 uint8 float64`, `time` (an opaque struct), `any`, `*T` (may be unset),
 * `[]T`, `{T}` (free keys), or the name of a struct.
 */
export type Integer = 'int' | 'int8' | 'int64' | 'uint64' | 'uint16' | 'uint8'
export type Scalar = 'string' | 'bool' | 'float64' | Integer

export type Type =
  | { readonly kind: Scalar }
  | { readonly kind: 'any' }
  | { readonly kind: 'struct'; readonly members: Readonly<Record<string, string>> }
  | { readonly kind: 'pointer' | 'slice' | 'map'; readonly of: Type }

/** A value with its type; `value` undefined or null is the type's zero. */
export interface Typed {
  readonly type: Type
  readonly value: unknown
}

/** Members by struct name, in the notation above. */
export type Structs = Readonly<Record<string, Readonly<Record<string, string>>>>

const SCALARS: ReadonlySet<string> = new Set(['string', 'bool', 'int', 'int8', 'int64', 'uint64', 'uint16', 'uint8', 'float64', 'any'])
const known = new Map<string, Type>()

export function parseType(notation: string, structs: Structs): Type {
  let type = known.get(notation)
  if (type === undefined) {
    type = readType(notation, structs)
    known.set(notation, type)
  }
  return type
}

function readType(notation: string, structs: Structs): Type {
  if (notation.startsWith('*')) return { kind: 'pointer', of: parseType(notation.slice(1), structs) }
  if (notation.startsWith('[]')) return { kind: 'slice', of: parseType(notation.slice(2), structs) }
  if (notation.startsWith('{')) return { kind: 'map', of: parseType(notation.slice(1, -1), structs) }
  if (SCALARS.has(notation)) return { kind: notation as Scalar }
  return { kind: 'struct', members: structs[notation] ?? {} }
}
