import type { Expression, Span } from '../syntax.js'

/** Where HCL says that an expression starts: what it points at when the whole value is wrong. */
export function startSpan(expression: Expression): Span {
  switch (expression.kind) {
    case 'template': {
      const [first] = expression.parts
      if (first === undefined) return { start: expression.start + 1, end: expression.start + 1 }
      return first.kind === 'string' ? first : startSpan(first)
    }
    case 'tuple':
    case 'object':
    case 'for':
    case 'unary':
      return { start: expression.start, end: expression.start + 1 }
    case 'call':
      return { start: expression.start, end: expression.nameEnd }
    case 'binary':
      return startSpan(expression.left)
    case 'conditional':
      return startSpan(expression.condition)
    default:
      return expression
  }
}
