import { expect, test } from 'vitest'
import type { Plan } from '../../src/domain/index.js'
import type { CommandOf } from '../../src/state/apply/kind.js'
import { apply, type Command, type CommandBody, divideCommand, dumpState, State } from '../../src/state/index.js'
import {
  allocation,
  commit,
  deployment,
  deploymentState,
  evaluation,
  FIXTURE_MS,
  job,
  jobSource,
  node,
  serviceRegistration,
  sourceStatus,
  uuid,
} from '../fixtures.js'

const ids = [1, 2, 3, 4, 5]
const evaluations = ids.map((number) => evaluation({ ID: uuid(number, 7), Status: 'pending' }))
const nodeId = node().ID

const stamped = (body: CommandBody): Command => ({ ...body, atMs: FIXTURE_MS })

const placement = (number: number, over: Parameters<typeof allocation>[0] = {}) =>
  allocation({
    ID: uuid(number, 1),
    Name: `web.web[${number}]`,
    JobVersion: 0,
    JobCreateIndex: 1,
    ClientStatus: 'pending',
    DesiredStatus: 'run',
    ...over,
  })

const plan = (over: Partial<Plan>): Plan => ({
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
  ...over,
})

/** A job, a node, five allocations with a deployment, five files that cannot be read. */
const before: readonly CommandBody[] = [
  { kind: 'job-register', job: job(), source: jobSource(), evaluations: [] },
  { kind: 'node-register', node: node(), reportNumber: 0, evaluations: [] },
  {
    kind: 'plan-apply',
    plan: plan({ Placements: ids.map((number) => placement(number, { NodeID: nodeId })), Deployment: deployment() }),
    closes: null,
  },
  { kind: 'source-files', frozen: ids.map((number) => frozenFile(`jobs/${number}.hcl`)), mended: [], moved: [] },
  { kind: 'evaluation-update', evaluations: [evaluation({ ID: uuid(9, 7), Status: 'complete' })] },
]

function frozenFile(path: string) {
  return { path, blob: 'b', namespace: null, jobId: null, mistakes: [] }
}

/** One of each kind that can be divided, larger than it can be smallest. */
const divisible: readonly CommandBody[] = [
  { kind: 'evaluation-update', evaluations },
  { kind: 'node-register', node: node(), reportNumber: 3, evaluations },
  { kind: 'node-status', nodeId, status: 'down', description: 'heartbeat missed', evaluations },
  { kind: 'node-eligibility', nodeId, eligibility: 'ineligible', evaluations },
  { kind: 'node-drain', nodeId, drain: null, eligibility: 'eligible', evaluations },
  { kind: 'deployment-promote', deploymentId: deployment().ID, groups: ['web'], evaluations },
  {
    kind: 'deployment-update',
    updates: ids.map(() => ({ DeploymentID: deployment().ID, Status: 'failed' as const, StatusDescription: 'late' })),
    evaluations,
  },
  {
    kind: 'allocation-update',
    nodeId,
    number: 4,
    reports: ids.map((number) => ({ ID: uuid(number, 1), ClientStatus: 'running' as const, ClientDescription: 'runs', TaskStates: {} })),
    services: ids.map((number) => serviceRegistration({ ID: `s${number}`, AllocID: uuid(number, 1) })),
    evaluations,
  },
  {
    kind: 'allocation-transition',
    transitions: Object.fromEntries(ids.map((number) => [uuid(number, 1), { Migrate: true }])),
    evaluations,
  },
  { kind: 'allocation-adopt', nodeId, allocations: ids.map((number) => placement(number + 10)) },
  {
    kind: 'plan-apply',
    plan: plan({
      Stops: [{ ID: uuid(1, 1), DesiredStatus: 'stop', DesiredDescription: 'made room' }],
      Preemptions: [{ ID: uuid(2, 1), DesiredStatus: 'evict', DesiredDescription: 'preempted' }],
      Updates: [placement(3, { DesiredDescription: 'updated' })],
      Placements: [placement(21, { PreviousAllocation: uuid(1, 1) }), placement(22), placement(23)],
      Deployment: deployment({ TaskGroups: { web: deploymentState({ DesiredTotal: 9 }) } }),
      DeploymentUpdates: [{ DeploymentID: deployment().ID, Status: 'running', StatusDescription: 'goes on' }],
    }),
    closes: { evaluation: evaluation({ ID: uuid(1, 9), Status: 'complete' }), created: evaluations },
  },
  { kind: 'node-declare', declarations: ['a', 'b', 'c'].map(declaration), removed: ['d', 'e'] },
  {
    kind: 'source-files',
    frozen: [frozenFile('jobs/7.hcl'), frozenFile('jobs/1.hcl')],
    mended: ['jobs/2.hcl', 'jobs/3.hcl'],
    moved: [jobSource({ path: 'jobs/moved.hcl' })],
  },
  {
    kind: 'source-claims',
    claimed: ['a', 'b', 'c'].map((path) => ({ sourceId: 'shop', kind: 'variable', namespace: 'default', path })),
    released: [{ sourceId: 'shop', kind: 'namespace', namespace: 'shop', path: '' }],
  },
  {
    kind: 'garbage-collect',
    evaluations: [uuid(9, 7), uuid(8, 7)],
    allocations: ids.map((number) => uuid(number, 1)),
    deployments: [deployment().ID],
    nodes: [nodeId],
    jobs: [{ namespace: 'default', jobId: job().ID }],
  },
]

function declaration(name: string) {
  const reserved = { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' }
  const texts = { path: `agents/${name}.hcl`, pool: 'default', nodeClass: '', datacenter: 'dc1', publicKey: name }
  return { name, ...texts, meta: {}, reserved, hostVolumes: {}, isEligible: true, drain: null }
}

function pieces(command: Command): readonly Command[] {
  const halves = divideCommand(command)
  return halves === undefined ? [command] : halves.flatMap(pieces)
}

function fold(commands: readonly Command[]): State {
  const state = new State()
  for (const command of commands) apply(state, state.index + 1, command)
  return state
}

/** What a state says, whatever the indexes at which it came about. */
function saying(state: State): string {
  return dumpState(state)
    .replace(/"(\w*[iI]ndex)":\d+/g, '"$1":0')
    .replace(/(\["\w+",)\d+,/g, '$10,')
    .replace(/^\[\d+,/, '[0,')
}

test.each(divisible.map((body) => [body.kind, body] as const))('the pieces of %s together do what it does', (_, body) => {
  const whole = stamped(body)
  const divided = pieces(whole)
  expect(divided.length).toBeGreaterThan(1)
  expect(saying(fold([...before.map(stamped), ...divided]))).toBe(saying(fold([...before.map(stamped), whole])))
})

test.each(divisible.map((body) => [body.kind, body] as const))('a log that ends between the pieces of %s can go on with it', (_, body) => {
  const divided = pieces(stamped(body))
  for (let at = 1; at < divided.length; at++) fold([...before.map(stamped), ...divided.slice(0, at)])
  // A report that broke off is not acknowledged, and an evaluation that broke off is not ended.
  const cutOff = fold([...before.map(stamped), ...divided.slice(0, -1)])
  expect(cutOff.nodeReports.get(nodeId)?.number).not.toBe(4)
  expect(cutOff.evaluations.get(uuid(1, 9))).toBeUndefined()
})

test('a log from before frozen files were rows gives the same files', () => {
  const status = { ...sourceStatus({ commit: commit() }), frozen: [frozenFile('jobs/new.hcl')] }
  const state = fold([...before, { kind: 'source-sync', status, moved: [jobSource({ path: 'jobs/there.hcl' })] } as const].map(stamped))
  expect([...state.frozenFiles.keys()]).toEqual(['jobs/new.hcl'])
  expect(state.jobSources.all()[0]?.path).toBe('jobs/there.hcl')
})

test('garbage of a job that is done leaves no job behind that has done nothing', () => {
  const done = job({ ID: 'once/dispatch-1', ParentID: 'once', Type: 'batch', Status: 'dead' })
  const garbage = stamped({
    kind: 'garbage-collect',
    evaluations: [uuid(9, 7)],
    allocations: ids.map((number) => uuid(number, 1)),
    deployments: [],
    nodes: [],
    jobs: [{ namespace: done.Namespace, jobId: done.ID }],
  })
  const [first, ...rest] = pieces(garbage) as CommandOf<'garbage-collect'>[]
  expect(first?.jobs).toEqual([{ namespace: done.Namespace, jobId: done.ID }])
  expect(rest.flatMap(({ jobs }) => jobs)).toEqual([])
})
