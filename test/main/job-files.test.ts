import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { JobFileReading } from '../../src/cli/index.js'
import { LocalJobFiles } from '../../src/main/job-files.js'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const job = (id: string, count = 1) => `job "${id}" {
  group "g" {
    count = ${count}
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/true"
      }
    }
  }
}
`

function git(repository: string, ...args: readonly string[]): void {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
  execFileSync('git', ['-C', repository, ...identity, ...args], { stdio: 'pipe' })
}

/** A repository with these files, not committed. */
function repository(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = mkdtempSync(join(tmpdir(), 'drover-files-'))
  folders.push(root)
  git(root, 'init', '-q', '-b', 'main')
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

function outline(readings: readonly JobFileReading[]): readonly string[] {
  return readings.map((reading) =>
    reading.kind === 'job'
      ? `${reading.path} ${reading.namespace}/${reading.id}`
      : `${reading.path} ${reading.mistakes.map(({ line, column, summary }) => `${line}:${column} ${summary}`).join('; ')}`,
  )
}

test('every job file below jobs/ is read, each in the namespace of its folder, committed or not', async () => {
  const root = repository({ 'jobs/a.nomad.hcl': job('a'), 'jobs/ops/deep/b.nomad.hcl': job('b'), 'jobs/README.md': 'no job' })
  expect(outline(await new LocalJobFiles(root).read({ paths: [] }))).toEqual([
    'jobs/a.nomad.hcl default/a',
    'jobs/ops/deep/b.nomad.hcl ops/b',
  ])
})

test('a path narrows what is read, from wherever in the repository it is given', async () => {
  const root = repository({ 'jobs/a.nomad.hcl': job('a'), 'jobs/ops/b.nomad.hcl': job('b') })
  expect(outline(await new LocalJobFiles(join(root, 'jobs')).read({ paths: ['ops'] }))).toEqual(['jobs/ops/b.nomad.hcl ops/b'])
})

test('a ref is read from its commit, whatever the work tree holds', async () => {
  const root = repository({ 'jobs/a.nomad.hcl': job('a') })
  git(root, 'add', '.')
  git(root, 'commit', '-qm', 'a')
  writeFileSync(join(root, 'jobs/b.nomad.hcl'), job('b'))
  expect(outline(await new LocalJobFiles(root).read({ paths: [], ref: 'main' }))).toEqual(['jobs/a.nomad.hcl default/a'])
})

test('a folder that cannot be a namespace is a mistake of the jobs in it', async () => {
  const root = repository({ 'jobs/my team/a.nomad.hcl': job('a'), 'jobs/ops-2/b.nomad.hcl': job('b') })
  expect(outline(await new LocalJobFiles(root).read({ paths: [] }))).toEqual([
    'jobs/my team/a.nomad.hcl 0:0 Invalid namespace',
    'jobs/ops-2/b.nomad.hcl ops-2/b',
  ])
})

test('what looks like a job or as if it belonged to one is told, and data beside jobs is not', async () => {
  const root = repository({
    'jobs/web.nomad.hcl': job('web').replace('job "web" {', 'job "web" {\n  meta {\n    drover = "shared.vars.hcl"\n  }'),
    'jobs/web.vars.hcl': '',
    'jobs/shared.vars.hcl': '',
    'jobs/wbe.patch.yaml': '[]',
    'jobs/api.hcl': job('api'),
    'jobs/data.yaml': 'a: 1',
  })
  const strays = await new LocalJobFiles(root).findStrays({ paths: [] })
  expect(strays.map(({ path, text }) => `${path}: ${text}`)).toEqual([
    'jobs/api.hcl: it looks like a job and is not read as one; job files are called api.nomad.hcl',
    'jobs/wbe.patch.yaml: it belongs to no job, since no job file beside it is called so; did you mean web.patch.yaml?',
  ])
  const named = await new LocalJobFiles(root).findStrays({ paths: ['jobs/api.hcl', 'jobs'] })
  expect(named.map(({ path, isNamed }) => [path, isNamed])).toEqual([
    ['jobs/api.hcl', true],
    ['jobs/api.hcl', false],
    ['jobs/wbe.patch.yaml', false],
  ])
})

test('of a text that is never closed only the beginning is told, not what follows from it', async () => {
  const open = job('a').replace('"/bin/true"', '"echo ${env[\\"HOME\\"]}"')
  const root = repository({ 'jobs/a.nomad.hcl': open })
  expect(outline(await new LocalJobFiles(root).read({ paths: [] }))).toEqual(['jobs/a.nomad.hcl 7:31 Invalid character'])
})

test('mistakes of all files are told together, with their places', async () => {
  const root = repository({ 'jobs/a.nomad.hcl': 'job "a" {\n  colour = "grey"\n}\n', 'jobs/b.nomad.hcl': 'job "b" {\n' })
  const readings = outline(await new LocalJobFiles(root).read({ paths: [] }))
  expect(readings).toHaveLength(2)
  expect(readings[0]).toMatch(/^jobs\/a\.nomad\.hcl 2:3 /)
  expect(readings[1]).toMatch(/^jobs\/b\.nomad\.hcl \d+:\d+ /)
})

test('links, other encodings and files beyond the limit are refused by file and do not stop the others', async () => {
  const root = repository({
    'jobs/good.nomad.hcl': job('good'),
    'jobs/latin.nomad.hcl': Uint8Array.of(0x6a, 0xff, 0xfe),
    'jobs/large.nomad.hcl': `# ${'x'.repeat(10 * 1024 * 1024)}\n`,
  })
  symlinkSync('good.nomad.hcl', join(root, 'jobs/link.nomad.hcl'))
  expect(outline(await new LocalJobFiles(root).read({ paths: [] }))).toEqual([
    'jobs/good.nomad.hcl default/good',
    'jobs/large.nomad.hcl 0:0 File too large',
    'jobs/latin.nomad.hcl 0:0 Not UTF-8',
    'jobs/link.nomad.hcl 0:0 Symbolic link',
  ])
})

test('a folder of jobs or hosts that is a link is a mistake, as the server takes it', async () => {
  const root = repository({ 'jobs/good.nomad.hcl': job('good'), 'agents/h1.hcl': '' })
  symlinkSync('../elsewhere', join(root, 'jobs/team'))
  symlinkSync('../elsewhere', join(root, 'agents/gpu'))
  const files = new LocalJobFiles(root)
  expect(outline(await files.read({ paths: [] }))).toEqual(['jobs/team 0:0 Symbolic link', 'jobs/good.nomad.hcl default/good'])
  const declarations = await files.readDeclarations({ paths: [] })
  expect(declarations.map(({ path, mistakes }) => `${path} ${mistakes.length}`)).toEqual(['agents/gpu 1', 'agents/h1.hcl 0'])
})

test('the same job in two files is wrong in both', async () => {
  const root = repository({ 'jobs/a.nomad.hcl': job('a'), 'jobs/copy.nomad.hcl': job('a') })
  expect(outline(await new LocalJobFiles(root).read({ paths: [] }))).toEqual([
    'jobs/a.nomad.hcl 0:0 Duplicate job',
    'jobs/copy.nomad.hcl 0:0 Duplicate job',
  ])
})

test('dependencies in a circle and on jobs that no file defines are mistakes, where all files are read', async () => {
  const after = (id: string, on: string) => job(id).replace('{', `{\n  meta {\n    drover = "depends_on=${on}"\n  }`)
  const files = { 'jobs/a.nomad.hcl': after('a', 'b'), 'jobs/b.nomad.hcl': after('b', 'a'), 'jobs/c.nomad.hcl': after('c', 'lost') }
  const root = repository(files)
  expect(outline(await new LocalJobFiles(root).read({ paths: [] }))).toEqual([
    'jobs/a.nomad.hcl 0:0 jobs wait for each other in a circle: a → b → a',
    'jobs/b.nomad.hcl 0:0 jobs wait for each other in a circle: a → b → a',
    'jobs/c.nomad.hcl 0:0 the job names lost in its meta "drover", which no file defines',
  ])
  expect(outline(await new LocalJobFiles(root).read({ paths: ['jobs/c.nomad.hcl'] }))).toEqual(['jobs/c.nomad.hcl default/c'])
})

test('a file that git ignores stands for itself when it is named', async () => {
  const root = repository({ '.gitignore': 'tmp\n', 'tmp/a.nomad.hcl': job('a') })
  expect(outline(await new LocalJobFiles(root).read({ paths: ['tmp/a.nomad.hcl'] }))).toEqual(['a.nomad.hcl default/a'])
})

test('a file beside the jobs folder has the path that it has in the repository', async () => {
  const root = repository({ 'elsewhere/a.nomad.hcl': job('a') })
  expect(outline(await new LocalJobFiles(root).read({ paths: ['elsewhere/a.nomad.hcl'] }))).toEqual(['elsewhere/a.nomad.hcl default/a'])
})

test.each([
  ['a path that is not there', { paths: ['nowhere'] }, /^nowhere is not there$/],
  ['a repository without jobs', { paths: [] }, /has no folder jobs; put job files there/],
  ['an unknown ref', { paths: [], ref: 'refs/heads/none' }, /none/],
])('%s is told in a sentence', async (_, request, expected) => {
  await expect(new LocalJobFiles(repository({})).read(request)).rejects.toThrow(expected)
})

test('what lies in agents/ is checked too, and pools are those of its folders', async () => {
  const pooled = (id: string, pool: string) => job(id).replace('{\n', `{\n  node_pool = "${pool}"\n`)
  const root = repository({
    'jobs/a.nomad.hcl': pooled('a', 'gpu'),
    'jobs/b.nomad.hcl': pooled('b', 'gpus'),
    'agents/gpu/host.hcl': '',
    'agents/_cluster.hcl': 'scheduler = 1\n',
  })
  const files = new LocalJobFiles(root)
  expect(outline(await files.read({ paths: [] }))).toEqual([
    'jobs/a.nomad.hcl default/a',
    'jobs/b.nomad.hcl 2:3 job "b" is in nonexistent node pool "gpus"',
  ])
  const declared = await files.readDeclarations({ paths: [] })
  expect(declared.map(({ path, mistakes }) => [path, mistakes.map(({ line, summary }) => `${line} ${summary}`)])).toEqual([
    ['agents/_cluster.hcl', ['1 Unsupported argument']],
    ['agents/gpu/host.hcl', []],
  ])
  expect((await files.readDeclarations({ paths: ['agents/gpu'] })).map(({ path }) => path)).toEqual(['agents/gpu/host.hcl'])
  expect(await files.readDeclarations({ paths: ['jobs'] })).toEqual([])
})

test('a work tree that has lost the folder of jobs is one that removes them all; one that never had any says so', async () => {
  const root = repository({ 'README.md': '' })
  git(root, 'add', '.')
  git(root, 'commit', '-qm', 'nothing yet')
  const summarize = () => new LocalJobFiles(root).summarize({ paths: [], appliedCommit: null })
  await expect(summarize()).rejects.toThrow('has no folder jobs')
  mkdirSync(join(root, 'jobs'))
  writeFileSync(join(root, 'jobs/a.nomad.hcl'), job('a'))
  git(root, 'add', '.')
  git(root, 'commit', '-qm', 'a')
  rmSync(join(root, 'jobs'), { recursive: true })
  expect((await summarize()).readings).toEqual([])
})

test('variables are read, too, and nothing of them is quoted', async () => {
  const files = {
    'jobs/web.nomad.hcl': job('web'),
    'vars/default/a.yaml': 'x: "1"\n',
    'vars/default/b.yaml': 'x: "hunter2\n',
    'vars/default/_access.yaml': 'a: web\n',
  }
  const root = repository(files)
  const readings = await new LocalJobFiles(root).readDeclarations({ paths: [] })
  expect(readings.map(({ path, mistakes }) => [path, mistakes.length])).toEqual([
    ['vars/default/_access.yaml', 1],
    ['vars/default/a.yaml', 0],
    ['vars/default/b.yaml', 1],
  ])
  const { otherMistakes } = await new LocalJobFiles(root).summarize({ paths: [], appliedCommit: null })
  expect(otherMistakes.map(({ path, summary }) => [path, summary])).toEqual([
    ['vars/default/_access.yaml', 'What stands at "a" is no list of jobs'],
    ['vars/default/b.yaml', 'Invalid YAML: missing char'],
  ])
  expect(JSON.stringify([readings, otherMistakes])).not.toContain('hunter2')
})

test('what is no name of an overlay is refused, since no file could carry it', async () => {
  const files = new LocalJobFiles(repository({ 'jobs/a.nomad.hcl': job('a') }))
  for (const overlay of ['', 'prod/eu', 'a b']) {
    const told = `"${overlay}" is no name of an overlay`
    await expect(files.read({ paths: [], overlay })).rejects.toThrow(told)
    await expect(files.summarize({ paths: [], overlay, appliedCommit: null })).rejects.toThrow(told)
  }
})
