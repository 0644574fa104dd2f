/** Single attributes: evaluated, converted, and held to what their type allows. */
import { readDuration } from '../../domain/index.js'
import { convert } from '../hcl/convert.js'
import { evaluate } from '../hcl/evaluate.js'
import type { Evaluation } from '../hcl/evaluation.js'
import { numeric } from '../hcl/numbers.js'
import { describeTypeOf, itemsOf, type Value } from '../hcl/values.js'
import { placeOf } from '../mistakes.js'
import type { ApiValue } from './api-job.js'
import type { Attribute } from './body.js'
import { writtenText } from './json-expressions.js'
import type { FieldType, IntegerType, ScalarType } from './schema.js'
import { startSpan } from './spans.js'

type Decoded = { readonly value: ApiValue } | { readonly refusal: string }

const RANGES: Readonly<Record<IntegerType, readonly [bigint, bigint]>> = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

/** `undefined` when there is nothing to store, or the fault has been told. */
export function decodeAttribute(evaluation: Evaluation, attribute: Attribute, type: FieldType): ApiValue {
  const written = wantsText(type) ? writtenOf(attribute.expression) : undefined
  if (written !== undefined) return written
  const value = evaluate(evaluation, attribute.scope, attribute.expression)
  if (value.kind === 'unknown') return undefined
  evaluation.walk(value, attribute.scope.source, attribute.expression)
  const decoded =
    type.kind === 'scalars'
      ? decodeList(value, type.scalar)
      : type.kind === 'scalar'
        ? decodeScalar(value, type.scalar, type.isOptional)
        : { refusal: 'a block is required' }
  if (type.kind === 'scalar' && type.scalar === 'duration') warnOfNanoseconds(evaluation, attribute, value)
  if ('value' in decoded) return decoded.value
  failType(evaluation, attribute, decoded.refusal)
  return undefined
}

/** Below which nobody means a number of nanoseconds. */
const NANOSECONDS_MEANT_MIN = 1_000_000

function warnOfNanoseconds(evaluation: Evaluation, { name, expression, scope }: Attribute, value: Value): void {
  if (value.kind !== 'number' || value.value.isZero() || value.value.abs().gte(numeric(NANOSECONDS_MEANT_MIN))) return
  const { line } = placeOf(scope.source.text, expression.start)
  const text = value.value.toString()
  evaluation.warnings.push(`line ${line}: ${name} = ${text} is ${text} nanoseconds; write "${text}s" for seconds`)
}

function wantsText(type: FieldType): boolean {
  return (type.kind === 'scalar' || type.kind === 'scalars') && type.scalar === 'string'
}

/** A scalar, or a list of nothing but scalars, of YAML. */
function writtenOf(expression: Attribute['expression']): ApiValue {
  if (expression.kind !== 'tuple') return writtenText(expression)
  const texts = expression.items.map(writtenText)
  return texts.length > 0 && texts.every((text) => text !== undefined) ? texts : undefined
}

export function failType(evaluation: Evaluation, attribute: Attribute, refusal: string): void {
  evaluation.fail(
    attribute.scope.source,
    startSpan(attribute.expression),
    'Unsuitable value type',
    `Unsuitable value for "${attribute.name}": ${refusal}.`,
  )
}

export function decodeScalar(value: Value, scalar: ScalarType, isOptional: boolean): Decoded {
  if (scalar === 'duration') return decodeDuration(value)
  if (value.kind === 'null') return isOptional ? { value: undefined } : { refusal: `a ${scalar} is required, but have null` }
  const converted = convert(value, scalar === 'string' || scalar === 'bool' ? scalar : 'number')
  if ('refusal' in converted) return converted
  const { value: result } = converted
  if (result.kind === 'string' || result.kind === 'bool') return { value: result.value }
  return result.kind === 'number' ? decodeInteger(result.value, scalar as IntegerType) : { refusal: `a ${scalar} is required` }
}

function decodeInteger(number: ReturnType<typeof numeric>, scalar: IntegerType): Decoded {
  if (!number.isInteger()) return { refusal: 'a whole number is required' }
  const [min, max] = RANGES[scalar]
  if (number.lt(numeric(min.toString())) || number.gt(numeric(max.toString())))
    return { refusal: `a number from ${min} to ${max} is required` }
  if (number.abs().gt(numeric(Number.MAX_SAFE_INTEGER)))
    return { refusal: `numbers beyond ${Number.MAX_SAFE_INTEGER} cannot be kept exactly and are not supported` }
  return { value: number.toNumber() }
}

/** A text in Go's form, or a whole number of nanoseconds. */
function decodeDuration(value: Value): Decoded {
  if (value.kind === 'string') {
    const read = readDuration(value.value)
    return read.kind === 'duration'
      ? { value: read.nanoseconds }
      : { refusal: `"${value.value}" is no duration; write for example "30s", "1m30s" or "12h"` }
  }
  if (value.kind === 'number') return decodeInteger(value.value, 'int64')
  return { refusal: `a duration such as "30s" is required, but have ${value.kind === 'null' ? 'null' : describeTypeOf(value)}` }
}

function decodeList(value: Value, scalar: ScalarType): Decoded {
  if (value.kind === 'null') return { value: undefined }
  const items = itemsOf(value)
  if (items === undefined) return { refusal: `a list of ${scalar} is required, but have ${describeTypeOf(value)}` }
  const decoded: ApiValue[] = []
  for (const [at, item] of items.entries()) {
    const one = decodeScalar(item, scalar, false)
    if ('refusal' in one) return { refusal: `element ${at}: ${one.refusal}` }
    decoded.push(one.value)
  }
  return { value: decoded }
}
