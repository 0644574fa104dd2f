/** HCL's expressions, from text to tree, by precedence climbing. Verdicts equal those of HCL itself (test/fuzz, test/jobspec/hcl). */
import type { BinaryOperator, Call, Expression, ForExpression, NumberLiteral, ObjectLiteral, Step, StringLiteral } from '../syntax.js'
import { readHeredoc, readQuoted } from './templates.js'
import type { Cursor, Token } from './tokens.js'

/** From the loosest to the tightest. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [['||'], ['&&'], ['==', '!='], ['>', '>=', '<', '<='], ['+', '-'], ['*', '/', '%']]

export function readExpression(cursor: Cursor): Expression {
  return cursor.within(() => readConditional(cursor))
}

function readConditional(cursor: Cursor): Expression {
  const condition = readBinary(cursor, 0)
  if (!cursor.take('?')) return condition
  const whenTrue = readExpression(cursor)
  if (!cursor.take(':')) {
    cursor.fail(
      'Missing false expression in conditional',
      'The conditional operator (...?...:...) requires a false expression, delimited by a colon.',
    )
  }
  const whenFalse = readExpression(cursor)
  return { kind: 'conditional', condition, whenTrue, whenFalse, start: condition.start, end: whenFalse.end }
}

function readBinary(cursor: Cursor, level: number): Expression {
  const operators = LEVELS[level]
  if (operators === undefined) return readOperand(cursor)
  let left = readBinary(cursor, level + 1)
  for (let operator = takeOperator(cursor, operators); operator !== undefined; operator = takeOperator(cursor, operators)) {
    const right = readBinary(cursor, level + 1)
    left = { kind: 'binary', operator, left, right, start: left.start, end: right.end }
  }
  return left
}

function takeOperator(cursor: Cursor, operators: readonly BinaryOperator[]): BinaryOperator | undefined {
  const { kind } = cursor.peek()
  const found = operators.find((operator) => operator === kind)
  if (found !== undefined) cursor.read()
  return found
}

function readOperand(cursor: Cursor): Expression {
  const from = cursor.peek().start
  return readSteps(cursor, readTerm(cursor), from)
}

/** What follows a term: names, indexes and splats. `from` is where the term starts in the text. */
function readSteps(cursor: Cursor, term: Expression, from: number): Expression {
  let expression = term
  for (;;) {
    const { kind } = cursor.peek()
    if (kind === '.') expression = readDot(cursor, expression, from)
    else if (kind === '[') expression = readBrackets(cursor, expression, from)
    else return expression
  }
}

function readTerm(cursor: Cursor): Expression {
  const token = cursor.peek()
  switch (token.kind) {
    case 'number':
      return numberLiteral(cursor, cursor.read())
    case 'identifier':
      return readNamed(cursor)
    case 'quote':
      return readQuoted(cursor)
    case 'heredoc':
      return readHeredoc(cursor)
    case '(':
      return readParentheses(cursor)
    case '[':
      return readTuple(cursor)
    case '{':
      return readObject(cursor)
    case '-':
    case '!': {
      cursor.read()
      const operand = cursor.within(() => readOperand(cursor))
      return { kind: 'unary', operator: token.kind, operand, start: cursor.start(token.start), end: operand.end }
    }
    default:
      if (cursor.word(token) === "'") {
        cursor.fail('Invalid character', 'Single quotes are not valid. Use double quotes (") to enclose strings.')
      }
      if (token.kind === 'end')
        return cursor.fail('Missing expression', 'Expected the start of an expression, but found the end of the file.')
      return cursor.fail('Invalid expression', 'Expected the start of an expression, but found an invalid expression token.')
  }
}

const NUMBER = /^[0-9]+(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?$/
const EXPONENT_MAX = 2 ** 31

function numberLiteral(cursor: Cursor, token: Token): NumberLiteral {
  const text = cursor.word(token)
  const match = NUMBER.exec(text)
  if (match === null || Math.abs(Number(match[1] ?? 0)) >= EXPONENT_MAX) {
    cursor.fail('Invalid number literal', 'Failed to recognize the value of this number literal.', token)
  }
  return { kind: 'number', text, start: cursor.start(token.start), end: cursor.end(token.end) }
}

function readNamed(cursor: Cursor): Expression {
  const token = cursor.read()
  const name = cursor.word(token)
  const next = cursor.peek().kind
  if (next === '(' || next === '::') return readCall(cursor, token)
  const start = cursor.start(token.start)
  const end = cursor.end(token.end)
  if (name === 'true' || name === 'false') return { kind: 'bool', value: name === 'true', start, end }
  if (name === 'null') return { kind: 'null', start, end }
  return {
    kind: 'traversal',
    root: name.normalize('NFC'),
    rootEnd: end,
    steps: [],
    start,
    end,
    runtime: runtimeText(cursor.text, token.start, token.end),
  }
}

/**
 * What a reference with an unknown root stands for: its own source text in `${…}`. Nomad looks left over spaces for the
 * `${` that it may already be in, and right for the braces that close it, but one character too late: a brace after the
 * closing one is doubled. Replicated, because this text is what run time reads.
 */
function runtimeText(text: string, start: number, end: number): string {
  let open = start
  while (text[open - 1] === ' ') open--
  if (open < 2 || text.slice(open - 2, open) !== '${') return `\${${text.slice(start, end)}}`
  let closing = ''
  for (let at = end + 1; text[at] === '}' || text[at] === ' '; at++) {
    if (text[at] === '}') closing += text.slice(end, at + 1)
  }
  return text.slice(open - 2, end) + (closing === '' ? '}' : closing)
}

function readParentheses(cursor: Cursor): Expression {
  const open = cursor.read()
  const { inner, close } = cursor.nested(false, () => {
    const inner = readExpression(cursor)
    if (cursor.peek().kind !== ')') cursor.fail('Unbalanced parentheses', 'Expected a closing parenthesis to terminate the expression.')
    return { inner, close: cursor.read() }
  })
  return { kind: 'paren', inner, start: cursor.start(open.start), end: cursor.end(close.end) }
}

function readCall(cursor: Cursor, first: Token): Call {
  let nameEnd = first.end
  while (cursor.take('::')) {
    if (cursor.peek().kind !== 'identifier')
      cursor.fail('Missing function name', 'Function scope resolution symbol :: must be followed by a function name in this scope.')
    nameEnd = cursor.read().end
  }
  if (cursor.peek().kind !== '(')
    cursor.fail('Missing open parenthesis', 'Function selector must be followed by an open parenthesis to begin the function call.')
  cursor.read()
  const args: Expression[] = []
  const { isExpanded, close } = cursor.nested(false, () => readArguments(cursor, args))
  const name = cursor.text.slice(first.start, nameEnd)
  return {
    kind: 'call',
    name,
    nameEnd: cursor.end(nameEnd),
    args,
    isExpanded,
    start: cursor.start(first.start),
    end: cursor.end(close.end),
  }
}

function readArguments(cursor: Cursor, args: Expression[]): { isExpanded: boolean; close: Token } {
  for (;;) {
    if (cursor.peek().kind === ')') return { isExpanded: false, close: cursor.read() }
    args.push(readExpression(cursor))
    if (cursor.take('...')) {
      if (cursor.peek().kind !== ')')
        cursor.fail(
          'Missing closing parenthesis',
          'An expanded function argument (with ...) must be immediately followed by closing parentheses.',
        )
      return { isExpanded: true, close: cursor.read() }
    }
    if (cursor.peek().kind === ')') continue
    if (!cursor.take(','))
      cursor.fail('Missing argument separator', 'A comma is required to separate each function argument from the next.')
  }
}

function readTuple(cursor: Cursor): Expression {
  const open = cursor.read()
  return cursor.nested(false, () => {
    if (cursor.isWord('for')) return readFor(cursor, open, ']')
    const items: Expression[] = []
    while (cursor.peek().kind !== ']') {
      items.push(readExpression(cursor))
      if (cursor.peek().kind === ']') break
      if (!cursor.take(',')) cursor.fail('Missing item separator', 'Expected a comma to mark the beginning of the next item.')
    }
    const close = cursor.read()
    return { kind: 'tuple', items, start: cursor.start(open.start), end: cursor.end(close.end) }
  })
}

function readObject(cursor: Cursor): Expression {
  const open = cursor.read()
  if (cursor.nested(false, () => cursor.isWord('for'))) return cursor.nested(false, () => readFor(cursor, open, '}'))
  return cursor.nested(true, () => {
    const items: ObjectLiteral['items'][number][] = []
    for (;;) {
      while (cursor.take('newline'));
      if (cursor.peek().kind === '}') break
      items.push(readObjectItem(cursor))
      const { kind } = cursor.peek()
      if (kind === '}') break
      if (kind !== ',' && kind !== 'newline') {
        cursor.fail('Missing attribute separator', 'Expected a newline or comma to mark the beginning of the next attribute.')
      }
      cursor.read()
    }
    const close = cursor.read()
    return { kind: 'object', items, start: cursor.start(open.start), end: cursor.end(close.end) }
  })
}

function readObjectItem(cursor: Cursor): ObjectLiteral['items'][number] {
  const key = readExpression(cursor)
  if (!cursor.take('=') && !cursor.take(':')) {
    cursor.fail('Missing attribute value', 'Expected an attribute value, introduced by an equals sign ("=").')
  }
  return { key, value: readExpression(cursor) }
}

/** After `[` or `{`, at the word `for`; newlines do not count. */
function readFor(cursor: Cursor, open: Token, closing: ']' | '}'): ForExpression {
  cursor.read()
  const first = readName(cursor)
  const second = cursor.take(',') ? readName(cursor) : undefined
  if (!cursor.isWord('in')) cursor.fail("Invalid 'for' expression", "For expression requires the 'in' keyword after its name declarations.")
  cursor.read()
  const collection = readExpression(cursor)
  if (!cursor.take(':')) cursor.fail("Invalid 'for' expression", 'For expression requires a colon after the collection expression.')
  let value = readExpression(cursor)
  let key: Expression | undefined
  let isGrouped = false
  if (closing === '}') {
    if (!cursor.take('=>')) cursor.fail("Invalid 'for' expression", 'Key expression is required when building an object.')
    key = value
    value = readExpression(cursor)
    isGrouped = cursor.take('...')
  }
  let condition: Expression | undefined
  if (cursor.isWord('if')) {
    cursor.read()
    condition = readExpression(cursor)
  }
  if (cursor.peek().kind !== closing) cursor.fail("Invalid 'for' expression", `Extra characters after the end of the 'for' expression.`)
  const close = cursor.read()
  const names = { keyName: second === undefined ? undefined : first, valueName: second ?? first }
  return {
    kind: 'for',
    ...names,
    collection,
    key,
    value,
    condition,
    isGrouped,
    start: cursor.start(open.start),
    end: cursor.end(close.end),
  }
}

export function readName(cursor: Cursor): string {
  if (cursor.peek().kind !== 'identifier') cursor.fail("Invalid 'for' expression", "For expression requires variable name after 'for'.")
  return cursor.word(cursor.read())
}

/** `.name`, `.0`, `.*` */
function readDot(cursor: Cursor, source: Expression, from: number): Expression {
  const dot = cursor.read()
  const token = cursor.peek()
  if (token.kind === 'identifier') return extend(cursor, source, from, [nameStep(cursor, dot, cursor.read())])
  if (token.kind === 'number') {
    rejectChain(cursor, token)
    return extend(cursor, source, from, [indexStep(cursor, dot, cursor.read())])
  }
  if (token.kind === '*') return readAttributeSplat(cursor, source)
  return cursor.fail('Invalid attribute name', 'An attribute name is required after a dot.')
}

function nameStep(cursor: Cursor, dot: Token, token: Token): Step {
  return { kind: 'name', name: cursor.word(token).normalize('NFC'), start: cursor.start(dot.start), end: cursor.end(token.end) }
}

/** `.0` means `[0]`. */
function indexStep(cursor: Cursor, dot: Token, token: Token): Step {
  const span = { start: cursor.start(dot.start), end: cursor.end(token.end) }
  return { kind: 'key', key: { ...numberLiteral(cursor, token), ...span }, ...span }
}

/** `.0.1` would be one step by 0.1: HCL refuses it, and so do we. */
function rejectChain(cursor: Cursor, token: Token): void {
  const [first, second] = cursor.word(token).split('.')
  if (second === undefined) return
  const detail = `When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper index syntax instead, like [${first}][${second}].`
  cursor.fail('Invalid legacy index syntax', detail, token)
}

function extend(cursor: Cursor, source: Expression, from: number, steps: readonly Step[]): Expression {
  const end = cursor.end(cursor.position)
  if (source.kind === 'traversal') {
    return { ...source, steps: [...source.steps, ...steps], end, runtime: runtimeText(cursor.text, from, cursor.position) }
  }
  if (source.kind === 'relative') return { ...source, steps: [...source.steps, ...steps], end }
  return { kind: 'relative', source, steps, start: source.start, end }
}

/** `.*` takes only names and numbers along; what follows applies to the list. */
function readAttributeSplat(cursor: Cursor, source: Expression): Expression {
  const star = cursor.read()
  const marker = cursor.span(star.start, star.end)
  const steps: Step[] = []
  while (cursor.peek().kind === '.') {
    const dot = cursor.read()
    const token = cursor.peek()
    if (token.kind === 'number') steps.push(indexStep(cursor, dot, cursor.read()))
    else if (token.kind === 'identifier') steps.push(nameStep(cursor, dot, cursor.read()))
    else cursor.fail('Invalid attribute name', 'An attribute name is required after a dot.')
  }
  const end = cursor.end(cursor.position)
  const each: Expression = { kind: 'each', ...marker }
  return {
    kind: 'splat',
    source,
    marker,
    each: steps.length === 0 ? each : { kind: 'relative', source: each, steps, ...marker, end },
    start: source.start,
    end,
  }
}

/** `[key]`, `[*]` */
function readBrackets(cursor: Cursor, source: Expression, from: number): Expression {
  const open = cursor.read()
  // The star stands right behind its bracket; an index may begin on the next line.
  if (cursor.take('*')) {
    closeBrackets(cursor)
    return readFullSplat(cursor, source, open)
  }
  const inner = cursor.nested(false, () => readKey(cursor))
  const end = cursor.end(cursor.position)
  const literal = literalKey(inner)
  if (literal !== undefined) return extend(cursor, source, from, [{ kind: 'key', key: literal, start: cursor.start(open.start), end }])
  return { kind: 'index', source, key: inner, open: cursor.start(open.start), start: source.start, end }
}

function readKey(cursor: Cursor): Expression {
  const key = readExpression(cursor)
  closeBrackets(cursor)
  return key
}

function closeBrackets(cursor: Cursor): void {
  if (!cursor.take(']')) cursor.fail('Missing close bracket on index', 'The index operator must end with a closing bracket ("]").')
}

function literalKey(key: Expression): StringLiteral | NumberLiteral | undefined {
  if (key.kind === 'number') return key
  if (key.kind !== 'template' || key.parts.length > 1) return undefined
  const [part] = key.parts
  if (part === undefined) return { kind: 'string', value: '', start: key.start, end: key.end }
  return part.kind === 'string' ? part : undefined
}

function readFullSplat(cursor: Cursor, source: Expression, open: Token): Expression {
  const marker = cursor.span(open.start, cursor.position)
  const each = readSteps(cursor, { kind: 'each', ...marker }, open.start)
  return { kind: 'splat', source, each, marker, start: source.start, end: cursor.end(cursor.position) }
}
