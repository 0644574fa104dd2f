import { expect, test } from 'vitest'
import { namespacedKey, type Plan } from '../../src/domain/index.js'
import { apply, type CommandBody, cutState, decodeSnapshot, dumpState, encodeCut, jobKey, State } from '../../src/state/index.js'
import { allocation, deployment, deploymentState, evaluation, FIXTURE_MS, job, node, uuid } from '../fixtures.js'

function fold(...bodies: readonly CommandBody[]): State {
  const state = new State()
  run(state, ...bodies)
  return state
}

function run(state: State, ...bodies: readonly CommandBody[]): void {
  for (const body of bodies) apply(state, state.index + 1, { ...body, atMs: Math.max(state.atMs, FIXTURE_MS) })
}

const register = (over: Parameters<typeof job>[0] = {}, evaluations = [evaluation({ ID: uuid(1, 9) })]): CommandBody => ({
  kind: 'job-register',
  job: job({ CreateIndex: 0, ModifyIndex: 0, JobModifyIndex: 0, Status: 'pending', ...over }),
  source: null,
  evaluations,
})

const emptyPlan: Plan = {
  EvalID: uuid(1, 9),
  Namespace: 'default',
  JobID: job().ID,
  Stops: [],
  Placements: [],
  Updates: [],
  Preemptions: [],
  Deployment: null,
  DeploymentUpdates: [],
  Annotations: null,
}

const placement = (over: Parameters<typeof allocation>[0] = {}) =>
  allocation({
    ClientStatus: 'pending',
    DesiredStatus: 'run',
    JobID: job().ID,
    JobVersion: 0,
    JobCreateIndex: 1,
    TaskGroup: job().TaskGroups[0]!.Name,
    ...over,
  })

const place = (...rows: ReturnType<typeof allocation>[]): CommandBody => ({
  kind: 'plan-apply',
  plan: { ...emptyPlan, Placements: rows },
  closes: null,
})

const report = (ID: string, ClientStatus: 'running' | 'complete' | 'failed' | 'pending'): CommandBody => ({
  kind: 'allocation-update',
  nodeId: node().ID,
  reports: [{ ID, ClientStatus, ClientDescription: '', TaskStates: {} }],
  services: [],
  evaluations: [],
})

const statusOf = (state: State) => state.jobs.get(jobKey(job()))?.Status

test('a new job is version 0, pending while its evaluation is, and dead once nothing of it is left to do', () => {
  const state = fold(register())
  const stored = state.jobs.get(jobKey(job()))!
  expect([stored.Version, stored.CreateIndex, stored.JobModifyIndex, stored.Status]).toEqual([0, 1, 1, 'pending'])
  const [waiting] = state.evaluations.by('job', jobKey(job()))
  expect(waiting!.JobModifyIndex).toBe(1)
  run(state, { kind: 'evaluation-update', evaluations: [{ ...waiting!, Status: 'complete' }] })
  expect(statusOf(state)).toBe('dead')
})

test('a job runs while an allocation of it does, also while it is being stopped', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) })), report(uuid(1, 7), 'running'))
  expect(statusOf(state)).toBe('running')
})

test('the summary follows the client status of each allocation', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) }), placement({ ID: uuid(2, 7) })))
  const summary = () => Object.values(state.jobSummaries.get(jobKey(job()))!.Summary)[0]!
  expect(summary().Starting).toBe(2)
  run(state, report(uuid(1, 7), 'running'), report(uuid(2, 7), 'failed'))
  expect([summary().Starting, summary().Running, summary().Failed]).toEqual([0, 1, 1])
})

test('what has ended stays ended, whatever a late report says', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) })), report(uuid(1, 7), 'complete'), report(uuid(1, 7), 'running'))
  expect(state.allocations.get(uuid(1, 7))!.ClientStatus).toBe('complete')
})

test('a placement whose id is known stops the process before anything is written', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) })))
  expect(() => run(state, place(placement({ ID: uuid(1, 7) })))).toThrow(/is there already/)
})

test('a replacement is linked from what it replaces', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) })), place(placement({ ID: uuid(2, 7), PreviousAllocation: uuid(1, 7) })))
  expect(state.allocations.get(uuid(1, 7))!.NextAllocation).toBe(uuid(2, 7))
})

test('placements and health are counted into their deployment, and its deadline moves with them', () => {
  const group = job().TaskGroups[0]!.Name
  const rollout = deployment({
    ID: uuid(1, 5),
    JobID: job().ID,
    TaskGroups: {
      [group]: deploymentState({ PlacedAllocs: 0, HealthyAllocs: 0, DesiredTotal: 1, RequireProgressBy: '0001-01-01T00:00:00Z' }),
    },
  })
  const state = fold(register(), {
    kind: 'plan-apply',
    plan: { ...emptyPlan, Deployment: rollout, Placements: [placement({ ID: uuid(1, 7), DeploymentID: uuid(1, 5) })] },
    closes: null,
  })
  const counts = () => state.deployments.get(uuid(1, 5))!.TaskGroups[group]!
  expect([counts().PlacedAllocs, counts().HealthyAllocs]).toEqual([1, 0])
  expect(counts().RequireProgressBy).not.toBe('0001-01-01T00:00:00Z')
  run(state, {
    kind: 'allocation-update',
    nodeId: node().ID,
    reports: [
      {
        ID: uuid(1, 7),
        ClientStatus: 'running',
        ClientDescription: '',
        TaskStates: {},
        DeploymentStatus: { Healthy: true, Timestamp: '2026-01-02T03:04:06Z' },
      },
    ],
    services: [],
    evaluations: [],
  })
  expect(counts().HealthyAllocs).toBe(1)
})

test('six versions are kept, and beyond them the newest stable one and those that something runs', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7), JobVersion: 0 })))
  const Deployment = deployment({ ID: uuid(1, 5), JobVersion: 0, JobCreateIndex: state.jobs.get(jobKey(job()))!.CreateIndex })
  run(state, { kind: 'plan-apply', plan: { ...emptyPlan, Deployment }, closes: null })
  const success = { DeploymentID: uuid(1, 5), Status: 'successful' as const, StatusDescription: 'Deployment completed successfully' }
  run(state, { kind: 'deployment-update', updates: [success], evaluations: [] })
  for (let Version = 1; Version <= 9; Version++) run(state, register({ Version }, []))
  const versions = state.jobVersions.by('job', jobKey(job())).map((version) => version.Version)
  expect([...versions].sort((a, b) => a - b)).toEqual([0, 4, 5, 6, 7, 8, 9])
})

test('a job that is stopped is a version of its own and loses its source', () => {
  const state = fold(register(), { kind: 'job-deregister', namespace: 'default', jobId: job().ID, purge: false, evaluations: [] })
  const stored = state.jobs.get(jobKey(job()))!
  expect([stored.Stop, stored.Version, stored.JobModifyIndex]).toEqual([true, 1, 2])
})

test('a purge leaves nothing of the job but its ended evaluations', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) })), {
    kind: 'job-deregister',
    namespace: 'default',
    jobId: job().ID,
    purge: true,
    evaluations: [],
  })
  expect([state.jobs.count, state.jobVersions.count, state.allocations.count, state.jobSummaries.count]).toEqual([0, 0, 0, 0])
  expect(state.evaluations.all().map((each) => each.Status)).toEqual(['complete'])
})

test('a node keeps its history over a second registration', () => {
  const state = fold(
    { kind: 'node-register', node: node(), reportNumber: 0, evaluations: [] },
    { kind: 'node-status', nodeId: node().ID, status: 'down', description: 'heartbeat missed', evaluations: [] },
  )
  run(state, { kind: 'node-register', node: node(), reportNumber: 0, evaluations: [] })
  const stored = state.nodes.get(node().ID)!
  expect(stored.CreateIndex).toBe(1)
  expect(stored.Events.map((event) => event.Message)).toEqual(['Node registered', 'Node heartbeat missed', 'Node re-registered'])
})

test('entries must follow each other', () => {
  const state = fold(register())
  expect(() => apply(state, 5, { kind: 'leadership-confirm', atMs: FIXTURE_MS })).toThrow(/does not follow/)
})

test('garbage is looked at again when it is collected: what came to life in between stays', () => {
  const state = fold(register(), place(placement({ ID: uuid(1, 7) })))
  run(state, {
    kind: 'garbage-collect',
    evaluations: [uuid(1, 9)],
    allocations: [uuid(1, 7)],
    deployments: [],
    nodes: [],
    jobs: [{ namespace: 'default', jobId: job().ID }],
  })
  expect([state.allocations.count, state.evaluations.count, state.jobs.get(namespacedKey('default', job().ID))?.Stop]).toEqual([
    1,
    1,
    false,
  ])
})

test('a snapshot gives back the same state, index for index', () => {
  const state = fold(
    { kind: 'leadership-begin', epoch: 1, clusterId: uuid(1), leader: uuid(2) },
    { kind: 'node-register', node: node(), reportNumber: 0, evaluations: [] },
    register(),
    place(placement({ ID: uuid(1, 7) })),
    report(uuid(1, 7), 'running'),
  )
  const again = decodeSnapshot(Buffer.concat([...encodeCut(cutState(state))]))
  expect(dumpState(again)).toBe(dumpState(state))
})
