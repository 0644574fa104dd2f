import { beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import type { CommitStatus, Forge, MergeRequest } from '../../src/controller/index.js'
import { type RequestPlan, RequestReporter } from '../../src/controller/request-reporter.js'
import { ManualClock } from './manual-clock.js'

let clock: ManualClock
let open: MergeRequest[]
let said: string[]
let planned: string[]
let applied: string | null
let status: CommitStatus
let isAway: boolean
let unplannable: ReadonlySet<string>
let reporter: RequestReporter

beforeEach(() => {
  clock = new ManualClock()
  open = []
  said = []
  planned = []
  applied = 'base'
  status = { state: 'success', description: '1 of 1 jobs would change' }
  isAway = false
  unplannable = new Set()
  const forge: Forge = {
    openRequests: async () => {
      if (isAway) throw new Error('away')
      return open
    },
    setStatus: async (id, { state, description }) => {
      if (isAway) throw new Error('away')
      said.push(`status ${id} ${state} ${description}`)
    },
    putComment: async (number, marker, body) => {
      expect(body.startsWith(marker)).toBe(true)
      said.push(`comment ${number} ${body.slice(marker.length + 1)}`)
    },
  }
  const plan = async (ref: string): Promise<RequestPlan> => {
    planned.push(ref)
    if (unplannable.has(ref)) throw new Error(`${ref} cannot be read`)
    const { headId } = open.find((request) => request.ref === ref)!
    return { headId, markdown: `plan of ${headId} against ${applied}`, status }
  }
  reporter = new RequestReporter({
    forge,
    branch: 'main',
    clock,
    logger: silentLogger,
    everyMs: 60_000,
    appliedId: () => applied,
    plan,
  })
})

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

async function look(): Promise<void> {
  reporter.lookNow()
  await settle()
}

const outcome = (id: string, over: object = {}) => {
  const commit = { id, author: '', authorEmail: '', atMs: 0, subject: '', trailers: [] }
  return {
    sourceId: 'default',
    isComplete: true,
    commit,
    registered: 2,
    waiting: 0,
    removed: 0,
    frozen: [],
    held: null,
    ignored: [],
    acts: [],
    ...over,
  }
}

test('a request is planned once for each head and each commit that it is held against', async () => {
  open = [{ number: 7, headId: 'one', ref: 'r7' }]
  await look()
  await look()
  expect(said).toEqual(['comment 7 plan of one against base', 'status one success 1 of 1 jobs would change'])
  open = [{ number: 7, headId: 'two', ref: 'r7' }]
  await look()
  applied = 'newer'
  await look()
  expect(planned).toEqual(['r7', 'r7', 'r7'])
  expect(said.slice(2)).toEqual([
    'comment 7 plan of two against base',
    'status two success 1 of 1 jobs would change',
    'comment 7 plan of two against newer',
  ])
})

test('what was applied is told once, and again when something about it changes', async () => {
  reporter.onSync(outcome('c1'))
  await settle()
  reporter.onSync(outcome('c1', { registered: 0 }))
  await settle()
  reporter.onSync(outcome('c1', { held: { reason: 'untrusted', commit: 'c1', jobs: [], remedy: 'sign it' } }))
  await settle()
  expect(said).toEqual(['status c1 success applied: 2 registered, 0 removed', 'status c1 failure held (untrusted): sign it'])
})

test('what is as it was, found in another order, is told once', async () => {
  const frozen = ['a', 'b'].map((path) => ({ path, blob: path, namespace: null, jobId: null, mistakes: [] }))
  reporter.onSync(outcome('c1', { frozen }))
  await settle()
  reporter.onSync(outcome('c1', { frozen: frozen.toReversed() }))
  await settle()
  expect(said).toHaveLength(1)
})

test('a forge that is away is told later, of everything', async () => {
  isAway = true
  reporter.onSync(outcome('c1'))
  await settle()
  reporter.onSync(outcome('c2'))
  await settle()
  expect(said).toEqual([])
  isAway = false
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000)
    await settle()
  }
  expect(said).toEqual(['status c1 success applied: 2 registered, 0 removed', 'status c2 success applied: 2 registered, 0 removed'])
})

test('one that cannot be planned keeps nobody from being told of the others, and is tried again', async () => {
  open = [1, 2, 3].map((number) => ({ number, headId: `h${number}`, ref: `r${number}` }))
  unplannable = new Set(['r1', 'r2'])
  await look()
  expect(said.filter((line) => line.startsWith('comment'))).toEqual(['comment 3 plan of h3 against base'])
  unplannable = new Set(['r1'])
  clock.advance(2_000)
  await settle()
  expect(said.filter((line) => line.startsWith('comment'))).toEqual([
    'comment 3 plan of h3 against base',
    'comment 2 plan of h2 against base',
  ])
})

test('where one after the other fails the rest is left for later', async () => {
  open = Array.from({ length: 10 }, (_, at) => ({ number: at, headId: `h${at}`, ref: `r${at}` }))
  unplannable = new Set(open.map(({ ref }) => ref))
  await look()
  expect(planned).toEqual(['r0', 'r1', 'r2'])
})

test('a request that is opened is seen with the next look, without anybody asking', async () => {
  await look()
  open = [{ number: 7, headId: 'one', ref: 'r7' }]
  clock.advance(60_000)
  await settle()
  expect(said).toHaveLength(2)
  reporter.stop()
  open = [{ number: 8, headId: 'two', ref: 'r8' }]
  clock.advance(600_000)
  await settle()
  expect(said).toHaveLength(2)
})
