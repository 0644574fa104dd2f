/** What is kept of allocations that have ended, and when it goes. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { EndedAllocations } from '../../src/agent/ended-allocations.js'
import { HandClock, settle } from './hand-clock.js'

const HOUR_MS = 3_600_000
const RULES = { endedMax: 3, ageMsMax: 10 * HOUR_MS, diskPercentMax: 80, inodePercentMax: 70 }

/** Allocations by id, each with when it ended, hours ago; null: it runs. */
function begin(ended: Readonly<Record<string, number | null>>, over: Partial<typeof RULES> = {}) {
  const clock = new HandClock()
  const shells = new Map(
    Object.entries(ended).map(([id, hoursAgo]) => {
      const endedMs = hoursAgo === null ? null : clock.wallMs() - hoursAgo * HOUR_MS
      return [id, { id, runner: { hasEnded: endedMs !== null, record: { endedMs } } }]
    }),
  )
  const world = { held: new Set<string>(), forgotten: [] as readonly string[], used: [] as number[], inodes: 0, isSilent: false }
  const collection = new EndedAllocations({
    clock,
    logger: silentLogger,
    rules: { ...RULES, ...over },
    shells: () => shells.values() as never,
    isHeld: (id) => world.held.has(id),
    forget: async ({ id }) => void shells.delete(id),
    diskShare: async () => ({ usedPercent: world.used.shift() ?? 0, inodesUsedPercent: world.inodes }),
    askForgotten: async (ids) => {
      if (world.isSilent) throw new Error('no server')
      return ids.filter((id) => world.forgotten.includes(id))
    },
  })
  collection.start()
  return {
    world,
    collection,
    left: () => [...shells.keys()],
    async look() {
      await clock.advance(60_000)
      await settle()
    },
  }
}

test('the oldest beyond the number go, and what runs or is held stays', async () => {
  const { world, collection, left } = begin({ a: 1, b: 5, c: 4, d: 3, e: 2, runs: null, held: 9 })
  world.held.add('held')
  collection.collect()
  expect(left()).toEqual(['a', 'd', 'e', 'runs', 'held'])
})

test('what is too old goes', async () => {
  const { collection, left } = begin({ a: 11, b: 9 })
  collection.collect()
  expect(left()).toEqual(['b'])
})

test('a full disk takes the oldest until there is room', async () => {
  const { world, look, left } = begin({ a: 1, b: 3, c: 2 })
  world.used = [95, 81, 80]
  await look()
  expect(left()).toEqual(['a'])
})

test('so does one without inodes', async () => {
  const { world, look, left } = begin({ a: 1, b: 3 })
  world.inodes = 71
  await look()
  expect(left()).toEqual([])
})

test('what the server has forgotten goes; a silent server has forgotten nothing, and a full disk is made room on all the same', async () => {
  const { world, look, left } = begin({ a: 1, b: 3, c: 2 })
  world.forgotten = ['a']
  world.isSilent = true
  world.used = [95]
  await look()
  expect(left()).toEqual(['a', 'c'])
  world.isSilent = false
  await look()
  expect(left()).toEqual(['c'])
})

test('whoever asks for it gets one or all collected, and nothing that runs', () => {
  const { collection, left } = begin({ a: 1, b: 3, c: 2, runs: null })
  collection.collectNow('b')
  expect(left()).toEqual(['a', 'c', 'runs'])
  collection.collectNow('runs')
  collection.collectNow(undefined)
  expect(left()).toEqual(['runs'])
})
