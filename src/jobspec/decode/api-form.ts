/**
 * The API's form of a job: in files as JSON, which programs write too (an unknown member is told and passed over), as YAML, where
 * it is the author's mistake, and in request bodies, where it is ignored and names are read without regard to case.
 */
import type { Evaluation } from '../hcl/evaluation.js'
import { placeOf, type SourceText, suggestName } from '../mistakes.js'
import type { JsonMember, JsonNode, Syntax } from '../syntax.js'
import { type ApiJob, type ApiObject, type ApiValue, apiObject, isApiObject } from './api-job.js'
import { type Field, type IntegerType, type ScalarType, type StructName, structOf } from './schema.js'

type JsonObject = Extract<JsonNode, { kind: 'object' }>

export function decodeApiJob(evaluation: Evaluation, syntax: Exclude<Syntax, { kind: 'hcl' }>, root: JsonNode): ApiJob | undefined {
  const source = { path: syntax.path, text: syntax.text }
  const wrapped = root.kind === 'object' ? root.members.find(({ name }) => name === 'Job') : undefined
  const node = wrapped?.value ?? root
  if (node.kind !== 'object') {
    evaluation.fail(source, node, 'Incorrect JSON value type', 'The job must be an object.')
    return undefined
  }
  const job = decodeNode({ evaluation, source, isLenient: syntax.kind === 'json' }, node, 'Job')
  return evaluation.faults.length > 0 ? undefined : job
}

interface Reading {
  readonly evaluation: Evaluation
  readonly source: SourceText
  /** Unknown members are passed over, with a warning. */
  readonly isLenient: boolean
}

/** Members of jobs of releases up to 1.9, and of our own answers. What they held does not belong in a file. */
const TOKENS: ReadonlySet<string> = new Set(['consultoken', 'vaulttoken'])

function decodeNode(reading: Reading, node: JsonObject, name: StructName): ApiObject {
  const { evaluation, source } = reading
  const struct = structOf(name)
  const members: [string, ApiValue][] = []
  const seen = new Set<string>()
  for (const member of node.members) {
    const field = struct.byJson.get(member.name.toLowerCase())
    if (field === undefined) tellUnknown(reading, member, name)
    else if (seen.has(field.json))
      evaluation.fail(source, member.nameSpan, 'Duplicate member', `The member "${member.name}" was already set above.`)
    else {
      seen.add(field.json)
      const value = decodeMember(reading, member, field)
      if (value !== undefined) members.push([field.json, value])
    }
  }
  return apiObject(members)
}

function tellUnknown({ evaluation, source, isLenient }: Reading, member: JsonMember, struct: StructName): void {
  const isToken = struct === 'Job' && TOKENS.has(member.name.toLowerCase())
  if (isToken && (member.value.kind === 'null' || (member.value.kind === 'string' && member.value.value === ''))) return
  const near = suggestName(
    member.name,
    structOf(struct).fields.map(({ json }) => json),
  )
  const hint = isToken ? ' Tokens do not belong in files.' : near === undefined ? '' : ` Did you mean "${near}"?`
  const detail = `${struct} has no member "${member.name}".${hint}`
  if (!isLenient) evaluation.fail(source, member.nameSpan, 'Unknown member', detail)
  else evaluation.warnings.push(`line ${placeOf(source.text, member.nameSpan.start).line}: ${detail} It is passed over.`)
}

function decodeMember(reading: Reading, member: JsonMember, field: Field): ApiValue {
  const { evaluation, source } = reading
  const { value: node } = member
  const { type } = field
  if (node.kind === 'null') return undefined
  const refuse = (wanted: string, at: JsonNode = node): undefined => {
    evaluation.fail(source, at, 'Unsuitable value type', `Unsuitable value for "${field.json}": ${wanted} is required.`)
    return undefined
  }
  switch (type.kind) {
    case 'scalar':
      return scalarOf(node, type.scalar) ?? refuse(describeScalar(type.scalar))
    case 'scalars': {
      if (node.kind !== 'array') return refuse(`a list of ${type.scalar}`)
      const items = node.items.map((item) => scalarOf(item, type.scalar))
      const wrong = node.items[items.indexOf(undefined)]
      return wrong === undefined ? items : refuse(`a list of ${type.scalar}`, wrong)
    }
    case 'free-form':
      return node.kind === 'object' ? plainNode(node) : refuse('an object')
    case 'string-map':
    case 'string-map-attribute':
      return node.kind === 'object' ? textsOf(reading, node, field, textOf, 'a text') : refuse('an object of strings')
    case 'strings-map':
      return node.kind === 'object' ? textsOf(reading, node, field, textListOf, 'a list of texts') : refuse('an object of lists of strings')
    case 'struct':
      return node.kind === 'object' ? decodeNode(reading, node, type.struct) : refuse('an object')
    case 'structs': {
      if (node.kind !== 'array') return refuse('a list of objects')
      return node.items.flatMap((item) => {
        if (item.kind === 'object') return [decodeNode(reading, item, type.struct)]
        evaluation.fail(source, item, 'Unsuitable value type', `Unsuitable value in "${field.json}": an object is required.`)
        return []
      })
    }
    case 'struct-map': {
      if (node.kind !== 'object') return refuse('an object of objects')
      return apiObject(
        node.members.flatMap(({ name, value }) =>
          value.kind === 'object' ? [[name, decodeNode(reading, value, type.struct)] as const] : [],
        ),
      )
    }
  }
}

/** A map, each member of which is held to what is wanted, and told at its own place. */
function textsOf(
  { evaluation, source }: Reading,
  node: JsonObject,
  field: Field,
  read: (value: JsonNode) => ApiValue,
  wanted: string,
): ApiObject {
  return apiObject(
    node.members.flatMap(({ name, nameSpan, value }) => {
      const text = read(value)
      if (text !== undefined) return [[name, text] as const]
      const detail = `Unsuitable value for "${name}" in "${field.json}": ${wanted} is required.`
      evaluation.fail(source, value.start < value.end ? value : nameSpan, 'Unsuitable value type', detail)
      return []
    }),
  )
}

/** In YAML a number or a truth value is the text that was written. */
function textOf(node: JsonNode): string | undefined {
  if (node.kind === 'string') return node.value
  return node.kind === 'number' || node.kind === 'bool' ? node.written : undefined
}

function textListOf(node: JsonNode): ApiValue {
  if (node.kind !== 'array') return undefined
  const texts = node.items.map(textOf)
  return texts.includes(undefined) ? undefined : texts
}

function describeScalar(scalar: ScalarType): string {
  if (scalar === 'duration') return 'a whole number of nanoseconds'
  return scalar === 'string' || scalar === 'bool' ? `a ${scalar}` : 'a whole number'
}

function scalarOf(node: JsonNode, scalar: ScalarType): ApiValue {
  if (scalar === 'string') return textOf(node)
  if (scalar === 'bool') return node.kind === 'bool' ? node.value : undefined
  const value = node.kind === 'number' ? Number(node.text) : Number.NaN
  return isInteger(value, scalar === 'duration' ? 'int64' : scalar) ? value : undefined
}

const UNSIGNED: ReadonlySet<IntegerType> = new Set(['uint8', 'uint16', 'uint32', 'uint64'])
const MAXIMA: Readonly<Partial<Record<IntegerType, number>>> = { int8: 127, uint8: 255, uint16: 65_535, uint32: 2 ** 32 - 1 }

function isInteger(value: number, type: IntegerType): boolean {
  const max = MAXIMA[type] ?? (type === 'int64' || type === 'uint64' ? 2 ** 64 : Number.MAX_SAFE_INTEGER)
  const min = UNSIGNED.has(type) ? 0 : -max - 1
  return Number.isInteger(value) && value <= max && value >= min
}

export function plainNode(node: JsonNode): ApiValue {
  switch (node.kind) {
    case 'object':
      return apiObject(node.members.map(({ name, value }) => [name, plainNode(value)] as const))
    case 'array':
      return node.items.map(plainNode)
    case 'number':
      return Number(node.text)
    case 'null':
      return null
    default:
      return node.value
  }
}

/**
 * A request's job with its members under their proper names. What is unknown or of the wrong kind is dropped: a body that
 * Go's decoder would refuse is refused by the API before it comes here.
 */
export function readApiJob(value: unknown): ApiJob {
  return isApiObject(value) ? normalize(value, 'Job') : {}
}

function normalize(object: ApiObject, name: StructName): ApiObject {
  const struct = structOf(name)
  const members = Object.entries(object).flatMap(([key, value]) => {
    const field = struct.byJson.get(key.toLowerCase())
    return field === undefined || value === undefined ? [] : [[field.json, normalizeMember(field, value)] as const]
  })
  return apiObject(members)
}

function normalizeMember(field: Field, value: ApiValue): ApiValue {
  const { type } = field
  if (value === null) return null
  if (type.kind === 'struct') return isApiObject(value) ? normalize(value, type.struct) : null
  if (type.kind === 'structs')
    return Array.isArray(value) ? value.map((item) => (isApiObject(item) ? normalize(item, type.struct) : null)) : null
  if (type.kind === 'struct-map' && isApiObject(value)) {
    return apiObject(Object.entries(value).map(([key, item]) => [key, isApiObject(item) ? normalize(item, type.struct) : null] as const))
  }
  return value
}
