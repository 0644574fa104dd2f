import { beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import type { FetchOutcome } from '../../src/controller/index.js'
import { RemotePoll } from '../../src/controller/remote-poll.js'
import { ManualClock } from './manual-clock.js'

const FETCHED: FetchOutcome = { kind: 'fetched' }
const failed = (problem: string, retryAfterMs: number | null = null): FetchOutcome => ({
  kind: 'failed',
  problem,
  retryAfterMs,
  isMissing: false,
})

let clock: ManualClock
let fraction: number
let outcomes: FetchOutcome[]
let asked: number[]
let announced: boolean[]
let news: number
let told: (string | null)[]
let poll: RemotePoll
let hold: Promise<void> | undefined

beforeEach(() => {
  clock = new ManualClock()
  fraction = 0.5
  outcomes = []
  asked = []
  news = 0
  announced = []
  told = []
  hold = undefined
  poll = new RemotePoll({
    remote: {
      url: 'https://git.example.org/x',
      update: async () => {
        asked.push(clock.nowMs)
        await hold
        return outcomes.shift() ?? FETCHED
      },
    },
    clock,
    random: { uuid: () => '', fraction: () => fraction },
    logger: silentLogger,
    everyMs: 30_000,
    onFetched: (isAnnounced) => {
      news++
      announced.push(isAnnounced)
    },
    onProblem: (problem) => told.push(problem),
  })
})

/** Lets what was awaited go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(1_000)
    await settle()
  }
}

test('a remote is asked in its interval, a tenth sooner or later', async () => {
  fraction = 0
  poll.lookNow()
  await settle()
  fraction = 0.75
  await pass(27_000)
  await pass(31_500)
  expect(asked).toEqual([0, 27_000, 58_500])
  expect(news).toBe(3)
})

test('one that fails is asked less and less often, ten minutes apart at most, and told once', async () => {
  outcomes = Array.from({ length: 8 }, () => failed('it is away'))
  poll.lookNow()
  await settle()
  await pass(3_000_000)
  expect(asked.slice(0, 8).map((ms, at) => ms - (asked[at - 1] ?? 0))).toEqual([
    0, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000,
  ])
  expect(told).toEqual(['it is away', null])
})

test('the age of what is here grows while the remote is away, and is none before the first fetch', async () => {
  outcomes = [failed('it is away'), FETCHED, failed('it is away')]
  poll.lookNow()
  await settle()
  expect(poll.status).toMatchObject({ ageMs: null, problem: 'it is away', failuresInARow: 1 })
  await pass(30_000)
  expect(poll.status).toMatchObject({ ageMs: 0, problem: null, failuresInARow: 0, nextInMs: 30_000 })
  await pass(45_000)
  expect(poll.status).toMatchObject({ ageMs: 45_000, problem: 'it is away', fetches: 3 })
})

test('a remote that wants to be left alone is, also by those who say that there is something new', async () => {
  outcomes = [failed('left alone', 90_000)]
  poll.lookNow()
  await settle()
  await pass(60_000)
  poll.lookNow()
  await settle()
  expect(asked).toEqual([0])
  await pass(30_000)
  expect(asked).toEqual([0, 90_000])
})

test('who asks while it is being asked has it asked once more, however many they are', async () => {
  let goOn = () => {}
  hold = new Promise((resolve) => {
    goOn = resolve
  })
  poll.lookNow()
  for (let call = 0; call < 100; call++) poll.lookNow()
  await settle()
  expect(asked).toHaveLength(1)
  hold = undefined
  goOn()
  await settle()
  await pass(20_000)
  expect(asked).toEqual([0, 0])
})

/** One call after the other, each when the fetch of the one before has ended. */
async function callEach(times: number): Promise<void> {
  for (let call = 0; call < times; call++) {
    poll.lookNow()
    await settle()
  }
}

test('a few fetches follow each other at once, then there are pauses, and who asks in one is not forgotten', async () => {
  await callEach(100)
  expect(asked).toEqual([0, 0, 0, 0, 0])
  clock.advance(499)
  await callEach(100)
  expect(asked).toHaveLength(5)
  clock.advance(1)
  await settle()
  await pass(20_000)
  expect(asked).toEqual([0, 0, 0, 0, 0, 500])
})

test('however long many ask, it is asked twice a second; after a while without any a few may follow each other again', async () => {
  for (let passed = 0; passed < 10_000; passed += 100) {
    await callEach(3)
    clock.advance(100)
  }
  expect(asked.length).toBeLessThanOrEqual(5 + 20)
  expect(asked.length).toBeGreaterThanOrEqual(5 + 19)
  const before = asked.length
  clock.advance(2_500)
  await settle()
  await callEach(100)
  expect(asked.length - before).toBeGreaterThanOrEqual(5)
})

test('calls during a failure do not ask again at once', async () => {
  let goOn = () => {}
  hold = new Promise((resolve) => {
    goOn = resolve
  })
  outcomes = [failed('it is away'), failed('it is away')]
  poll.lookNow()
  poll.lookNow()
  goOn()
  await settle()
  expect(asked).toHaveLength(1)
})

/** To ten seconds. */
const gaps = () => asked.slice(1).map((at, before) => 10_000 * Math.round((at - asked[before]!) / 10_000))

test('while everything new is announced, a remote is asked now and then; what nobody announced ends that', async () => {
  poll.announce()
  await pass(310_000)
  expect([gaps(), announced]).toEqual([[300_000], [true, false]])
  poll.noteUnannounced()
  await pass(360_000)
  // The one that was planned, and from then on as before.
  expect(gaps()).toEqual([300_000, 300_000, 30_000, 30_000])
  poll.announce()
  await pass(310_000)
  expect(gaps().at(-1)).toBe(300_000)
})

test('where somebody was not heard it is asked in its interval again', async () => {
  poll.announce()
  await pass(100_000)
  poll.doubtAnnouncements()
  // However often: a flood asks no more.
  for (let call = 0; call < 100; call++) poll.doubtAnnouncements()
  await pass(70_000)
  expect(gaps()).toEqual([130_000, 30_000])
})

test('what was announced during a failure is still announced when it is fetched', async () => {
  outcomes = [failed('it is away')]
  poll.announce()
  await pass(29_000)
  expect(announced).toEqual([])
  await pass(3_000)
  expect(announced).toEqual([true])
})

test('after its end nothing is asked', async () => {
  poll.lookNow()
  await settle()
  poll.stop()
  poll.lookNow()
  await pass(120_000)
  expect(asked).toEqual([0])
})
