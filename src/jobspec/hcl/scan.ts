/**
 * HCL text to its structure: attributes and blocks in source order, with places. HCL's own grammar, no more and no less:
 * whatever is accepted here is accepted by HCL, and the reverse (differential test in test/fuzz).
 */
import type { Limits } from '../limits.js'
import { type Fault, fault } from '../mistakes.js'
import type { Expression, HclAttribute, HclBlock, HclBody, HclSyntax, Label, Span } from '../syntax.js'
import { embeddedPlaces } from './embedded-places.js'
import { readExpression } from './expressions.js'
import { readBareTemplate, readQuotedLiteral } from './templates.js'
import { Cursor, SyntaxFault, type Token } from './tokens.js'

export type Read<Value> = { readonly kind: 'read'; readonly value: Value } | { readonly kind: 'fault'; readonly fault: Fault }

export function readHcl(path: string, text: string, limits: Limits): Read<HclSyntax> {
  return attempt({ path, text }, () => {
    const cursor = new Cursor(text, limits)
    const body = readBody(cursor, 'end')
    return { kind: 'hcl', path, text, body }
  })
}

/** One expression and nothing after it, as in `-var name=<expression>`. */
export function readExpressionText(path: string, text: string, limits: Limits): Read<Expression> {
  return attempt({ path, text }, () => {
    const cursor = new Cursor(text, limits)
    const expression = readExpression(cursor)
    if (cursor.peek().kind !== 'end')
      cursor.fail('Extra characters after expression', 'An expression was successfully parsed, but extra characters were found after it.')
    return expression
  })
}

/** The template that a string of JSON or YAML holds; spans are those of its characters as far as they are known. */
export function readTemplateText(source: { path: string; text: string }, template: string, span: Span, limits: Limits): Read<Expression> {
  return attempt(source, () => readBareTemplate(new Cursor(template, limits, embeddedPlaces(source.text, template, span))))
}

/** The expression that a string of JSON or YAML holds, such as a variable's type. */
export function readEmbeddedExpression(
  source: { path: string; text: string },
  expression: string,
  span: Span,
  limits: Limits,
): Read<Expression> {
  return attempt(source, () => {
    const cursor = new Cursor(expression, limits, embeddedPlaces(source.text, expression, span))
    const read = readExpression(cursor)
    if (cursor.peek().kind !== 'end')
      cursor.fail('Extra characters after expression', 'An expression was successfully parsed, but extra characters were found after it.')
    return read
  })
}

function attempt<Value>(source: { path: string; text: string }, read: () => Value): Read<Value> {
  try {
    return { kind: 'read', value: read() }
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return { kind: 'fault', fault: fault(source, error.span, error.summary, error.detail) }
  }
}

function readBody(cursor: Cursor, closing: '}' | 'end'): HclBody {
  const start = cursor.position
  const items: (HclAttribute | HclBlock)[] = []
  const names = new Map<string, Span>()
  for (;;) {
    while (cursor.take('newline'));
    const { kind, end } = cursor.peek()
    if (kind === closing) return { items, start, end: cursor.end(end) }
    if (kind !== 'identifier') cursor.fail('Argument or block definition required', 'An argument or block definition is required here.')
    const item = readItem(cursor)
    if (item.kind === 'attribute') rememberName(cursor, names, item)
    items.push(item)
  }
}

function rememberName(cursor: Cursor, names: Map<string, Span>, item: HclAttribute): void {
  if (names.has(item.name)) {
    const at = { start: item.start, end: item.nameEnd }
    cursor.fail('Attribute redefined', `The argument "${item.name}" was already set above. Each argument may be set only once.`, at)
  }
  names.set(item.name, item)
}

function readItem(cursor: Cursor): HclAttribute | HclBlock {
  const name = cursor.read()
  const next = cursor.peek().kind
  if (next === '=') {
    const attribute = readAttribute(cursor, name)
    if (!isLineEnd(cursor)) cursor.fail('Missing newline after argument', 'An argument definition must end with a newline.')
    return attribute
  }
  if (next === 'quote' || next === '{' || next === 'identifier') return readBlock(cursor, name)
  return cursor.fail(
    'Argument or block definition required',
    'An argument or block definition is required here. To set an argument, use the equals sign "=" to introduce the argument value.',
    name,
  )
}

function isLineEnd(cursor: Cursor): boolean {
  const { kind } = cursor.peek()
  return kind === 'newline' || kind === 'end'
}

function readAttribute(cursor: Cursor, name: Token): HclAttribute {
  cursor.read()
  const value = readExpression(cursor)
  return { kind: 'attribute', name: cursor.word(name), nameEnd: name.end, value, start: name.start, end: value.end }
}

function readBlock(cursor: Cursor, name: Token): HclBlock {
  const labels: Label[] = []
  for (;;) {
    const token = cursor.peek()
    if (token.kind === '{') break
    if (token.kind === 'quote') {
      const value = readQuotedLiteral(cursor)
      labels.push({ value, start: token.start, end: cursor.position })
    } else if (token.kind === 'identifier') {
      labels.push({ value: cursor.word(cursor.read()).normalize('NFC'), start: token.start, end: token.end })
    } else
      cursor.fail(
        'Invalid block definition',
        'A block definition must have block content delimited by "{" and "}", starting on the same line as the block header.',
      )
  }
  const open = cursor.read()
  const body = cursor.within(() =>
    cursor.nested(true, () => (cursor.peek().kind === 'newline' ? readBody(cursor, '}') : readLine(cursor, open))),
  )
  const close = cursor.read()
  if (!isLineEnd(cursor)) cursor.fail('Missing newline after block definition', 'A block definition must end with a newline.')
  return { kind: 'block', type: cursor.word(name).normalize('NFC'), labels, open: open.start, body, start: name.start, end: close.end }
}

/** `{ }` or `{ name = value }` on one line. */
function readLine(cursor: Cursor, open: Token): HclBody {
  if (cursor.peek().kind === '}') return { items: [], start: open.end, end: cursor.peek().end }
  if (cursor.peek().kind !== 'identifier')
    cursor.fail('Argument or block definition required', 'An argument or block definition is required here.')
  const name = cursor.read()
  if (cursor.peek().kind !== '=')
    cursor.fail(
      'Argument definition required',
      'A single-line block definition can contain only a single argument. If you meant to define argument "…", use an equals sign to assign it a value. To define a nested block, place it on a line of its own within its parent block.',
      name,
    )
  const attribute = readAttribute(cursor, name)
  if (cursor.peek().kind !== '}')
    cursor.fail(
      'Invalid single-argument block definition',
      'A single-line block definition must end with a closing brace immediately after its single argument definition.',
    )
  return { items: [attribute], start: open.end, end: cursor.peek().end }
}
