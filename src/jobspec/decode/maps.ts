/** Maps of texts (`meta`, `env`, …) and free-form bodies (`config`, `policy`). */
import { convert } from '../hcl/convert.js'
import { evaluate } from '../hcl/evaluate.js'
import type { Evaluation, Scope } from '../hcl/evaluation.js'
import { formatNumeric, type Numeric, numeric } from '../hcl/numbers.js'
import { compareBytes, entriesOf, itemsOf, type Value } from '../hcl/values.js'
import { placeOf } from '../mistakes.js'
import type { Expression } from '../syntax.js'
import { type ApiObject, type ApiValue, apiObject } from './api-job.js'
import { type Attribute, attributesOf, type Block, type Body } from './body.js'
import { jsonToExpression, writtenText } from './json-expressions.js'
import { failType } from './scalars.js'

/** Members in byte order of their names: the order in which they were written says nothing. */
function ordered(entries: readonly (readonly [string, ApiValue])[]): ApiObject {
  return apiObject([...entries].sort(([left], [right]) => compareBytes(left, right)))
}

export function decodeStringMap(evaluation: Evaluation, body: Body): ApiObject {
  const entries: [string, ApiValue][] = []
  for (const attribute of attributesOf(evaluation, body)) {
    const name = body.kind === 'json' ? templateName(evaluation, attribute) : attribute.name
    const written = writtenText(attribute.expression)
    if (written !== undefined && name !== undefined) {
      entries.push([name, written])
      continue
    }
    const value = evaluate(evaluation, attribute.scope, attribute.expression)
    if (value.kind === 'unknown' || name === undefined) continue
    evaluation.walk(value, attribute.scope.source, attribute.expression)
    const converted = value.kind === 'null' ? { refusal: 'a string is required, but have null' } : convert(value, 'string')
    if ('value' in converted && converted.value.kind === 'string') entries.push([name, converted.value.value])
    else failType(evaluation, attribute, 'refusal' in converted ? converted.refusal : 'a string is required')
  }
  return ordered(entries)
}

/** In JSON the names of members are templates too. */
function templateName(evaluation: Evaluation, attribute: Attribute): string | undefined {
  const { name, nameSpan, scope } = attribute
  if (!name.includes('{')) return name
  const value = evaluate(evaluation, scope, jsonName(evaluation, attribute))
  const converted = value.kind === 'unknown' || value.kind === 'null' ? undefined : convert(value, 'string')
  if (converted !== undefined && 'value' in converted && converted.value.kind === 'string') return converted.value.value
  if (value.kind !== 'unknown')
    evaluation.fail(scope.source, nameSpan, 'Incorrect key type', "Can't use this value as a key: string required.")
  return undefined
}

function jsonName(evaluation: Evaluation, { name, nameSpan, scope }: Attribute): ReturnType<typeof jsonToExpression> {
  return jsonToExpression(evaluation, scope, { kind: 'string', value: name, ...nameSpan })
}

/** `meta = { … }`, which may have any names. Null means nothing. */
export function decodeStringMapAttribute(evaluation: Evaluation, attribute: Attribute): ApiObject | undefined {
  const value = evaluate(evaluation, attribute.scope, attribute.expression)
  if (value.kind === 'unknown' || value.kind === 'null') return undefined
  evaluation.walk(value, attribute.scope.source, attribute.expression)
  const entries = entriesOf(value)
  if (entries === undefined) {
    failType(evaluation, attribute, 'a map of strings is required')
    return undefined
  }
  const texts: [string, ApiValue][] = []
  for (const [name, entry] of entries) {
    if (entry.kind === 'unknown') continue
    const converted = entry.kind === 'null' ? { refusal: 'a string is required, but have null' } : convert(entry, 'string')
    if ('value' in converted && converted.value.kind === 'string') texts.push([name, converted.value.value])
    else {
      failType(evaluation, attribute, `element "${name}": ${'refusal' in converted ? converted.refusal : 'a string is required'}`)
      return undefined
    }
  }
  return ordered(texts)
}

/** `header { Name = ["a", "b"] }` */
export function decodeStringsMap(evaluation: Evaluation, body: Body): ApiObject {
  const entries: [string, ApiValue][] = []
  for (const attribute of attributesOf(evaluation, body)) {
    const value = evaluate(evaluation, attribute.scope, attribute.expression)
    if (value.kind === 'unknown') continue
    if (value.kind === 'null') {
      entries.push([attribute.name, null])
      continue
    }
    evaluation.walk(value, attribute.scope.source, attribute.expression)
    const texts = (itemsOf(value) ?? []).map((item) => (item.kind === 'null' ? undefined : convert(item, 'string')))
    const isList = itemsOf(value) !== undefined && texts.every((text) => text !== undefined && 'value' in text)
    if (isList)
      entries.push([
        attribute.name,
        texts.map((text) => (text !== undefined && 'value' in text && text.value.kind === 'string' ? text.value.value : '')),
      ])
    else failType(evaluation, attribute, 'a list of strings is required')
  }
  return ordered(entries)
}

/**
 * Anything: each block type becomes a list of objects, labels become nested lists, and an attribute that is literally an
 * object becomes a list of one, as Nomad has it. A block wins over an attribute of its name. In JSON nothing is wrapped.
 */
function decodeFreeForm(evaluation: Evaluation, body: Body): ApiObject {
  const entries = new Map<string, ApiValue>()
  if (body.kind === 'json') {
    for (const attribute of attributesOf(evaluation, body)) {
      const name = templateName(evaluation, attribute)
      if (name !== undefined) entries.set(name, plainOf(evaluation, attribute.scope, attribute.expression))
    }
    return ordered([...entries])
  }
  const blocks = new Map<string, ApiValue[]>()
  for (const item of body.body.items) {
    if (item.kind === 'attribute') {
      const value = plainOf(evaluation, body.scope, item.value)
      entries.set(item.name, item.value.kind === 'object' && item.value.isJson !== true ? [value] : value)
      continue
    }
    const missing = { start: item.open, end: item.open }
    const inner = decodeFreeForm(evaluation, { kind: 'hcl', body: item.body, scope: body.scope, missing })
    const labelled = item.labels.reduceRight<ApiObject>((value, label) => apiObject([[label.value, [value]]]), inner)
    const alike = blocks.get(item.type)
    if (alike === undefined) blocks.set(item.type, [labelled])
    else alike.push(labelled)
  }
  for (const [type, list] of blocks) entries.set(type, list)
  return ordered([...entries])
}

/** A member of the block itself that is null is as good as not there; further in it stays. */
export function decodeFreeFormBlock(evaluation: Evaluation, block: Block): ApiObject {
  return apiObject(Object.entries(decodeFreeForm(evaluation, block.body)).filter(([, value]) => value !== null))
}

function plainOf(evaluation: Evaluation, scope: Scope, expression: Expression): ApiValue {
  const value = evaluate(evaluation, scope, expression)
  evaluation.walk(value, scope.source, expression)
  if (hasHugeNumber(value))
    evaluation.fail(scope.source, expression, 'Number too large', 'JSON, in which configuration is handed on, has no numbers of that size.')
  else warnOfLostDigits(evaluation, scope, expression, value)
  return plain(value)
}

/** An id of 19 digits would reach the driver as another one. */
function warnOfLostDigits({ warnings }: Evaluation, { source }: Scope, { start }: Expression, value: Value): void {
  const lost = findLostDigits(value)
  if (lost === undefined) return
  const { line } = placeOf(source.text, start)
  const digits = formatNumeric(lost)
  warnings.push(`line ${line}: ${digits} is handed on as ${formatNumeric(numeric(lost.toNumber()))}; write "${digits}" to keep its digits`)
}

function findLostDigits(value: Value): Numeric | undefined {
  if (value.kind === 'number') return value.value.isInteger() && !numeric(value.value.toNumber()).eq(value.value) ? value.value : undefined
  for (const item of itemsOf(value) ?? [...(entriesOf(value)?.values() ?? [])]) {
    const lost = findLostDigits(item)
    if (lost !== undefined) return lost
  }
  return undefined
}

const DOUBLE_MAX = numeric('1.7976931348623157e308')

function hasHugeNumber(value: Value): boolean {
  if (value.kind === 'number') return value.value.abs().gt(DOUBLE_MAX)
  return (itemsOf(value) ?? [...(entriesOf(value)?.values() ?? [])]).some(hasHugeNumber)
}

/** Numbers as doubles: whole ones beyond 2^53 lose digits, as they do in every reader of JSON. */
function plain(value: Value): ApiValue {
  switch (value.kind) {
    case 'unknown':
    case 'null':
      return null
    case 'string':
    case 'bool':
      return value.value
    case 'number':
      return value.value.toNumber()
    case 'tuple':
    case 'list':
    case 'set':
      return value.items.map(plain)
    case 'object':
    case 'map':
      return apiObject([...value.entries].map(([name, entry]) => [name, plain(entry)] as const))
  }
}
