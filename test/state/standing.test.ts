/** Which commit runs is told also when a roll-out that failed was taken back. */
import { expect, test } from 'vitest'
import { apply, type CommandBody, listSetAside, State, standingOf } from '../../src/state/index.js'
import { commit, deployment, FIXTURE_MS, job, jobSource } from '../fixtures.js'

const KEY = 'default\u0000web'
const commitOf = (version: number) => commit({ id: String(version).repeat(40), subject: `version ${version}` })

function world() {
  const state = new State()
  const run = (body: CommandBody) => apply(state, state.index + 1, { ...body, atMs: FIXTURE_MS })
  const register = (version: number) =>
    run({
      kind: 'job-register',
      job: job({ ID: 'web', Name: 'web', Version: version, Priority: 50 + version }),
      source: jobSource({ namespace: 'default', jobId: 'web', path: 'jobs/web.nomad.hcl', commit: commitOf(version), version }),
      evaluations: [],
    })
  const takeBack = (version: number, revertOf: number) =>
    run({
      kind: 'job-register',
      job: { ...state.jobVersions.by('job', KEY).find(({ Version }) => Version === revertOf)!, Version: version },
      source: null,
      evaluations: [],
      revertOf,
    })
  const standing = () => standingOf(state, state.jobs.get(KEY)!)
  return { state, register, takeBack, standing }
}

test('what a commit asks for runs: nothing is set aside', () => {
  const { register, standing } = world()
  register(0)
  register(1)
  expect(standing()).toEqual({ version: 1, commit: commitOf(1), revertOf: null, setAside: null })
})

test('after going back the commit of the older version runs, and the newest is set aside with the reason', () => {
  const { state, register, takeBack, standing } = world()
  register(0)
  register(1)
  const created = state.jobs.get(KEY)!.CreateIndex
  state.deployments.put(
    state.index,
    deployment({
      JobID: 'web',
      JobCreateIndex: created,
      JobVersion: 1,
      Status: 'failed',
      StatusDescription: 'Failed due to progress deadline',
    }),
  )
  takeBack(2, 0)
  const setAside = { version: 1, commit: commitOf(1), path: 'jobs/web.nomad.hcl', reason: 'Failed due to progress deadline' }
  expect(standing()).toEqual({ version: 2, commit: commitOf(0), revertOf: 0, setAside })
  expect(listSetAside(state).map((each) => [each.job.ID, each.setAside.version])).toEqual([['web', 1]])
})

test('a file that says something else ends it', () => {
  const { register, takeBack, standing } = world()
  register(0)
  register(1)
  takeBack(2, 0)
  register(3)
  expect(standing()).toMatchObject({ version: 3, commit: commitOf(3), setAside: null })
})

test('the sources of versions are kept as long as the versions', () => {
  const { state, register } = world()
  for (let version = 0; version < 10; version++) register(version)
  expect(state.versionSources.count).toBe(state.jobVersions.count)
})
