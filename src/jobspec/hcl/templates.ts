/**
 * Templates: quoted texts, heredocs and the strings of JSON. First the pieces in order (literal text, `${…}`, `%{…}`), then
 * the marks that eat blanks, then the indentation of `<<-`, and at last the tree of the directives.
 */

import { suggestFirst } from '../mistakes.js'
import type { Expression, ForExpression, Span, Template } from '../syntax.js'
import { readExpression, readName } from './expressions.js'
import type { Cursor } from './tokens.js'

type Piece = LiteralPiece | InterpolationPiece | DirectivePiece

interface LiteralPiece extends Span {
  readonly kind: 'literal'
  value: string
}

interface Trims {
  /** `~` inside the opening mark: eats blanks of the literal before it. */
  readonly trimsBefore: boolean
  /** `~` inside the closing mark: eats blanks of the literal after it. */
  readonly trimsAfter: boolean
}

interface InterpolationPiece extends Span, Trims {
  readonly kind: 'interpolation'
  readonly expression: Expression
}

type Directive =
  | { readonly word: 'if'; readonly condition: Expression }
  | { readonly word: 'for'; readonly keyName: string | undefined; readonly valueName: string; readonly collection: Expression }
  | { readonly word: 'else' | 'endif' | 'endfor' }

interface DirectivePiece extends Span, Trims {
  readonly kind: 'directive'
  readonly directive: Directive
}

/** Where a piece of literal text may end. */
type Mode = { readonly kind: 'quoted' } | { readonly kind: 'heredoc'; readonly marker: string } | { readonly kind: 'bare' }

const BLANKS = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+'
const LEADING_BLANKS = new RegExp(`^${BLANKS}`, 'u')
const TRAILING_BLANKS = new RegExp(`${BLANKS}$`, 'u')
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

export function readQuoted(cursor: Cursor): Expression {
  const open = cursor.read()
  const pieces = cursor.within(() => readPieces(cursor, { kind: 'quoted' }))
  const end = cursor.position + 1
  cursor.moveTo(end)
  return buildTemplate(cursor, pieces, { start: cursor.start(open.start), end: cursor.end(end) })
}

export function readHeredoc(cursor: Cursor): Expression {
  const open = cursor.read()
  const head = cursor.word(open)
  const isFlush = head[2] === '-'
  const marker = head.slice(isFlush ? 3 : 2).trim()
  const pieces = cursor.within(() => readPieces(cursor, { kind: 'heredoc', marker }))
  const span = { start: cursor.start(open.start), end: cursor.end(cursor.position) }
  return buildTemplate(cursor, pieces, span, isFlush)
}

/** The whole text is the template, as strings of JSON are; no escapes but `$${` and `%%{`. */
export function readBareTemplate(cursor: Cursor): Expression {
  const pieces = readPieces(cursor, { kind: 'bare' })
  return buildTemplate(cursor, pieces, { start: cursor.start(0), end: cursor.end(cursor.text.length) })
}

/** A label: a quoted text without interpolation. */
export function readQuotedLiteral(cursor: Cursor): string {
  const open = cursor.read()
  const pieces = readPieces(cursor, { kind: 'quoted' })
  cursor.moveTo(cursor.position + 1)
  for (const piece of pieces) {
    if (piece.kind !== 'literal')
      cursor.fail(
        'Invalid string literal',
        'Template sequences are not allowed in this string. To include a literal "$", double it (as "$$") to escape it.',
        piece,
      )
  }
  const text = pieces.map((piece) => (piece.kind === 'literal' ? piece.value : '')).join('')
  if (text === '' && pieces.length === 0 && open.end === open.start) return ''
  return text.normalize('NFC')
}

/** Leaves the cursor at the closing quote, behind the heredoc's end mark, or at the end of the text. */
function readPieces(cursor: Cursor, mode: Mode): Piece[] {
  const { text } = cursor
  const pieces: Piece[] = []
  let at = cursor.position
  let from = at
  let isLineStart = true
  const flush = (): void => {
    if (at > from)
      pieces.push({
        kind: 'literal',
        value: cook(cursor, text.slice(from, at), mode, from),
        start: cursor.start(from),
        end: cursor.end(at),
      })
    from = at
  }
  for (;;) {
    if (mode.kind === 'heredoc' && isLineStart) {
      const end = heredocEnd(text, at, mode.marker)
      if (end !== undefined) {
        flush()
        cursor.moveTo(end)
        return pieces
      }
      isLineStart = false
    }
    const char = text[at]
    if (char === undefined) {
      if (mode.kind !== 'bare')
        cursor.fail('Unterminated template string', 'No closing marker was found for the string.', { start: at, end: at })
      flush()
      cursor.moveTo(at)
      return pieces
    }
    if (char === '\r' && text[at + 1] !== '\n' && mode.kind !== 'bare') {
      cursor.fail('Invalid character', 'This character is not used within the language.', { start: at, end: at + 1 })
    }
    if (mode.kind === 'quoted') {
      if (char === '"') {
        flush()
        cursor.moveTo(at)
        return pieces
      }
      if (char === '\n') {
        cursor.fail(
          'Invalid multi-line string',
          'Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the "heredoc" multi-line template syntax.',
          { start: at, end: at + 1 },
        )
      }
      if (char === '\\') {
        at += 2
        continue
      }
    }
    if ((char === '$' || char === '%') && text[at + 1] === char && text[at + 2] === '{') {
      at += 3
    } else if ((char === '$' || char === '%') && text[at + 1] === '{') {
      flush()
      pieces.push(readSequence(cursor, at))
      at = cursor.position
      from = at
    } else {
      at++
      if (char === '\n' && mode.kind === 'heredoc') {
        flush()
        isLineStart = true
      }
    }
  }
}

/** Where the line that starts at `at` ends, when it holds nothing but the marker and is followed by a newline. */
function heredocEnd(text: string, at: number, marker: string): number | undefined {
  const newline = text.indexOf('\n', at)
  if (newline < 0 || newline - at < marker.length) return undefined
  const end = text[newline - 1] === '\r' ? newline - 1 : newline
  const line = text.slice(at, end)
  return line.trim() === marker && !line.includes('\r') ? end : undefined
}

function cook(cursor: Cursor, raw: string, mode: Mode, from: number): string {
  const isEscaped = mode.kind === 'quoted' && raw.includes('\\')
  if (!isEscaped && !raw.includes('{')) return raw
  if (mode.kind !== 'quoted') return raw.replace(/\$\$\{/g, () => '${').replace(/%%\{/g, '%{')
  return raw.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\([\s\S])|\$\$\{|%%\{/g,
    (found, four: string | undefined, eight: string | undefined, one: string | undefined, at: number) => {
      if (found === '$${') return '${'
      if (found === '%%{') return '%{'
      const code = Number.parseInt(four ?? eight ?? '', 16)
      if (code >= 0xd800 && code <= 0xdfff)
        return cursor.fail('Invalid escape sequence', `Cannot encode character U+${code.toString(16)} in UTF-8.`, {
          start: from + at,
          end: from + at + found.length,
        })
      if (code <= 0x10ffff) return String.fromCodePoint(code)
      const plain = one === undefined ? undefined : ESCAPES[one]
      if (plain !== undefined && Object.hasOwn(ESCAPES, one ?? '')) return plain
      return cursor.fail('Invalid escape sequence', `The symbol "${one ?? found}" is not a valid escape sequence selector.`, {
        start: from + at,
        end: from + at + found.length,
      })
    },
  )
}

/** At `${` or `%{`; leaves the cursor behind the closing brace. */
function readSequence(cursor: Cursor, at: number): InterpolationPiece | DirectivePiece {
  const { text } = cursor
  const trimsBefore = text[at + 2] === '~'
  const isDirective = text[at] === '%'
  cursor.moveTo(at + (trimsBefore ? 3 : 2))
  return cursor.nested(false, () => {
    const inner = isDirective ? readDirective(cursor) : readExpression(cursor)
    const close = cursor.peek()
    const trimsAfter = text[close.start] === '~'
    const end = close.start + (trimsAfter ? 1 : 0)
    if (text[end] !== '}') {
      if (isDirective)
        cursor.fail('Extra characters in control sequence', 'Expected a closing brace to end the sequence, but found extra characters.')
      if (close.kind === 'end') cursor.fail('Unclosed template interpolation sequence', NEVER_CLOSED)
      cursor.fail('Extra characters after interpolation expression', EXTRA_CHARACTERS)
    }
    cursor.moveTo(end + 1)
    const common = { trimsBefore, trimsAfter, start: cursor.start(at), end: cursor.end(end + 1) }
    return isDirective
      ? { kind: 'directive', directive: inner as Directive, ...common }
      : { kind: 'interpolation', expression: inner as Expression, ...common }
  })
}

const NEVER_CLOSED =
  'There is no closing brace for this interpolation sequence before the end of the file. This might be caused by incorrect nesting inside the given expression.'
const EXTRA_CHARACTERS = `Expected a closing brace to end the interpolation expression, but found extra characters.

This can happen when you include interpolation syntax for another language, such as shell scripting, but forget to escape the \
interpolation start token. If this is an embedded sequence for another language, escape it by starting with "$\${" instead of just "\${".`

const DIRECTIVES = ['if', 'for', 'else', 'endif', 'endfor']

function readDirective(cursor: Cursor): Directive {
  const token = cursor.peek()
  if (token.kind !== 'identifier')
    cursor.fail(
      'Invalid template directive',
      'A template directive keyword ("if", "for", etc) is expected at the beginning of a %{ sequence.',
    )
  const word = cursor.word(token)
  switch (word) {
    case 'if':
      cursor.read()
      return { word, condition: readExpression(cursor) }
    case 'else':
    case 'endif':
    case 'endfor':
      cursor.read()
      return { word }
    case 'for': {
      cursor.read()
      const first = readName(cursor)
      const second = cursor.take(',') ? readName(cursor) : undefined
      if (!cursor.isWord('in')) cursor.fail("Invalid 'for' directive", "For directive requires 'in' keyword after names.")
      cursor.read()
      return { word, keyName: second === undefined ? undefined : first, valueName: second ?? first, collection: readExpression(cursor) }
    }
    default: {
      const near = suggestFirst(word, DIRECTIVES)
      const hint = near === undefined ? '' : ` Did you mean "${near}"?`
      return cursor.fail('Invalid template control keyword', `"${word}" is not a valid template control keyword.${hint}`)
    }
  }
}

function buildTemplate(cursor: Cursor, pieces: Piece[], span: Span, isFlush = false): Expression {
  trimBlanks(pieces)
  if (isFlush) removeIndent(pieces)
  const melded = meld(pieces)
  const [only] = melded
  if (melded.length === 1 && only?.kind === 'interpolation') return { kind: 'wrap', inner: only.expression, ...span }
  const builder = new TemplateBuilder(cursor, melded)
  return { kind: 'template', parts: builder.build(), ...span }
}

function trimBlanks(pieces: readonly Piece[]): void {
  pieces.forEach((piece, at) => {
    if (piece.kind === 'literal') return
    const before = pieces[at - 1]
    const after = pieces[at + 1]
    if (piece.trimsBefore && before?.kind === 'literal') before.value = before.value.replace(TRAILING_BLANKS, '')
    if (piece.trimsAfter && after?.kind === 'literal') after.value = after.value.replace(LEADING_BLANKS, '')
  })
}

/** `<<-`: takes the smallest indentation away from every line. A line that begins with `${` has none; blank lines do not count. */
function removeIndent(pieces: readonly Piece[]): void {
  const lineStarts: LiteralPiece[] = []
  let smallest = Number.POSITIVE_INFINITY
  let isLineStart = true
  for (const piece of pieces) {
    if (isLineStart) smallest = Math.min(smallest, indentOf(piece, lineStarts))
    isLineStart = piece.kind === 'literal' && piece.value.endsWith('\n')
  }
  for (const piece of lineStarts) piece.value = [...piece.value].slice(smallest).join('')
}

function indentOf(piece: Piece, lineStarts: LiteralPiece[]): number {
  if (piece.kind !== 'literal') return 0
  const text = piece.value.replace(LEADING_BLANKS, '')
  if (text === '' && piece.value.endsWith('\n')) return Number.POSITIVE_INFINITY
  lineStarts.push(piece)
  return [...piece.value.slice(0, piece.value.length - text.length)].length
}

/** Joins neighbouring literals and drops empty ones. */
function meld(pieces: readonly Piece[]): Piece[] {
  const melded: Piece[] = []
  for (const piece of pieces) {
    const last = melded.at(-1)
    if (piece.kind === 'literal' && last?.kind === 'literal')
      melded[melded.length - 1] = { ...last, value: last.value + piece.value, end: piece.end }
    else melded.push(piece)
  }
  return melded.filter((piece) => piece.kind !== 'literal' || piece.value !== '' || melded.length === 1)
}

type Stop = 'else' | 'endif' | 'endfor'

class TemplateBuilder {
  private at = 0

  constructor(
    private readonly cursor: Cursor,
    private readonly pieces: readonly Piece[],
  ) {}

  build(): Expression[] {
    const parts = this.parts([], undefined)
    return parts
  }

  /** Parts up to one of the directives in `stops`, which is left to be read by the caller. */
  private parts(stops: readonly Stop[], opener: DirectivePiece | undefined): Expression[] {
    const parts: Expression[] = []
    for (;;) {
      const piece = this.pieces[this.at]
      if (piece === undefined) {
        if (opener === undefined) return parts
        this.cursor.fail(
          'Unexpected end of template',
          `The ${opener.directive.word} directive is missing its corresponding end${opener.directive.word} directive.`,
          opener,
        )
      }
      this.at++
      if (piece.kind === 'literal') {
        if (piece.value !== '' || this.pieces.length === 1)
          parts.push({ kind: 'string', value: piece.value.normalize('NFC'), start: piece.start, end: piece.end })
      } else if (piece.kind === 'interpolation') parts.push(piece.expression)
      else {
        const { directive } = piece
        if (directive.word === 'if') parts.push(this.cursor.within(() => this.conditional(piece, directive.condition)))
        else if (directive.word === 'for') parts.push(this.cursor.within(() => this.loop(piece, directive)))
        else if (stops.includes(directive.word)) return parts
        else
          this.cursor.fail(`Unexpected ${directive.word} directive`, 'The control directives within this template are unbalanced.', piece)
      }
    }
  }

  private conditional(opener: DirectivePiece, condition: Expression): Expression {
    const whenTrue = this.template(this.parts(['else', 'endif'], opener), opener)
    const closer = this.pieces[this.at - 1] as DirectivePiece
    const whenFalse = this.template(closer.directive.word === 'else' ? this.parts(['endif'], opener) : [], closer)
    const end = this.pieces[this.at - 1]?.end ?? opener.end
    return { kind: 'conditional', condition, whenTrue, whenFalse, start: opener.start, end }
  }

  private loop(opener: DirectivePiece, directive: Extract<Directive, { word: 'for' }>): Expression {
    const value = this.template(this.parts(['endfor'], opener), opener)
    const end = this.pieces[this.at - 1]?.end ?? opener.end
    const { keyName, valueName, collection } = directive
    const each: ForExpression = {
      kind: 'for',
      keyName,
      valueName,
      collection,
      key: undefined,
      value,
      condition: undefined,
      isGrouped: false,
      start: opener.start,
      end,
    }
    return { kind: 'join', each, start: opener.start, end }
  }

  private template(parts: readonly Expression[], span: Span): Template {
    return { kind: 'template', parts, start: span.start, end: span.end }
  }
}
