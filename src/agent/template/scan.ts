/** Template text to tokens: text between actions, and the words inside them. Source: Go's text/template documentation. */
import { type Bytes, runeAt } from './bytes.js'

export type TokenKind =
  | 'text'
  | 'left'
  | 'right'
  | 'space'
  | 'keyword'
  | 'identifier'
  | 'bool'
  | 'nil'
  | 'dot'
  | 'field'
  | 'variable'
  | 'number'
  | 'character'
  | 'string'
  | 'raw-string'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'left-paren'
  | 'right-paren'
  | 'char'
  | 'error'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; the message of an `error`. */
  readonly text: Bytes
  readonly position: number
  readonly line: number
}

export interface Delimiters {
  readonly left: Bytes
  readonly right: Bytes
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with'])
const SPACES = ' \t\r\n'
const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}_]$/u
const TERMINATORS = '.,|:)('

/** Never throws: what cannot be read is a last token of kind `error`. */
export function scanTemplate(source: Bytes, delimiters: Delimiters): readonly Token[] {
  return new Scanner(source, delimiters).scan()
}

class ScanFailure extends Error {}

class Scanner {
  private readonly tokens: Token[] = []
  private at = 0
  private start = 0
  private line = 1
  /** How far `line` has been counted. */
  private counted = 0

  constructor(
    private readonly source: Bytes,
    private readonly delimiters: Delimiters,
  ) {}

  scan(): readonly Token[] {
    try {
      while (this.at < this.source.length) this.textAndAction()
      this.emit('end', 'EOF')
    } catch (error) {
      if (!(error instanceof ScanFailure)) throw error
      this.emit('error', error.message)
    }
    return this.tokens
  }

  private emit(kind: TokenKind, text = this.source.slice(this.start, this.at)): void {
    for (; this.counted < this.start; this.counted++) if (this.source[this.counted] === '\n') this.line++
    this.tokens.push({ kind, text, position: this.start, line: this.line })
    this.start = this.at
  }

  private fail(message: string): never {
    throw new ScanFailure(message)
  }

  private textAndAction(): void {
    const found = this.source.indexOf(this.delimiters.left, this.at)
    const end = found < 0 ? this.source.length : found
    const isTrimmed = found >= 0 && this.isLeftTrim(found + this.delimiters.left.length)
    this.at = isTrimmed ? this.at + trimEnd(this.source.slice(this.at, end)).length : end
    if (this.at > this.start) this.emit('text')
    this.at = end
    this.start = end
    if (found < 0) return
    this.at += this.delimiters.left.length
    const afterMarker = isTrimmed ? 2 : 0
    if (this.source.startsWith('/*', this.at + afterMarker)) return this.comment(afterMarker)
    this.emit('left')
    this.at += afterMarker
    this.start = this.at
    this.action()
  }

  private isLeftTrim(at: number): boolean {
    return this.source[at] === '-' && isSpace(this.source[at + 1])
  }

  /** Length of the right delimiter with its trim marker, 0 when it does not stand at `at`. */
  private rightLength(at: number): number {
    const isTrimmed = isSpace(this.source[at]) && this.source[at + 1] === '-' && this.source.startsWith(this.delimiters.right, at + 2)
    if (isTrimmed) return this.delimiters.right.length + 2
    return this.source.startsWith(this.delimiters.right, at) ? this.delimiters.right.length : 0
  }

  private comment(afterMarker: number): void {
    this.start = this.at + afterMarker
    const end = this.source.indexOf('*/', this.start + 2)
    if (end < 0) this.fail('unclosed comment')
    const length = this.rightLength(end + 2)
    if (length === 0) this.fail('comment ends before closing delimiter')
    this.at = end + 2 + length
    this.skipTrimmed(length)
    this.start = this.at
  }

  /** After a right delimiter: the spaces behind it go too when it has a marker. */
  private skipTrimmed(length: number): void {
    if (length > this.delimiters.right.length) while (isSpace(this.source[this.at])) this.at++
  }

  private action(): void {
    let depth = 0
    for (;;) {
      const length = this.rightLength(this.at)
      if (length > 0) {
        if (depth > 0) this.fail('unclosed left paren')
        this.start = this.at + length - this.delimiters.right.length
        this.at += length
        this.emit('right')
        this.skipTrimmed(length)
        this.start = this.at
        return
      }
      depth += this.word()
      if (depth < 0) this.fail('unexpected right paren')
    }
  }

  /** Scans one word; yields by how much it opens or closes parentheses. */
  private word(): number {
    const char = this.source[this.at]
    if (char === undefined) return this.fail('unclosed action')
    if (isSpace(char)) return this.space()
    if (char === '"') return this.quoted('"', 'string', 'unterminated quoted string')
    if (char === "'") return this.quoted("'", 'character', 'unterminated character constant')
    if (char === '`') return this.rawString()
    if (char === '$') return this.fieldOrVariable('variable')
    if (char === '.' && !isDigit(this.source[this.at + 1])) return this.fieldOrVariable('field')
    if (char === '.' || char === '+' || char === '-' || isDigit(char)) return this.number()
    if (this.isWordAt(this.at)) return this.identifier()
    return this.punctuation(char)
  }

  private punctuation(char: string): number {
    this.at++
    if (char === ':') {
      if (this.source[this.at++] !== '=') this.fail('expected :=')
      this.emit('declare')
    } else if (char === '=') this.emit('assign')
    else if (char === '|') this.emit('pipe')
    else if (char === '(' || char === ')') {
      this.emit(char === '(' ? 'left-paren' : 'right-paren')
      return char === '(' ? 1 : -1
    } else if (char > ' ' && char < '\x7f') this.emit('char')
    else this.fail(`unrecognized character in action: ${runeAt(this.source, this.at - 1).rune}`)
    return 0
  }

  private space(): number {
    while (isSpace(this.source[this.at]) && this.rightLength(this.at) <= this.delimiters.right.length) this.at++
    this.emit('space')
    return 0
  }

  private quoted(quote: string, kind: TokenKind, problem: string): number {
    for (this.at++; this.source[this.at] !== quote; this.at++) {
      if (this.source[this.at] === '\\') this.at++
      const char = this.source[this.at]
      if (char === undefined || char === '\n') this.fail(problem)
    }
    this.at++
    this.emit(kind)
    return 0
  }

  private rawString(): number {
    const end = this.source.indexOf('`', this.at + 1)
    if (end < 0) this.fail('unterminated raw quoted string')
    this.at = end + 1
    this.emit('raw-string')
    return 0
  }

  private isWordAt(at: number): boolean {
    return at < this.source.length && LETTER_OR_DIGIT.test(runeAt(this.source, at).rune)
  }

  private skipWord(): void {
    while (this.isWordAt(this.at)) this.at += runeAt(this.source, this.at).size
  }

  private isAtTerminator(): boolean {
    const char = this.source[this.at]
    return char === undefined || isSpace(char) || TERMINATORS.includes(char) || this.source.startsWith(this.delimiters.right, this.at)
  }

  private requireTerminator(): void {
    if (!this.isAtTerminator()) this.fail(`bad character ${runeAt(this.source, this.at).rune}`)
  }

  private fieldOrVariable(kind: 'field' | 'variable'): number {
    this.at++
    if (this.isAtTerminator()) {
      this.emit(kind === 'field' ? 'dot' : kind)
      return 0
    }
    this.skipWord()
    this.requireTerminator()
    this.emit(kind)
    return 0
  }

  private identifier(): number {
    this.skipWord()
    const word = this.source.slice(this.start, this.at)
    this.requireTerminator()
    if (KEYWORDS.has(word)) this.emit('keyword')
    else if (word === 'true' || word === 'false') this.emit('bool')
    else if (word === 'nil') this.emit('nil')
    else this.emit('identifier')
    return 0
  }

  private number(): number {
    const pattern =
      /[+-]?(?:0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]*)?)i?/y
    pattern.lastIndex = this.at
    this.at += Math.max(1, pattern.exec(this.source)?.[0].length ?? 0)
    const isStray = this.isWordAt(this.at)
    if (isStray) this.at += runeAt(this.source, this.at).size
    const text = this.source.slice(this.start, this.at)
    if (isStray || text === '+' || text === '-') this.fail(`bad number syntax: "${text}"`)
    this.emit('number')
    return 0
  }
}

function isSpace(char: string | undefined): boolean {
  return char !== undefined && SPACES.includes(char)
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9'
}

function trimEnd(text: Bytes): Bytes {
  return text.replace(/[ \t\r\n]+$/, '')
}
