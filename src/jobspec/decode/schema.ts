/**
 * The schema of jobs, as data. A member is written `name: 'type JsonName'`:
 * - `name` as in HCL; `<name>` is the block's label, `.Name` is known to the API only;
 * - `string bool int duration …`; `*x` may be absent, which is not the same as zero; `!x` is required; `[]x` a list;
 * - `{string}` a map of texts, `{any}` free-form, `{Struct}` blocks by label; `*Struct` one block, `[]Struct` several;
 * - `={string}` a map of texts that HCL writes as an attribute, not as a block.
 */
import { JOB_STRUCTS } from './job-structs.js'
import { SERVICE_STRUCTS } from './service-structs.js'
import { TASK_STRUCTS } from './task-structs.js'

const STRUCTS = { ...JOB_STRUCTS, ...TASK_STRUCTS, ...SERVICE_STRUCTS }

export type StructName = keyof typeof STRUCTS

export type ScalarType = 'string' | 'bool' | 'duration' | IntegerType
export type IntegerType = 'int' | 'int8' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64'

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType; readonly isOptional: boolean; readonly isRequired: boolean }
  | { readonly kind: 'scalars'; readonly scalar: ScalarType }
  | { readonly kind: 'string-map' | 'string-map-attribute' }
  | { readonly kind: 'strings-map' }
  | { readonly kind: 'free-form' }
  | { readonly kind: 'struct' | 'structs' | 'struct-map'; readonly struct: StructName }

export interface Field {
  /** As in HCL; empty when HCL has no name for it. */
  readonly hcl: string
  readonly json: string
  readonly type: FieldType
}

export interface Struct {
  readonly name: StructName
  /** The member that the block's label fills. */
  readonly label: { readonly json: string; readonly name: string } | undefined
  readonly fields: readonly Field[]
  /** Fields by what the API calls them, in lower case: the API reads names without regard to case. */
  readonly byJson: ReadonlyMap<string, Field>
  readonly attributes: ReadonlyMap<string, Field>
  readonly blocks: ReadonlyMap<string, Field>
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'bool', 'duration', 'int', 'int8', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'])

function isStructName(name: string): name is StructName {
  return Object.hasOwn(STRUCTS, name)
}

function parseType(written: string): FieldType {
  const isOptional = written.startsWith('*')
  const isRequired = written.startsWith('!')
  const bare = isOptional || isRequired ? written.slice(1) : written
  if (SCALARS.has(bare)) return { kind: 'scalar', scalar: bare as ScalarType, isOptional, isRequired }
  if (bare === '{string}') return { kind: 'string-map' }
  if (bare === '={string}') return { kind: 'string-map-attribute' }
  if (bare === '{[]string}') return { kind: 'strings-map' }
  if (bare === '{any}') return { kind: 'free-form' }
  if (bare.startsWith('[]') && SCALARS.has(bare.slice(2))) return { kind: 'scalars', scalar: bare.slice(2) as ScalarType }
  const struct = bare.replace(/^\[\]|^\{|\}$/g, '')
  if (!isStructName(struct)) throw new Error(`the schema names an unknown type: ${written}`)
  return { kind: bare.startsWith('[]') ? 'structs' : bare.startsWith('{') ? 'struct-map' : 'struct', struct }
}

const BLOCK_KINDS: ReadonlySet<FieldType['kind']> = new Set(['string-map', 'strings-map', 'free-form', 'struct', 'structs', 'struct-map'])

function parseStruct(name: StructName): Struct {
  const entries = Object.entries(STRUCTS[name] as Readonly<Record<string, string>>)
  let label: Struct['label']
  const fields: Field[] = []
  for (const [key, written] of entries) {
    const [type = '', json = ''] = written.split(' ')
    if (key.startsWith('<')) label = { json, name: key.slice(1, -1) }
    const hcl = key.startsWith('<') || key.startsWith('.') ? '' : key
    fields.push({ hcl, json, type: parseType(type) })
  }
  const inHcl = fields.filter((field) => field.hcl !== '')
  return {
    name,
    label,
    fields,
    byJson: new Map(fields.map((field) => [field.json.toLowerCase(), field])),
    attributes: new Map(inHcl.filter((field) => !BLOCK_KINDS.has(field.type.kind)).map((field) => [field.hcl, field])),
    blocks: new Map(inHcl.filter((field) => BLOCK_KINDS.has(field.type.kind)).map((field) => [field.hcl, field])),
  }
}

const PARSED = new Map((Object.keys(STRUCTS) as StructName[]).map((name) => [name, parseStruct(name)]))

/** In the order of the schema. */
export function structNames(): readonly StructName[] {
  return [...PARSED.keys()]
}

export function structOf(name: StructName): Struct {
  const found = PARSED.get(name)
  if (found === undefined) throw new Error(`no struct ${name} in the schema`)
  return found
}
