/** `dynamic "type" { for_each … labels … content { … } }`: one block of that type for each element, in place. */
import { convert } from '../hcl/convert.js'
import { evaluate, pairsOf } from '../hcl/evaluate.js'
import { childScope, type Evaluation, type Scope } from '../hcl/evaluation.js'
import { objectValue, type Value } from '../hcl/values.js'
import type { Expression, Label } from '../syntax.js'
import { type Attribute, type Block, type Body, type BodySchema, contentOf, failBlockType, hasRightLabels } from './body.js'
import { startSpan } from './spans.js'

const DYNAMIC: BodySchema = {
  attributes: new Set(['for_each', 'labels', 'iterator']),
  blocks: new Map([['content', []]]),
  expandsDynamic: false,
}

export function expandDynamic(evaluation: Evaluation, dynamic: Block, schema: BodySchema): Block[] {
  const { body } = dynamic
  const open = { start: body.missing.start, end: body.missing.start + 1 }
  if (!hasRightLabels(evaluation, body.scope, 'dynamic', dynamic.labels, ['type'], open)) return []
  const label = dynamic.labels[0]!
  const labelNames = schema.blocks.get(label.value)
  if (labelNames === undefined) {
    failBlockType(evaluation, body.scope, label.value, label, schema)
    return []
  }
  const { attributes, blocks } = contentOf(evaluation, body, DYNAMIC)
  const forEach = attributes.get('for_each')
  const content = onlyContent(evaluation, body, blocks)
  if (forEach === undefined) missing(evaluation, body, 'for_each')
  const labels = labelExpressions(evaluation, body, attributes.get('labels'), labelNames)
  const iterator = iteratorName(evaluation, body.kind === 'json', attributes.get('iterator'), label.value)
  if (forEach === undefined || content === undefined || labels === undefined || iterator === undefined) return []
  return elementsOf(evaluation, forEach).flatMap((element) => {
    const scope = childScope(body.scope, [[iterator, element]])
    const made = labels.map((expression) => labelOf(evaluation, scope, expression))
    if (made.some((one) => one === undefined)) return []
    const inner: Body = { ...content.body, scope }
    return [
      {
        type: label.value,
        typeSpan: dynamic.typeSpan,
        headSpan: dynamic.headSpan,
        labels: made.filter((one) => one !== undefined),
        body: inner,
      },
    ]
  })
}

function missing(evaluation: Evaluation, body: Body, name: string): void {
  evaluation.fail(
    body.scope.source,
    body.missing,
    'Missing required argument',
    `The argument "${name}" is required, but no definition was found.`,
  )
}

function onlyContent(evaluation: Evaluation, body: Body, blocks: readonly Block[]): Block | undefined {
  const [first, second] = blocks
  if (second !== undefined)
    evaluation.fail(
      body.scope.source,
      second.typeSpan,
      'Extraneous dynamic content block',
      'Only one nested content block is allowed for each dynamic block.',
    )
  if (first === undefined)
    evaluation.fail(
      body.scope.source,
      body.missing,
      'Missing dynamic content block',
      'A dynamic block must have a nested block of type "content" to describe the body of each generated block.',
    )
  return second === undefined ? first : undefined
}

function labelExpressions(
  evaluation: Evaluation,
  body: Body,
  attribute: Attribute | undefined,
  names: readonly string[],
): readonly Expression[] | undefined {
  const { source } = body.scope
  if (attribute === undefined) {
    if (names.length === 0) return []
    missing(evaluation, body, 'labels')
    return undefined
  }
  const { expression } = attribute
  if (expression.kind !== 'tuple') {
    evaluation.fail(source, startSpan(expression), 'Invalid expression', 'A static list expression is required.')
    return undefined
  }
  const extra = expression.items[names.length]
  if (extra !== undefined) {
    evaluation.fail(source, extra, 'Extraneous dynamic block label', `Blocks of this type require ${names.length} label(s).`)
    return undefined
  }
  if (expression.items.length === names.length) return expression.items
  evaluation.fail(source, expression, 'Insufficient dynamic block labels', `Blocks of this type require ${names.length} label(s).`)
  return undefined
}

/** A bare name; in JSON the text of one. */
function iteratorName(evaluation: Evaluation, isJson: boolean, attribute: Attribute | undefined, fallback: string): string | undefined {
  if (attribute === undefined) return fallback
  const { expression, scope } = attribute
  if (expression.kind === 'traversal' && expression.steps.length === 0) return expression.root
  if (isJson && expression.kind === 'template' && expression.parts[0]?.kind === 'string') return expression.parts[0].value
  evaluation.fail(
    scope.source,
    startSpan(expression),
    'Invalid expression',
    'A single static variable reference is required: only attribute access and indexing with constant keys. No calculations, function calls, template expressions, etc are allowed here.',
  )
  return undefined
}

/** `{ key, value }` of each element. */
function elementsOf(evaluation: Evaluation, attribute: Attribute): readonly Value[] {
  const { expression, scope } = attribute
  const collection = evaluate(evaluation, scope, expression)
  if (collection.kind === 'unknown') return []
  const pairs = pairsOf(collection)
  if (pairs !== undefined) {
    evaluation.produce(pairs.length, scope.source, expression)
    return pairs.map(([key, value]) =>
      objectValue([
        ['key', key],
        ['value', value],
      ]),
    )
  }
  const detail =
    collection.kind === 'null'
      ? 'Cannot use a null value in for_each.'
      : `Cannot use a value of type ${collection.kind} in for_each. An iterable collection is required.`
  evaluation.fail(scope.source, expression, 'Invalid dynamic for_each value', detail)
  return []
}

function labelOf(evaluation: Evaluation, scope: Scope, expression: Expression): Label | undefined {
  const value = evaluate(evaluation, scope, expression)
  if (value.kind === 'unknown') return undefined
  const converted = value.kind === 'null' ? { refusal: 'a label cannot be null' } : convert(value, 'string')
  if ('value' in converted && converted.value.kind === 'string')
    return { value: converted.value.value, start: expression.start, end: expression.end }
  evaluation.fail(
    scope.source,
    expression,
    'Invalid dynamic block label',
    `The value is not suitable as a label: ${'refusal' in converted ? converted.refusal : 'string required'}.`,
  )
  return undefined
}
