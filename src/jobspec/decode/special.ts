/** Blocks whose form is not that of their object: sugar of constraints, ports, defaults that the parser itself fills in. */

import { SECOND } from '../../domain/index.js'
import { convert } from '../hcl/convert.js'
import { evaluate } from '../hcl/evaluate.js'
import type { Evaluation } from '../hcl/evaluation.js'
import { numeric, parseNumeric } from '../hcl/numbers.js'
import { type ApiObject, apiObject, textIn } from './api-job.js'
import { type Block, contentOf } from './body.js'
import { failType } from './scalars.js'
import { type StructName, structOf } from './schema.js'
import { decodeContent, decodeStruct, failMissing, schemaOf } from './struct.js'

type SpecialDecoder = (evaluation: Evaluation, block: Block) => ApiObject

/** In this order; the last one that is not empty decides operator and value. */
const CONSTRAINT_SUGAR = ['version', 'semver', 'regexp', 'set_contains']
/** Accepted by Nomad, and without any effect. */
const CONSTRAINT_WITHOUT_EFFECT = ['set_contains_any', 'set_contains_all', 'is_set', 'is_not_set']
const AFFINITY_SUGAR = ['version', 'semver', 'regexp', 'set_contains_any', 'set_contains_all', 'set_contains']

export const SPECIAL_DECODERS: Readonly<Partial<Record<StructName, SpecialDecoder>>> = {
  Constraint: decodeConstraint,
  Affinity: decodeAffinity,
  Template: decodeTemplate,
  ChangeScript: decodeChangeScript,
  Vault: decodeVault,
  PeriodicConfig: decodePeriodic,
}

/** Attributes as texts; null and absent alike are missing. */
function textAttributes(evaluation: Evaluation, block: Block, names: readonly string[]): ReadonlyMap<string, string> {
  const { attributes } = contentOf(evaluation, block.body, { attributes: new Set(names), blocks: new Map(), expandsDynamic: true })
  const texts = new Map<string, string>()
  for (const [name, attribute] of attributes) {
    const value = evaluate(evaluation, attribute.scope, attribute.expression)
    if (value.kind === 'unknown' || value.kind === 'null') continue
    evaluation.walk(value, attribute.scope.source, attribute.expression)
    const converted = convert(value, name === 'distinct_hosts' ? 'bool' : 'string')
    if ('refusal' in converted) failType(evaluation, attribute, converted.refusal)
    else if (converted.value.kind === 'string' || converted.value.kind === 'bool') texts.set(name, String(converted.value.value))
  }
  return texts
}

function decodeConstraint(evaluation: Evaluation, block: Block): ApiObject {
  const names = ['attribute', 'value', 'operator', ...CONSTRAINT_SUGAR, ...CONSTRAINT_WITHOUT_EFFECT, 'distinct_hosts', 'distinct_property']
  const texts = textAttributes(evaluation, block, names)
  let target = texts.get('attribute') ?? ''
  let [operator, value] = applySugar(texts, CONSTRAINT_SUGAR)
  const distinctHosts = texts.get('distinct_hosts')
  if (distinctHosts !== undefined) [operator, value] = ['distinct_hosts', distinctHosts]
  const property = texts.get('distinct_property') ?? ''
  if (property !== '') [target, operator] = [property, 'distinct_property']
  for (const name of CONSTRAINT_WITHOUT_EFFECT) {
    if ((texts.get(name) ?? '') !== '')
      evaluation.warnings.push(`constraint argument "${name}" has no effect, as in Nomad; write operator = "${name}"`)
  }
  return { LTarget: target, RTarget: value, Operand: operator }
}

function applySugar(texts: ReadonlyMap<string, string>, sugar: readonly string[]): [operator: string, value: string] {
  let operator = texts.get('operator') ?? ''
  let value = texts.get('value') ?? ''
  for (const name of sugar) {
    const text = texts.get(name) ?? ''
    if (text !== '') [operator, value] = [name, text]
  }
  return [operator === '' ? '=' : operator, value]
}

function decodeAffinity(evaluation: Evaluation, block: Block): ApiObject {
  const texts = textAttributes(evaluation, block, ['attribute', 'value', 'operator', 'weight', ...AFFINITY_SUGAR])
  const [operator, value] = applySugar(texts, AFFINITY_SUGAR)
  const weight = affinityWeight(evaluation, block, texts.get('weight'))
  return { LTarget: texts.get('attribute') ?? '', RTarget: value, Operand: operator, ...(weight === undefined ? {} : { Weight: weight }) }
}

/** Truncated, and kept in eight bits as Nomad does: 200 is -56. */
function affinityWeight(evaluation: Evaluation, block: Block, written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const number = parseNumeric(written)
  if (number === undefined) {
    evaluation.fail(
      block.body.scope.source,
      block.headSpan,
      'Unsuitable value type',
      'Unsuitable value for "weight": a number is required.',
    )
    return undefined
  }
  const whole = number.truncated()
  const weight = Number(BigInt.asIntN(8, BigInt(whole.toFixed(0))))
  if (!whole.eq(numeric(weight)))
    evaluation.warnings.push(`affinity weight ${written} does not fit and counts as ${weight}; weights are from -100 to 100`)
  return weight
}

function withDefaults(object: ApiObject, defaults: ApiObject): ApiObject {
  const missing = Object.entries(defaults).filter(([name]) => object[name] === undefined || object[name] === null)
  return apiObject([...Object.entries(object), ...missing])
}

function decodePlain(evaluation: Evaluation, name: StructName, block: Block): ApiObject {
  return decodeStruct(evaluation, structOf(name), block.body, block.labels[0]?.value)
}

function decodeTemplate(evaluation: Evaluation, block: Block): ApiObject {
  const defaults = { ChangeMode: 'restart', Splay: 5 * SECOND, Perms: '0644', ErrMissingKey: false }
  return withDefaults(decodePlain(evaluation, 'Template', block), defaults)
}

function decodeChangeScript(evaluation: Evaluation, block: Block): ApiObject {
  const defaults = { Args: [], Timeout: 5 * SECOND, FailOnError: false, RunOnFirstRender: false }
  return withDefaults(decodePlain(evaluation, 'ChangeScript', block), defaults)
}

function decodeVault(evaluation: Evaluation, block: Block): ApiObject {
  return withDefaults(decodePlain(evaluation, 'Vault', block), { Env: true, DisableFile: false, ChangeMode: 'restart' })
}

function decodePeriodic(evaluation: Evaluation, block: Block): ApiObject {
  const periodic = decodePlain(evaluation, 'PeriodicConfig', block)
  const hasSpec = periodic['Spec'] !== undefined || periodic['Specs'] !== undefined
  return hasSpec ? { ...periodic, SpecType: 'cron' } : periodic
}

const TASK_SCALING: Readonly<Record<string, string>> = { cpu: 'vertical_cpu', mem: 'vertical_mem' }

const HORIZONTAL = 'horizontal'

/** A group's policy is horizontal and needs `max`. */
export function decodeGroupScaling(evaluation: Evaluation, block: Block): ApiObject {
  const struct = structOf('ScalingPolicy')
  const content = contentOf(evaluation, block.body, schemaOf(struct))
  if (!content.attributes.has('max')) failMissing(evaluation, block.body, 'max')
  const policy = decodeContent(evaluation, struct, block.body, content)
  const type = content.attributes.get('type')
  const given = textIn(policy, 'Type')
  if (type !== undefined && given !== '' && given !== HORIZONTAL) {
    const detail = `The type of a group's policy must be "${HORIZONTAL}", but is "${given}".`
    evaluation.fail(type.scope.source, type.expression, 'Invalid group scaling type', detail)
  }
  return { ...policy, Type: HORIZONTAL }
}

/** A task's policies are named by what they scale. */
export function decodeTaskScaling(evaluation: Evaluation, blocks: readonly Block[]): readonly ApiObject[] {
  const seen = new Set<string>()
  return blocks.flatMap((block) => {
    const label = block.labels[0]
    const name = label?.value.toLowerCase() ?? ''
    const { source } = block.body.scope
    if (label === undefined || !Object.hasOwn(TASK_SCALING, name)) {
      evaluation.fail(source, label ?? block.headSpan, 'Invalid scaling policy name', `scaling policy name must be "cpu" or "mem"`)
      return []
    }
    if (seen.has(name)) {
      evaluation.fail(source, block.headSpan, `Duplicate scaling "${name}" block`, `Only one scaling "${name}" block is allowed.`)
      return []
    }
    seen.add(name)
    const struct = structOf('ScalingPolicy')
    const content = contentOf(evaluation, block.body, schemaOf(struct))
    return [withType(evaluation, block, decodeContent(evaluation, struct, block.body, content), TASK_SCALING[name] ?? '')]
  })
}

function withType(evaluation: Evaluation, block: Block, policy: ApiObject, type: string): ApiObject {
  const given = textIn(policy, 'Type')
  if (given !== '' && given !== type) {
    evaluation.fail(
      block.body.scope.source,
      block.headSpan,
      'Invalid scaling policy type',
      `scaling policy type must be "${type}", but is "${given}"`,
    )
  }
  return { ...policy, Type: type }
}
