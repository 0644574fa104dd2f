/** Runs one kind over files and tells, case by case, what differs. Serves `npm run vectors` and `npm test` alike. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
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

/**
 * Which of several kinds the path of cases is of: by its name, as the project's own files have it; in a folder, each file for itself.
 * @throws Error when the name tells nothing
 */
export function sortPath(kinds: readonly VectorKind[], path: string): readonly (readonly [VectorKind, string])[] {
  const [only, ...others] = kinds
  if (only !== undefined && others.length === 0) return [[only, path]]
  const isFolder = statSync(path).isDirectory()
  const found = isFolder
    ? kinds.map((kind) => [kind, join(path, `${basename(kind.kind)}.json`)] as const).filter(([, file]) => existsSync(file))
    : kinds.filter((kind) => basename(kind.kind) === basename(path, '.json')).map((kind) => [kind, path] as const)
  if (found.length > 0) return found
  throw new Error(`${path} has the name of no kind; say which it is of: ${kinds.map((kind) => kind.kind).join(' ')}`)
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
