/** What a commit's trailers come to, over real tables. */
import { expect, test } from 'vitest'
import { performTrailers } from '../../src/controller/one-shot-acts.js'
import { rfc3339 } from '../../src/domain/index.js'
import { type CommandBody, State } from '../../src/state/index.js'
import { allocation, deployment, deploymentState, job, uuid } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'

const CANARY = uuid(1, 7)
const ENDED = uuid(2, 7)
const ROLL_OUT = uuid(1, 5)
const NOW_MS = 1_790_000_000_500

const DAILY = { Enabled: true, Spec: '@daily', Specs: null, SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }

/** A job whose one canary is healthy, and an allocation of it that has ended. */
function stateWithCanary(): State {
  const state = new State()
  state.jobs.put(1, job())
  const rules = { Payload: 'optional', MetaRequired: ['ship'], MetaOptional: ['note'] }
  state.jobs.put(1, job({ ID: 'build', Type: 'batch', ParameterizedJob: rules, Priority: 40 }))
  state.jobs.put(1, job({ ID: 'nightly', Type: 'batch', Periodic: DAILY }))
  const groups = { group: deploymentState({ DesiredCanaries: 1, PlacedCanaries: [CANARY], HealthyAllocs: 1, PlacedAllocs: 1 }) }
  state.deployments.put(1, deployment({ ID: ROLL_OUT, TaskGroups: groups }))
  const health = { Healthy: true, Timestamp: rfc3339(0), Canary: true, ModifyIndex: 5 }
  state.allocations.put(1, allocation({ ID: CANARY, DeploymentID: ROLL_OUT, ClientStatus: 'running', DeploymentStatus: health }))
  state.allocations.put(1, allocation({ ID: ENDED, ClientStatus: 'complete' }))
  return state
}

function acts(key: string, value: string, state = stateWithCanary()) {
  const commands: CommandBody[] = []
  const payloads = new Map([['data/in.txt', { kind: 'bytes' as const, bytes: new TextEncoder().encode('hold 3') }]])
  const context = {
    env: { random: new SeededRandom(1), nowMs: NOW_MS },
    payloads,
    propose: (more: readonly CommandBody[]) => commands.push(...more),
  }
  return { ...performTrailers(state, [{ key, value }], context), commands }
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
  ['Drover-Dispatch', 'web', 'Specified job "web" is not a parameterized job'],
  ['Drover-Dispatch', 'build', 'Dispatch did not provide required meta keys: [ship]'],
  ['Drover-Dispatch', 'build meta.ship=a payload=gone', 'there is no file gone in this commit'],
  ['Drover-Dispatch', 'build meta.ship=a now', '"now" is no setting'],
  ['Drover-Dispatch', 'build meta.ship=a priority=high', 'the priority "high" is no number'],
  ['Drover-Force', 'web', "can't force launch non-periodic job"],
  ['Drover-Stop', 'web', 'delete that file and commit'],
  ['Drover-Promotte', 'web', 'there is no such trailer; there are Drover-Promote'],
  ['toString', 'web', 'there is no such trailer'],
])('%s: %s comes to nothing and is told', (key, value, expected) => {
  const { commands, ignored } = acts(key, value)
  expect(commands).toEqual([])
  expect(ignored).toEqual([expect.stringContaining(expected)])
})

test('a dispatch makes a child of the job, with the payload of the file and the metadata', () => {
  const { commands, done } = acts('Drover-Dispatch', 'build payload=data/in.txt meta.ship=ferry meta.note="two words" id_prefix=night')
  expect(commands).toMatchObject([
    {
      kind: 'job-register',
      source: null,
      job: {
        ID: expect.stringMatching(/^build\/dispatch-night-1790000000-[0-9a-f]{8}$/),
        ParentID: 'build',
        Dispatched: true,
        Payload: btoa('hold 3'),
        Meta: { ship: 'ferry', note: 'two words' },
        Priority: 40,
        Version: 0,
      },
      evaluations: [{ TriggeredBy: 'job-register' }],
    },
  ])
  expect(done).toHaveLength(1)
})

test('a periodic job is launched out of turn', () => {
  const { commands } = acts('Drover-Force', 'default/nightly')
  expect(commands).toMatchObject([
    {
      kind: 'periodic-launch',
      jobId: 'nightly',
      child: { ID: 'nightly/periodic-1790000000', ParentID: 'nightly', Periodic: null },
      evaluations: [{ TriggeredBy: 'periodic-job' }],
    },
  ])
})

test('trailers that the guards read are no acts', () => {
  expect(acts('Drover-Allow-Delete', '*')).toEqual({ commands: [], done: [], ignored: [] })
})
