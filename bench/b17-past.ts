/**
 * B17: how things were. A log of reports of what runs with commits in between, with snapshots as a leader takes them, and the state folded as it was
 * at a commit and at a time: by the code of the process that answers `--at`, each time as its first question.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbCommandLog } from '../src/adapters/lmdb/command-log.js'
import { foldPast, snapshotOf } from '../src/controller/index.js'
import { ENTRIES_PER_RECORD, encodeCommand, makeRecord } from '../src/controller/log-record.js'
import { apply, type CommandBody } from '../src/state/index.js'
import { commit, taskEvent, taskState, uuid } from '../test/fixtures.js'
import { largeState } from './large-state.js'
import { type Bench, type Measurement, measurement } from './measurement.js'

const SIZE = { nodes: 50, jobs: 100, allocations: 1_000 }
const COMMANDS_PER_COMMIT = 1_000
const SNAPSHOT_EVERY_COMMANDS = 5_000
const COMMANDS_AT_ONCE = 300
const EVENTS = [taskEvent(), taskEvent({ Type: 'Task Setup' }), taskEvent({ Type: 'Started' }), taskEvent({ Type: 'Restarting' })]

export const b17: Bench = {
  name: 'B17',
  summary: 'the past: a question about an earlier commit or time',
  async *run({ quick }): AsyncIterable<Measurement> {
    const commands = quick ? 20_000 : 300_000
    const folder = mkdtempSync(join(tmpdir(), 'drover-b17-'))
    try {
      const times = await writeLog(folder, commands)
      const log = LmdbCommandLog.openForReading(folder)
      const commits = times.length
      for (const [name, share] of [
        ['oldest', 0.05],
        ['middle', 0.5],
        ['newest', 0.99],
      ] as const) {
        const at = Math.floor(commits * share)
        const of = `commands=${commands}, ${name}`
        yield measurement('B17', of, 'commit', 'ms', await timed(() => fold(log, { kind: 'commit', id: idOf(at) })))
        yield measurement('B17', of, 'time', 'ms', await timed(() => fold(log, { kind: 'time', atMs: times[at]! })))
      }
      await log.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function timed(work: () => Promise<void>): Promise<readonly number[]> {
  const runs: number[] = []
  for (let round = 0; round < 3; round++) {
    const began = performance.now()
    await work()
    runs.push(performance.now() - began)
  }
  return runs
}

async function fold(log: LmdbCommandLog, point: Parameters<typeof foldPast>[1]): Promise<void> {
  const past = await foldPast(log, point, Date.now())
  if (past.kind === 'refused') throw new Error(past.text)
}

/** @returns when each commit was applied */
async function writeLog(folder: string, commands: number): Promise<readonly number[]> {
  const state = largeState(SIZE)
  const log = await LmdbCommandLog.open(folder, undefined, { ms: 86_400_000, commandsMax: commands })
  const times: number[] = []
  let hash = ''
  let snapshotIndex = state.index
  await log.saveSnapshot(snapshotOf({ state, chainHash: hash }))
  for (let made = 0; made < commands; ) {
    const bodies: CommandBody[] = []
    for (let at = made; at < Math.min(commands, made + COMMANDS_AT_ONCE); at++) bodies.push(...bodiesAt(at, times))
    made += COMMANDS_AT_ONCE
    const entries = bodies.flatMap((body) => encodeCommand({ ...body, atMs: Date.now() }))
    const writes: Promise<unknown>[] = []
    for (let from = 0; from < entries.length; from += ENTRIES_PER_RECORD) {
      const some = entries.slice(from, from + ENTRIES_PER_RECORD)
      const bytes = some.map((entry) => entry.bytes)
      const record = makeRecord(state.index + 1, 1, hash, bytes)
      hash = record.hash
      writes.push(log.append(record))
      for (const { command } of some) apply(state, state.index + 1, command)
    }
    await Promise.all(writes)
    if (state.index - snapshotIndex < SNAPSHOT_EVERY_COMMANDS) continue
    snapshotIndex = state.index
    await log.saveSnapshot(snapshotOf({ state, chainHash: hash }))
  }
  await log.close()
  return times
}

function bodiesAt(at: number, times: number[]): readonly CommandBody[] {
  if (at % COMMANDS_PER_COMMIT === 0) return commitBodies(times)
  return [reportBody(at % SIZE.allocations, at)]
}

function commitBodies(times: number[]): readonly CommandBody[] {
  const nowMs = Date.now()
  const made = commit({ id: idOf(times.length) })
  times.push(nowMs)
  const counts = { registered: 0, waiting: 0, removed: 0, frozen: 0 }
  const trace = { commit: made, detectedMs: nowMs, verifiedMs: null, parsedMs: nowMs, appliedMs: nowMs, ...counts }
  return [
    { kind: 'commit-trace', trace, forgotten: [] },
    { kind: 'source-sync', status: { id: 'default', ref: 'HEAD', commit: made, held: null } },
  ]
}

function reportBody(allocation: number, number: number): CommandBody {
  const nodeId = uuid(allocation % SIZE.nodes, 0xa0)
  const TaskStates = { main: taskState({ Restarts: number % 7, Events: EVENTS }) }
  const report = { ID: uuid(allocation, 0xb8), ClientStatus: 'running', ClientDescription: '', TaskStates } as const
  return { kind: 'allocation-update', nodeId, reports: [report], services: [], evaluations: [] }
}

function idOf(at: number): string {
  return at.toString(16).padStart(40, '0')
}
