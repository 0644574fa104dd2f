/** Values that may neither call nor refer to anything: defaults of variables and the contents of variables files. */
import type { Expression } from '../syntax.js'
import { evaluate } from './evaluate.js'
import type { Evaluation, Scope } from './evaluation.js'
import { literalName } from './names.js'
import type { Value } from './values.js'

/** `undefined` when it is no constant, or not to be evaluated; the fault has been told. */
export function evaluateConstant(evaluation: Evaluation, scope: Scope, expression: Expression): Value | undefined {
  const before = evaluation.faults.length
  for (const part of walk(expression)) {
    if (part.kind === 'call') evaluation.fail(scope.source, part, 'Function calls not allowed', 'Functions may not be called here.')
    else if (part.kind === 'traversal')
      evaluation.fail(scope.source, { start: part.start, end: part.rootEnd }, 'Variables not allowed', 'Variables may not be used here.')
  }
  if (evaluation.faults.length > before) return undefined
  const value = evaluate(evaluation, scope, expression)
  if (value.kind === 'unknown') return undefined
  evaluation.walk(value, scope.source, expression)
  return value
}

/** The expression and everything in it, but for names of object members that are plain words. */
export function* walk(expression: Expression): Iterable<Expression> {
  const waiting = [expression]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next
    for (const child of [...childrenOf(next)].reverse()) waiting.push(child)
  }
}

function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'template':
      return expression.parts
    case 'wrap':
    case 'paren':
      return [expression.inner]
    case 'relative':
      return [expression.source]
    case 'index':
      return [expression.source, expression.key]
    case 'splat':
      return [expression.source, expression.each]
    case 'call':
      return expression.args
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse]
    case 'unary':
      return [expression.operand]
    case 'binary':
      return [expression.left, expression.right]
    case 'tuple':
      return expression.items
    case 'object':
      return expression.items.flatMap(({ key, value }) => (literalName(key) === undefined ? [key, value] : [value]))
    case 'for':
      return [expression.collection, ...[expression.key, expression.value, expression.condition].filter((part) => part !== undefined)]
    case 'join':
      return [expression.each]
    default:
      return []
  }
}
