import { expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { Adoption, adoptable } from '../../src/controller/adoption.js'
import type { Allocation, AllocationReport, ClientStatus } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, job, node, sourceStatus, taskGroup, uuid } from '../fixtures.js'
import { ManualClock } from './manual-clock.js'

const group = taskGroup()
const wanted = job({ TaskGroups: [group], Version: 4, CreateIndex: 900, Stop: false })
const { ID: nodeId } = node()

function stateWith(...rows: readonly Allocation[]): State {
  const state = new State()
  state.jobs.put(1, wanted)
  for (const row of rows) state.allocations.put(1, row)
  return state
}

function held(over: Partial<Allocation> = {}, ClientStatus: ClientStatus = 'running') {
  const row = allocation({ NodeID: nodeId, JobID: wanted.ID, TaskGroup: group.Name, DesiredStatus: 'run', ...over })
  const report: AllocationReport = { ID: row.ID, ClientStatus, ClientDescription: 'as the host says', TaskStates: {} }
  return { allocation: row, report }
}

test('what runs and is still wanted is taken over under its own id, as the version of now', () => {
  const [adopted] = adoptable(stateWith(), nodeId, [
    held({ DeploymentID: uuid(7), FollowupEvalID: uuid(8), JobVersion: 2, JobCreateIndex: 3 }),
  ])
  expect(adopted).toMatchObject({ ID: held().allocation.ID, JobVersion: 4, JobCreateIndex: 900, ClientDescription: 'as the host says' })
  expect([adopted?.DeploymentID, adopted?.FollowupEvalID]).toEqual([undefined, undefined])
})

test.each([
  ['of a job that is not there', held({ JobID: 'other' })],
  ['of a group that is not there', held({ TaskGroup: 'other' })],
  ['that has ended', held({}, 'complete')],
  ['that is to stop', held({ DesiredStatus: 'stop' })],
  ['of another host', held({ NodeID: uuid(99) })],
  ['with other resources than the job asks for now', held({ AllocatedResources: { ...held().allocation.AllocatedResources, Tasks: {} } })],
])('an allocation %s is not taken over', (_, one) => {
  expect(adoptable(stateWith(), nodeId, [one])).toEqual([])
})

test('a name is taken over once', () => {
  const twice = [held({ ID: uuid(1), Name: 'web.g[0]' }), held({ ID: uuid(2), Name: 'web.g[0]' })]
  expect(adoptable(stateWith(), nodeId, twice).map(({ ID }) => ID)).toEqual([uuid(1)])
  const there = stateWith(held({ ID: uuid(3), Name: 'web.g[0]', NodeID: uuid(99) }).allocation)
  expect(adoptable(there, nodeId, twice)).toEqual([])
})

function adoption(state: State, over: Partial<ConstructorParameters<typeof Adoption>[0]> = {}) {
  const ends: string[] = []
  const made = new Adoption({
    view: state,
    clock: systemClock,
    logger: silentLogger,
    isBeginning: true,
    waitMsMax: 60_000,
    onOver: () => ends.push('over'),
    ...over,
  })
  return { made, ends }
}

const declare = (state: State, ...names: readonly string[]) => {
  for (const name of names)
    state.nodeDeclarations.put(1, {
      name,
      path: `agents/${name}.hcl`,
      pool: 'default',
      nodeClass: '',
      datacenter: 'dc1',
      meta: {},
      publicKey: name,
      reserved: { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' },
      hostVolumes: {},
      isEligible: true,
      drain: null,
    })
}

test('nobody joins before the repository was read, and nothing is placed before every declared host has joined', () => {
  const state = stateWith()
  const { made, ends } = adoption(state)
  expect([made.mayJoin, made.isHearing]).toEqual([false, true])
  declare(state, 'a', 'b')
  state.sources.put(1, sourceStatus())
  expect([made.mayJoin, made.isHearing]).toEqual([true, true])
  state.nodes.put(1, node({ ID: uuid(1), Name: 'a' }))
  expect(made.isHearing).toBe(true)
  state.nodes.put(1, node({ ID: uuid(2), Name: 'b' }))
  expect([made.isHearing, ends]).toEqual([false, ['over']])
  expect(made.adopt(nodeId, [held()])).toEqual([])
  made.stop()
})

test('a host that is away does not keep the others waiting for ever', () => {
  const clock = new ManualClock()
  const state = stateWith()
  const { made } = adoption(state, { clock })
  declare(state, 'a')
  state.sources.put(1, sourceStatus())
  clock.advance(60_001)
  expect(made.isHearing).toBe(false)
})

test('a server that goes on where it was adopts nothing and waits for nobody', () => {
  const { made } = adoption(stateWith(), { isBeginning: false })
  expect([made.mayJoin, made.isHearing, made.adopt(nodeId, [held()])]).toEqual([true, false, []])
})
