import { expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { type CommandLog, foldLog, Leader } from '../../src/controller/index.js'
import { type CommandBody, dumpState } from '../../src/state/index.js'

const pool = (name: string): CommandBody => ({
  kind: 'node-pool-put',
  pool: { Name: name, Description: '', Meta: null, SchedulerConfiguration: null, NodeIdentityTTL: 0, CreateIndex: 0, ModifyIndex: 0 },
})

function store(): MemoryLogStore {
  return new MemoryLogStore(() => performance.now(), 0)
}

async function lead(
  log: CommandLog,
  options: { snapshotEveryCommands?: number; clock?: typeof systemClock } = {},
): Promise<{ leader: Leader; stops: string[] }> {
  const stops: string[] = []
  const leader = await Leader.start({
    log,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onStop: (reason) => stops.push(reason),
    ...options,
  })
  return { leader, stops }
}

test('a decision sees what was proposed before it, although nothing of it is durable yet', async () => {
  const { leader } = await lead(new MemoryCommandLog(store(), systemClock))
  const before = leader.durableIndex
  leader.propose([pool('a')])
  expect(leader.state.nodePools.get('a')?.Name).toBe('a')
  expect(leader.durableIndex).toBe(before)
})

test('an output waits until what it tells of is durable', async () => {
  const { leader } = await lead(new MemoryCommandLog(store(), systemClock))
  const index = leader.propose([pool('a')])
  let seenAt = 0
  leader.release(index, () => {
    seenAt = leader.durableIndex
  })
  expect(seenAt).toBe(0)
  await leader.whenDurable(index)
  expect(seenAt).toBe(index)
})

test('what was read may be told again only while nothing has changed, all is durable and the lead is sure', async () => {
  let nowMs = 0
  const log = new MemoryLogStore(() => nowMs, 1_000)
  const { leader } = await lead(new MemoryCommandLog(log, { ...systemClock, monotonicMs: () => nowMs }), {
    clock: { ...systemClock, monotonicMs: () => nowMs },
  })
  const before = leader.state.index
  expect(leader.isCurrent(before)).toBe(true)
  const index = leader.propose([pool('a')])
  expect([leader.isCurrent(before), leader.isCurrent(index)]).toEqual([false, false])
  await leader.whenDurable(index)
  expect([leader.isCurrent(before), leader.isCurrent(index)]).toEqual([false, true])
  nowMs += 600
  expect(leader.isCurrent(index)).toBe(false)
})

test('of two that take the lead in the same millisecond one leads', async () => {
  const clock = { ...systemClock, wallMs: () => 1_000 }
  const disk = store()
  const leadOn = () => lead(new MemoryCommandLog(disk, clock), { clock })
  ;(await leadOn()).leader.retire('makes room')
  const both = await Promise.allSettled([leadOn(), leadOn()])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('everything proposed in one turn becomes one record', async () => {
  const disk = store()
  const { leader } = await lead(new MemoryCommandLog(disk, systemClock))
  const records = disk.records.length
  for (const name of ['a', 'b', 'c']) leader.propose([pool(name)])
  await leader.whenDurable(leader.state.index)
  expect(disk.records.length).toBe(records + 1)
})

test('a leader whose append is refused lets nothing out any more and says so once', async () => {
  const disk = store()
  const { leader: old, stops } = await lead(new MemoryCommandLog(disk, systemClock))
  await lead(new MemoryCommandLog(disk, systemClock))
  let released = false
  old.release(old.propose([pool('never')]), () => {
    released = true
  })
  await expect.poll(() => stops.length).toBe(1)
  expect(released).toBe(false)
  expect(() => old.propose([pool('later')])).toThrow(/stopped leading/)
  expect((await foldLog(new MemoryCommandLog(disk, systemClock))).state.nodePools.get('never')).toBeUndefined()
})

test('an output with nothing to append waits for a proof of leadership when the lease is old', async () => {
  const disk = new MemoryLogStore(() => performance.now(), 0)
  const { leader: old } = await lead(new MemoryCommandLog(disk, systemClock))
  await lead(new MemoryCommandLog(disk, systemClock))
  let released = false
  old.release(old.durableIndex, () => {
    released = true
  })
  await expect.poll(() => old.isStopped).toBe(true)
  expect(released).toBe(false)
})

test('a state rebuilt from the log equals the one that wrote it, with and without a snapshot', async () => {
  const disk = store()
  const { leader } = await lead(new MemoryCommandLog(disk, systemClock), { snapshotEveryCommands: 10 })
  for (let round = 0; round < 30; round++) {
    leader.propose([pool(`p${round % 7}`)])
    await leader.whenDurable(leader.state.index)
  }
  await expect.poll(() => disk.snapshots.length).toBe(2)
  expect(disk.records[0]!.firstIndex).toBeGreaterThan(1)
  const { state } = await foldLog(new MemoryCommandLog(disk, systemClock))
  expect(dumpState(state)).toBe(dumpState(leader.state))
})

test('a command that apply throws at never reaches the log', async () => {
  const disk = store()
  const { leader, stops } = await lead(new MemoryCommandLog(disk, systemClock))
  const records = disk.records.length
  expect(() => leader.propose([{ kind: 'node-eligibility', nodeId: 'nobody', eligibility: 'eligible', evaluations: [] }])).toThrow(/nobody/)
  await new Promise((resolve) => setImmediate(resolve))
  expect(stops.length).toBe(1)
  expect(disk.records.length).toBe(records)
})

test('a damaged record is named by its index and nothing is rebuilt from it', async () => {
  const disk = store()
  const { leader } = await lead(new MemoryCommandLog(disk, systemClock))
  leader.propose([pool('a')])
  await leader.whenDurable(leader.state.index)
  const last = disk.records.length - 1
  const payload = Uint8Array.from(disk.records[last]!.payload)
  payload[payload.length - 3]! ^= 1
  disk.records[last] = { ...disk.records[last]!, payload }
  await expect(foldLog(new MemoryCommandLog(disk, systemClock))).rejects.toThrow(/index 2 is damaged/)
})

test('a missing record breaks the chain', async () => {
  const disk = store()
  const { leader } = await lead(new MemoryCommandLog(disk, systemClock))
  for (const name of ['a', 'b', 'c']) await leader.whenDurable(leader.propose([pool(name)]))
  disk.records.splice(2, 1)
  await expect(foldLog(new MemoryCommandLog(disk, systemClock))).rejects.toThrow(/the log is broken: after index 2/)
})

test('a waiting reader is woken by durability, not by apply', async () => {
  const { leader } = await lead(new MemoryCommandLog(store(), systemClock))
  const viewIndex = leader.state.index
  let wokenAt = 0
  const woken = leader.changes.changed([{ table: 'nodePools', key: 'a' }], viewIndex, new AbortController().signal).then(() => {
    wokenAt = leader.durableIndex
  })
  const index = leader.propose([pool('a')])
  await woken
  expect(wokenAt).toBe(index)
  expect(leader.changes.waiterCount).toBe(0)
})
