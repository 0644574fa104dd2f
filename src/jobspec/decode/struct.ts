/** A body to the object that the schema describes; members whose form is their own are left to `special.ts`. */
import type { Evaluation } from '../hcl/evaluation.js'
import { type ApiObject, type ApiValue, apiObject } from './api-job.js'
import { type Block, type Body, type BodySchema, type Content, contentOf } from './body.js'
import { decodeFreeFormBlock, decodeStringMap, decodeStringMapAttribute, decodeStringsMap } from './maps.js'
import { decodeAttribute } from './scalars.js'
import { type Field, type Struct, type StructName, structOf } from './schema.js'
import { SPECIAL_DECODERS } from './special.js'

/** Blocks and attributes that HCL accepts and that are no members of the object, such as the sugar of a constraint. */
export interface Extras {
  readonly attributes?: readonly string[]
  readonly blocks?: Readonly<Record<string, readonly string[]>>
}

/** Members that may be written as an attribute or as a block. */
const EITHER_FORM: Readonly<Partial<Record<StructName, readonly string[]>>> = { Job: ['meta'], TaskGroup: ['meta'], Task: ['meta', 'env'] }

const schemas = new Map<string, BodySchema>()

export function schemaOf(struct: Struct, extras: Extras = {}): BodySchema {
  const key = `${struct.name}:${(extras.attributes ?? []).join()}:${Object.keys(extras.blocks ?? {}).join()}`
  const known = schemas.get(key)
  if (known !== undefined) return known
  const blocks = new Map<string, readonly string[]>()
  for (const [name, field] of struct.blocks) blocks.set(name, labelNames(field))
  for (const [name, labels] of Object.entries(extras.blocks ?? {})) blocks.set(name, labels)
  const attributes = new Set([...struct.attributes.keys(), ...(EITHER_FORM[struct.name] ?? []), ...(extras.attributes ?? [])])
  const schema = { attributes, blocks, expandsDynamic: true }
  schemas.set(key, schema)
  return schema
}

function labelNames(field: Field): readonly string[] {
  const label = 'struct' in field.type ? structOf(field.type.struct).label : undefined
  return label === undefined ? [] : [label.name]
}

/** The block's label, if the struct has one, fills its member. */
export function decodeBlock(evaluation: Evaluation, name: StructName, block: Block): ApiObject {
  const special = SPECIAL_DECODERS[name]
  if (special !== undefined) return special(evaluation, block)
  return decodeStruct(evaluation, structOf(name), block.body, block.labels[0]?.value)
}

export function decodeStruct(evaluation: Evaluation, struct: Struct, body: Body, label?: string): ApiObject {
  const content = contentOf(evaluation, body, schemaOf(struct))
  return decodeContent(evaluation, struct, body, content, label)
}

export function decodeContent(evaluation: Evaluation, struct: Struct, body: Body, content: Content, label?: string): ApiObject {
  const members: Record<string, ApiValue> = {}
  if (struct.label !== undefined && label !== undefined) members[struct.label.json] = label
  for (const field of struct.fields) {
    if (field.hcl === '') continue
    const value = decodeField(evaluation, struct, body, content, field)
    if (value !== undefined) members[field.json] = value
  }
  return members
}

function decodeField(evaluation: Evaluation, struct: Struct, body: Body, content: Content, field: Field): ApiValue {
  const attribute = content.attributes.get(field.hcl)
  const { type } = field
  if (type.kind === 'scalar' || type.kind === 'scalars') {
    if (attribute !== undefined) return decodeAttribute(evaluation, attribute, type)
    if (type.kind === 'scalar' && type.isRequired) failMissing(evaluation, body, field.hcl)
    return undefined
  }
  if (type.kind === 'string-map-attribute') return attribute === undefined ? undefined : decodeStringMapAttribute(evaluation, attribute)
  const blocks = content.blocks.filter((block) => block.type === field.hcl)
  if (type.kind === 'structs') {
    const { struct: inner } = type
    return blocks.length === 0 ? undefined : blocks.map((block) => decodeBlock(evaluation, inner, block))
  }
  if (type.kind === 'struct-map') {
    const { struct: inner } = type
    return blocks.length === 0
      ? undefined
      : apiObject(blocks.map((block) => [block.labels[0]?.value ?? '', decodeBlock(evaluation, inner, block)]))
  }
  const block = onlyBlock(evaluation, blocks, attribute === undefined ? 1 : 0)
  if (attribute !== undefined && EITHER_FORM[struct.name]?.includes(field.hcl) === true)
    return decodeStringMapAttribute(evaluation, attribute)
  if (block === undefined) return undefined
  switch (type.kind) {
    case 'struct':
      return decodeBlock(evaluation, type.struct, block)
    case 'string-map':
      return decodeStringMap(evaluation, block.body)
    case 'strings-map':
      return decodeStringsMap(evaluation, block.body)
    case 'free-form':
      return decodeFreeFormBlock(evaluation, block)
  }
}

/** The first; a fault for each beyond `allowed`. */
export function onlyBlock(evaluation: Evaluation, blocks: readonly Block[], allowed = 1): Block | undefined {
  for (const extra of blocks.slice(allowed)) {
    const { type, headSpan, body } = extra
    evaluation.fail(body.scope.source, headSpan, `Duplicate ${type} block`, `Only one ${type} block is allowed.`)
  }
  return blocks[0]
}

export function failMissing(evaluation: Evaluation, body: Body, name: string): void {
  evaluation.fail(
    body.scope.source,
    body.missing,
    'Missing required argument',
    `The argument "${name}" is required, but no definition was found.`,
  )
}
