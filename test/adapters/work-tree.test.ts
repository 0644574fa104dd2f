import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WorkTree } from '../../src/adapters/git/work-tree.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-work-tree-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), '')
  }
}

const listed = async (seenMax?: number) => (await new WorkTree(root).list(seenMax)).map(({ path }) => path)

test('a folder that is no repository is listed to its end', async () => {
  write('a.nomad.hcl', 'deep/er/b.tpl', '.git.txt')
  expect(await listed()).toEqual(['.git.txt', 'a.nomad.hcl', 'deep/er/b.tpl'])
})

test('or as far as is asked for, what is near before what is deep', async () => {
  write('a.nomad.hcl', 'z/b.tpl', ...Array.from({ length: 20 }, (_, at) => `deep/er/${at}.tpl`))
  expect(await listed(4)).toEqual(['a.nomad.hcl', 'z/b.tpl'])
})
