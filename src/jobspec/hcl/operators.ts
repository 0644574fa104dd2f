/** Operators: operands are converted to what the operator works on, and nothing is left out because the answer is known. */
import type { BinaryOperator, Expression, Span } from '../syntax.js'
import { convert } from './convert.js'
import type { Evaluation, Scope } from './evaluation.js'
import { isInRange, roundNumeric } from './numbers.js'
import { areEqual, boolValue, numberValue, UNKNOWN, type Value } from './values.js'

/** The operator on values that are there already; the expression says where they came from. */
export function applyBinary(
  evaluation: Evaluation,
  scope: Scope,
  expression: Extract<Expression, { kind: 'binary' }>,
  left: Value,
  right: Value,
): Value {
  const { operator } = expression
  if (operator === '==' || operator === '!=') {
    if (left.kind === 'unknown' || right.kind === 'unknown') return UNKNOWN
    evaluation.walk(left, scope.source, expression.left)
    evaluation.walk(right, scope.source, expression.right)
    return boolValue(areEqual(left, right) === (operator === '=='))
  }
  const type = LOGICAL.has(operator) ? 'bool' : 'number'
  const a = operandOf(evaluation, scope, left, type, 'left', expression.left)
  const b = operandOf(evaluation, scope, right, type, 'right', expression.right)
  if (a.kind === 'bool' && b.kind === 'bool') return boolValue(operator === '&&' ? a.value && b.value : a.value || b.value)
  if (a.kind !== 'number' || b.kind !== 'number') return UNKNOWN
  const result = compute(operator, a.value, b.value)
  if (typeof result === 'boolean') return boolValue(result)
  if (isInRange(result)) return numberValue(roundNumeric(result))
  evaluation.fail(
    scope.source,
    expression,
    'Operation failed',
    `Error during operation: ${b.value.isZero() ? 'division by zero' : 'the result is out of the range that is supported'}.`,
  )
  return UNKNOWN
}

export function operandOf(
  evaluation: Evaluation,
  scope: Scope,
  value: Value,
  type: 'number' | 'bool',
  side: 'left' | 'right' | 'unary',
  span: Span,
): Value {
  if (value.kind === 'unknown') return UNKNOWN
  if (value.kind === 'null') {
    evaluation.fail(scope.source, span, 'Operation failed', 'Error during operation: argument must not be null.')
    return UNKNOWN
  }
  const converted = convert(value, type)
  if ('value' in converted) return converted.value
  evaluation.fail(scope.source, span, 'Invalid operand', `Unsuitable value for ${side} operand: ${converted.refusal}.`)
  return UNKNOWN
}

const LOGICAL: ReadonlySet<BinaryOperator> = new Set(['&&', '||'])

type Numbers = Extract<Value, { kind: 'number' }>['value']

function compute(operator: BinaryOperator, a: Numbers, b: Numbers): Numbers | boolean {
  switch (operator) {
    case '>':
      return a.gt(b)
    case '>=':
      return a.gte(b)
    case '<':
      return a.lt(b)
    case '<=':
      return a.lte(b)
    case '+':
      return a.plus(b)
    case '-':
      return a.minus(b)
    case '*':
      return a.times(b)
    case '/':
      return a.div(b)
    default:
      return a.mod(b)
  }
}
