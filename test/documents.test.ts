/** The documents hold together: every room says what belongs in it, and no link between them leads nowhere. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const rooms = readdirSync(join(ROOT, 'src'))
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => !path.startsWith('test/vectors/data/'))

/** Paths that a document links to, from the root of the repository. */
function linksOf(path: string): readonly string[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, target]) => join(dirname(path), target!))
}

describe.each(rooms)('src/%s', (room) => {
  test.each(['CONTRIBUTING.md', 'docs/architecture.md'])('has a README that %s links', (path) => {
    expect(linksOf(path)).toContain(`src/${room}/README.md`)
  })
})

test.each(documents)('%s links to what is there', (path) => {
  expect(linksOf(path).filter((target) => !existsSync(join(ROOT, target)))).toEqual([])
})
