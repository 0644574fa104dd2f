/** JSON text with the place of every value. Verdicts and summaries are those of HCL's own JSON reader. */
import type { Limits } from '../limits.js'
import { fault } from '../mistakes.js'
import type { JsonMember, JsonNode, JsonSyntax, Span } from '../syntax.js'
import type { Read } from './scan.js'
import { SyntaxFault } from './tokens.js'

export function readJson(path: string, text: string, limits: Limits): Read<JsonSyntax> {
  try {
    const reader = new JsonReader(text, limits)
    return { kind: 'read', value: { kind: 'json', path, text, root: reader.document() } }
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return { kind: 'fault', fault: fault({ path, text }, error.span, error.summary, error.detail) }
  }
}

const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /[A-Za-z_]+/y

class JsonReader {
  private at = 0
  private depth = 0

  constructor(
    private readonly text: string,
    private readonly limits: Limits,
  ) {}

  document(): JsonNode {
    const root = this.value()
    if (this.peek() !== undefined) this.fail('Extraneous data after value', 'Extra characters appear after the JSON value.')
    return root
  }

  private peek(): string | undefined {
    while (this.at < this.text.length && /[ \t\r\n]/.test(this.text[this.at]!)) this.at++
    return this.text[this.at]
  }

  private fail(summary: string, detail: string, span: Span = { start: this.at, end: Math.min(this.text.length, this.at + 1) }): never {
    throw new SyntaxFault(summary, detail, span)
  }

  private value(): JsonNode {
    const char = this.peek()
    const start = this.at
    if (char === undefined) return this.fail('Missing value', 'Expected a JSON value.')
    if (char === '{') return this.nested(() => this.object(start))
    if (char === '[') return this.nested(() => this.array(start))
    if (char === '"') return { kind: 'string', value: this.string(), start, end: this.at }
    const number = this.match(NUMBER)
    if (number !== undefined) return { kind: 'number', text: number, start, end: this.at }
    const word = this.match(WORD)
    if (word === 'true' || word === 'false') return { kind: 'bool', value: word === 'true', start, end: this.at }
    if (word === 'null') return { kind: 'null', start, end: this.at }
    if (word !== undefined) return this.fail('Invalid JSON keyword', `"${word}" is not a valid JSON keyword.`, { start, end: this.at })
    return this.fail('Invalid start of value', 'A JSON value must start with a brace, a bracket, a number, a string, or a keyword.')
  }

  private nested<Result>(read: () => Result): Result {
    if (++this.depth > this.limits.nestingMax)
      this.fail('Nesting too deep', `More than ${this.limits.nestingMax} objects and lists are inside each other here.`)
    const result = read()
    this.depth--
    return result
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match[0]
  }

  private string(): string {
    const quoted = this.match(STRING)
    // Half a pair is no character: no UTF-8 text can hold it.
    if (quoted !== undefined) return (JSON.parse(quoted) as string).replace(LONE_SURROGATES, '\ufffd')
    return this.fail(
      'Invalid JSON string',
      'This JSON string is not closed, or holds a control character or an escape that JSON does not have.',
    )
  }

  private array(start: number): JsonNode {
    const items: JsonNode[] = []
    this.at++
    if (this.peek() !== ']') {
      for (;;) {
        items.push(this.value())
        const next = this.peek()
        if (next === ']') break
        if (next !== ',') this.fail('Missing array element separator', 'A comma is required between the elements of a list.')
        this.at++
        if (this.peek() === ']')
          this.fail('Trailing comma in array', 'JSON does not permit a trailing comma after the final value in an array.')
      }
    }
    this.at++
    return { kind: 'array', items, start, end: this.at }
  }

  private object(start: number): JsonNode {
    const members: JsonMember[] = []
    this.at++
    if (this.peek() !== '}') {
      for (;;) {
        members.push(this.member())
        const next = this.peek()
        if (next === '}') break
        if (next !== ',') this.fail('Missing attribute separator', 'A comma is required between the members of an object.')
        this.at++
        if (this.peek() === '}')
          this.fail('Trailing comma in object', 'JSON does not permit a trailing comma after the final property in an object.')
      }
    }
    this.at++
    return { kind: 'object', members, start, end: this.at }
  }

  private member(): JsonMember {
    const char = this.peek()
    const start = this.at
    if (char === undefined) this.fail('Unclosed object', 'Expected a closing brace.')
    if (char !== '"') this.fail('Invalid object property name', 'A JSON object property name must be a string.')
    const name = this.string()
    const nameSpan = { start, end: this.at }
    if (this.peek() !== ':')
      this.fail('Missing property value colon', "A colon must appear between an object property's name and its value.")
    this.at++
    return { name, nameSpan, value: this.value() }
  }
}
