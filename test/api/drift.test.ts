/** What differs from the repository: each cause with who, since when, and what will become of it; nothing where nothing differs. */
import { expect, test } from 'vitest'
import { driftCommand } from '../../src/cli/drift.js'
import { runProgram } from '../../src/cli/index.js'
import type { Drift, ToldWait } from '../../src/domain/index.js'
import { apply, type CommandBody } from '../../src/state/index.js'
import { captureIo } from '../cli/captured-io.js'
import { commit, deployment, evaluation, FIXTURE_MS, job, jobSource, metrics, node, sourceStatus, taskGroup, uuid } from '../fixtures.js'
import { World } from './world.js'

const FIXTURE_NS = FIXTURE_MS * 1e6

function filled(waiting: readonly ToldWait[] = []) {
  const world = new World({ waitingChanges: { waiting: () => waiting } })
  const run = (body: CommandBody) =>
    world.change((state, index) => {
      state.index = index - 1
      apply(state, index, { ...body, atMs: FIXTURE_MS })
    })
  const register = (version: number, over: Parameters<typeof job>[0] = {}, letter = 'a') => {
    const wanted = job({ ID: 'web', Name: 'web', Version: version, ...over })
    const made = commit({ id: letter.repeat(40) })
    const source = jobSource({ namespace: wanted.Namespace, jobId: wanted.ID, path: `jobs/${wanted.ID}.nomad.hcl`, commit: made, version })
    run({ kind: 'job-register', job: wanted, source, evaluations: [] })
    return wanted
  }
  const drift = async (query = '') => (await world.json(`/drover/v1/drift?${query}`)) as readonly Drift[]
  return { world, run, register, drift }
}

test('what is as the repository says does not differ', async () => {
  const { register, drift, world } = filled()
  register(0)
  world.change((state, index) => state.sources.put(index, sourceStatus({ held: null })))
  world.change((state, index) => state.nodes.put(index, node({ ID: 'n1', SchedulingEligibility: 'eligible', DrainStrategy: null })))
  world.change((state, index) => state.hostOrders.put(index, { nodeId: 'n1', statement: '[true,null]' }))
  expect(await drift()).toEqual([])
})

test('a version that failed and was taken back differs field by field, until the file says something new', async () => {
  const { register, run, world, drift } = filled()
  const first = register(0, { Priority: 50, TaskGroups: [taskGroup({ Name: 'g', Count: 1 })] })
  register(1, { Priority: 60, TaskGroups: [taskGroup({ Name: 'g', Count: 4 })] }, 'b')
  const { CreateIndex } = world.state.jobs.all()[0]!
  const failed = {
    JobID: 'web',
    JobCreateIndex: CreateIndex,
    JobVersion: 1,
    Status: 'failed',
    StatusDescription: 'Failed due to progress deadline',
  } as const
  world.change((state, index) => state.deployments.put(index, deployment(failed)))
  run({ kind: 'job-register', job: { ...first, Version: 2 }, source: null, evaluations: [], revertOf: 0 })
  const common = {
    subject: { kind: 'job', namespace: 'default', jobId: 'web' },
    owner: 'git',
    actor: 'the roll-out of version 1 failed: Failed due to progress deadline',
    sinceMs: FIXTURE_MS,
    policy: 'left',
    next: 'it stays until the file says something new: a version that has failed is not tried again',
  }
  expect(await drift()).toEqual([
    { ...common, field: 'Priority', wanted: '60', actual: '50' },
    { ...common, field: 'TaskGroups[g].Count', wanted: '4', actual: '1' },
  ])
})

test('changes that wait, removals among them, say for what', async () => {
  const reasons = [{ kind: 'suspended', text: 'suspended until 2030-01-01T00:00:00Z: holiday' }] as unknown as ToldWait['reasons']
  const told = { namespace: 'default', source: 'default', path: 'x', commit: 'c'.repeat(40), sinceMs: 5, reasons } as const
  const { register, drift, world } = filled([
    { ...told, jobId: 'web', change: 'changed' },
    { ...told, jobId: 'new', change: 'new', reasons: [] },
    { ...told, jobId: 'old', change: 'removed' },
  ])
  register(0, { Priority: 50 })
  world.change((state, index) =>
    state.waitingChanges.put(index, {
      namespace: 'default',
      jobId: 'web',
      bundle: '',
      job: job({ ID: 'web', Name: 'web', Priority: 70 }),
      source: jobSource({ jobId: 'web' }),
      commit: 'c'.repeat(40),
      sinceMs: 5,
    }),
  )
  const waits = { owner: 'git', actor: 'commit cccccccccccc', sinceMs: 5, policy: 'waits' }
  expect(await drift()).toMatchObject([
    { subject: { jobId: 'new' }, field: '', wanted: 'runs', actual: null, ...waits, next: 'it is carried out next' },
    { subject: { jobId: 'old' }, field: '', wanted: null, actual: 'runs', ...waits },
    {
      subject: { jobId: 'web' },
      field: 'Priority',
      wanted: '70',
      actual: '50',
      ...waits,
      next: 'it waits: suspended until 2030-01-01T00:00:00Z: holiday',
    },
  ])
})

test('what is held is told with its remedy: removals job by job, a commit as a whole', async () => {
  const { register, drift, world } = filled()
  register(0)
  const held = {
    reason: 'mass-deletion',
    commit: 'd'.repeat(40),
    jobs: [{ namespace: 'default', jobId: 'web' }],
    remedy: 'commit with the trailer',
  } as const
  world.change((state, index) => state.sources.put(index, sourceStatus({ id: 'default', held })))
  expect(await drift()).toMatchObject([
    {
      subject: { kind: 'job', jobId: 'web' },
      wanted: null,
      actual: 'runs',
      actor: 'commit dddddddddddd',
      policy: 'waits',
      next: 'commit with the trailer',
    },
  ])
  const rewind = { ...held, reason: 'rewind', jobs: [] } as const
  world.change((state, index) =>
    state.sources.put(index, sourceStatus({ id: 'default', held: rewind, commit: commit({ id: 'a'.repeat(40) }) })),
  )
  expect(await drift()).toMatchObject([
    {
      subject: { kind: 'source', id: 'default' },
      field: 'commit',
      wanted: 'commit dddddddddddd',
      actual: 'commit aaaaaaaaaaaa',
      policy: 'waits',
    },
  ])
})

test('a file with mistakes leaves its job as it was', async () => {
  const { register, drift, world } = filled()
  register(0)
  const mistakes = [{ path: 'jobs/web.nomad.hcl', line: 3, column: 5, summary: 'Unclosed block', detail: '', snippet: '' }]
  const frozen = { path: 'jobs/web.nomad.hcl', blob: 'b', namespace: 'default', jobId: 'web', mistakes }
  world.change((state, index) => state.frozenFiles.put(index, frozen))
  world.change((state, index) =>
    state.frozenFiles.put(index, { ...frozen, path: 'vars/lost.yaml', namespace: null, jobId: null, mistakes: [] }),
  )
  expect(await drift()).toMatchObject([
    { subject: { kind: 'file', path: 'vars/lost.yaml' }, actual: null, policy: 'left' },
    {
      subject: { kind: 'job', jobId: 'web' },
      actual: 'as of commit aaaaaaaaaaaa',
      policy: 'left',
      next: 'it stays until the file is mended: jobs/web.nomad.hcl:3:5: Unclosed block',
    },
  ])
})

test('what finds no room is healed by itself; a roll-out that somebody paused is not', async () => {
  const { register, drift, world } = filled()
  register(0, { TaskGroups: [taskGroup({ Name: 'g', Count: 5 })] })
  // As the scheduler leaves it, before it was tried again.
  const FailedTGAllocs = { g: metrics({ CoalescedFailures: 1 }) }
  const blocked = evaluation({ ID: uuid(1), JobID: 'web', Status: 'blocked', FailedTGAllocs, CreateTime: FIXTURE_NS })
  world.change((state, index) => state.evaluations.put(index, blocked))
  const { CreateIndex } = world.state.jobs.all()[0]!
  const paused = deployment({ JobID: 'web', JobCreateIndex: CreateIndex, JobVersion: 0, Status: 'paused', ModifyTime: FIXTURE_NS })
  world.change((state, index) => state.deployments.put(index, paused))
  expect(await drift()).toMatchObject([
    { field: 'TaskGroups[g].Count', wanted: '5', actual: '3', owner: 'git', sinceMs: FIXTURE_MS, policy: 'healed' },
    {
      field: 'roll-out',
      actual: 'paused',
      owner: 'operator',
      sinceMs: FIXTURE_MS,
      policy: 'left',
      next: expect.stringContaining('Drover-Resume: web'),
    },
  ])
  // Of an older version, or of a job that is stopped, it is no news.
  register(1, { TaskGroups: [taskGroup({ Name: 'g', Count: 5 })], Stop: true })
  expect(await drift()).toEqual([])
})

test('hosts that somebody drained or cordoned stay so until their file says something new; those without a file go', async () => {
  const { drift, world } = filled()
  const put = (name: string, statement: string, over: Parameters<typeof node>[0]) => {
    world.change((state, index) => state.nodes.put(index, node({ ID: name, Name: name, DrainStrategy: null, ...over })))
    world.change((state, index) => state.hostOrders.put(index, { nodeId: name, statement }))
  }
  const drain = { Deadline: 1, IgnoreSystemJobs: false, ForceDeadline: '', StartedAt: '2026-01-01T00:00:00Z' } as NonNullable<
    Parameters<typeof node>[0]
  >['DrainStrategy']
  put('a-cordoned', '[true,null]', { SchedulingEligibility: 'ineligible' })
  put('b-drained', '[true,null]', { SchedulingEligibility: 'ineligible', DrainStrategy: drain! })
  put('c-as-told', '[true,{"deadlineMs":1}]', { SchedulingEligibility: 'ineligible', DrainStrategy: drain! })
  put('d-done', '[true,{"deadlineMs":1}]', { SchedulingEligibility: 'ineligible' })
  put('e-let-in', '[false,null]', { SchedulingEligibility: 'eligible' })
  put('f-gone', 'undeclared', { SchedulingEligibility: 'ineligible', DrainStrategy: drain! })
  const told = (await drift()).map(({ subject, field, wanted, actual, owner, policy }) => [
    'name' in subject ? subject.name : '',
    field,
    wanted,
    actual,
    owner,
    policy,
  ])
  expect(told).toEqual([
    ['a-cordoned', 'eligible', 'eligible', 'ineligible', 'operator', 'left'],
    ['b-drained', 'drain', 'no', 'drained', 'operator', 'left'],
    ['e-let-in', 'eligible', 'ineligible', 'eligible', 'operator', 'left'],
    ['f-gone', '', null, 'ready', 'git', 'healed'],
  ])
  expect((await drift())[3]).toMatchObject({ sinceMs: Date.UTC(2026, 0, 1), actor: 'its file is gone' })
})

test('it is narrowed to a namespace and to a job', async () => {
  const told = { source: 'default', path: 'x', commit: 'c'.repeat(40), sinceMs: 5, reasons: [], change: 'new' } as const
  const { drift, world } = filled([
    { ...told, namespace: 'default', jobId: 'web' },
    { ...told, namespace: 'team', jobId: 'web' },
    { ...told, namespace: 'default', jobId: 'api' },
  ])
  world.change((state, index) =>
    state.frozenFiles.put(index, { path: 'vars/x.yaml', blob: '', namespace: null, jobId: null, mistakes: [] }),
  )
  const names = async (query: string) =>
    (await drift(query)).map(({ subject }) => (subject.kind === 'job' ? `${subject.namespace}/${subject.jobId}` : subject.kind))
  expect(await names('')).toEqual(
    ['file', 'default/api', 'default/web'].sort((a, b) => (a === 'file' ? -1 : b === 'file' ? 1 : a < b ? -1 : 1)),
  )
  expect(await names('namespace=*')).toHaveLength(4)
  expect(await names('namespace=team')).toEqual(['file', 'team/web'])
  expect(await names('job=api')).toEqual(['default/api'])
})

test('the command groups fields of one cause, and tells by its exit code whether anything differs', async () => {
  const { register, world, run } = filled()
  const address = await world.http.listen({ host: '127.0.0.1', port: 0 })
  const drover = async (...args: readonly string[]) => {
    const { io, said } = captureIo({ env: { DROVER_ADDR: address } })
    return { code: await runProgram(['drift', ...args], io, { version: '0.1.0', commands: [driftCommand] }), ...said }
  }
  try {
    expect(await drover()).toEqual({ code: 0, out: '', err: 'nothing differs from the repository\n' })
    const first = register(0, { Priority: 50 })
    register(1, { Priority: 60 }, 'b')
    run({ kind: 'job-register', job: { ...first, Version: 2 }, source: null, evaluations: [], revertOf: 0 })
    const { code, out } = await drover('web')
    expect(code).toBe(1)
    expect(out).toMatch(
      /^web\n {2}Priority: 50, and should be 60\n {2}by the roll-out of version 1 failed, .* ago\n {2}left: it stays until/,
    )
    expect(JSON.parse((await drover('--json')).out)).toHaveLength(1)
    expect((await drover('api')).code).toBe(0)
  } finally {
    await world.http.close()
  }
  expect((await drover()).code).toBe(255)
})

test('a count that a scaler has moved is the scaler’s', async () => {
  const { register, drift, world, run } = filled()
  const Scaling = { ID: 'p', Type: 'horizontal', Target: {}, Policy: {}, Min: 1, Max: 9, Enabled: true, CreateIndex: 1, ModifyIndex: 1 }
  register(0, { TaskGroups: [taskGroup({ Name: 'g', Count: 2, Scaling })] })
  world.change((state, index) => state.jobSources.put(index, { ...state.jobSources.all()[0]!, counts: { g: 2 } }))
  expect(await drift()).toEqual([])
  const note = { namespace: 'default', jobId: 'web', group: 'g', message: 'busy', isError: false, meta: null, evaluations: [] }
  run({ kind: 'job-scale', ...note, count: 5 })
  run({ kind: 'job-scale', ...note, count: null, message: 'looked' })
  expect(await drift()).toEqual([
    {
      subject: { kind: 'job', namespace: 'default', jobId: 'web' },
      field: 'TaskGroups[g].Count',
      wanted: '2',
      actual: '5',
      owner: 'scaler',
      actor: 'a scaler: busy',
      sinceMs: FIXTURE_MS,
      policy: 'left',
      next: 'it stays until the scaler moves it again, between 1 and 9',
    },
  ])
})

test('metrics count what differs by what becomes of it', async () => {
  const { world, register } = filled()
  register(0)
  const counts = async () => {
    const { Gauges } = (await world.json('/v1/metrics')) as {
      Gauges: readonly { Name: string; Value: number; Labels: { policy?: string; owner?: string } }[]
    }
    return Gauges.filter(({ Name, Value }) => Name === 'drover.drift' && Value > 0).map(({ Value, Labels: { policy, owner } }) => [
      policy,
      owner,
      Value,
    ])
  }
  expect(await counts()).toEqual([])
  const held = { reason: 'rewind', commit: 'b'.repeat(40), jobs: [], remedy: 'commit again' } as const
  world.change((state, index) => state.sources.put(index, sourceStatus({ held })))
  expect(await counts()).toEqual([['waits', 'git', 1]])
})
