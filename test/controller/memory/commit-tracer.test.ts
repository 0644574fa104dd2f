/** What is remembered of a commit: when it was seen, read, applied, and when each of its jobs came to its end. */
import { expect, test } from 'vitest'
import { CommitTracer, tracedJobs } from '../../../src/controller/memory/commit-tracer.js'
import { traceCommand } from '../../../src/controller/memory/trace-command.js'
import { tellWaiting } from '../../../src/controller/order/change-gate.js'
import { Histogram } from '../../../src/domain/index.js'
import { apply, State } from '../../../src/state/index.js'
import { allocation, commit as commitOf, FIXTURE_MS, uuid } from '../../fixtures.js'
import { reconcilerWorld } from '../reconciler-world.js'

const text = (id: string, { count = 1, drover = '', command = '/bin/true', type = 'batch' } = {}) => `job "${id}" {
  type = "${type}"
  ${drover === '' ? '' : `meta {\n    drover = "${drover}"\n  }`}
  group "group" {
    count = ${count}
    task "main" {
      driver = "raw_exec"
      config { command = "${command}" }
    }
  }
}`

async function world() {
  const base = await reconcilerWorld()
  const { leader } = base
  const { state } = leader
  const propose = (bodies: Parameters<typeof leader.propose>[0]) => void leader.propose(bodies)
  const newTracer = () => new CommitTracer({ view: state, clock: leader.clock, propose, onDue: () => leader.nudge() })
  const tracer = newTracer()
  leader.onTurnEnd(() => tracer.reconcile())
  const settled = async () => {
    leader.nudge()
    for (let index = -1; index !== state.index; ) {
      index = state.index
      await leader.whenDurable(index)
    }
  }
  const commit = async (files: Readonly<Record<string, string | null>>) => {
    const { commit: made } = await base.apply(Object.fromEntries(Object.entries(files).map(([id, file]) => [`jobs/${id}.nomad.hcl`, file])))
    await settled()
    return made.id
  }
  const report = async (jobId: string, ClientStatus: 'running' | 'complete' | 'failed', id: number) => {
    const { CreateIndex: JobCreateIndex, Version: JobVersion } = state.jobs.get(`default\u0000${jobId}`)!
    const row = allocation({ ID: uuid(id, 0xb0), JobID: jobId, Name: `${jobId}.group[0]`, JobCreateIndex, JobVersion, ClientStatus })
    const evaluations = state.evaluations.by('job', `default\u0000${jobId}`).map((one) => ({ ...one, Status: 'complete' as const }))
    leader.propose([
      { kind: 'evaluation-update', evaluations },
      { kind: 'allocation-adopt', nodeId: row.NodeID, allocations: [row] },
    ])
    await settled()
  }
  const told = (id: string) => tracedJobs(state, 'default', id, tellWaiting(state, leader.clock.wallMs()))
  return { ...base, state, tracer, newTracer, commit, report, told }
}

test('a commit is remembered with its times, in their order', async () => {
  const { commit, state } = await world()
  const id = await commit({ web: text('web'), later: text('later', { drover: 'depends_on=web' }) })
  const trace = state.commitTraces.get(id)!
  expect([trace.registered, trace.waiting, trace.removed, trace.frozen]).toEqual([1, 1, 0, 0])
  expect(trace.verifiedMs).toBeNull()
  expect(trace.detectedMs).toBeLessThanOrEqual(trace.parsedMs)
  expect(trace.parsedMs).toBeLessThanOrEqual(trace.appliedMs)
})

test('a job goes from in progress to healthy, once, and what waits is told beside it', async () => {
  const { commit, report, told, state, tracer } = await world()
  const id = await commit({ web: text('web'), later: text('later', { drover: 'depends_on=web' }) })
  expect(told(id).map(({ jobId, outcome, version }) => [jobId, outcome, version])).toEqual([
    ['later', 'waiting', null],
    ['web', 'in-progress', 0],
  ])
  expect(told(id)[1]!.waitsFor).toEqual(['of group group of web 0 of 1 are done'])
  await report('web', 'complete', 1)
  const web = told(id).find(({ jobId }) => jobId === 'web')!
  expect([web.outcome, web.waitsFor]).toEqual(['healthy', []])
  expect(web.registeredMs).toBeLessThanOrEqual(web.plannedMs!)
  expect(web.plannedMs).toBeLessThanOrEqual(web.placedMs!)
  expect(web.placedMs).toBeLessThanOrEqual(web.endedMs!)
  expect(state.versionTimes.count).toBe(1)
  expect([tracer.seconds.detected.count, tracer.seconds.placed.count, tracer.seconds.healthy.count]).toEqual([1, 1, 1])
})

test('work that fails has failed, and a version that another one overtakes is superseded', async () => {
  const { commit, report, told, tracer } = await world()
  const first = await commit({ bad: text('bad'), web: text('web', { type: 'service' }) })
  await report('bad', 'failed', 1)
  const second = await commit({ web: text('web', { type: 'service', command: '/bin/false' }) })
  expect(told(first).map(({ jobId, outcome }) => [jobId, outcome])).toEqual([
    ['bad', 'failed'],
    ['web', 'superseded'],
  ])
  expect(told(second).map(({ outcome }) => outcome)).toEqual(['in-progress'])
  expect(tracer.seconds.healthy.count).toBe(0)
})

test('what was written down outlives the allocations and evaluations that it was read from', async () => {
  const { commit, report, told, leader, state } = await world()
  const id = await commit({ web: text('web') })
  await report('web', 'complete', 1)
  const before = told(id)
  const ids = { allocations: [...state.allocations.keys()], evaluations: [...state.evaluations.keys()] }
  leader.propose([{ kind: 'garbage-collect', ...ids, deployments: [], jobs: [], nodes: [] }])
  expect(state.allocations.count).toBe(0)
  expect(told(id)).toEqual(before)
})

test('a server that starts anew goes on with what is under way and repeats nothing', async () => {
  const { commit, report, newTracer, state, leader } = await world()
  await commit({ web: text('web'), other: text('other') })
  await report('web', 'complete', 1)
  const again = newTracer()
  const { index } = state
  again.reconcile()
  expect(state.index).toBe(index)
  leader.nudge()
  expect(again.seconds.detected.count).toBe(0)
})

test('of all commits the newest thousand are remembered', () => {
  const state = new State()
  for (let at = 0; at < 1_003; at++) {
    const trace = {
      commit: commitOf({ id: `c${at}` }),
      detectedMs: at,
      verifiedMs: null,
      parsedMs: at,
      appliedMs: at,
      registered: 0,
      waiting: 0,
      removed: 0,
      frozen: 0,
    }
    apply(state, state.index + 1, { ...traceCommand(state, trace), atMs: FIXTURE_MS })
  }
  expect([state.commitTraces.count, state.commitTraces.get('c2'), state.commitTraces.get('c3')?.appliedMs]).toEqual([1_000, undefined, 3])
})

test('a histogram counts what lies at or below each bound', () => {
  const histogram = new Histogram([1, 10])
  for (const value of [0.5, 1, 5, 100, -3]) histogram.add(value)
  expect([histogram.counts, histogram.count, histogram.sum, histogram.min, histogram.max]).toEqual([[3, 4], 5, 106.5, 0, 100])
})
