/** `npm run vectors -- KIND [PATH …]`: mismatches one a line, then `N passed, M failed`; exit code 1 when any failed. */
import type { VectorKind } from './kind.js'
import { KINDS } from './kinds/index.js'
import { findKinds, ownPath, runKind, sortPath } from './run-kind.js'

const [name, ...paths] = process.argv.slice(2)
if (name === 'lifecycle' || name === 'docker') {
  const { runStories } = await import('../lifecycle/run.js')
  process.exit(await runStories(paths, name))
}
const kinds = name === undefined ? KINDS : findKinds(name)
if (kinds.length === 0) {
  console.error(`no vectors of kind ${name}; there are: ${KINDS.map((kind) => kind.kind).join(' ')}`)
  process.exit(1)
}

let passed = 0
let failed = 0
for (const [kind, path] of casesOf(kinds, paths)) {
  for await (const result of runKind(kind, path)) {
    if (result.mismatches.length === 0) passed++
    else failed++
    for (const { path: at, expected, got } of result.mismatches) {
      console.log(`${kind.kind} ${result.name} ${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function casesOf(asked: typeof kinds, given: readonly string[]): readonly (readonly [VectorKind, string])[] {
  if (given.length === 0) return asked.map((kind) => [kind, ownPath(kind)])
  try {
    return given.flatMap((path) => sortPath(asked, path))
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
