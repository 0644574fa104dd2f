import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CliGitSource } from '../../src/adapters/git/git-source.js'
import { SeededRandom } from '../simulation/seeded-random.js'

let folder: string
let source: CliGitSource | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-git-'))
  git('init', '-q', '-b', 'main')
})
afterEach(async () => {
  await source?.close()
  source = undefined
  rmSync(folder, { recursive: true, force: true })
})

function git(...words: string[]): string {
  return execFileSync('git', ['-C', folder, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...words], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim()
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function commit(files: Record<string, string>, message = 'change'): string {
  for (const [path, text] of Object.entries(files)) write(path, text)
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', message)
  return git('rev-parse', 'HEAD')
}

async function open(ref = 'HEAD'): Promise<CliGitSource> {
  source = await CliGitSource.open({ repository: folder, ref })
  return source
}

test('a commit is told with author, subject and Drover trailers', async () => {
  const id = commit({}, 'Remove much\n\nBecause.\n\nDrover-Allow-Delete: a b\nSigned-off-by: Ann <ann@example.org>')
  const found = await (await open()).resolve()
  expect(found).toMatchObject({ id, author: 'Ann', authorEmail: 'ann@example.org', subject: 'Remove much' })
  expect(found.trailers).toEqual([{ key: 'Drover-Allow-Delete', value: 'a b' }])
})

test('entries come from the commit, not from the work tree, and links are told as such', async () => {
  mkdirSync(join(folder, 'jobs'))
  symlinkSync('/etc/passwd', join(folder, 'jobs', 'link.nomad'))
  const id = commit({ 'jobs/a.nomad': 'A', 'jobs/deep/er/b.nomad': 'B', 'other/c': 'C' })
  writeFileSync(join(folder, 'jobs/a.nomad'), 'half written')
  const opened = await open()
  const entries = await opened.list(id)
  expect(entries.map((entry) => `${entry.path} ${entry.mode}`)).toEqual([
    'jobs/a.nomad file',
    'jobs/deep/er/b.nomad file',
    'jobs/link.nomad symlink',
    'other/c file',
  ])
  const contents = await opened.read([entries[0]!.blob, entries[1]!.blob], 1_000)
  expect([...contents.values()].map((content) => content.kind === 'bytes' && Buffer.from(content.bytes).toString())).toEqual(['A', 'B'])
})

test('a listing makes anew only what has changed', async () => {
  const files = Object.fromEntries(['a', 'b', 'c', 'd/x', 'd/y', 'e'].map((path) => [`jobs/${path}`, path]))
  const opened = await open()
  const before = await opened.list(commit(files))
  rmSync(join(folder, 'jobs/c'))
  const after = await opened.list(commit({ 'jobs/a': 'changed', 'jobs/bb': 'new', 'jobs/d/y': 'changed' }))
  expect(after.map(({ path }) => path)).toEqual(['jobs/a', 'jobs/b', 'jobs/bb', 'jobs/d/x', 'jobs/d/y', 'jobs/e'])
  const same = after.filter((entry) => before.includes(entry)).map(({ path }) => path)
  expect(same).toEqual(['jobs/b', 'jobs/d/x', 'jobs/e'])
  expect(after.map(({ blob }) => blob)).toEqual(after.map(({ path }) => git('rev-parse', `HEAD:${path}`)))
})

test('a blob beyond the limit is told by its size and not read', async () => {
  const id = commit({ 'jobs/big.nomad': 'x'.repeat(10_000) })
  const opened = await open()
  const [entry] = await opened.list(id)
  expect((await opened.read([entry!.blob], 1_000)).get(entry!.blob)).toEqual({ kind: 'too-large', sizeBytes: 10_000 })
})

test('ancestry is known also where history was rewritten', async () => {
  const one = commit({ a: '1' })
  const two = commit({ a: '2' })
  git('reset', '-q', '--hard', one)
  const three = commit({ a: '3' })
  const opened = await open()
  expect(await opened.isAncestor(one, three)).toBe(true)
  expect(await opened.isAncestor(two, three)).toBe(false)
  expect((await opened.commitsBetween(one, three, 10)).map((each) => each.id)).toEqual([three])
})

test('every commit since a given one is told, oldest first', async () => {
  const ids = ['1', '2', '3', '4'].map((text) => commit({ a: text }))
  expect((await (await open()).commitsBetween(ids[0]!, ids[3]!, 10)).map((each) => each.id)).toEqual(ids.slice(1))
})

test('a watcher hears of a commit, of a branch switched to, and of a packed ref', async () => {
  commit({ a: '1' })
  const opened = await open()
  let calls = 0
  const unwatch = await opened.watch(() => calls++)
  const hears = async (act: () => void) => {
    const before = calls
    act()
    await expect.poll(() => calls, { timeout: 5_000 }).toBeGreaterThan(before)
  }
  await hears(() => commit({ a: '2' }))
  await hears(() => git('checkout', '-q', '-b', 'feature/x'))
  await hears(() => commit({ a: '3' }))
  await unwatch()
})

test.each([
  ['a folder that is no repository', () => rmSync(join(folder, '.git'), { recursive: true }), /not a git repository; run git init/],
  ['a branch without a commit', () => {}, /no commit yet; commit your jobs folder first/],
  ['a detached HEAD', () => void [commit({}), git('checkout', '-q', '--detach')], /detached at [0-9a-f]{12}; check out a branch/],
])('%s is refused with the remedy', async (_name, prepare, sentence) => {
  prepare()
  await expect(open().then((opened) => opened.resolve())).rejects.toThrow(sentence)
})

test('a ref that does not exist is named', async () => {
  commit({})
  const opened = await open('refs/heads/nowhere')
  await expect(opened.resolve()).rejects.toThrow(/no commit at refs\/heads\/nowhere/)
})

/** Names that sort in other ways as files than as folders, and that collide. */
const PATHS = ['a', 'a.hcl', 'a/b', 'a/b.hcl', 'a/long-name.nomad.hcl', 'ab/c', 'b/x/y', 'b.d/x', 'b', 'c-d/e', 'c/d']

test('commits read one after another are listed as git lists each', async () => {
  const random = new SeededRandom(7)
  const opened = await open()
  for (let round = 0; round < 40; round++) {
    for (let change = random.between(1, 4); change > 0; change--) {
      const path = random.pick(PATHS)
      const isFileAbove = path.split('/').some((_, depth, parts) => depth > 0 && isFile(join(folder, ...parts.slice(0, depth))))
      if (isFileAbove || random.chance(0.3))
        rmSync(join(folder, isFileAbove ? path.split('/')[0]! : path), { recursive: true, force: true })
      else if (!isFolder(join(folder, path))) write(path, String(random.between(0, 2)))
    }
    git('add', '-A')
    git('commit', '-q', '--allow-empty', '-m', `round ${round}`)
    const { id } = await opened.resolve()
    const listed = (await opened.list(id)).map(({ path, blob }) => `${blob}\t${path}`)
    const expected = git('ls-tree', '-r', id).replace(/^\d+ blob /gm, '')
    expect(listed.join('\n')).toBe(expected)
  }
})

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true
const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
