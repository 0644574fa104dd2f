/**
 * The second reading of driver configuration, on the host: a text as a template over the task's environment and its node.
 * Unlike in a job's file, an unknown name is an error, and only a few functions are there.
 */

import { convert, toWhole } from './hcl/convert.js'
import { evaluate } from './hcl/evaluate.js'
import { BudgetSpent, Evaluation, type Scope, withinBudget } from './hcl/evaluation.js'
import { FUNCTIONS } from './hcl/functions/functions.js'
import { anything, type FunctionTable, number } from './hcl/functions/signature.js'
import { readTemplateText } from './hcl/scan.js'
import {
  describeTypeOf,
  entriesOf,
  FALSE,
  itemsOf,
  mapValue,
  NULL,
  numberValue,
  objectValue,
  stringValue,
  TRUE,
  tupleValue,
  type Value,
} from './hcl/values.js'
import { LIMITS } from './limits.js'

export type TemplateReading =
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'problem'; readonly summary: string; readonly detail: string }

/** Those that a driver's configuration may call at run time. Source: Nomad docs, "HCL2" */
const RUNTIME_NAMES = [
  'abs',
  'coalesce',
  'concat',
  'jsondecode',
  'jsonencode',
  'length',
  'lower',
  'max',
  'min',
  'reverse',
  'strlen',
  'substr',
  'upper',
]

const RUNTIME_FUNCTIONS: FunctionTable = {
  ...Object.fromEntries(RUNTIME_NAMES.map((name) => [name, FUNCTIONS[name]!])),
  hasindex: {
    parameters: [anything('collection'), anything('key')],
    run: ([collection, key]) => (hasIndex(collection!, key!) ? TRUE : FALSE),
  },
  int: { parameters: [number('num')], run: ([value]) => (value?.kind === 'number' ? numberValue(value.value.truncated()) : NULL) },
}

function hasIndex(collection: Value, key: Value): boolean {
  const entries = entriesOf(collection)
  if (entries !== undefined) return key.kind === 'string' && entries.has(key.value)
  const at = toWhole(key)
  return at !== undefined && itemsOf(collection)?.[at] !== undefined
}

/** `scope` holds plain data by name. A value that is no text becomes one. */
export function evaluateTemplate(template: string, scope: Readonly<Record<string, unknown>>): TemplateReading {
  const source = { path: '<template>', text: template }
  const read = readTemplateText(source, template, { start: 0, end: template.length }, LIMITS)
  if (read.kind === 'fault') return { kind: 'problem', summary: read.fault.summary, detail: read.fault.detail }
  const names = new Map(Object.entries(scope).map(([name, value]) => [name, toValue(value)]))
  const evaluation = new Evaluation(LIMITS, undefined, RUNTIME_FUNCTIONS)
  const context: Scope = { source, names, parent: undefined }
  const value = withinBudget(() => {
    const found = evaluate(evaluation, context, read.value)
    evaluation.walk(found, source, read.value)
    return found
  })
  if (value instanceof BudgetSpent) return { kind: 'problem', summary: value.fault.summary, detail: value.fault.detail }
  const [fault] = evaluation.faults
  if (fault !== undefined) return { kind: 'problem', summary: fault.summary, detail: fault.detail }
  if (value.kind === 'null') return { kind: 'value', value: null }
  const converted = convert(value, 'string')
  if ('value' in converted && converted.value.kind === 'string') return { kind: 'value', value: converted.value.value }
  return {
    kind: 'problem',
    summary: 'Incorrect attribute value type',
    detail: `Inappropriate value for attribute "value": string required, but have ${describeTypeOf(value)}.`,
  }
}

function toValue(plain: unknown): Value {
  if (plain === null || plain === undefined) return NULL
  if (typeof plain === 'string') return stringValue(plain)
  if (typeof plain === 'number') return numberValue(plain)
  if (typeof plain === 'boolean') return plain ? TRUE : FALSE
  if (plain instanceof Map)
    return mapValue(
      'string',
      [...plain].map(([name, value]) => [name, toValue(value)] as const),
    )
  if (Array.isArray(plain)) return tupleValue(plain.map(toValue))
  return objectValue(Object.entries(plain).map(([name, value]) => [name, toValue(value)]))
}
