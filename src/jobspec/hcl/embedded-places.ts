/** Where the characters of a text stand in the file whose JSON or YAML string says it. Pure. */
import type { Span } from '../syntax.js'

export interface EmbeddedPlaces {
  /** Of the character at this offset of the text, in the file. */
  start(offset: number): number
  /** Of what ends before this offset. */
  end(offset: number): number
}

const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|.)|[^\\]/gs

/** @param span of the string, with its quotes. Where its characters are not the text's own, nor escapes of JSON, only the string's place is known. */
export function embeddedPlaces(file: string, text: string, span: Span): EmbeddedPlaces {
  const written = file.slice(span.start, span.end)
  if (written === text) return shifted(span.start)
  const inner = written.slice(1, -1)
  const isQuoted = written.length > 1 && /^["']$/.test(written[0]!) && written.endsWith(written[0]!)
  if (!isQuoted) return wholeString(span)
  if (inner === text) return shifted(span.start + 1)
  return written[0] === '"' && isJsonOf(written, text) ? escaped(inner, span.start + 1) : wholeString(span)
}

function isJsonOf(written: string, text: string): boolean {
  try {
    return JSON.parse(written) === text
  } catch {
    return false
  }
}

function shifted(by: number): EmbeddedPlaces {
  const at = (offset: number) => by + offset
  return { start: at, end: at }
}

function wholeString({ start, end }: Span): EmbeddedPlaces {
  return { start: () => start, end: () => end }
}

function escaped(inner: string, from: number): EmbeddedPlaces {
  const starts = Array.from(inner.matchAll(ESCAPE), ({ index }) => from + index)
  const at = (offset: number) => starts[offset] ?? from + inner.length
  return { start: at, end: at }
}
