/**
 * A file of `vars/`: a YAML mapping. What is wrong is told by name and place only, never with the text of the file: it may hold secrets.
 */
import { type Document, isMap, isScalar, LineCounter, type Pair, parseDocument, type Scalar } from 'yaml'
import type { Mistake } from '../../domain/index.js'

/** Notes a mistake at a place of the text; undefined: of the file. */
export type Noting = (offset: number | undefined, summary: string, detail: string) => void

export interface Member {
  readonly name: string
  readonly offset: number | undefined
  readonly value: Pair['value']
}

/** Reads each member; what `read` notes is in the mistakes. */
export function readMapping(
  path: string,
  text: string,
  isWhat: { readonly summary: string; readonly detail: string },
  read: (member: Member, note: Noting) => void,
): readonly Mistake[] {
  const lines = new LineCounter()
  const document: Document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' })
  const mistakes: Mistake[] = []
  const note: Noting = (offset, summary, detail) => {
    const { line, col } = offset === undefined ? { line: 0, col: 0 } : lines.linePos(offset)
    mistakes.push({ path, line, column: col, summary, detail, snippet: '' })
  }
  for (const { code, pos } of document.errors) note(pos[0], `Invalid YAML: ${describeCode(code)}`, 'Correct the YAML.')
  if (mistakes.length > 0) return mistakes
  const { contents } = document
  if (!isMap(contents)) note(0, isWhat.summary, isWhat.detail)
  else for (const { key, value } of contents.items as readonly Pair[]) read({ ...nameOf(key), value }, note)
  return mistakes
}

/** The words of an error quote the text; its code, such as `DUPLICATE_KEY`, does not. */
function describeCode(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ')
}

function nameOf(key: unknown): { readonly name: string; readonly offset: number | undefined } {
  return isScalar(key) ? { name: textOf(key), offset: key.range?.[0] } : { name: '', offset: undefined }
}

/** Values are texts: numbers and the like stay as they are written. */
export function textOf(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : String(scalar.source ?? scalar.value)
}
