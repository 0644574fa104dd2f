/** Whose the count of a group is: its file's, or a scaler's within the bounds of the file. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { systemRandom } from '../../src/adapters/random.js'
import { Actor } from '../../src/controller/actor.js'
import { listSetAside, standingOf } from '../../src/state/index.js'
import { reconcilerWorld } from './reconciler-world.js'

const KEY = 'default\u0000web'

const FILE = (count: number, { max = 9, note = '', scaling = true } = {}) => `# ${note}
job "web" {
  group "g" {
    count = ${count}
    ${scaling ? `scaling {\n      enabled = true\n      min = 1\n      max = ${max}\n    }` : ''}
    task "t" {
      driver = "mock_driver"
      env { NOTE = "${note.startsWith('env') ? note : ''}" }
    }
  }
}
`

async function begin(file = FILE(2)) {
  const world = await reconcilerWorld()
  const { leader } = world
  await world.apply({ 'jobs/web.nomad.hcl': file })
  const actor = new Actor({ leader, random: systemRandom, logger: silentLogger })
  const request = { namespace: 'default', jobId: 'web', group: 'g', message: 'busy', isError: false, meta: null, overridesPolicy: false }
  const scale = (count: number | null, over: Partial<typeof request> = {}) => actor.perform('job-scale', { ...request, ...over, count })
  const look = () => {
    const job = leader.state.jobs.get(KEY)!
    return { count: job.TaskGroups[0]!.Count, version: job.Version }
  }
  return { ...world, scale, look, state: leader.state }
}

test('a scaler moves the count within the bounds, as a version of the same commit', async () => {
  const { scale, look, state } = await begin()
  const { commit } = state.jobSources.get(KEY)!
  expect(await scale(5)).toMatchObject({ kind: 'done', answer: { evaluationId: expect.stringMatching(/^[0-9a-f-]{36}$/) } })
  expect(look()).toEqual({ count: 5, version: 1 })
  expect(standingOf(state, state.jobs.get(KEY)!)).toMatchObject({ version: 1, commit: { id: commit.id }, revertOf: null, setAside: null })
  expect(listSetAside(state)).toEqual([])
  expect(state.scalingEvents.get(KEY)!.Groups['g']).toMatchObject([{ Count: 5, PreviousCount: 2, Message: 'busy', Error: false }])
  expect(
    state.evaluations
      .all()
      .map(({ TriggeredBy }) => TriggeredBy)
      .sort(),
  ).toEqual(['job-register', 'job-scaling'])
})

test('the same count is noted and looked at, and is no version', async () => {
  const { scale, look, state } = await begin()
  await scale(2)
  expect(look()).toEqual({ count: 2, version: 0 })
  expect(state.scalingEvents.get(KEY)!.Groups['g']).toHaveLength(1)
})

test('notes and errors change nothing, of any group; the newest twenty are kept', async () => {
  const { scale, look, state } = await begin(FILE(2, { scaling: false }))
  for (let at = 0; at < 25; at++) await scale(null, { message: `note ${at}`, isError: at === 24 })
  expect(look()).toEqual({ count: 2, version: 0 })
  const events = state.scalingEvents.get(KEY)!.Groups['g']!
  expect([events.length, events[0], events.at(-1)?.Message]).toMatchObject([
    20,
    { Count: null, PreviousCount: 2, Message: 'note 24', Error: true, EvalID: null },
    'note 5',
  ])
})

test.each([
  [0, {}, 'malformed', 'group count was less than scaling policy minimum: 0 < 1'],
  [10, {}, 'malformed', 'group count was greater than scaling policy maximum: 10 > 9'],
  [-1, {}, 'malformed', "scaling action count can't be negative"],
  [3, { isError: true }, 'malformed', 'scaling action should not contain count if error is true'],
  [3, { group: '' }, 'malformed', 'missing task group name for scaling action'],
  [3, { group: 'x' }, 'malformed', 'task group "x" specified for scaling does not exist in job'],
  [3, { jobId: 'none' }, 'missing', 'job "none" not found'],
] as const)('a count of %d with %j is refused', async (count, over, reason, text) => {
  const { scale, look } = await begin()
  expect(await scale(count, over)).toEqual({ kind: 'refused', reason, text })
  expect(look()).toEqual({ count: 2, version: 0 })
})

test('the count of a group without a scaling block, or of a job that is stopped, is its file’s', async () => {
  const { scale, apply } = await begin(FILE(2, { scaling: false }))
  expect(await scale(3)).toEqual({
    kind: 'refused',
    reason: 'desired',
    text: 'group "g" has no scaling block, so that its count is said in jobs/web.nomad.hcl; change the group\'s count there and commit',
  })
  await apply({ 'jobs/web.nomad.hcl': FILE(2) })
  await apply({ 'jobs/web.nomad.hcl': null })
  expect(await scale(3)).toMatchObject({ kind: 'refused', reason: 'desired', text: expect.stringContaining('job "web" is stopped') })
})

test('a roll-out that is under way is not disturbed, unless that is said', async () => {
  const { scale, leader, state, look } = await begin()
  const { CreateIndex } = state.jobs.get(KEY)!
  const { deployment } = await import('../fixtures.js')
  state.deployments.put(
    leader.state.index,
    deployment({ JobID: 'web', Namespace: 'default', JobCreateIndex: CreateIndex, Status: 'running' }),
  )
  expect(await scale(3)).toMatchObject({ kind: 'refused', text: 'job scaling blocked due to active deployment' })
  const outcome = await scale(12, { overridesPolicy: true })
  expect([outcome.kind, look().count]).toEqual(['done', 12])
})

test('a commit leaves a moved count alone, also when it changes the job, and changes nothing when only the comment differs', async () => {
  const { scale, look, apply } = await begin()
  await scale(5)
  expect((await apply({ 'jobs/web.nomad.hcl': FILE(2, { note: 'a comment' }) })).registered).toBe(0)
  expect(look()).toEqual({ count: 5, version: 1 })
  await apply({ 'jobs/web.nomad.hcl': FILE(2, { note: 'env one' }) })
  expect(look()).toEqual({ count: 5, version: 2 })
  // What the file says of the count has not changed since, and neither has anything else.
  expect((await apply({ 'jobs/web.nomad.hcl': `${FILE(2, { note: 'env one' })}\n# more` })).registered).toBe(0)
  await apply({ 'jobs/web.nomad.hcl': FILE(3, { note: 'env one' }) })
  expect(look()).toEqual({ count: 5, version: 3 })
  // Many moves later the version that the file made is forgotten.
  for (const count of [6, 7, 8, 7, 6, 5, 4]) await scale(count)
  expect((await apply({ 'jobs/web.nomad.hcl': `${FILE(3, { note: 'env one' })}\n# even more` })).registered).toBe(0)
  expect(look()).toEqual({ count: 4, version: 10 })
})

test('new bounds hold a moved count, and a group that is no scaler’s any more has its file’s', async () => {
  const { scale, look, apply } = await begin()
  await scale(8)
  await apply({ 'jobs/web.nomad.hcl': FILE(2, { max: 4 }) })
  expect(look()).toEqual({ count: 4, version: 2 })
  await apply({ 'jobs/web.nomad.hcl': FILE(2, { scaling: false }) })
  expect(look()).toEqual({ count: 2, version: 3 })
})

test('as long as no scaler has moved it the file’s count counts', async () => {
  const { look, apply } = await begin()
  await apply({ 'jobs/web.nomad.hcl': FILE(6) })
  expect(look()).toEqual({ count: 6, version: 1 })
})
