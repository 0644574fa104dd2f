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
    const detail =
      itemsOf(value) === undefined
        ? `Can't access attributes on a primitive-typed value (${describeTypeOf(value)}).`
        : 'This value does not have any attributes.'
    evaluation.fail(scope.source, step, 'Unsupported attribute', detail)
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
      return refuse(`${NO_ELEMENT}: ${'refusal' in name ? name.refusal : 'string required'}.`)
    const hint = value.kind === 'object' && key.kind === 'number' ? ` ${NO_POSITIONS}` : ''
    return entries.get(name.value.value) ?? refuse(`${NO_ELEMENT}.${hint}`)
  }
  const items = value.kind === 'set' ? undefined : itemsOf(value)
  if (items === undefined) return refuse('This value does not have any indices.')
  const at = convert(key, 'number')
  if ('refusal' in at || at.value.kind !== 'number')
    return refuse(`${NO_ELEMENT}: ${'refusal' in at ? at.refusal : 'a number is required'}.`)
  if (at.value.value.isNegative()) return refuse(`${NO_ELEMENT}: a negative number is not a valid index for a sequence.`)
  const position = toWhole(at.value)
  if (position === undefined)
    return refuse(`${NO_ELEMENT}: indexing a sequence requires a whole number, but the given index has a fractional part.`)
  return items[position] ?? refuse(`${NO_ELEMENT}.`)
}

const NO_ELEMENT = 'The given key does not identify an element in this collection value'
const NO_POSITIONS = 'An object only supports looking up attributes by name, not by numeric index.'
