/**
 * HCL's own words for what is wrong with a text. `@cdktf/hcl2json` wraps HCL compiled to WebAssembly; only its refusals
 * are used.
 */
import type { Mistake } from '../../domain/index.js'
import { type Fault, type Limits, toMistakes } from '../../jobspec/index.js'

/** Names the file in messages, so that their beginnings can be told from text that looks like them. */
const SENTINEL = '\u0001f'
const SYNTAX_PREFIX = 'parse config: ['
const NESTING_SAFE = 250

let parser: ((filename: string, text: string) => Promise<unknown>) | undefined
let onLoading: (isLoading: boolean) => void = () => {}

/** Loading HCL takes as long as the machine needs for it, and that is not the file's doing: whoever counts time is told. */
export function whenLoadingHcl(listener: (isLoading: boolean) => void): void {
  onLoading = listener
}

async function loadParser(): Promise<(filename: string, text: string) => Promise<unknown>> {
  onLoading(true)
  const { parse } = await import('@cdktf/hcl2json')
  // The first text is what compiles it.
  await parse(SENTINEL, '')
  onLoading(false)
  return parse
}

/** Empty when HCL has no objection, or cannot be asked. */
export async function explainSyntax(path: string, text: string, limits: Limits): Promise<readonly Mistake[]> {
  if (text.length > limits.fileBytesMax || !isSafeForHcl(text)) return []
  parser ??= await loadParser()
  try {
    await parser(SENTINEL, text)
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message.startsWith(SYNTAX_PREFIX) ? readDiagnostics(path, text, message.slice(SYNTAX_PREFIX.length, -1)) : []
  }
}

/** HCL's own reader has ended, or not come to an end, on texts beyond these bounds: such a text is refused in our words only. */
export function isSafeForHcl(text: string): boolean {
  return roughNesting(text) <= NESTING_SAFE && !/[0-9][eE][+-]?[0-9]{4}/.test(text)
}

/** Brackets inside each other if every bracket counted, and runs of operators that nest without brackets. */
function roughNesting(text: string): number {
  let depth = 0
  let deepest = 0
  for (const match of text.matchAll(/[([{]|[)\]}]|[!-]{2,}|\?/g)) {
    const [found] = match
    if (')]}'.includes(found)) depth = Math.max(0, depth - 1)
    else depth += found.length
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

const DIAGNOSTIC = new RegExp(`(?:^| )${SENTINEL}:(\\d+),(\\d+)-(?:(\\d+),)?(\\d+): `, 'g')
/** Another place that a message refers to. */
const REFERENCE = new RegExp(`${SENTINEL}:(\\d+),(\\d+)-[\\d,]+`, 'g')

/** `name:line,column-[line,]column: Summary; Detail`, joined by blanks. Columns count grapheme clusters. */
function readDiagnostics(path: string, text: string, joined: string): readonly Mistake[] {
  const heads = [...joined.matchAll(DIAGNOSTIC)]
  const faults = heads.map((head, at): Fault => {
    const body = joined
      .slice(head.index + head[0].length, heads[at + 1]?.index)
      .replace(REFERENCE, (_, line, column) => `${path}:${line}:${column}`)
    const cut = body.indexOf('; ')
    const start = offsetOf(text, Number(head[1]), Number(head[2]))
    const end = offsetOf(text, Number(head[3] ?? head[1]), Number(head[4]))
    const summary = cut < 0 ? body : body.slice(0, cut)
    return {
      summary,
      detail: summary === UNTERMINATED ? (describeMarker(text) ?? body.slice(cut + 2)) : cut < 0 ? '' : body.slice(cut + 2),
      source: { path, text },
      span: { start, end },
    }
  })
  return toMistakes(withoutCascade(faults), path)
}

const UNTERMINATED = 'Unterminated template string'
const OPEN_STRING = 'Invalid multi-line string'

/** Where a text is open at the end of its line, what follows is read as part of it: those mistakes are not the author's. */
function withoutCascade(faults: readonly Fault[]): readonly Fault[] {
  const first = faults.findIndex(({ summary }) => summary === OPEN_STRING)
  return first < 0 ? faults : faults.slice(0, Math.max(1, first))
}

/** The marker of a heredoc is there, only its line does not end; undefined where that is not so. */
function describeMarker(text: string): string | undefined {
  const marker = text.slice(text.lastIndexOf('\n') + 1).trim()
  const isMarker = /^[A-Za-z_][\w-]*$/.test(marker) && new RegExp(`<<-?${marker}\\r?\\n`).test(text)
  return isMarker ? `The marker ${marker} must be followed by a newline, and the file ends right after it.` : undefined
}

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' })

function offsetOf(text: string, line: number, column: number): number {
  let start = 0
  for (let at = 1; at < line; at++) {
    const newline = text.indexOf('\n', start)
    if (newline < 0) return text.length
    start = newline + 1
  }
  const newline = text.indexOf('\n', start)
  let offset = start
  let seen = 1
  for (const { segment } of SEGMENTER.segment(text.slice(start, newline < 0 ? undefined : newline))) {
    if (seen++ >= column) break
    offset += segment.length
  }
  return offset
}
