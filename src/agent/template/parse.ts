/** Tokens to a tree. Source: Go's text/template documentation, "Actions", "Pipelines", "Nested template definitions". */
import type { Bytes } from './bytes.js'
import { TemplateFailure } from './failure.js'
import { parseFloatText, parseIntegerLiteral, unquote, unquoteCharacter } from './literals.js'
import type { Body, Command, NumberNode, Operand, ParsedTemplate, Pipeline, TemplateNode } from './nodes.js'
import { type Delimiters, scanTemplate, type Token, type TokenKind } from './scan.js'

/** How deep parentheses and control structures may be nested. */
const DEPTH_MAX = 200
const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n

/** @throws TemplateFailure when the text is no template, or calls what `hasFunction` does not know */
export function parseTemplate(source: Bytes, delimiters: Delimiters, hasFunction: (name: string) => boolean): ParsedTemplate {
  return new Parser(source, scanTemplate(source, delimiters), hasFunction).parse()
}

/** What stands after the nodes of a body. */
interface BodyEnd {
  readonly word: 'end' | 'else'
}

type ControlKind = 'if' | 'with' | 'range'
type Item = TemplateNode | BodyEnd

const OPERAND_STARTS: ReadonlySet<TokenKind> = new Set([
  'bool',
  'character',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw-string',
  'string',
  'variable',
  'left-paren',
])

class Parser {
  private at = 0
  /** Index of the last token that was looked at: Go tells the line of that one. */
  private seen = 0
  private readonly definitions = new Map<Bytes, Body>()
  private variables: Bytes[] = ['$']
  private rangeDepth = 0
  private depth = 0

  constructor(
    private readonly source: Bytes,
    private readonly tokens: readonly Token[],
    private readonly hasFunction: (name: string) => boolean,
  ) {}

  parse(): ParsedTemplate {
    const body: TemplateNode[] = []
    while (this.peek().kind !== 'end') {
      const item = this.isDefinition() ? this.definition() : this.item()
      if (item === undefined) continue
      if ('word' in item) return this.fail(`unexpected {{${item.word}}}`)
      body.push(item)
    }
    this.define('', body)
    return { source: this.source, body: this.definitions.get('') ?? body, definitions: this.definitions }
  }

  private isDefinition(): boolean {
    if (this.peek().kind !== 'left') return false
    let next = this.at + 1
    while (this.tokens[next]?.kind === 'space') next++
    const token = this.tokens[next]
    return token?.kind === 'keyword' && token.text === 'define'
  }

  private peek(): Token {
    this.seen = Math.max(this.seen, this.at)
    return this.tokens[this.at] ?? this.tokens[this.tokens.length - 1]!
  }

  private next(): Token {
    const token = this.peek()
    if (this.at < this.tokens.length - 1) this.at++
    return token
  }

  private peekNonSpace(): Token {
    while (this.peek().kind === 'space') this.at++
    return this.peek()
  }

  private nextNonSpace(): Token {
    this.peekNonSpace()
    return this.next()
  }

  private fail(message: string): never {
    throw new TemplateFailure(message, this.tokens[this.seen]?.line ?? 1, undefined)
  }

  private unexpected(token: Token, context: string): never {
    if (token.kind === 'error') return this.fail(token.text)
    return this.fail(`unexpected ${describe(token)} in ${context}`)
  }

  private expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace()
    return token.kind === kind ? token : this.unexpected(token, context)
  }

  private define(name: Bytes, body: Body): void {
    const known = this.definitions.get(name)
    if (known === undefined || isEmpty(known)) this.definitions.set(name, body)
    else if (!isEmpty(body)) this.fail(`multiple definition of template "${name}"`)
  }

  private definition(): undefined {
    this.next()
    this.nextNonSpace()
    const name = this.templateName('define clause')
    this.expect('right', 'define clause')
    this.define(name, this.ownBody('define clause'))
  }

  /** The body of a definition or block: it sees none of the variables around it. */
  private ownBody(context: string): Body {
    const { variables, rangeDepth } = this
    this.variables = ['$']
    this.rangeDepth = 0
    const { nodes, end } = this.body()
    if (end.word !== 'end') this.fail(`unexpected {{${end.word}}} in ${context}`)
    this.variables = variables
    this.rangeDepth = rangeDepth
    return nodes
  }

  private templateName(context: string): Bytes {
    const token = this.nextNonSpace()
    if (token.kind !== 'string' && token.kind !== 'raw-string') return this.unexpected(token, context)
    return unquote(token.text) ?? this.fail('invalid syntax')
  }

  private body(): { readonly nodes: Body; readonly end: BodyEnd } {
    const nodes: TemplateNode[] = []
    if (++this.depth > DEPTH_MAX) this.fail(`nested more than ${DEPTH_MAX} deep`)
    while (this.peekNonSpace().kind !== 'end') {
      const item = this.item()
      if ('word' in item) {
        this.depth--
        return { nodes, end: item }
      }
      nodes.push(item)
    }
    return this.fail('unexpected EOF')
  }

  private item(): Item {
    const token = this.nextNonSpace()
    if (token.kind === 'text') return { kind: 'text', text: token.text }
    return token.kind === 'left' ? this.action() : this.unexpected(token, 'input')
  }

  private action(): Item {
    const token = this.peekNonSpace()
    if (token.kind !== 'keyword') return this.plainAction(token)
    this.next()
    switch (token.text) {
      case 'block':
        return this.block(token)
      case 'break':
      case 'continue':
        return this.jump(token.text)
      case 'else':
        return this.otherwise()
      case 'end':
        this.expect('right', 'end')
        return { word: 'end' }
      case 'if':
      case 'range':
      case 'with':
        return this.control(token.text, token)
      case 'template':
        return this.templateCall(token)
      default:
        return this.unexpected(token, 'command')
    }
  }

  private plainAction(token: Token): TemplateNode {
    const pipeline = this.pipeline('command', 'right')
    return { kind: 'action', pipeline, position: token.position, source: pipeline.source }
  }

  private jump(kind: 'break' | 'continue'): TemplateNode {
    const token = this.nextNonSpace()
    if (token.kind !== 'right') return this.unexpected(token, `{{${kind}}}`)
    if (this.rangeDepth === 0) return this.fail(`{{${kind}}} outside {{range}}`)
    return { kind }
  }

  private otherwise(): BodyEnd {
    const token = this.peekNonSpace()
    const continues = token.kind === 'keyword' && (token.text === 'if' || token.text === 'with')
    if (!continues) this.expect('right', 'else')
    return { word: 'else' }
  }

  private control(kind: ControlKind, token: Token): TemplateNode {
    const scope = this.variables.length
    const pipeline = this.pipeline(kind, 'right')
    if (kind === 'range') this.rangeDepth++
    const { nodes, end } = this.body()
    if (kind === 'range') this.rangeDepth--
    const otherwise = end.word === 'else' ? this.elseBody(kind) : undefined
    this.variables.length = scope
    return { kind, pipeline, body: nodes, otherwise, position: token.position, source: pipeline.source }
  }

  private elseBody(kind: ControlKind): Body {
    const token = this.peek()
    if (kind !== 'range' && token.kind === 'keyword' && token.text === kind) {
      this.next()
      if (++this.depth > DEPTH_MAX) this.fail(`nested more than ${DEPTH_MAX} deep`)
      const node = this.control(kind, token)
      this.depth--
      return [node]
    }
    const { nodes, end } = this.body()
    return end.word === 'end' ? nodes : this.fail('expected end; found {{else}}')
  }

  private block(token: Token): TemplateNode {
    const name = this.templateName('block clause')
    const pipeline = this.pipeline('block clause', 'right')
    this.define(name, this.ownBody('block clause'))
    return { kind: 'template', name, pipeline, position: token.position, source: pipeline.source }
  }

  private templateCall(token: Token): TemplateNode {
    const position = this.peekNonSpace().position
    const name = this.templateName('template clause')
    const hasPipeline = this.peekNonSpace().kind !== 'right'
    const pipeline = hasPipeline ? this.pipeline('template clause', 'right') : undefined
    if (!hasPipeline) this.next()
    return { kind: 'template', name, pipeline, position, source: this.source.slice(token.position, this.endOfLast()).trimEnd() }
  }

  /** Where the last word before the one just read ends. */
  private endOfLast(): number {
    return this.tokens[this.at - 1]?.position ?? 0
  }

  private pipeline(context: string, end: 'right' | 'right-paren'): Pipeline {
    const { position } = this.peekNonSpace()
    const { declares, isAssignment } = this.declarations(context)
    const commands: Command[] = []
    for (;;) {
      const token = this.peekNonSpace()
      if (token.kind === end) {
        this.next()
        this.checkPipeline(commands, context)
        return {
          kind: 'pipeline',
          declares,
          isAssignment,
          commands,
          position,
          source: this.source.slice(position, token.position).trimEnd(),
        }
      }
      if (!OPERAND_STARTS.has(token.kind)) {
        this.next()
        this.unexpected(token, context)
      }
      commands.push(this.command())
    }
  }

  private declarations(context: string): { readonly declares: readonly Bytes[]; readonly isAssignment: boolean } {
    const declares: Bytes[] = []
    for (;;) {
      const token = this.peekNonSpace()
      const start = this.at
      if (token.kind !== 'variable') return { declares, isAssignment: false }
      this.next()
      const next = this.peekNonSpace()
      if (next.kind === 'assign' || next.kind === 'declare') {
        this.next()
        declares.push(token.text)
        this.variables.push(token.text)
        return { declares, isAssignment: next.kind === 'assign' }
      }
      if (next.kind !== 'char' || next.text !== ',') {
        this.at = start
        return { declares, isAssignment: false }
      }
      this.next()
      declares.push(token.text)
      this.variables.push(token.text)
      if (context !== 'range' || declares.length > 1) this.fail(`too many declarations in ${context}`)
      if (!['variable', 'right', 'right-paren'].includes(this.peekNonSpace().kind)) this.fail('range can only initialize variables')
    }
  }

  private checkPipeline(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.fail(`missing value for ${context}`)
    commands.slice(1).forEach((command, index) => {
      const { kind } = command.operands[0]
      if (['bool', 'dot', 'nil', 'number', 'string'].includes(kind)) this.fail(`non executable command in pipeline stage ${index + 2}`)
    })
  }

  private command(): Command {
    const { position } = this.peekNonSpace()
    const operands: Operand[] = []
    for (;;) {
      this.peekNonSpace()
      const operand = this.operand()
      if (operand !== undefined) operands.push(operand)
      const token = this.peek()
      const end = token.position
      if (token.kind === 'right' || token.kind === 'right-paren' || token.kind === 'pipe' || token.kind !== 'space') {
        if (token.kind === 'pipe') this.next()
        else if (token.kind !== 'right' && token.kind !== 'right-paren') {
          this.next()
          return this.unexpected(token, 'operand')
        }
        const [first, ...rest] = operands
        if (first === undefined) return this.fail('empty command')
        return { operands: [first, ...rest], position, source: this.source.slice(position, end).trimEnd() }
      }
      this.next()
    }
  }

  private operand(): Operand | undefined {
    const term = this.term()
    if (term === undefined || this.peek().kind !== 'field') return term
    const position = this.peek().position
    const path: Bytes[] = []
    while (this.peek().kind === 'field') path.push(this.next().text.slice(1))
    const source = this.source.slice(term.position, this.peek().position)
    switch (term.kind) {
      case 'field':
        return { ...term, path: [...term.path, ...path], position, source }
      case 'variable':
        return { ...term, path: [...term.path, ...path], position, source }
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${JSON.stringify(term.source)}`)
      default:
        return { kind: 'chain', base: term, path, position, source }
    }
  }

  private term(): Operand | undefined {
    const token = this.peekNonSpace()
    if (!OPERAND_STARTS.has(token.kind)) return undefined
    this.next()
    const placed = { position: token.position, source: token.text }
    switch (token.kind) {
      case 'identifier':
        if (!this.hasFunction(token.text)) return this.fail(`function "${token.text}" not defined`)
        return { kind: 'function', name: token.text, ...placed }
      case 'dot':
      case 'nil':
        return { kind: token.kind, ...placed }
      case 'variable':
        if (!this.variables.includes(token.text)) return this.fail(`undefined variable "${token.text}"`)
        return { kind: 'variable', name: token.text, path: [], ...placed }
      case 'field':
        return { kind: 'field', path: [token.text.slice(1)], ...placed }
      case 'bool':
        return { kind: 'bool', value: token.text === 'true', ...placed }
      case 'number':
      case 'character':
        return this.number(token)
      case 'left-paren':
        return this.parenthesized()
      default:
        return { kind: 'string', value: unquote(token.text) ?? this.fail('invalid syntax'), ...placed }
    }
  }

  private parenthesized(): Pipeline {
    if (++this.depth > DEPTH_MAX) this.fail('max expression depth exceeded')
    const pipeline = this.pipeline('parenthesized pipeline', 'right-paren')
    this.depth--
    return pipeline
  }

  private number(token: Token): NumberNode {
    const placed = { kind: 'number', position: token.position, source: token.text } as const
    if (token.kind === 'character') {
      const code = unquoteCharacter(token.text) ?? this.fail(`malformed character constant: ${token.text}`)
      return { ...placed, integer: BigInt(code), float: code, isWrittenAsFloat: false }
    }
    const integer = parseIntegerLiteral(token.text)
    if (integer !== undefined) {
      if (integer < INT64_MIN || integer > UINT64_MAX) this.fail(`integer overflow: "${token.text}"`)
      return { ...placed, integer, float: Number(integer), isWrittenAsFloat: false }
    }
    const float = parseFloatText(token.text, false) ?? this.fail(`illegal number syntax: "${token.text}"`)
    return { ...placed, integer: Number.isInteger(float) ? BigInt(float) : undefined, float, isWrittenAsFloat: true }
  }
}

/** Nothing but spaces: such a body may be defined again. */
function isEmpty(body: Body): boolean {
  return body.every((node) => node.kind === 'text' && /^\s*$/.test(node.text))
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'EOF'
  if (token.kind === 'keyword') return `<${token.text}>`
  return token.text.length > 10 ? `"${token.text.slice(0, 10)}"...` : `"${token.text}"`
}
