/**
 * HCL's words. A cursor walks the text once and hands out one token at a time; whether newlines count depends on the
 * brackets that the reader is in, so it is the reader who says so.
 */
import type { Limits } from '../limits.js'
import type { Span } from '../syntax.js'
import type { EmbeddedPlaces } from './embedded-places.js'

export type TokenKind = 'identifier' | 'number' | 'quote' | 'heredoc' | 'newline' | 'end' | 'invalid' | Punctuation
export type Punctuation = (typeof PUNCTUATION)[number]

export interface Token extends Span {
  readonly kind: TokenKind
}

/** Longest first, so that the first match is the token. */
const PUNCTUATION = [
  '...',
  '=>',
  '==',
  '!=',
  '>=',
  '<=',
  '&&',
  '||',
  '::',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '.',
  ',',
  '*',
  '/',
  '%',
  '+',
  '-',
  '!',
  '=',
  '<',
  '>',
  '?',
  ':',
] as const // prettier-ignore

const BY_FIRST = new Map<string, Punctuation[]>()
for (const mark of PUNCTUATION) BY_FIRST.set(mark[0]!, [...(BY_FIRST.get(mark[0]!) ?? []), mark])

const IDENTIFIER = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy
const ASCII_IDENTIFIER = /[A-Za-z_][A-Za-z0-9_-]*/y
/** Wider than numbers are: `1.2.3` is one token, and no number. */
const NUMBER = /[0-9](?:[0-9]|\.[0-9]|[eE][+-]?[0-9])*/y
const HEREDOC = /<<-?[\p{ID_Start}_][\p{ID_Continue}-]*\r?\n/uy

/** The text breaks HCL's grammar at `span`. Caught by the reader that started the cursor. */
export class SyntaxFault extends Error {
  constructor(
    readonly summary: string,
    readonly detail: string,
    readonly span: Span,
  ) {
    super(summary)
  }
}

export class Cursor {
  position: number
  private peeked: Token | undefined
  private newlinesCount = true
  private depth = 0

  constructor(
    readonly text: string,
    readonly limits: Limits,
    /** Of a text that a string of JSON or YAML says. */
    private readonly places?: EmbeddedPlaces,
  ) {
    this.position = text.charCodeAt(0) === 0xfeff ? 1 : 0
  }

  start(position: number): number {
    return this.places?.start(position) ?? position
  }

  end(position: number): number {
    return this.places?.end(position) ?? position
  }

  span(start: number, end: number): Span {
    return { start: this.start(start), end: this.end(end) }
  }

  peek(): Token {
    this.peeked ??= this.scan()
    return this.peeked
  }

  read(): Token {
    const token = this.peek()
    this.peeked = undefined
    this.position = token.end
    return token
  }

  /** Reads the token if it is of this kind. */
  take(kind: TokenKind): boolean {
    if (this.peek().kind !== kind) return false
    this.read()
    return true
  }

  isWord(word: string): boolean {
    const token = this.peek()
    return token.kind === 'identifier' && this.text.slice(token.start, token.end) === word
  }

  word(token: Token): string {
    return this.text.slice(token.start, token.end)
  }

  /** Places the cursor; used by templates, which are read by character. */
  moveTo(position: number): void {
    this.position = position
    this.peeked = undefined
  }

  /** Runs `read` one level deeper, with newlines counting or not. */
  nested<Result>(newlinesCount: boolean, read: () => Result): Result {
    const outer = this.newlinesCount
    this.setNewlines(newlinesCount)
    const result = read()
    this.setNewlines(outer)
    return result
  }

  /** Runs `read` one level deeper. */
  within<Result>(read: () => Result): Result {
    this.deeper()
    const result = read()
    this.depth--
    return result
  }

  fail(summary: string, detail: string, at: Span = this.peek()): never {
    throw new SyntaxFault(summary, detail, this.span(at.start, at.end))
  }

  private deeper(): void {
    if (++this.depth <= this.limits.nestingMax) return
    const at = this.position
    throw new SyntaxFault(
      'Nesting too deep',
      `More than ${this.limits.nestingMax} blocks, brackets, templates or operators are inside each other here; move inner parts to locals.`,
      this.span(at, at + 1),
    )
  }

  private setNewlines(count: boolean): void {
    if (count === this.newlinesCount) return
    this.newlinesCount = count
    this.peeked = undefined
  }

  private scan(): Token {
    const { text } = this
    const start = this.skipBlanks(this.position)
    if (start >= text.length) return { kind: 'end', start: text.length, end: text.length }
    const first = text[start]!
    if (first === '\n') return { kind: 'newline', start, end: start + 1 }
    if (first === '\r' && text[start + 1] === '\n') return { kind: 'newline', start, end: start + 2 }
    if (first === '"') return { kind: 'quote', start, end: start + 1 }
    if (first >= '0' && first <= '9') return { kind: 'number', start, end: matchEnd(NUMBER, text, start) }
    if (first === '<' && text[start + 1] === '<') {
      const end = matchEnd(HEREDOC, text, start)
      return end > start ? { kind: 'heredoc', start, end } : { kind: 'invalid', start, end: start + 2 }
    }
    const end = matchIdentifier(text, start)
    if (end > start) return { kind: 'identifier', start, end }
    const mark = BY_FIRST.get(first)?.find((candidate) => text.startsWith(candidate, start))
    return mark === undefined ? { kind: 'invalid', start, end: start + 1 } : { kind: mark, start, end: start + mark.length }
  }

  /** Skips blanks, comments and, where they do not count, newlines. A line comment ends before its newline. */
  private skipBlanks(from: number): number {
    const { text } = this
    let at = from
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === 0x20 || code === 0x09) at++
      else if (!this.newlinesCount && code === 0x0a) at++
      else if (!this.newlinesCount && code === 0x0d && text.charCodeAt(at + 1) === 0x0a) at += 2
      else if (code === 0x23 || (code === 0x2f && text.charCodeAt(at + 1) === 0x2f)) {
        const newline = text.indexOf('\n', at)
        at = newline < 0 ? text.length : newline
      } else if (code === 0x2f && text.charCodeAt(at + 1) === 0x2a) {
        const close = text.indexOf('*/', at + 2)
        if (close < 0) throw new SyntaxFault('Unterminated comment', 'This comment has no closing */.', this.span(at, at + 2))
        at = close + 2
      } else return at
    }
  }
}

function matchEnd(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}

function matchIdentifier(text: string, start: number): number {
  const end = matchEnd(ASCII_IDENTIFIER, text, start)
  const next = text.charCodeAt(end)
  return next > 0x7f ? matchEnd(IDENTIFIER, text, start) : end
}

export function isIdentifier(text: string): boolean {
  return text !== '' && matchIdentifier(text, 0) === text.length
}
