/** Questions to the scheduler change nothing, and see the job as registering would store it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { Leader } from '../../src/controller/leader.js'
import { Planner } from '../../src/controller/planner.js'
import type { Job } from '../../src/domain/index.js'
import { createScheduler, type Scheduler } from '../../src/scheduler/index.js'
import { evaluation, job, node, task, taskGroup, uuid } from '../fixtures.js'

let leader: Leader
let scheduler: Scheduler
let planner: Planner

const version = (value: string, over: Partial<Job> = {}) =>
  job({ TaskGroups: [taskGroup({ Count: 2, Update: null, Tasks: [task({ Env: { VALUE: value } })] })], ...over })

beforeEach(async () => {
  const log = new MemoryCommandLog(new MemoryLogStore(() => performance.now(), 0), systemClock)
  leader = await Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {} })
  scheduler = createScheduler(leader.state)
  planner = new Planner(leader, scheduler, systemClock, systemRandom)
  leader.propose([{ kind: 'node-register', node: node({ ID: uuid(1, 1), Name: 'n1' }), reportNumber: 0, evaluations: [] }])
})
afterEach(() => leader.retire('the test is over'))

/** Registers and places it. */
function run(wanted: Job): Job {
  leader.propose([{ kind: 'job-register', job: wanted, source: null, evaluations: [evaluation({ ID: uuid(1, 9), JobID: wanted.ID })] }])
  const asked = leader.state.evaluations.get(uuid(1, 9))!
  const { plan, evaluation: done, created } = scheduler.schedule(asked, { nowMs: Date.now(), newId: () => systemRandom.uuid() })
  leader.propose([{ kind: 'plan-apply', plan, closes: { evaluation: done, created } }])
  return leader.state.jobs.all()[0]!
}

const updatesOf = async (next: Job) => (await planner.plan(next, false)).result.plan.Annotations!.DesiredTGUpdates['group']!

test('a new job is placed, and nothing of that is stored', async () => {
  const { index } = leader.state
  expect(await updatesOf(version('a'))).toMatchObject({ Place: 2 })
  expect(leader.state.index).toBe(index)
})

test('a changed job is seen as its next version, whatever version and indexes it was sent with', async () => {
  const stored = run(version('a'))
  expect(await updatesOf(version('b'))).toMatchObject({ DestructiveUpdate: 2 })
  expect(await updatesOf({ ...stored, TaskGroups: version('b').TaskGroups })).toMatchObject({ DestructiveUpdate: 2 })
})

test('a job that says the same changes nothing', async () => {
  run(version('a'))
  expect(await updatesOf(version('a'))).toMatchObject({ Ignore: 2, DestructiveUpdate: 0, InPlaceUpdate: 0 })
})

test('reasons are given when they are asked for', async () => {
  expect((await planner.plan(version('a'), false)).reasons).toEqual([])
  expect((await planner.plan(version('a'), true)).reasons.map(({ code }) => code)).toEqual(['new', 'new'])
})

test('a job that runs is explained, one that is not there is not', async () => {
  run(version('a'))
  expect((await planner.explain('default', 'web'))?.groups[0]?.placements.length).toBe(2)
  expect(await planner.explain('default', 'nothing-like-it')).toBeUndefined()
})
