/** Values of JSON and YAML as expressions: every text, names of members included, is a template. */
import type { Evaluation, Scope } from '../hcl/evaluation.js'
import { readTemplateText } from '../hcl/scan.js'
import { textSteps } from '../hcl/values.js'
import type { Expression, JsonNode, Span, Written } from '../syntax.js'

export function jsonToExpression(evaluation: Evaluation, scope: Scope, node: JsonNode): Expression {
  const { start, end } = node
  switch (node.kind) {
    case 'string':
      return templateOf(evaluation, scope, node.value, node)
    case 'number': {
      const isNegative = node.text.startsWith('-')
      const number = { kind: 'number', text: isNegative ? node.text.slice(1) : node.text, start, end } as const
      return isNegative
        ? { kind: 'unary', operator: '-', operand: number, ...writtenAs(node), start, end }
        : { ...number, ...writtenAs(node) }
    }
    case 'bool':
      return { kind: 'bool', value: node.value, ...writtenAs(node), start, end }
    case 'null':
      return { kind: 'null', start, end }
    case 'array':
      return { kind: 'tuple', items: node.items.map((item) => jsonToExpression(evaluation, scope, item)), start, end }
    case 'object': {
      const items = node.members.map((member) => ({
        key: asKey(templateOf(evaluation, scope, member.name, member.nameSpan)),
        value: jsonToExpression(evaluation, scope, member.value),
      }))
      return { kind: 'object', isJson: true, items, start, end }
    }
  }
}

function writtenAs({ written }: Written): Written {
  return written === undefined ? {} : { written }
}

/** What stands for the expression where a text is wanted, when it is a scalar of YAML. */
export function writtenText(expression: Expression): string | undefined {
  return 'written' in expression ? expression.written : undefined
}

/** Parentheses, so that `"${a.b}"` as a name is a reference and not an ambiguous word. */
function asKey(expression: Expression): Expression {
  return { kind: 'paren', inner: expression, start: expression.start, end: expression.end }
}

function templateOf(evaluation: Evaluation, scope: Scope, text: string, span: Span): Expression {
  const literal: Expression = {
    kind: 'template',
    parts: [{ kind: 'string', value: text.normalize('NFC'), start: span.start, end: span.end }],
    start: span.start,
    end: span.end,
  }
  evaluation.budget.spend(textSteps(text.length), scope.source, span)
  if (!text.includes('{')) return literal
  const read = readTemplateText(scope.source, text, { start: span.start, end: span.end }, evaluation.limits)
  if (read.kind === 'read') return read.value
  evaluation.faults.push(read.fault)
  return literal
}
