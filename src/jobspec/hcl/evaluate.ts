/**
 * Expressions to values. A reference whose root is in no scope is not an error but the text that stands for it at run
 * time. What fails adds its fault to the evaluation and yields `unknown`, which spreads without adding further faults.
 */

import { suggestFirst } from '../mistakes.js'
import type { Conditional, Expression, ForExpression, ObjectLiteral, Span, Step, Template } from '../syntax.js'
import { convert, unify } from './convert.js'
import { childScope, type Evaluation, findName, namesIn, type Scope } from './evaluation.js'
import { callFunction } from './functions/call.js'
import { indexInto, memberOf } from './members.js'
import { literalName } from './names.js'
import { parseNumeric } from './numbers.js'
import { applyBinary, operandOf } from './operators.js'
import {
  boolValue,
  describeTypeOf,
  entriesOf,
  itemsOf,
  listValue,
  NULL,
  numberValue,
  objectValue,
  stringValue,
  type Type,
  tupleValue,
  typeOf,
  UNKNOWN,
  type Value,
} from './values.js'

export function evaluate(evaluation: Evaluation, scope: Scope, expression: Expression): Value {
  evaluation.step(scope.source, expression)
  switch (expression.kind) {
    case 'string':
      return { kind: 'string', value: expression.value }
    case 'number':
      return numberOf(evaluation, scope, expression)
    case 'bool':
      return boolValue(expression.value)
    case 'null':
      return NULL
    case 'template':
      return evaluateTemplate(evaluation, scope, expression)
    case 'wrap':
    case 'paren':
      return evaluate(evaluation, scope, expression.inner)
    case 'traversal': {
      const root = findName(scope, expression.root)
      if (root === undefined && evaluation.isRuntime) {
        const near = suggestFirst(expression.root, namesIn(scope))
        const hint = near === undefined ? '' : ` Did you mean "${near}"?`
        evaluation.fail(scope.source, expression, 'Unknown variable', `There is no variable named "${expression.root}".${hint}`)
        return UNKNOWN
      }
      if (root === undefined) {
        const meant = Object.hasOwn(MISSPELT, expression.root) ? MISSPELT[expression.root] : undefined
        if (meant !== undefined)
          evaluation.warnings.push(`"${expression.runtime}" is left for run time as it stands; did you mean ${meant}.…?`)
        return stringValue(expression.runtime)
      }
      return followSteps(evaluation, scope, root, expression.steps)
    }
    case 'relative':
      return followSteps(evaluation, scope, evaluate(evaluation, scope, expression.source), expression.steps)
    case 'index': {
      const source = evaluate(evaluation, scope, expression.source)
      const key = evaluate(evaluation, scope, expression.key)
      return indexInto(evaluation, scope, source, key, { start: expression.open, end: expression.end })
    }
    case 'splat':
      return evaluateSplat(evaluation, scope, expression)
    case 'each':
      return findName(scope, EACH) ?? UNKNOWN
    case 'call':
      return callFunction(evaluation, scope, expression)
    case 'conditional':
      return evaluateConditional(evaluation, scope, expression)
    case 'unary':
      return evaluateUnary(evaluation, scope, expression)
    case 'binary':
      return evaluateBinary(evaluation, scope, expression)
    case 'tuple':
      return tupleValue(expression.items.map((item) => evaluate(evaluation, scope, item)))
    case 'object':
      return evaluateObject(evaluation, scope, expression)
    case 'for':
      return evaluateFor(evaluation, scope, expression)
    case 'join':
      return evaluateJoin(evaluation, scope, expression.each)
  }
}

/** Roots that mean nothing at run time and look like ones that mean something here. */
const MISSPELT: Readonly<Record<string, string>> = { vars: 'var', variable: 'var', variables: 'var', locals: 'local' }

/** No identifier can be this, so nothing that is written can refer to it. */
const EACH = '[*]'

function numberOf(evaluation: Evaluation, scope: Scope, expression: Extract<Expression, { kind: 'number' }>): Value {
  const number = parseNumeric(expression.text)
  if (number !== undefined) return numberValue(number)
  evaluation.fail(scope.source, expression, 'Invalid number', 'The exponent of this number is out of the range that is supported.')
  return UNKNOWN
}

function evaluateTemplate(evaluation: Evaluation, scope: Scope, template: Template): Value {
  const [only] = template.parts
  if (only === undefined) return { kind: 'string', value: '' }
  if (template.parts.length === 1 && only.kind === 'string') return { kind: 'string', value: only.value }
  let text = ''
  let isKnown = true
  for (const part of template.parts) {
    const piece = part.kind === 'string' ? part.value : interpolate(evaluation, scope, part)
    if (piece === undefined) isKnown = false
    else {
      evaluation.produce(piece.length, scope.source, part)
      text += piece
    }
  }
  return isKnown ? stringValue(text) : UNKNOWN
}

function interpolate(evaluation: Evaluation, scope: Scope, part: Expression): string | undefined {
  const value = evaluate(evaluation, scope, part)
  if (value.kind === 'unknown') return undefined
  if (value.kind === 'null') {
    evaluation.fail(
      scope.source,
      part,
      'Invalid template interpolation value',
      'The expression result is null. Cannot include a null value in a string template.',
    )
    return undefined
  }
  const converted = convert(value, 'string')
  if ('value' in converted && converted.value.kind === 'string') return converted.value.value
  evaluation.fail(
    scope.source,
    part,
    'Invalid template interpolation value',
    `Cannot include the given value in a string template: ${'refusal' in converted ? converted.refusal : 'string required'}.`,
  )
  return undefined
}

function followSteps(evaluation: Evaluation, scope: Scope, from: Value, steps: readonly Step[]): Value {
  let value = from
  for (const step of steps) {
    if (value.kind === 'unknown') return UNKNOWN
    value =
      step.kind === 'name'
        ? memberOf(evaluation, scope, value, step)
        : indexInto(evaluation, scope, value, evaluate(evaluation, scope, step.key), step)
  }
  return value
}

function evaluateSplat(evaluation: Evaluation, scope: Scope, splat: Extract<Expression, { kind: 'splat' }>): Value {
  const source = evaluate(evaluation, scope, splat.source)
  if (source.kind === 'unknown') return UNKNOWN
  if (source.kind === 'null') return tupleValue([])
  const items = itemsOf(source) ?? [source]
  evaluation.produce(items.length, scope.source, splat)
  const results = items.map((item) => evaluate(evaluation, childScope(scope, [[EACH, item]]), splat.each))
  const tuple = tupleValue(results)
  if (source.kind !== 'list' && source.kind !== 'set') return tuple
  evaluation.walk(tuple, scope.source, splat)
  const of = unify(results.map(typeOf))
  return of === undefined ? tuple : listValue(of, results)
}

/** Both branches are evaluated, because both take part in the type; only the chosen one's faults count. */
function evaluateConditional(evaluation: Evaluation, scope: Scope, expression: Conditional): Value {
  const condition = requireBool(
    evaluation,
    scope,
    expression.condition,
    'Incorrect condition type',
    'The condition expression must be of type bool',
  )
  const whenTrue = evaluation.withoutFaults(() => evaluate(evaluation, scope, expression.whenTrue))
  const whenFalse = evaluation.withoutFaults(() => evaluate(evaluation, scope, expression.whenFalse))
  if (condition === undefined) return UNKNOWN
  const chosen = condition ? whenTrue : whenFalse
  evaluation.faults.push(...chosen.faults)
  const other = condition ? whenFalse.result : whenTrue.result
  if (chosen.result.kind === 'unknown' || other.kind === 'unknown') return chosen.result
  evaluation.walk(whenTrue.result, scope.source, expression.whenTrue)
  evaluation.walk(whenFalse.result, scope.source, expression.whenFalse)
  const type = commonType(chosen.result, other)
  const converted = type === undefined ? undefined : convert(chosen.result, type)
  if (converted !== undefined && 'value' in converted) return converted.value
  evaluation.fail(
    scope.source,
    expression,
    'Inconsistent conditional result types',
    `The true and false result expressions must have consistent types. The 'true' value is ${describeTypeOf(whenTrue.result)}, but the 'false' value is ${describeTypeOf(whenFalse.result)}.`,
  )
  return UNKNOWN
}

function commonType(left: Value, right: Value): Type | undefined {
  if (left.kind === 'null' && left.type === 'dynamic') return typeOf(right)
  if (right.kind === 'null' && right.type === 'dynamic') return typeOf(left)
  return unify([typeOf(left), typeOf(right)])
}

function requireBool(evaluation: Evaluation, scope: Scope, expression: Expression, summary: string, detail: string): boolean | undefined {
  const value = evaluate(evaluation, scope, expression)
  if (value.kind === 'unknown') return undefined
  if (value.kind === 'null') {
    evaluation.fail(
      scope.source,
      expression,
      summary === 'Incorrect condition type' ? 'Null condition' : summary,
      'The condition value is null. Conditions must either be true or false.',
    )
    return undefined
  }
  const converted = convert(value, 'bool')
  if ('value' in converted && converted.value.kind === 'bool') return converted.value.value
  evaluation.fail(scope.source, expression, summary, `${detail}.`)
  return undefined
}

function evaluateUnary(evaluation: Evaluation, scope: Scope, expression: Extract<Expression, { kind: 'unary' }>): Value {
  const type = expression.operator === '-' ? 'number' : 'bool'
  const operand = evaluate(evaluation, scope, expression.operand)
  const converted = operandOf(evaluation, scope, operand, type, 'unary', expression.operand)
  if (converted.kind === 'number') return numberValue(converted.value.neg())
  return converted.kind === 'bool' ? boolValue(!converted.value) : UNKNOWN
}

function evaluateBinary(evaluation: Evaluation, scope: Scope, expression: Extract<Expression, { kind: 'binary' }>): Value {
  // A long sum leans to the left as deep as it is long: it is walked without recursion.
  const chain = [expression]
  for (let { left } = expression; left.kind === 'binary'; left = left.left) {
    evaluation.step(scope.source, left)
    chain.push(left)
  }
  let value = evaluate(evaluation, scope, chain.at(-1)!.left)
  for (const operation of chain.reverse())
    value = applyBinary(evaluation, scope, operation, value, evaluate(evaluation, scope, operation.right))
  return value
}

function evaluateObject(evaluation: Evaluation, scope: Scope, expression: ObjectLiteral): Value {
  const entries: [string, Value][] = []
  let isKnown = true
  for (const item of expression.items) {
    const name = keyOf(evaluation, scope, item.key)
    const value = evaluate(evaluation, scope, item.value)
    if (name === undefined) isKnown = false
    else entries.push([name, value])
  }
  return isKnown ? objectValue(entries) : UNKNOWN
}

/** A bare word is its own name; parentheses make it an expression. */
function keyOf(evaluation: Evaluation, scope: Scope, key: Expression): string | undefined {
  const word = literalName(key)
  if (word !== undefined) return word
  if (key.kind === 'traversal') {
    evaluation.fail(
      scope.source,
      key,
      'Ambiguous attribute key',
      'If this expression is intended to be a reference, wrap it in parentheses. If it is instead intended as a literal name containing periods, wrap it in quotes to create a string literal.',
    )
    return undefined
  }
  return stringKey(evaluation, scope, key, evaluate(evaluation, scope, key))
}

function stringKey(evaluation: Evaluation, scope: Scope, span: Span, value: Value): string | undefined {
  if (value.kind === 'unknown') return undefined
  if (value.kind === 'null') {
    evaluation.fail(scope.source, span, 'Null value as key', "Can't use a null value as a key.")
    return undefined
  }
  const converted = convert(value, 'string')
  if ('value' in converted && converted.value.kind === 'string') return converted.value.value
  evaluation.fail(
    scope.source,
    span,
    'Incorrect key type',
    `Can't use this value as a key: ${'refusal' in converted ? converted.refusal : 'string required'}.`,
  )
  return undefined
}

interface Iteration {
  readonly key: Value
  readonly value: Value
  readonly scope: Scope
}

/** The scopes of a `for`, in order, those that the condition turns away left out; `undefined` when it cannot be walked. */
function iterate(evaluation: Evaluation, scope: Scope, expression: ForExpression): readonly Iteration[] | undefined {
  const collection = evaluate(evaluation, scope, expression.collection)
  if (collection.kind === 'unknown') return undefined
  const pairs = pairsOf(collection)
  if (pairs === undefined) {
    const isNull = collection.kind === 'null'
    evaluation.fail(
      scope.source,
      expression.collection,
      isNull ? 'Iteration over null value' : 'Iteration over non-iterable value',
      isNull
        ? "A null value cannot be used as the collection in a 'for' expression."
        : `A value of type ${describeTypeOf(collection)} cannot be used as the collection in a 'for' expression.`,
    )
    return undefined
  }
  evaluation.produce(pairs.length, scope.source, expression)
  const kept: Iteration[] = []
  for (const [key, value] of pairs) {
    const names: [string, Value][] = [[expression.valueName, value]]
    if (expression.keyName !== undefined) names.unshift([expression.keyName, key])
    const inner = childScope(scope, names)
    if (expression.condition !== undefined) {
      const holds = requireBool(evaluation, inner, expression.condition, 'Invalid for condition', 'The value of the condition must be bool')
      if (holds === undefined) return undefined
      if (!holds) continue
    }
    kept.push({ key, value, scope: inner })
  }
  return kept
}

/** Index or key and value of each element; in a set each element is its own key. `undefined` of what cannot be walked. */
export function pairsOf(collection: Value): readonly (readonly [Value, Value])[] | undefined {
  const entries = entriesOf(collection)
  if (entries !== undefined) return [...entries].map(([name, value]) => [{ kind: 'string', value: name }, value])
  const items = itemsOf(collection)
  return items?.map((value, at) => [collection.kind === 'set' ? value : numberValue(at), value])
}

function evaluateFor(evaluation: Evaluation, scope: Scope, expression: ForExpression): Value {
  const iterations = iterate(evaluation, scope, expression)
  if (iterations === undefined) return UNKNOWN
  const { key: keyExpression } = expression
  if (keyExpression === undefined) return tupleValue(iterations.map((at) => evaluate(evaluation, at.scope, expression.value)))
  const entries = new Map<string, Value[]>()
  for (const at of iterations) {
    const name = stringKey(evaluation, scope, keyExpression, evaluate(evaluation, at.scope, keyExpression))
    if (name === undefined) return UNKNOWN
    const value = evaluate(evaluation, at.scope, expression.value)
    const group = entries.get(name)
    if (group === undefined) entries.set(name, [value])
    else if (expression.isGrouped) group.push(value)
    else {
      evaluation.fail(
        scope.source,
        keyExpression,
        'Duplicate object key',
        `Two different items produced the key "${name}" in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.`,
      )
      return UNKNOWN
    }
  }
  return objectValue([...entries].map(([name, values]) => [name, expression.isGrouped ? tupleValue(values) : (values[0] ?? UNKNOWN)]))
}

/** `%{ for }`: the bodies' texts one after the other. */
function evaluateJoin(evaluation: Evaluation, scope: Scope, expression: ForExpression): Value {
  const iterations = iterate(evaluation, scope, expression)
  if (iterations === undefined) return UNKNOWN
  let text = ''
  for (const at of iterations) {
    const piece = interpolate(evaluation, at.scope, expression.value)
    if (piece === undefined) return UNKNOWN
    text += piece
  }
  return stringValue(text)
}
