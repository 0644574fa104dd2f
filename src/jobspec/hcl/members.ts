/** Reaching into values, by name and by index. */
import type { Span, Step } from '../syntax.js'
import { convert, toWhole } from './convert.js'
import type { Evaluation, Scope } from './evaluation.js'
import { describeTypeOf, entriesOf, itemsOf, UNKNOWN, type Value } from './values.js'

export function memberOf(evaluation: Evaluation, scope: Scope, value: Value, step: Extract<Step, { kind: 'name' }>): Value {
  const entries = entriesOf(value)
  const member = entries?.get(step.name)
  if (member !== undefined) return member
  if (value.kind === 'null') {
    evaluation.fail(
      scope.source,
      step,
      'Attempt to get attribute from null value',
      'This value is null, so it does not have any attributes.',
    )
  } else if (value.kind === 'map') {
    evaluation.fail(scope.source, step, 'Missing map element', `This map does not have an element with the key "${step.name}".`)
  } else if (entries === undefined) {
    evaluation.fail(
      scope.source,
      step,
      'Unsupported attribute',
      `Can't access attributes on a primitive-typed value or a list (${describeTypeOf(value)}).`,
    )
  } else {
    evaluation.fail(scope.source, step, 'Unsupported attribute', `This object does not have an attribute named "${step.name}".`)
  }
  return UNKNOWN
}

export function indexInto(evaluation: Evaluation, scope: Scope, value: Value, key: Value, span: Span): Value {
  if (value.kind === 'unknown' || key.kind === 'unknown') return UNKNOWN
  const refuse = (detail: string): Value => {
    evaluation.fail(scope.source, span, 'Invalid index', detail)
    return UNKNOWN
  }
  if (value.kind === 'null') {
    evaluation.fail(scope.source, span, 'Attempt to index null value', 'This value is null, so it does not have any indices.')
    return UNKNOWN
  }
  if (key.kind === 'null') return refuse("Can't use a null value as an indexing key.")
  const entries = entriesOf(value)
  if (entries !== undefined) {
    const name = convert(key, 'string')
    if ('refusal' in name || name.value.kind !== 'string')
      return refuse('The given key does not identify an element in this collection value: string required.')
    return entries.get(name.value.value) ?? refuse('The given key does not identify an element in this collection value.')
  }
  const items = value.kind === 'set' ? undefined : itemsOf(value)
  if (items === undefined) return refuse(`This value does not have any indices (${describeTypeOf(value)}).`)
  const at = toWhole(key)
  if (at === undefined) return refuse('The given key does not identify an element in this collection value: a whole number is required.')
  return items[at] ?? refuse(`The given index ${at} is outside the collection, which has ${items.length} element(s).`)
}
