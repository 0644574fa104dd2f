/** What looks at a real repository come to: which commits act, what holds removals, and what is told. */
import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { CliGitSource } from '../../src/adapters/git/git-source.js'
import { InProcessJobReader, InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { GitReconciler } from '../../src/controller/git-reconciler.js'
import { Leader } from '../../src/controller/leader.js'
import type { SyntaxReader } from '../../src/controller/ports.js'
import { placeText } from '../../src/domain/index.js'
import { ScratchRepository } from '../scratch-repository.js'

/** Nobody else wants to lead; a machine that is busy must not look like a log that does not answer. */
const LEASE_MS = 60_000

let repository: ScratchRepository
let git: CliGitSource
let leader: Leader
let reconciler: GitReconciler
/** Paths whose reading is aborted, as by a worker that died. */
let aborting: Set<string>

beforeEach(async () => {
  repository = new ScratchRepository()
  git = await CliGitSource.open({ repository: repository.folder, ref: 'HEAD' })
  const log = new MemoryCommandLog(new MemoryLogStore(() => performance.now(), LEASE_MS), systemClock)
  leader = await Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {} })
  aborting = new Set()
  reconciler = newReconciler('hold')
})
afterEach(async () => {
  leader.retire('the test is over')
  await git.close()
  repository.remove()
})

function newReconciler(rewind: 'hold' | 'follow'): GitReconciler {
  const reader = new InProcessSyntaxReader()
  const syntax: SyntaxReader = {
    read: async (path, text) => (aborting.has(path) ? { kind: 'aborted', reason: 'the worker died' } : reader.read(path, text)),
    close: () => reader.close(),
  }
  const deps = {
    leader,
    git,
    syntax,
    jobs: new InProcessJobReader(syntax),
    random: systemRandom,
    logger: silentLogger,
    region: 'global',
  }
  return new GitReconciler({ ...deps, options: { rewind, ref: 'HEAD' } })
}

const hcl = (id: string, text = 'one') =>
  `job "${id}" {\n  group "g" {\n    task "t" {\n      driver = "raw_exec"\n      config {\n        command = "${text}"\n      }\n    }\n  }\n}\n`
const file = (id: string) => `jobs/${id}.nomad.hcl`
const files = (...ids: readonly string[]) => Object.fromEntries(ids.map((id) => [file(id), hcl(id)]))
const without = (...ids: readonly string[]) => Object.fromEntries(ids.map((id) => [file(id), null]))
const trailer = (line: string) => `change\n\n${line}`
const running = () =>
  leader.state.jobs
    .all()
    .filter((job) => !job.Stop)
    .map((job) => job.ID)
    .sort()
/** How often a job was asked to be looked at again. */
const evaluationsOf = (id: string) => leader.state.evaluations.all().filter((evaluation) => evaluation.JobID === id).length

test.each(['a pull request merged as a merge commit', 'a branch fast-forwarded'])('a trailer that came by %s counts', async (how) => {
  repository.commit(files('a', 'b', 'c', 'd', 'e'))
  await reconciler.reconcile()
  repository.git('checkout', '-q', '-b', 'side')
  repository.commit(without('a', 'b', 'c', 'd'), trailer('Drover-Allow-Delete: *'))
  repository.commit({ 'README.md': 'more' })
  repository.git('checkout', '-q', 'main')
  repository.git('merge', '-q', ...(how.includes('merge commit') ? ['--no-ff', '-m', 'merge'] : ['--ff-only']), 'side')
  expect(await reconciler.reconcile()).toMatchObject({ removed: 4, held: null })
  expect(running()).toEqual(['e'])
})

test('a commit acts once, also when the ref comes back to it', async () => {
  reconciler = newReconciler('follow')
  repository.commit(files('web'))
  await reconciler.reconcile()
  const acting = repository.commit({}, trailer('Drover-Evaluate: web'))
  await reconciler.reconcile()
  expect(evaluationsOf('web')).toBe(2)
  repository.commit({})
  await reconciler.reconcile()
  repository.git('reset', '-q', '--hard', acting)
  await reconciler.reconcile()
  expect(evaluationsOf('web')).toBe(2)
})

test('what was allowed once is not allowed for what comes later', async () => {
  reconciler = newReconciler('follow')
  const allowing = repository.commit(files('a'), trailer('Drover-Allow-Delete: *'))
  await reconciler.reconcile()
  repository.commit(files('b', 'c', 'd', 'e'))
  await reconciler.reconcile()
  repository.git('reset', '-q', '--hard', allowing)
  expect((await reconciler.reconcile()).held?.reason).toBe('mass-deletion')
  expect(running()).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('after a rewind every new commit is asked for its trailers', async () => {
  const base = repository.commit(files('web'))
  const applied = repository.commit({ 'README.md': '1' })
  await reconciler.reconcile()
  repository.git('reset', '-q', '--hard', base)
  repository.commit({ 'README.md': '2' }, trailer(`Drover-Allow-Rewind: ${applied}\nDrover-Evaluate: web`))
  repository.commit({ 'README.md': '3' })
  expect((await reconciler.reconcile()).held).toBe(null)
  expect(evaluationsOf('web')).toBe(2)
})

test('a rewind in a clone without its older history is explained', async () => {
  repository.commit(files('web'))
  const bare = `${repository.folder}-bare`
  repository.git('clone', '-q', '--bare', '--depth=1', `file://${repository.folder}`, bare)
  const clone = await CliGitSource.open({ repository: bare, ref: 'refs/heads/main' })
  const options = { rewind: 'hold', ref: 'refs/heads/main' } as const
  const follower = new GitReconciler({
    leader,
    git: clone,
    syntax: new InProcessSyntaxReader(),
    jobs: new InProcessJobReader(),
    random: systemRandom,
    logger: silentLogger,
    region: 'global',
    options,
  })
  try {
    await follower.reconcile()
    repository.commit({ 'README.md': '1' })
    repository.commit({ 'README.md': '2' })
    repository.git('-C', bare, 'fetch', '-q', '--depth=1', 'origin', '+main:main')
    expect((await follower.reconcile()).held?.remedy).toMatch(/^this clone is shallow, .* git fetch --unshallow/)
  } finally {
    await clone.close()
    rmSync(bare, { recursive: true })
  }
})

test.each([
  ['a folder of jobs', 'jobs/team', '../elsewhere/team'],
  ['the folder jobs itself', 'jobs', 'elsewhere'],
])('%s that becomes a link is a mistake at its path, and stops nothing', async (_name, path, link) => {
  repository.commit({ 'jobs/team/a.nomad.hcl': hcl('a'), 'jobs/b.nomad.hcl': hcl('b') })
  await reconciler.reconcile()
  repository.commit({ [path]: { link }, 'elsewhere/team/a.nomad.hcl': hcl('a') })
  const { removed, held, frozen } = await reconciler.reconcile()
  expect({ removed, reason: held?.reason }).toEqual({ removed: 0, reason: 'unreadable-files' })
  expect(frozen.map(({ mistakes }) => `${placeText(mistakes[0]!)} ${mistakes[0]!.summary}`)).toEqual([`${path} Symbolic link`])
  expect(running()).toEqual(['a', 'b'])
})

test('a link below agents/ is a mistake, and keeps every host declared', async () => {
  repository.commit({ ...files('a'), 'agents/gpu/h1.hcl': 'class = "large"\n', 'agents/h2.hcl': '' })
  await reconciler.reconcile()
  repository.commit({ 'agents/gpu': { link: '../hosts' }, 'agents/h2.hcl': null })
  const { frozen } = await reconciler.reconcile()
  expect(frozen.map(({ mistakes }) => placeText(mistakes[0]!))).toEqual(['agents/gpu'])
  expect(
    leader.state.nodeDeclarations
      .all()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['h1', 'h2'])
  expect(leader.state.nodePools.get('gpu')).toBeDefined()
})

test('a new file that is refused holds no removal when its job can be read from it', async () => {
  repository.commit(files('a', 'b'))
  await reconciler.reconcile()
  const refused = hcl('cron').replace('group "g" {', 'group "g" {\n    count = -1')
  repository.commit({ ...without('b'), [file('cron')]: refused })
  const { removed, held, frozen } = await reconciler.reconcile()
  expect({ removed, held, frozen: frozen.map(({ jobId }) => jobId) }).toEqual({ removed: 1, held: null, frozen: ['cron'] })
})

test('a new file of which nobody can tell the job holds removals', async () => {
  repository.commit(files('a', 'b'))
  await reconciler.reconcile()
  repository.commit({ ...without('b'), [file('new')]: 'job "' })
  expect((await reconciler.reconcile()).held?.reason).toBe('unreadable-files')
})

test('a commit that could not be read whole is read again, acts once, and removes nothing before', async () => {
  repository.commit(files('a', 'b', 'web'))
  await reconciler.reconcile()
  aborting.add(file('a'))
  const id = repository.commit({ [file('a')]: hcl('a', 'two'), ...without('b') }, trailer('Drover-Evaluate: web'))
  expect(await reconciler.reconcile()).toMatchObject({ isComplete: false, removed: 0 })
  const { index } = leader.state
  expect(await reconciler.reconcile()).toMatchObject({ isComplete: false })
  expect(leader.state.index).toBe(index)
  expect(evaluationsOf('web')).toBe(2)
  // Another server that goes on from the log does not take the commit for read.
  reconciler = newReconciler('hold')
  aborting.clear()
  expect(await reconciler.reconcile()).toMatchObject({ isComplete: true, registered: 1, removed: 1 })
  expect(evaluationsOf('web')).toBe(2)
  expect(leader.state.sources.all().map(({ commit }) => commit?.id)).toEqual([id])
})
