/** What a commit's trailers come to, over real tables. */
import { expect, test } from 'vitest'
import { oneShotActs } from '../../src/controller/one-shot-acts.js'
import { rfc3339 } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, deployment, deploymentState, job, uuid } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'

const CANARY = uuid(1, 7)
const ENDED = uuid(2, 7)
const ROLL_OUT = uuid(1, 5)

/** A job whose one canary is healthy, and an allocation of it that has ended. */
function stateWithCanary(): State {
  const state = new State()
  state.jobs.put(1, job())
  const groups = { group: deploymentState({ DesiredCanaries: 1, PlacedCanaries: [CANARY], HealthyAllocs: 1, PlacedAllocs: 1 }) }
  state.deployments.put(1, deployment({ ID: ROLL_OUT, TaskGroups: groups }))
  const health = { Healthy: true, Timestamp: rfc3339(0), Canary: true, ModifyIndex: 5 }
  state.allocations.put(1, allocation({ ID: CANARY, DeploymentID: ROLL_OUT, ClientStatus: 'running', DeploymentStatus: health }))
  state.allocations.put(1, allocation({ ID: ENDED, ClientStatus: 'complete' }))
  return state
}

function acts(key: string, value: string, state = stateWithCanary()) {
  return oneShotActs(state, [{ key, value }], new SeededRandom(1))
}

test.each([
  ['the job', 'web'],
  ['the job and its namespace', 'default/web'],
  ['the deployment, as the refusal of the API names it', ROLL_OUT],
])('canaries are promoted by %s', (_, name) => {
  const { commands, ignored } = acts('Drover-Promote', name)
  expect(commands).toMatchObject([{ kind: 'deployment-promote', deploymentId: ROLL_OUT, groups: ['group'] }])
  expect(ignored).toEqual([])
})

test('an allocation that is to be restarted is asked to move, and its job is looked at', () => {
  const { commands } = acts('Drover-Restart', CANARY)
  expect(commands).toMatchObject([
    {
      kind: 'allocation-transition',
      transitions: { [CANARY]: { Migrate: true } },
      evaluations: [{ TriggeredBy: 'alloc-stop', JobID: 'web' }],
    },
  ])
})

test('several names of one trailer are several acts', () => {
  const { commands, ignored } = acts('Drover-Evaluate', 'web, default/web nobody')
  expect(commands.map(({ kind }) => kind)).toEqual(['evaluation-update', 'evaluation-update'])
  expect(ignored).toEqual(['Drover-Evaluate: nobody: no job of this id is registered'])
})

test.each([
  ['Drover-Restart', ENDED, 'the allocation has ended'],
  ['Drover-Restart', uuid(9, 9), 'there is none of this id'],
  ['Drover-Restart', 'abc', 'give at least 8 characters'],
  ['Drover-Restart', CANARY.slice(0, 8), 'the ids of 2 begin like this'],
  ['Drover-Promote', 'nobody', 'no roll-out of this job or id is under way'],
  ['Drover-Dispatch', 'web', 'do not run yet'],
  ['Drover-Promotte', 'web', 'there is no such trailer; there are Drover-Promote'],
  ['toString', 'web', 'there is no such trailer'],
])('%s: %s comes to nothing and is told', (key, value, expected) => {
  const { commands, ignored } = acts(key, value)
  expect(commands).toEqual([])
  expect(ignored).toEqual([expect.stringContaining(expected)])
})

test('trailers that the guards read are no acts', () => {
  expect(acts('Drover-Allow-Delete', '*')).toEqual({ commands: [], done: [], ignored: [] })
})
