import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { LocalState } from '../../src/agent/local-state.js'
import { MemoryLocalStore } from '../../src/agent/memory-local-store.js'
import { Outbox } from '../../src/agent/outbox.js'
import type { AllocationReport } from '../../src/domain/index.js'
import { HandClock, settle } from './hand-clock.js'

const reportOf = (ID: string): AllocationReport => ({
  ID,
  ClientStatus: 'running',
  ClientDescription: '',
  TaskStates: {},
})

/** A disk that takes each write when it is told to, or refuses it. */
function slowDisk() {
  const waiting: { readonly take: () => void; readonly refuse: () => void }[] = []
  const rows = new Map<string, unknown>()
  const store = new MemoryLocalStore(rows)
  const write = store.write.bind(store)
  store.write = async (changes) => {
    await new Promise<void>((resolve, reject) => waiting.push({ take: resolve, refuse: () => reject(new Error('no space left')) }))
    return write(changes)
  }
  const clock = new HandClock()
  return { rows, waiting, clock, local: new LocalState(store, clock, silentLogger) }
}

test('nothing is sent before it is on disk', async () => {
  const { waiting, clock, local } = slowDisk()
  let ready = 0
  const outbox = new Outbox(local, () => ready++)
  void outbox.put(reportOf('a'))
  await clock.advance(10)
  expect([outbox.isReady, outbox.batch().reports, outbox.holds('a')]).toEqual([false, [], true])
  waiting[0]!.take()
  await settle()
  expect([outbox.isReady, outbox.batch().reports.length, ready]).toEqual([true, 1, 1])
})

test('what is newer than the first that is not on disk waits with it', async () => {
  const { waiting, clock, local } = slowDisk()
  const outbox = new Outbox(local, () => {})
  void outbox.put(reportOf('a'))
  await clock.advance(10)
  void outbox.put(reportOf('b'))
  await clock.advance(10)
  waiting[0]!.take()
  await settle()
  expect(outbox.batch().reports.map(({ ID }) => ID)).toEqual(['a'])
  waiting[1]!.take()
  await settle()
  expect(outbox.batch().reports.map(({ ID }) => ID)).toEqual(['a', 'b'])
})

test('a write that is tried again does not bring back what was replaced meanwhile', async () => {
  const { rows, waiting, clock, local } = slowDisk()
  void local.save({ key: 'old' })
  void local.written()
  await settle()
  void local.save({ key: 'new' })
  const newer = local.written()
  await settle()
  expect(waiting).toHaveLength(1)
  waiting[0]!.refuse()
  await settle()
  await clock.advance(1_000)
  await settle()
  waiting[1]!.take()
  await settle()
  expect(rows.get('key')).toBe('old')
  waiting[2]!.take()
  await newer
  expect(rows.get('key')).toBe('new')
})
