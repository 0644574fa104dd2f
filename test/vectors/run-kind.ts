/** Runs one kind over files and tells, case by case, what differs. Serves `npm run vectors` and `npm test` alike. */
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CaseResult, VectorKind } from './kind.js'
import { KINDS } from './kinds/index.js'
import { KNOWN_DIFFERENCES } from './known-differences.js'

const DATA = fileURLToPath(new URL('./data/', import.meta.url))

/** The kinds that `name` means: one, or all of a folder. */
export function findKinds(name: string): readonly VectorKind[] {
  const exact = KINDS.filter((kind) => kind.kind === name)
  return exact.length > 0 ? exact : KINDS.filter((kind) => kind.kind.startsWith(`${name}/`))
}

export function ownPath(kind: VectorKind): string {
  return `${DATA}${kind.kind}.json`
}

export async function* runKind(kind: VectorKind, path: string): AsyncIterable<CaseResult> {
  const isOwn = path === ownPath(kind)
  const content: unknown = statSync(path).isDirectory() ? path : JSON.parse(readFileSync(path, 'utf8'))
  const listed = KNOWN_DIFFERENCES[kind.kind] ?? {}
  for await (const result of kind.run(content, path)) {
    const reason = listed[result.name]
    if (reason === undefined) yield result
    else if (result.mismatches.length > 0) yield { ...result, mismatches: [] }
    else if (isOwn)
      yield { ...result, mismatches: [{ path: '$', expected: `a difference (${reason})`, got: 'none: take it off the list' }] }
    else yield result
  }
}
