/**
 * One view of HCL's and JSON's bodies: the attributes and blocks that a schema asks for. In JSON only the schema tells
 * an attribute from a block. `dynamic` blocks are expanded in place.
 */
import type { Evaluation, Scope } from '../hcl/evaluation.js'
import { suggestName } from '../mistakes.js'
import type { Expression, HclBlock, HclBody, JsonMember, JsonNode, Label, Span } from '../syntax.js'
import { expandDynamic } from './dynamic.js'
import { jsonToExpression } from './json-expressions.js'

export type Body =
  | { readonly kind: 'hcl'; readonly body: HclBody; readonly scope: Scope; readonly missing: Span }
  | { readonly kind: 'json'; readonly members: readonly JsonMember[]; readonly scope: Scope; readonly missing: Span }

export interface BodySchema {
  readonly attributes: ReadonlySet<string>
  /** Names of the labels of each block type. */
  readonly blocks: ReadonlyMap<string, readonly string[]>
  /** False at the top of a file: there `dynamic` is a block like any other. */
  readonly expandsDynamic: boolean
}

export interface Attribute {
  readonly name: string
  readonly nameSpan: Span
  readonly expression: Expression
  readonly scope: Scope
}

export interface Block {
  readonly type: string
  readonly typeSpan: Span
  /** Type and labels; in JSON the bracket that opens the object, or the list in which it is one of several. */
  readonly headSpan: Span
  readonly labels: readonly Label[]
  readonly body: Body
}

export interface Content {
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly blocks: readonly Block[]
}

/** A block is looked up in its schema, member by member. */
const STEPS_PER_BLOCK = 20

export function contentOf(evaluation: Evaluation, body: Body, schema: BodySchema): Content {
  const count = body.kind === 'hcl' ? body.body.items.length : body.members.length
  evaluation.budget.spend(STEPS_PER_BLOCK + count, body.scope.source, body.missing)
  return body.kind === 'hcl' ? hclContent(evaluation, body.body, body.scope, schema) : jsonContent(evaluation, body, schema)
}

/** Every attribute of a body that may hold nothing else. */
export function attributesOf(evaluation: Evaluation, body: Body): readonly Attribute[] {
  if (body.kind === 'json') {
    const seen = new Set<string>()
    return body.members.flatMap((member) => {
      if (member.name === '//') return []
      if (seen.has(member.name)) failDuplicate(evaluation, body.scope, member)
      seen.add(member.name)
      return [jsonAttribute(evaluation, member, body.scope)]
    })
  }
  const attributes: Attribute[] = []
  for (const item of body.body.items) {
    if (item.kind === 'attribute') attributes.push(hclAttribute(item, body.scope))
    else {
      const at = { start: item.start, end: item.start + item.type.length }
      evaluation.fail(body.scope.source, at, `Unexpected "${item.type}" block`, 'Blocks are not allowed here.')
    }
  }
  return attributes
}

function hclAttribute(item: Extract<HclBody['items'][number], { kind: 'attribute' }>, scope: Scope): Attribute {
  return { name: item.name, nameSpan: { start: item.start, end: item.nameEnd }, expression: item.value, scope }
}

function hclContent(evaluation: Evaluation, body: HclBody, scope: Scope, schema: BodySchema): Content {
  const attributes = new Map<string, Attribute>()
  const blocks: Block[] = []
  for (const item of body.items) {
    if (item.kind === 'attribute') {
      if (schema.attributes.has(item.name)) attributes.set(item.name, hclAttribute(item, scope))
      else failArgument(evaluation, scope, item, schema)
    } else if (item.type === 'dynamic' && schema.expandsDynamic) {
      blocks.push(...expandDynamic(evaluation, dynamicOf(item, scope), schema))
    } else {
      const block = hclBlock(evaluation, item, scope, schema)
      if (block !== undefined) blocks.push(block)
    }
  }
  return { attributes, blocks }
}

function failArgument(
  evaluation: Evaluation,
  scope: Scope,
  item: { name: string; start: number; nameEnd: number },
  schema: BodySchema,
): void {
  const near = suggestName(item.name, schema.attributes)
  const isBlock = schema.blocks.has(item.name)
  const hint = isBlock ? ` Did you mean to define a block of type "${item.name}"?` : near === undefined ? '' : ` Did you mean "${near}"?`
  evaluation.fail(
    scope.source,
    { start: item.start, end: item.nameEnd },
    'Unsupported argument',
    `An argument named "${item.name}" is not expected here.${hint}`,
  )
}

function hclBlock(evaluation: Evaluation, item: HclBlock, scope: Scope, schema: BodySchema): Block | undefined {
  const typeSpan = { start: item.start, end: item.start + item.type.length }
  const labelNames = schema.blocks.get(item.type)
  if (labelNames === undefined) {
    failBlockType(evaluation, scope, item.type, typeSpan, schema)
    return undefined
  }
  const open = { start: item.open, end: item.open + 1 }
  if (!hasRightLabels(evaluation, scope, item.type, item.labels, labelNames, open)) return undefined
  return blockOf(item, scope, typeSpan)
}

function blockOf(item: HclBlock, scope: Scope, typeSpan: Span): Block {
  const last = item.labels.at(-1)
  const missing = { start: item.open, end: item.open }
  return {
    type: item.type,
    typeSpan,
    headSpan: { start: item.start, end: last?.end ?? typeSpan.end },
    labels: item.labels,
    body: { kind: 'hcl', body: item.body, scope, missing },
  }
}

function dynamicOf(item: HclBlock, scope: Scope): Block {
  return blockOf(item, scope, { start: item.start, end: item.start + item.type.length })
}

export function failBlockType(evaluation: Evaluation, scope: Scope, type: string, span: Span, schema: BodySchema): void {
  const near = suggestName(type, schema.blocks.keys())
  const isArgument = schema.attributes.has(type)
  const hint = isArgument
    ? ` Did you mean to define argument "${type}"? If so, use the equals sign to assign it a value.`
    : near === undefined
      ? ''
      : ` Did you mean "${near}"?`
  evaluation.fail(scope.source, span, 'Unsupported block type', `Blocks of type "${type}" are not expected here.${hint}`)
}

export function hasRightLabels(
  evaluation: Evaluation,
  scope: Scope,
  type: string,
  labels: readonly Label[],
  names: readonly string[],
  open: Span,
): boolean {
  const extra = labels[names.length]
  if (extra !== undefined) {
    const detail =
      names.length === 0
        ? `No labels are expected for ${type} blocks.`
        : `Only ${names.length} label(s) (${names.join(', ')}) are expected for ${type} blocks.`
    evaluation.fail(scope.source, extra, `Extraneous label for ${type}`, detail)
    return false
  }
  if (labels.length === names.length) return true
  const name = names[labels.length] ?? 'name'
  evaluation.fail(
    scope.source,
    open,
    `Missing ${name} for ${type}`,
    `All ${type} blocks must have ${names.length} label(s) (${names.join(', ')}).`,
  )
  return false
}

function jsonAttribute(evaluation: Evaluation, member: JsonMember, scope: Scope): Attribute {
  return { name: member.name, nameSpan: member.nameSpan, expression: jsonToExpression(evaluation, scope, member.value), scope }
}

function failDuplicate(evaluation: Evaluation, scope: Scope, member: JsonMember): void {
  evaluation.fail(scope.source, member.nameSpan, 'Duplicate argument', `The argument "${member.name}" was already set above.`)
}

/** What may be an attribute too is read as one: a map, and no list of maps. */
function failMapAsList(evaluation: Evaluation, scope: Scope, { value }: JsonMember): void {
  const at = { start: value.start, end: value.start + 1 }
  evaluation.fail(scope.source, at, 'Unsuitable value type', 'Unsuitable value: map of string required')
}

function jsonContent(evaluation: Evaluation, body: Extract<Body, { kind: 'json' }>, schema: BodySchema): Content {
  const { scope } = body
  const attributes = new Map<string, Attribute>()
  const blocks: Block[] = []
  for (const member of body.members) {
    if (member.name === '//') continue
    const labelNames = schema.blocks.get(member.name)
    if (labelNames !== undefined && schema.attributes.has(member.name) && member.value.kind === 'array')
      failMapAsList(evaluation, scope, member)
    else if (labelNames !== undefined) blocks.push(...jsonBlocks(evaluation, scope, member, labelNames))
    else if (member.name === 'dynamic' && schema.expandsDynamic) {
      for (const block of jsonBlocks(evaluation, scope, member, ['type'])) blocks.push(...expandDynamic(evaluation, block, schema))
    } else if (!schema.attributes.has(member.name)) failProperty(evaluation, scope, member, schema)
    else if (attributes.has(member.name)) failDuplicate(evaluation, scope, member)
    else attributes.set(member.name, jsonAttribute(evaluation, member, scope))
  }
  return { attributes, blocks }
}

function failProperty(evaluation: Evaluation, scope: Scope, member: JsonMember, schema: BodySchema): void {
  const near = suggestName(member.name, [...schema.attributes, ...schema.blocks.keys()])
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`
  evaluation.fail(
    scope.source,
    member.nameSpan,
    'Extraneous JSON object property',
    `No argument or block type is named "${member.name}".${hint}`,
  )
}

/** Labels are the names of nested objects; at each level one object or a list of objects. */
function jsonBlocks(evaluation: Evaluation, scope: Scope, member: JsonMember, labelNames: readonly string[]): Block[] {
  const unpack = (node: JsonNode, labels: readonly Label[]): Block[] => {
    const isLabelLevel = labels.length < labelNames.length
    const objects = objectsOf(evaluation, scope, node, isLabelLevel)
    const headSpan = { start: node.start, end: node.start + 1 }
    if (!isLabelLevel) return objects.map((object) => jsonBlock(member, scope, labels, object, headSpan))
    const members = objects.flatMap((object) => object.members)
    if (members.length === 0) {
      const at = node.kind === 'object' || node.kind === 'array' ? headSpan : node
      evaluation.fail(scope.source, at, 'Missing block label', `A block of type "${member.name}" is named by a member of the object here.`)
    }
    return members.flatMap(({ name, nameSpan, value }) => unpack(value, [...labels, { value: name, ...nameSpan }]))
  }
  return unpack(member.value, [])
}

type JsonObject = Extract<JsonNode, { kind: 'object' }>

function objectsOf(evaluation: Evaluation, scope: Scope, node: JsonNode, isLabelLevel: boolean): readonly JsonObject[] {
  if (node.kind === 'null') return []
  const isMissing = (one: JsonNode): boolean => one.kind === 'null' && !isLabelLevel
  const nodes = node.kind === 'array' ? node.items : [node]
  const objects = nodes.filter((one) => one.kind === 'object')
  for (const one of nodes) {
    if (one.kind === 'object' || isMissing(one)) continue
    const detail = isLabelLevel
      ? 'An object is required here, whose names are the labels.'
      : 'Either a JSON object or a list of objects is required here, because this is a nested block.'
    evaluation.fail(scope.source, one, 'Incorrect JSON value type', detail)
  }
  return objects
}

function jsonBlock(member: JsonMember, scope: Scope, labels: readonly Label[], object: JsonObject, headSpan: Span): Block {
  const missing = { start: object.end - 1, end: object.end }
  return {
    type: member.name,
    typeSpan: member.nameSpan,
    headSpan,
    labels,
    body: { kind: 'json', members: object.members, scope, missing },
  }
}
