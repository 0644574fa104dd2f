import { expect, test } from 'vitest'
import { nodeEvaluations } from '../../src/controller/node-evaluations.js'
import type { Allocation, Evaluation } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, evaluation, job, node } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'

const evaluated = (over: Partial<Allocation>) => {
  const state = new State()
  state.nodes.put(1, node({ ID: 'n' }))
  state.jobs.put(1, job({ ID: 'web', Type: 'batch' }))
  state.allocations.put(1, allocation({ JobID: 'web', NodeID: 'n', ...over }))
  return nodeEvaluations(state, state.nodes.get('n')!, new SeededRandom(1)).map(({ JobID }) => JobID)
}

test('a job is looked at whose allocation was told to end there: its host may be gone and never say that it has', () => {
  expect(evaluated({ DesiredStatus: 'stop', ClientStatus: 'running' })).toEqual(['web'])
})

test('a job is left alone of which all has ended there', () => {
  expect(evaluated({ DesiredStatus: 'run', ClientStatus: 'complete' })).toEqual([])
})

test('a job is not looked at twice of which an evaluation is about to be worked on, and is where that waits for its time', () => {
  const waitingFor = (over: Partial<Evaluation>) => {
    const state = new State()
    state.nodes.put(1, node({ ID: 'n' }))
    state.jobs.put(1, job({ ID: 'all', Type: 'system' }))
    state.evaluations.put(1, evaluation({ ID: 'e', JobID: 'all', ...over }))
    return nodeEvaluations(state, state.nodes.get('n')!, new SeededRandom(1)).length
  }
  expect(waitingFor({ Status: 'pending' })).toBe(0)
  expect(waitingFor({ Status: 'pending', WaitUntil: '2030-01-01T00:00:00Z' })).toBe(1)
  expect(waitingFor({ Status: 'complete' })).toBe(1)
})
