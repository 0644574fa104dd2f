/** Writes test/vectors/open-cases.json anew from what fails now. For whoever closes cases; a review reads the diff. */
import { writeFileSync } from 'node:fs'
import { KINDS } from '../test/vectors/kinds/index.js'
import { ownPath, runKind } from '../test/vectors/run-kind.js'

const open: Record<string, string[]> = {}
for (const kind of KINDS) {
  const names: string[] = []
  for await (const result of runKind(kind, ownPath(kind))) if (result.mismatches.length > 0) names.push(result.name)
  if (names.length > 0) open[kind.kind] = names
}
writeFileSync('test/vectors/open-cases.json', `${JSON.stringify(open, null, 2)}\n`)
