/** Mistakes of authors: where, what, and how to mend it. Inside the layer a fault names a span; a `Mistake` is what people see. */
import { type Mistake, placeText, shorten } from '../domain/index.js'
import type { Span } from './syntax.js'

export type { Mistake }

/** A mistake before its place is worked out. Without a span it concerns the file as a whole. */
export interface Fault {
  readonly summary: string
  readonly detail: string
  readonly source?: SourceText
  readonly span?: Span
}

export interface SourceText {
  readonly path: string
  readonly text: string
}

export interface Place {
  readonly line: number
  readonly column: number
}

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' })
const SNIPPET_COLUMNS_MAX = 160

export function fault(source: SourceText, span: Span, summary: string, detail: string): Fault {
  return { summary, detail, source, span }
}

/** Line and column of an offset, both from 1; columns count what a reader sees as one character. */
export function placeOf(text: string, offset: number): Place {
  let line = 1
  let lineStart = 0
  for (;;) {
    const newline = text.indexOf('\n', lineStart)
    if (newline < 0 || newline >= offset) break
    line++
    lineStart = newline + 1
  }
  const before = text.slice(lineStart, offset)
  return { line, column: countGraphemes(before) + 1 }
}

export function countGraphemes(text: string): number {
  if (/^[\x20-\x7e\t]*$/.test(text)) return text.length
  let count = 0
  for (const _ of SEGMENTER.segment(text)) count++
  return count
}

/** The grapheme clusters of a text, in order. */
export function graphemes(text: string): string[] {
  if (/^[\x20-\x7e\t]*$/.test(text)) return text.split('')
  return Array.from(SEGMENTER.segment(text), (part) => part.segment)
}

/** Of one file: more than anybody mends at once, and little enough to be kept and looked up in a long text. */
export const MISTAKES_MAX = 100
const TEXT_LENGTH_MAX = 4_000

export function toMistake(one: Fault, path: string): Mistake {
  const { source, span } = one
  const said = { summary: shorten(one.summary, TEXT_LENGTH_MAX), detail: shorten(one.detail, TEXT_LENGTH_MAX) }
  if (source === undefined || span === undefined) return { path: source?.path ?? path, line: 0, column: 0, ...said, snippet: '' }
  const { line, column } = placeOf(source.text, span.start)
  const end = placeOf(source.text, Math.max(span.start, span.end))
  return { path: source.path, line, column, end, ...said, snippet: snippetOf(source.text, span) }
}

/** The first hundred, and last how many more there are. `unseen`: mistakes that `faults` does not hold. */
export function toMistakes(faults: readonly Fault[], path: string, unseen = 0): readonly Mistake[] {
  const told = faults.slice(0, MISTAKES_MAX).map((one) => toMistake(one, path))
  const more = faults.length - told.length + unseen
  if (more === 0) return told
  return [...told, { ...toMistake({ summary: `and ${more} more ${more === 1 ? 'mistake' : 'mistakes'}`, detail: '' }, path), more }]
}

/** The line of the span, and carets under the part of the span that lies on it. */
function snippetOf(text: string, span: Span): string {
  const lineStart = text.lastIndexOf('\n', Math.max(0, span.start - 1)) + 1
  const from = span.start > 0 && text[span.start - 1] === '\n' ? span.start : lineStart
  const newline = text.indexOf('\n', from)
  const lineEnd = newline < 0 ? text.length : newline
  const line = text.slice(from, lineEnd).replace(/\r$/, '')
  if (line.length > SNIPPET_COLUMNS_MAX) return ''
  const lead = line.slice(0, span.start - from).replace(/[^\t]/g, ' ')
  const width = Math.max(1, countGraphemes(text.slice(span.start, Math.min(Math.max(span.end, span.start), from + line.length))))
  return `${line}\n${lead}${'^'.repeat(width)}`
}

/** ANSI colour only when asked for: this layer does not know the terminal. */
export function formatMistake(mistake: Mistake, options: { readonly color: boolean } = { color: false }): string {
  const paint = (code: number, text: string): string => (options.color ? `\u001b[${code}m${text}\u001b[0m` : text)
  const where = placeText(mistake)
  const head = `${paint(1, where)}: ${paint(31, mistake.summary)}`
  const [line, carets] = mistake.snippet === '' ? [] : mistake.snippet.split('\n')
  const margin = mistake.line === 0 ? '' : String(mistake.line)
  const snippet =
    line === undefined
      ? []
      : [`  ${paint(2, `${margin} |`)} ${line}`, `  ${paint(2, `${' '.repeat(margin.length)} |`)} ${paint(31, carets ?? '')}`]
  const detail = mistake.detail === '' ? [] : mistake.detail.split('\n').map((text) => `  ${text}`)
  return [head, ...snippet, ...detail].join('\n')
}

/** The known name that is nearest to `name`, when one is near enough to be what was meant. */
export function suggestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** As HCL suggests names itself: the first that fewer than three letters tell apart, whether a later one is nearer or not. */
export function suggestFirst(name: string, known: Iterable<string>): string | undefined {
  for (const candidate of known) if (editDistance(name, candidate, 3) < 3) return candidate
  return undefined
}

/** Insertions, deletions, substitutions and swaps of neighbours; at most `limit`. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const substitution = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1, isSwap ? before[j - 2]! + 1 : limit))
    }
    before = row
    row = next
  }
  return Math.min(limit, row[right.length]!)
}
