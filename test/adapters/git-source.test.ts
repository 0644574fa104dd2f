import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CliGitSource, refuseShortRef } from '../../src/adapters/git/git-source.js'
import { ObjectReader } from '../../src/adapters/git/object-reader.js'
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

/** A folder of `width` folders, each of which is the same folder of `width` folders, and so on: few objects, many files. */
function foldedTree(width: number, depth: number): string {
  let entry = `100644 blob ${hashed('blob', 'x')}`
  for (let level = 0; level < depth; level++) {
    const lines = Array.from({ length: width }, (_, at) => `${entry}\t${at}\n`)
    entry = `040000 tree ${execFileSync('git', ['-C', folder, 'mktree'], { input: lines.join(''), encoding: 'utf8' }).trim()}`
  }
  return entry.split(' ')[2]!
}

function hashed(type: string, text: string): string {
  return execFileSync('git', ['-C', folder, 'hash-object', '-w', '-t', type, '--stdin'], { input: text, encoding: 'utf8' }).trim()
}

test.each([
  ['more than 50 files and folders', { entriesMax: 50, pathsLengthMax: 10_000, depthMax: 10 }],
  ['paths of more than 300 characters', { entriesMax: 1_000, pathsLengthMax: 300, depthMax: 10 }],
  ['folders more than 2 deep', { entriesMax: 1_000, pathsLengthMax: 10_000, depthMax: 2 }],
])('a commit that stands for %s is refused, and the next one is read', async (what, treeLimits) => {
  source = await CliGitSource.open({ repository: folder, ref: 'refs/heads/main', treeLimits })
  const folded = git('commit-tree', '-m', 'folded', foldedTree(5, 4))
  for (let look = 0; look < 2; look++)
    await expect(source.list(folded)).rejects.toThrow(
      `the commit has ${what}, and is not read; take out what does not belong there, what runs stays as it is`,
    )
  const plain = commit({ 'jobs/a': 'one' })
  expect((await source.list(plain)).map(({ path }) => path)).toEqual(['jobs/a'])
})

test('an object that is too large is not held in memory, and what is asked for behind it is answered', async () => {
  const [large, small] = [hashed('blob', 'x'.repeat(300_000)), hashed('blob', 'small')]
  const reader = new ObjectReader(folder, '--batch', 1_000)
  const answers = await Promise.allSettled([large, small, large, small].map((id) => reader.read(id)))
  await reader.close()
  expect(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value?.content.toString() : String(answer.reason.message))),
  ).toEqual([
    `git object ${large} has 300000 bytes and is not read; at most 1000 are`,
    'small',
    `git object ${large} has 300000 bytes and is not read; at most 1000 are`,
    'small',
  ])
})

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

test('a merge brings the commits of every parent, and those of a history that was rewritten count too', async () => {
  const base = commit({ a: '1' })
  git('checkout', '-q', '-b', 'side')
  const side = commit({ b: '1' }, 'side\n\nDrover-Allow-Delete: *')
  git('checkout', '-q', 'main')
  git('merge', '-q', '--no-ff', '-m', 'merge', 'side')
  const opened = await open()
  const merged = await opened.commitsBetween(base, git('rev-parse', 'HEAD'), 10)
  expect(merged.map(({ id, trailers }) => [id === side, trailers.length])).toEqual([
    [true, 1],
    [false, 0],
  ])
  git('checkout', '-q', '-b', 'rewritten', base)
  const ids = [commit({ c: '1' }), commit({ c: '2' })]
  expect((await opened.commitsBetween(merged[1]!.id, ids[1]!, 10)).map(({ id }) => id)).toEqual(ids)
  const gone = 'a'.repeat(40)
  expect((await opened.commitsBetween(gone, ids[1]!, 2)).map(({ id }) => id)).toEqual(ids)
})

/** Commits the message to the letter, as a forge or a script does. */
function commitMessage(message: string | Buffer, ...words: string[]): void {
  execFileSync(
    'git',
    [
      '-C',
      folder,
      '-c',
      'user.name=Ann',
      '-c',
      'user.email=ann@example.org',
      ...words,
      'commit',
      '-q',
      '--allow-empty',
      '--cleanup=verbatim',
      '-F',
      '-',
    ],
    { input: message },
  )
}

test.each([
  ['prose that holds such a line', 'a\n\nTo do it again, end a commit with\nDrover-Evaluate: web\nand push.\n', []],
  ['a quotation in the subject alone', '\n\nDrover-Force: a\n', []],
  ['names in any case, and a space before the colon', 'a\n\ndrover-force: y2\nDrover-Force : y3\n', ['drover-force=y2', 'Drover-Force=y3']],
  ['lines that go on', 'a\n\nDrover-Evaluate: web\n  ops/db\n', ['Drover-Evaluate=web ops/db']],
  ['a comment after them, as web merges commit it', 'a\n\nDrover-Evaluate: web\n\n# Conflicts:\n#\tjobs/a\n', ['Drover-Evaluate=web']],
  ['the trailers of others', 'a\n\nReviewed-by: B\nDrover-Evaluate: web\n', ['Drover-Evaluate=web']],
])('git says what a trailer is: %s', async (_name, message, expected) => {
  commit({})
  commitMessage(message)
  const { trailers } = await (await open()).resolve()
  expect(trailers.map(({ key, value }) => `${key}=${value}`)).toEqual(expected)
})

test('a commit is read in the encoding that it names', async () => {
  commit({})
  commitMessage(Buffer.from('caf\u00e9\n\nDrover-Evaluate: caf\u00e9\n', 'latin1'), '-c', 'i18n.commitEncoding=ISO-8859-1')
  const { subject, trailers } = await (await open()).resolve()
  expect({ subject, trailers }).toEqual({ subject: 'caf\u00e9', trailers: [{ key: 'Drover-Evaluate', value: 'caf\u00e9' }] })
})

test('a repository that is cloned anew at its path is the one that is read', async () => {
  commit({ 'jobs/a.nomad': '1' })
  const opened = await open()
  await opened.resolve()
  let calls = 0
  const unwatch = await opened.watch(() => calls++)
  const old = `${folder}-old`
  renameSync(folder, old)
  try {
    await expect(opened.resolve()).rejects.toThrow(/is not a folder/)
    execFileSync('git', ['clone', '-q', old, folder], { stdio: 'pipe' })
    git('config', 'user.name', 'Ann')
    const second = commit({ 'jobs/a.nomad': '2' })
    expect((await opened.resolve()).id).toBe(second)
    const before = calls
    const third = commit({ 'jobs/a.nomad': '3' })
    await expect.poll(() => calls, { timeout: 5_000 }).toBeGreaterThan(before)
    expect((await opened.resolve()).id).toBe(third)
    expect((await opened.list(third)).map(({ path }) => path)).toEqual(['jobs/a.nomad'])
  } finally {
    await unwatch()
    rmSync(old, { recursive: true, force: true })
  }
})

test('a symbolic link that is turned over to another clone is followed', async () => {
  commit({ a: '1' })
  const [other, link] = [`${folder}-other`, `${folder}-link`]
  execFileSync('git', ['clone', '-q', folder, other], { stdio: 'pipe' })
  symlinkSync(folder, link)
  try {
    source = await CliGitSource.open({ repository: link, ref: 'HEAD' })
    await source.resolve()
    execFileSync('git', ['-C', other, '-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '--allow-empty', '-m', 'other'])
    rmSync(link)
    symlinkSync(other, link)
    expect((await source.resolve()).subject).toBe('other')
  } finally {
    for (const path of [other, link]) rmSync(path, { recursive: true, force: true })
  }
})

test('the environment names no other repository', async () => {
  const other = mkdtempSync(join(tmpdir(), 'drover-git-'))
  execFileSync('git', ['-C', other, 'init', '-q'])
  const id = commit({})
  vi.stubEnv('GIT_DIR', join(other, '.git'))
  vi.stubEnv('GIT_WORK_TREE', other)
  try {
    expect((await (await open()).resolve()).id).toBe(id)
  } finally {
    vi.unstubAllEnvs()
    rmSync(other, { recursive: true, force: true })
  }
})

test('a short name of a ref is refused with the full names that it could mean', async () => {
  commit({})
  git('branch', 'v1')
  git('tag', 'v1')
  const refusal = (ref: string) => refuseShortRef({ repository: folder, ref })
  await expect(refusal('v1')).rejects.toThrow('the ref v1 is not a full name; write refs/heads/v1 or refs/tags/v1')
  await expect(refusal('nowhere')).rejects.toThrow('use HEAD, or a full name such as refs/heads/main')
  await expect(open('v1')).rejects.toThrow('the ref v1 is ambiguous; write refs/heads/v1 or refs/tags/v1')
  expect((await (await open('main')).resolve()).id).toBe(git('rev-parse', 'main'))
})

test('a clone without its older history says so', async () => {
  commit({})
  commit({})
  expect(await (await open()).isShallow()).toBe(false)
  const shallow = `${folder}-shallow`
  execFileSync('git', ['clone', '-q', '--depth=1', `file://${folder}`, shallow], { stdio: 'pipe' })
  const cut = await CliGitSource.open({ repository: shallow, ref: 'HEAD' })
  try {
    expect(await cut.isShallow()).toBe(true)
  } finally {
    await cut.close()
    rmSync(shallow, { recursive: true, force: true })
  }
})

test('by polling a watcher hears the same', async () => {
  commit({ a: '1' })
  source = await CliGitSource.open({ repository: folder, ref: 'HEAD', polling: { intervalMs: 20 } })
  let calls = 0
  const unwatch = await source.watch(() => calls++)
  commit({ a: '2' })
  await expect.poll(() => calls, { timeout: 5_000 }).toBeGreaterThan(0)
  await unwatch()
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
  await hears(() => git('pack-refs', '--all'))
  // The folder of the branch goes, and comes again with another one.
  await hears(() => git('checkout', '-q', 'main'))
  git('branch', '-q', '-D', 'feature/x')
  await hears(() => git('checkout', '-q', '-b', 'feature/y'))
  await hears(() => commit({ a: '4' }))
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
