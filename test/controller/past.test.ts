/** The state as it was: whatever was true then, and a sentence for what is not kept. */
import { expect, test } from 'vitest'
import type { LogRecord, Snapshot } from '../../src/controller/index.js'
import { ENTRIES_PER_RECORD, encodeCommand, makeRecord } from '../../src/controller/log-record.js'
import { foldPast, type PastLog, readPastPoint } from '../../src/controller/memory/past.js'
import { snapshotOf } from '../../src/controller/snapshots.js'
import { apply, type CommandBody, dumpState, State } from '../../src/state/index.js'
import { commit, nodePool } from '../fixtures.js'

const NOW_MS = 1_000_000

/** A log in which each Command has a time of its own; `cut` keeps a snapshot and forgets everything before it. */
function history() {
  const state = new State()
  const records: LogRecord[] = []
  const snapshots: Snapshot[] = []
  const writtenMs = new Map<number, number>()
  const dumps: string[] = [dumpState(state)]
  let hash = ''
  const add = (atMs: number, ...bodies: readonly CommandBody[]) => {
    const entries = bodies.flatMap((body) => encodeCommand({ ...body, atMs }))
    for (let from = 0; from < entries.length; from += ENTRIES_PER_RECORD) {
      const some = entries.slice(from, from + ENTRIES_PER_RECORD)
      const bytes = some.map((entry) => entry.bytes)
      const record = makeRecord(state.index + 1, 1, hash, bytes)
      hash = record.hash
      records.push(record)
      for (const { command } of some) {
        apply(state, state.index + 1, command)
        dumps.push(dumpState(state))
      }
    }
    return state.index
  }
  const log: PastLog = {
    snapshots: async () => snapshots.map(({ index }) => ({ index, writtenMs: writtenMs.get(index)! })),
    loadSnapshotAt: async (index) => snapshots.find((snapshot) => snapshot.index === index)!,
    async *read(fromIndex) {
      yield* records.filter(({ firstIndex, count }) => firstIndex + count > fromIndex)
    },
  }
  return {
    state,
    log,
    dumps,
    writtenMs,
    add,
    cut(isTrimmed = false) {
      snapshots.push(snapshotOf({ state, chainHash: hash }))
      writtenMs.set(state.index, state.atMs + 1)
      if (isTrimmed) records.length = 0
    },
    /** A commit as the reconciler writes it down: what it changes, its trace, the cursor. */
    sync(atMs: number, id: string, ...changes: readonly CommandBody[]) {
      const made = commit({ id })
      const counts = { registered: 0, waiting: 0, removed: 0, frozen: 0 }
      const times = { detectedMs: atMs, verifiedMs: null, parsedMs: atMs, appliedMs: atMs }
      add(atMs, ...changes)
      add(atMs, { kind: 'commit-trace', trace: { commit: made, ...times, ...counts }, forgotten: [] })
      return add(atMs, { kind: 'source-sync', status: { id: 'main', ref: 'HEAD', commit: made, held: null } })
    },
    dumpAt: async (text: string, nowMs = NOW_MS) => {
      const past = await foldPast(log, readPastPoint(text)!, nowMs)
      return past.kind === 'state' ? dumps.indexOf(dumpState(past.state)) : past.text
    },
  }
}

const pool = (Name: string): CommandBody => ({ kind: 'node-pool-put', pool: nodePool(Name) })
const iso = (ms: number) => new Date(ms).toISOString()
const BEGIN: CommandBody = { kind: 'leadership-begin', epoch: 1, clusterId: 'c', leader: 'l' }
const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string]

test('a time is what had happened until then', async () => {
  const { add, dumpAt } = history()
  add(1_000, BEGIN)
  add(2_000, pool('x'), pool('y'))
  add(3_000, pool('z'))
  expect(await dumpAt(iso(1_000))).toBe(1)
  expect(await dumpAt(iso(1_999))).toBe(1)
  expect(await dumpAt(iso(2_000))).toBe(3)
  expect(await dumpAt(iso(999_999))).toBe(4)
})

test('what is not over yet may be asked again, what is over stays', async () => {
  const { add, log } = history()
  add(1_000, BEGIN)
  add(2_000, pool('x'))
  expect(await foldPast(log, { kind: 'time', atMs: 1_500 }, NOW_MS)).toMatchObject({ isOver: true })
  expect(await foldPast(log, { kind: 'time', atMs: 2_500 }, NOW_MS)).toMatchObject({ isOver: false })
})

test('a commit is how things stood before anything was done for the next', async () => {
  const { add, sync, dumpAt } = history()
  add(1_000, BEGIN)
  sync(2_000, A, pool('x'))
  const beforeB = add(2_500, pool('ran'))
  sync(3_000, B, pool('y'))
  const end = add(4_000, pool('later'))
  expect(await dumpAt(A.slice(0, 7))).toBe(beforeB)
  expect(await dumpAt(B)).toBe(end)
  expect(await dumpAt('c'.repeat(7))).toBe('no commit ccccccc was applied')
})

/** To a commit from the one after it. */
function wentBack() {
  const told = history()
  told.add(1_000, BEGIN)
  told.sync(2_000, A)
  told.sync(3_000, B)
  told.sync(4_000, A)
  return { ...told, end: told.add(4_500, pool('x')) }
}

test('a commit that was applied twice is the last time; a beginning of several is none', async () => {
  const { sync, dumpAt, end } = wentBack()
  expect(await dumpAt(A)).toBe(end)
  const twin = `aaaaaaa${'1'.repeat(33)}`
  sync(5_000, twin)
  expect(await dumpAt('aaaaaaa')).toBe(`aaaaaaa is the beginning of 2 commits: ${twin}, ${A}`)
  expect(await dumpAt(A)).toBe(end)
})

test('a commit that comes back is told by its own time, also where it leaves no trace', async () => {
  const { add, dumpAt, end } = wentBack()
  add(5_000, { kind: 'source-sync', status: { id: 'main', ref: 'HEAD', commit: commit({ id: B }), held: null } })
  expect(await dumpAt(A)).toBe(end)
})

test('commits are found whatever they are written between, and however many parts a Command has', async () => {
  const { add, sync, cut, dumpAt } = history()
  add(1_000, BEGIN)
  cut()
  sync(2_000, A)
  add(2_100, { kind: 'node-pool-put', pool: { ...nodePool('large'), Description: 'x'.repeat(600_000) } })
  for (let at = 0; at < 50; at++) add(2_200 + at, pool(`p${at}`), pool(`q${at}`), pool(`r${at}`))
  const beforeB = add(2_900, pool('last'))
  sync(3_000, B, pool('y'))
  const end = add(4_000, pool('later'))
  expect(await dumpAt(A)).toBe(beforeB)
  expect(await dumpAt(B)).toBe(end)
})

test('a state whose file looks older than what it holds is no beginning', async () => {
  const { add, sync, cut, log, writtenMs, dumpAt, state } = history()
  add(1_000, BEGIN)
  cut()
  writtenMs.set(state.index, 900)
  sync(2_000, A)
  const beforeB = add(2_500, pool('x'))
  sync(3_000, B)
  cut()
  writtenMs.set(state.index, 1_500)
  expect((await log.snapshots()).map(({ writtenMs: ms }) => ms)).toEqual([900, 1_500])
  expect(await dumpAt(A)).toBe(beforeB)
  expect(await dumpAt(iso(2_600))).toBe(beforeB)
})

test('what is kept begins with the oldest snapshot, and what was before is told to be gone', async () => {
  const { add, sync, cut, dumpAt, dumps, state } = history()
  add(1_000, BEGIN)
  sync(2_000, A)
  sync(3_000, B)
  cut(true)
  const cutIndex = state.index
  add(4_000, pool('x'))
  cut()
  const end = add(5_000, pool('y'))
  expect(dumps).toHaveLength(end + 1)
  expect(await dumpAt(iso(3_500))).toBe(cutIndex)
  expect(await dumpAt(iso(4_000))).toBe(cutIndex + 1)
  expect(await dumpAt(iso(4_001))).toBe(cutIndex + 1)
  expect(await dumpAt(iso(5_000))).toBe(end)
  expect(await dumpAt(B)).toBe(end)
  const kept = `${iso(3_000)} (commit ${B.slice(0, 12)})`
  expect(await dumpAt(iso(2_500))).toBe(`what is kept begins at ${kept}; what was wanted before is in git, and what ran is forgotten`)
  expect(await dumpAt(A)).toBe(`no commit ${A} was applied since ${kept}, which is as far as what is kept goes back`)
  expect(await dumpAt(C)).toContain('no commit')
})

test('before the first entry of a whole log there was nothing, and the future is not told', async () => {
  const { add, dumpAt } = history()
  add(1_000, BEGIN)
  expect(await dumpAt(iso(999))).toBe(`what is kept begins at ${iso(1_000)}; what was wanted before is in git, and what ran is forgotten`)
  expect(await dumpAt(iso(NOW_MS + 1))).toBe(`${iso(NOW_MS + 1)} is yet to come; it is ${iso(NOW_MS)}`)
})

test.each(['', 'HEAD', 'abc', 'abcdefg', 'ABCDEF0', '2026', '2026-11-30T12:00', '30m', '2026-13-01', '1e9', '../x'])(
  '%j is no past',
  (text) => {
    expect(readPastPoint(text)).toBeUndefined()
  },
)

test('times are read with their zone, and a day from its beginning', () => {
  expect(readPastPoint('2026-11-30')).toEqual({ kind: 'time', atMs: Date.UTC(2026, 10, 30) })
  expect(readPastPoint('2026-11-30T12:00:00.5+01:00')).toEqual({ kind: 'time', atMs: Date.UTC(2026, 10, 30, 11, 0, 0, 500) })
  expect(readPastPoint('abcdef0')).toEqual({ kind: 'commit', id: 'abcdef0' })
})
