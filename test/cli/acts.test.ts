/** `drover dispatch` and `drover force`: over the API where it performs acts, else by a commit in a scratch repository. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dispatchCommand, forceCommand, runProgram } from '../../src/cli/index.js'
import { LocalActCommits } from '../../src/main/act-commits.js'
import { ActingWorld } from '../api/acting-world.js'
import { job } from '../fixtures.js'
import { ScratchRepository } from '../scratch-repository.js'
import { captureIo } from './captured-io.js'

let world: ActingWorld
let address = ''
let repository: ScratchRepository
const COURIER = { Payload: 'optional', MetaRequired: ['who'], MetaOptional: ['why'] } as const
const SWEEP = { Enabled: true, Spec: '', Specs: ['@daily'], SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }

async function drover(args: readonly string[], folder = repository.folder) {
  const { io, said } = captureIo({ env: { DROVER_ADDR: address } })
  const commits = new LocalActCommits(folder)
  const code = await runProgram(args, io, { version: '0.1.0', commands: [dispatchCommand(commits), forceCommand(commits)] })
  return { code, ...said }
}

async function begin(writes: 'none' | 'runtime'): Promise<void> {
  world = await ActingWorld.start(writes)
  for (const one of [
    job({ ID: 'courier', Type: 'batch', ParameterizedJob: COURIER }),
    job({ ID: 'sweep', Type: 'batch', Periodic: SWEEP }),
    job({ ID: 'web' }),
  ])
    world.propose({ kind: 'job-register', job: one, source: null, evaluations: [] })
  address = await world.listen()
}

function childrenOf(parent: string): readonly string[] {
  return world.state.jobs
    .all()
    .filter(({ ParentID }) => ParentID === parent)
    .map(({ ID }) => ID)
}

beforeEach(() => {
  repository = new ScratchRepository()
  repository.git('config', 'user.name', 'Ann')
  repository.git('config', 'user.email', 'ann@example.org')
  repository.commit({ 'README.md': 'jobs\n' })
})
afterEach(() => repository.remove())

describe('where the server performs acts', () => {
  beforeAll(() => begin('runtime'))
  afterAll(() => world.stop())

  test('a job is dispatched with its payload and meta, and its id printed', async () => {
    writeFileSync(join(repository.folder, 'in.txt'), 'hello')
    const { code, out, err } = await drover(['dispatch', 'courier', '--payload', 'in.txt', '--meta', 'who=me', '--meta', 'why=a = b'])
    expect([code, err]).toEqual([0, ''])
    expect(childrenOf('courier')).toContain(out.trim())
    const child = world.state.jobs.all().find(({ ID }) => ID === out.trim())
    expect(child).toMatchObject({ Payload: 'aGVsbG8=', Meta: { who: 'me', why: 'a = b' } })
  })

  test('one token dispatches once', async () => {
    const words = ['dispatch', 'courier', '--meta', 'who=me', '--idempotency-token', 'once']
    const [first, second] = [await drover(words), await drover(words)]
    expect(first.out).toBe(second.out)
  })

  test('programs are told the job as an object', async () => {
    const { out } = await drover(['dispatch', 'courier', '--meta', 'who=me', '--json'])
    expect(childrenOf('courier')).toContain((JSON.parse(out) as { readonly job: string }).job)
  })

  test('a periodic job is launched, and the id of the child printed', async () => {
    const { code, out } = await drover(['force', 'sweep'])
    expect(code).toBe(0)
    expect(childrenOf('sweep')).toEqual([out.trim()])
  })

  test.each([
    ['a missing key', ['dispatch', 'courier'], /did not provide required meta keys: \[who\]/],
    ['a job that takes no dispatch', ['dispatch', 'web'], /is not a parameterized job/],
    ['a job that is not periodic', ['force', 'web'], /can't force launch non-periodic job/],
    ['a meta without a value', ['dispatch', 'courier', '--meta', 'who'], /write it as key=value/],
    [
      'a payload that is not there',
      ['dispatch', 'courier', '--meta', 'who=me', '--payload', 'none.txt'],
      /none.txt cannot be read: ENOENT/,
    ],
    ['an odd priority', ['dispatch', 'courier', '--meta', 'who=me', '--priority', 'high'], /--priority high/],
  ])('%s is refused in one sentence', async (_, words, expected) => {
    const before = childrenOf('courier').length
    const { code, out, err } = await drover(words)
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(expected)
    expect(childrenOf('courier')).toHaveLength(before)
  })

  test('a payload that is too large is refused before it is sent', async () => {
    writeFileSync(join(repository.folder, 'large'), new Uint8Array(16_385))
    expect((await drover(['dispatch', 'courier', '--meta', 'who=me', '--payload', 'large'])).err).toMatch(/16385 bytes/)
  })
})

describe('where the server performs none', () => {
  beforeAll(() => begin('none'))
  afterAll(() => world.stop())

  test('a commit with the trailer holds the payload and nothing else that is staged or changed', async () => {
    mkdirSync(join(repository.folder, 'data'))
    writeFileSync(join(repository.folder, 'data/in.txt'), 'hello')
    writeFileSync(join(repository.folder, 'staged.txt'), 'not yet')
    repository.git('add', 'staged.txt')
    writeFileSync(join(repository.folder, 'README.md'), 'changed\n')
    const words = ['dispatch', 'courier', '--payload', 'in.txt', '--meta', 'who=you and me', '--priority', '70']
    const { code, out, err } = await drover(words, join(repository.folder, 'data'))
    expect([code, out.trim()]).toEqual([0, repository.git('rev-parse', 'HEAD')])
    expect(err).toMatch(/it is done once this commit has reached/)
    expect(repository.git('log', '-1', '--format=%s|%(trailers:unfold,only)')).toBe(
      'dispatch courier|Drover-Dispatch: default/courier payload=data/in.txt meta.who="you and me" priority=70',
    )
    expect(repository.git('show', '--name-only', '--format=', 'HEAD')).toBe('data/in.txt')
    expect(repository.git('diff', '--cached', '--name-only')).toBe('staged.txt')
  })

  test('launching is a commit that changes no file', async () => {
    const before = repository.git('rev-parse', 'HEAD^{tree}')
    expect((await drover(['force', 'sweep'])).code).toBe(0)
    expect(repository.git('log', '-1', '--format=%(trailers:only)')).toBe('Drover-Force: default/sweep')
    expect(repository.git('rev-parse', 'HEAD^{tree}')).toBe(before)
  })

  test.each([
    ['what the server would not heed', ['dispatch', 'courier', '--meta', 'whom=me'], /unpermitted metadata keys: \[whom\]/],
    ['a job that is not periodic', ['force', 'web'], /can't force launch non-periodic job/],
    ['a value that no trailer can carry', ['dispatch', 'courier', '--meta', 'who=a "b"'], /cannot carry/],
    ['a payload outside of the repository', ['dispatch', 'courier', '--meta', 'who=me', '--payload', '/etc/hosts'], /does not lie in/],
  ])('%s is committed by nobody', async (_, words, expected) => {
    const before = repository.git('rev-parse', 'HEAD')
    const { code, err } = await drover(words)
    expect(code).toBe(1)
    expect(err).toMatch(expected)
    expect(repository.git('rev-parse', 'HEAD')).toBe(before)
  })

  test('programs are told the commit and its trailer as an object', async () => {
    const { out } = await drover(['force', 'sweep', '--json'])
    expect(JSON.parse(out)).toEqual({ commit: repository.git('rev-parse', 'HEAD'), trailer: 'Drover-Force: default/sweep' })
  })

  test('outside of a repository nothing is committed, in the words of git', async () => {
    expect((await drover(['force', 'sweep'], '/')).err).toMatch(/nothing was committed: .*not a git repository/)
  })
})
