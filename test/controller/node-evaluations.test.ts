import { expect, test } from 'vitest'
import { nodeEvaluations } from '../../src/controller/node-evaluations.js'
import type { Allocation } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, job, node } from '../fixtures.js'
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
