/** Nothing is too large for the log: it is divided where that is safe, and written in parts where it is not. */
import { expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { foldLog, Leader } from '../../src/controller/index.js'
import { encodeCommand, makeRecord } from '../../src/controller/log-record.js'
import { type CommandBody, dumpState, jobKey } from '../../src/state/index.js'
import { evaluation, job, node, task, taskGroup, uuid } from '../fixtures.js'

const ENTRY_BYTES = 2_000

function store(): MemoryLogStore {
  return new MemoryLogStore(() => performance.now(), 0)
}

function lead(disk: MemoryLogStore, options: { commandBytesMax?: number; snapshotEveryCommands?: number } = {}): Promise<Leader> {
  const log = new MemoryCommandLog(disk, systemClock)
  return Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {}, ...options })
}

const foldOf = async (disk: MemoryLogStore) => (await foldLog(new MemoryCommandLog(disk, systemClock))).state

const large = job({
  ID: 'large',
  TaskGroups: [
    taskGroup({ Tasks: [task({ Env: Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`KEY_${at}`, `välue ${at}`])) })] }),
  ],
})
const register: CommandBody = { kind: 'job-register', job: large, source: null, evaluations: [] }

test('a job that is larger than an entry of the log is there after a restart, at one index', async () => {
  const disk = store()
  const leader = await lead(disk, { commandBytesMax: ENTRY_BYTES })
  const index = leader.propose([register])
  await leader.whenDurable(index)
  expect(disk.records.length).toBeGreaterThan(2)
  for (const { payload } of disk.records) expect(payload.length).toBeLessThan(3 * ENTRY_BYTES + 500)
  expect(leader.state.jobs.get(jobKey(large))).toMatchObject({ CreateIndex: index, JobModifyIndex: index })
  expect(dumpState(await foldOf(disk))).toBe(dumpState(leader.state))
})

test('a log that ends anywhere inside a large command is led on, and the command can be proposed again', async () => {
  const whole = store()
  const first = await lead(whole, { commandBytesMax: ENTRY_BYTES })
  await first.whenDurable(first.propose([register]))
  for (let kept = 1; kept < whole.records.length; kept++) {
    const disk = store()
    disk.records.push(...whole.records.slice(0, kept))
    disk.epoch = first.epoch
    const next = await lead(disk, { commandBytesMax: ENTRY_BYTES })
    expect(next.state.jobs.get(jobKey(large))).toBeUndefined()
    await next.whenDurable(next.propose([register]))
    expect(dumpState(await foldOf(disk))).toBe(dumpState(next.state))
    expect(next.state.jobs.get(jobKey(large))?.TaskGroups[0]?.Tasks[0]?.Env).toEqual(large.TaskGroups[0]!.Tasks[0]!.Env)
  }
})

test('snapshots are never cut inside a command', async () => {
  const disk = store()
  const leader = await lead(disk, { commandBytesMax: ENTRY_BYTES, snapshotEveryCommands: 5 })
  for (let round = 0; round < 20; round++) {
    const changed = { ...large, Version: round, Meta: { round: String(round) } }
    await leader.whenDurable(leader.propose([{ ...register, job: changed } as CommandBody]))
  }
  await expect.poll(() => disk.snapshots.length).toBe(2)
  // On a busy machine the lease is confirmed now and then, and what the log holds follows what is decided.
  await expect.poll(async () => dumpState(await foldOf(disk)) === dumpState(leader.state), { timeout: 30_000 }).toBe(true)
})

test('a silent host with a thousand jobs is called down, and every job is looked at', async () => {
  const disk = store()
  const leader = await lead(disk)
  const evaluations = Array.from({ length: 1_000 }, (_, at) => evaluation({ ID: uuid(at, 5), JobID: `job-${at}-${'x'.repeat(300)}` }))
  leader.propose([{ kind: 'node-register', node: node(), reportNumber: 0, evaluations: [] }])
  await leader.whenDurable(
    leader.propose([{ kind: 'node-status', nodeId: node().ID, status: 'down', description: 'heartbeat missed', evaluations }]),
  )
  expect([leader.state.nodes.get(node().ID)?.Status, leader.state.evaluations.count]).toEqual(['down', 1_000])
  expect(dumpState(await foldOf(disk))).toBe(dumpState(leader.state))
})

test('a command that breaks off where its writer went on is damage, told by its index', async () => {
  const disk = store()
  const leader = await lead(disk, { commandBytesMax: ENTRY_BYTES })
  await leader.whenDurable(leader.propose([register]))
  // The last record of the command is lost and another one stands in its place, rightly chained: no crash leaves such a log.
  const last = disk.records.pop()!
  const [entry] = encodeCommand({ kind: 'leadership-confirm', atMs: systemClock.wallMs() })
  disk.records.push(makeRecord(last.firstIndex, last.epoch, last.previousHash, [entry!.bytes]))
  await expect(foldOf(disk)).rejects.toThrow(new RegExp(`index ${last.firstIndex} breaks off`))
})
