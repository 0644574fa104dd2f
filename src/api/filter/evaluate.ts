/**
 * Tells whether one object fits a filter. What is wrong with the expression shows only when an object is looked at, as in
 * Nomad: a list without objects answers any expression that can be read.
 */
import { RE2JS, RE2JSException } from 're2js'
import { type Found, find, kindName } from './select.js'
import type { Expression, Selector } from './syntax.js'
import type { Structs, Type, Typed } from './types.js'

/** The expression does not fit the object: an unknown member, a value of the wrong type, a test that its type has not. */
export class FilterValueError extends Error {}

type Match = Extract<Expression, { kind: 'match' }>
type Scope = ReadonlyMap<string, Typed>

const patterns = new WeakMap<Match, RE2JS>()
const NO_NAMES: Scope = new Map()

/** @throws FilterValueError */
export function evaluateFilter(expression: Expression, root: Typed, structs: Structs, scope: Scope = NO_NAMES): boolean {
  switch (expression.kind) {
    case 'and':
      return evaluateFilter(expression.left, root, structs, scope) && evaluateFilter(expression.right, root, structs, scope)
    case 'or':
      return evaluateFilter(expression.left, root, structs, scope) || evaluateFilter(expression.right, root, structs, scope)
    case 'not':
      return !evaluateFilter(expression.of, root, structs, scope)
    case 'match':
      return evaluateMatch(expression, locate(expression.selector, root, structs, scope))
    default:
      return evaluateQuantifier(expression, root, structs, scope)
  }
}

function locate(selector: Selector, root: Typed, structs: Structs, scope: Scope): Exclude<Found, { kind: 'wrong' }> {
  const bound = scope.get(selector.parts[0]!)
  const found = bound === undefined ? find(root, selector.parts, structs) : find(bound, selector.parts.slice(1), structs)
  if (found.kind === 'wrong') throw new FilterValueError(`error finding value in datum: ${found.reason}`)
  return found
}

function evaluateQuantifier(
  expression: Extract<Expression, { kind: 'any' | 'all' }>,
  root: Typed,
  structs: Structs,
  scope: Scope,
): boolean {
  const found = locate(expression.selector, root, structs, scope)
  if (found.kind === 'missing') return expression.kind === 'all'
  const { type, value } = found.typed
  const fits = (names: Scope) => evaluateFilter(expression.of, root, structs, names)
  const scopes = [...bindings(expression, type, value)].map((names) => new Map([...scope, ...names]))
  return expression.kind === 'any' ? scopes.some(fits) : scopes.every(fits)
}

function* bindings(
  { selector, names }: { readonly selector: Selector; readonly names: readonly string[] },
  type: Type,
  value: unknown,
): Iterable<readonly (readonly [string, Typed])[]> {
  const [first = '', second] = names
  if (type.kind === 'slice') {
    for (const [at, item] of ((value ?? []) as readonly unknown[]).entries()) {
      const element: Typed = { type: type.of, value: item }
      yield second === undefined ? [[first, element]] : named([first, { type: { kind: 'int' }, value: at }], [second, element])
    }
    return
  }
  if (type.kind !== 'map') throw new FilterValueError(`${selector.text} is not a list or a map`)
  for (const [key, item] of Object.entries((value ?? {}) as object)) {
    const name: readonly [string, Typed] = [first, { type: { kind: 'string' }, value: key }]
    yield second === undefined ? [name] : named(name, [second, { type: type.of, value: item }])
  }
}

function named(...pairs: readonly (readonly [string, Typed])[]): readonly (readonly [string, Typed])[] {
  return pairs.filter(([name]) => name !== '_')
}

/** A missing key of a map equals, contains and matches nothing, and is empty. */
function evaluateMatch(match: Match, found: Found): boolean {
  const isNegated = match.operator.includes('not')
  if (found.kind !== 'found')
    return isNegated ? match.operator !== 'is not empty' && match.operator !== 'is not nil' : match.operator.startsWith('is')
  const { type, value } = settle(found.typed)
  switch (match.operator) {
    case 'equal':
    case 'not equal':
      return equals(match, { type, value }) !== isNegated
    case 'in':
    case 'not in':
      return contains(match, type, value) !== isNegated
    case 'matches':
    case 'not matches':
      return matches(match, type, value) !== isNegated
    case 'is empty':
    case 'is not empty':
      return isEmpty(match, type, value) !== isNegated
    default:
      return isNil(match, found.typed) !== isNegated
  }
}

/** Behind a pointer that is set is what it points to; `any` is what its value is. */
function settle(typed: Typed): Typed {
  if (typed.type.kind === 'pointer' && typed.value !== null && typed.value !== undefined)
    return settle({ type: typed.type.of, value: typed.value })
  return typed
}

function equals(match: Match, { type, value }: Typed): boolean {
  switch (type.kind) {
    case 'string':
      return (value ?? '') === match.value
    case 'bool':
      return (value ?? false) === parseBoolean(match.value)
    case 'int':
    case 'int8':
    case 'int64':
      return (value ?? 0) === parseInteger(match.value, 'ParseInt', /^[+-]?\d+$/)
    case 'uint64':
    case 'uint16':
    case 'uint8':
      return (value ?? 0) === parseInteger(match.value, 'ParseUint', /^\d+$/)
    case 'float64':
      return (value ?? 0) === parseFloat64(match.value)
    default:
      throw new FilterValueError('unable to find suitable primitive comparison function for matching')
  }
}

function parseBoolean(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw unparsable('ParseBool', text)
}

/** Go reads `0x10`, `0b1`, `0o7` and a leading 0 (octal) where the base is left open. */
function parseInteger(text: string, verb: string, pattern: RegExp): number {
  if (pattern.test(text)) return /^[+-]?0\d/.test(text) ? Number.parseInt(text, 8) : Number(text)
  const based = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+)$/.exec(text)
  if (based === null || (based[1] !== '' && verb === 'ParseUint')) throw unparsable(verb, text)
  return based[1] === '-' ? -Number(based[2]) : Number(based[2])
}

function parseFloat64(text: string): number {
  const value = text.trim() === text && text !== '' ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw unparsable('ParseFloat', text)
  return value
}

function unparsable(verb: string, text: string): FilterValueError {
  return new FilterValueError(`error getting match value in expression: strconv.${verb}: parsing ${JSON.stringify(text)}: invalid syntax`)
}

function contains(match: Match, type: Type, value: unknown): boolean {
  if (type.kind === 'string') return ((value ?? '') as string).includes(match.value)
  if (type.kind === 'map') return Object.hasOwn((value ?? {}) as object, match.value)
  if (type.kind === 'slice') {
    return ((value ?? []) as readonly unknown[]).some((item) => equals(match, settle({ type: type.of, value: item })))
  }
  throw new FilterValueError(
    `cannot perform in/contains operations on type ${kindName(type, value)} for selector: "${match.selector.text}"`,
  )
}

function matches(match: Match, type: Type, value: unknown): boolean {
  if (type.kind !== 'string') throw new FilterValueError(`Value of type ${kindName(type, value)} is not convertible to []byte`)
  let pattern = patterns.get(match)
  if (pattern === undefined) {
    pattern = compilePattern(match.value)
    patterns.set(match, pattern)
  }
  return pattern.matcher((value ?? '') as string).find()
}

function compilePattern(text: string): RE2JS {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new FilterValueError(`failed to compile regular expression ${JSON.stringify(text)}: ${error.message}`)
  }
}

function isEmpty(match: Match, type: Type, value: unknown): boolean {
  if (type.kind === 'string') return (value ?? '') === ''
  if (type.kind === 'slice') return ((value ?? []) as readonly unknown[]).length === 0
  if (type.kind === 'map') return Object.keys((value ?? {}) as object).length === 0
  throw new FilterValueError(`cannot perform is-empty operations on type ${kindName(type, value)} for selector: "${match.selector.text}"`)
}

function isNil(match: Match, typed: Typed): boolean {
  const isUnset = typed.value === null || typed.value === undefined
  if (typed.type.kind === 'slice' || typed.type.kind === 'map') return isUnset
  if (typed.type.kind === 'pointer' && (isUnset || typed.type.of.kind === 'struct')) return isUnset
  const { type, value } = settle(typed)
  throw new FilterValueError(`cannot perform is-nil operations on type ${kindName(type, value)} for selector: "${match.selector.text}"`)
}
