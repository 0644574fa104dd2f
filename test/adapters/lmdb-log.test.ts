import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { LmdbCommandLog } from '../../src/adapters/lmdb/command-log.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { systemRandom } from '../../src/adapters/random.js'
import { checksumOf, Leader, type Snapshot } from '../../src/controller/index.js'
import { dumpState } from '../../src/state/index.js'
import { nodePool } from '../fixtures.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function lead(log: LmdbCommandLog, snapshotEveryCommands: number): Promise<Leader> {
  return Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {}, snapshotEveryCommands })
}

async function declarePools(leader: Leader, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await leader.whenDurable(leader.propose([{ kind: 'node-pool-put', pool: nodePool(`p${at}`) }]))
  }
}

test('index and state go on from the log after it is opened again', async () => {
  const first = await LmdbCommandLog.open(folder)
  const leader = await lead(first, 1_000)
  await declarePools(leader, 5)
  const index = leader.state.index
  await first.close()

  const second = await LmdbCommandLog.open(folder)
  const next = await lead(second, 1_000)
  expect(next.state.index).toBe(index + 1)
  expect(next.epoch).toBe(leader.epoch + 1)
  expect(next.state.nodePools.get('p4')?.Name).toBe('p4')
  await second.close()
})

test('the head of the log is trimmed once two snapshots stand behind it', async () => {
  const first = await LmdbCommandLog.open(folder)
  const leader = await lead(first, 10)
  await declarePools(leader, 45)
  await expect.poll(async () => (await first.loadSnapshot())?.index ?? 0).toBeGreaterThan(30)
  const before = dumpState(leader.state)
  leader.stop('the test is over')
  await first.close()

  const second = await LmdbCommandLog.open(folder)
  const next = await lead(second, 1_000)
  expect(next.state.nodePools.count).toBe(47)
  expect(JSON.parse(before)[0]).toBe(next.state.index - 1)
  await second.close()
})

test('a log that is closed while a snapshot is written ends it first, and nothing reads on in the closed store', async () => {
  const log = await LmdbCommandLog.open(folder)
  const leader = await lead(log, 100_000)
  await declarePools(leader, 60)
  const bytes = Buffer.from(dumpState(leader.state))
  const snapshotAt = (index: number): Snapshot => ({ index, epoch: leader.epoch, chainHash: '', checksum: checksumOf(bytes), bytes })
  await log.saveSnapshot(snapshotAt(20))
  await log.saveSnapshot(snapshotAt(40))
  const saving = log.saveSnapshot(snapshotAt(60))
  leader.stop('the test is over')
  await log.close()
  await expect(saving).resolves.toBeUndefined()
  await expect(log.saveSnapshot(snapshotAt(61))).rejects.toThrow(/is closed/)

  const next = await LmdbCommandLog.open(folder)
  expect((await next.loadSnapshot())?.index).toBe(60)
  await next.close()
})

test('a second server on the same folder is refused with the remedy', async () => {
  const first = await LmdbCommandLog.open(folder)
  await expect(LmdbCommandLog.open(folder)).rejects.toThrow(/in use by another server; stop that server first/)
  await first.close()
})
