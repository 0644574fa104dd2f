import { expect, test } from 'vitest'
import { computeChanges, type FileReading } from '../../src/controller/desired-state.js'
import type { Job, Mistake } from '../../src/domain/index.js'
import { apply, type CommandBody, State } from '../../src/state/index.js'
import { commit, FIXTURE_MS, job, jobSource, taskGroup } from '../fixtures.js'

const path = (id: string) => `jobs/${id}.nomad.hcl`
const named = (id: string, over: Partial<Job> = {}) => job({ ID: id, Name: id, CreateIndex: 0, JobModifyIndex: 0, Version: 0, ...over })
const mistake: Mistake = { path: 'x', line: 1, column: 2, summary: 'wrong', detail: '', snippet: '' }

/** A state in which these jobs came from files of their own. */
function registered(...ids: readonly string[]): State {
  const state = new State()
  for (const id of ids) {
    const body: CommandBody = {
      kind: 'job-register',
      job: named(id),
      source: jobSource({ namespace: 'default', jobId: id, path: path(id), inputs: [{ path: path(id), blob: 'blob-0' }], version: 0 }),
      evaluations: [],
    }
    apply(state, state.index + 1, { ...body, atMs: FIXTURE_MS })
  }
  return state
}

const read = (id: string, over: Partial<Job> = {}, at = path(id)): FileReading => ({
  kind: 'job',
  path: at,
  blob: 'blob-1',
  job: named(id, over),
  inputs: [{ path: at, blob: 'blob-1' }],
})
const broken = (at: string): FileReading => ({ kind: 'mistakes', path: at, blob: 'blob-1', mistakes: [mistake] })
type Trailers = ReturnType<typeof commit>['trailers']
/** `unchanged` names the jobs whose files are as they were. */
const changes = (state: State, read: readonly FileReading[], unchanged: readonly string[] = [], trailers: Trailers = []) =>
  computeChanges(state, commit({ trailers }), trailers, {
    read,
    unchanged: new Map(unchanged.map((id) => [`default\u0000${id}`, state.jobSources.by('path', path(id))[0]!])),
  })

test('a new file registers its job as version 0', () => {
  const { registrations } = changes(registered(), [read('a')])
  expect(registrations.map(({ job: each, source }) => [each.ID, each.Version, source.version])).toEqual([['a', 0, 0]])
})

test('a file whose canonical form is the same moves its source and makes no version', () => {
  const { registrations, moved } = changes(registered('a'), [read('a')])
  expect([registrations.length, moved.map((source) => source.inputs)]).toEqual([0, [[{ path: path('a'), blob: 'blob-1' }]]])
})

test('a changed job is one version more', () => {
  const { registrations } = changes(registered('a'), [read('a', { TaskGroups: [taskGroup({ Count: 7 })] })])
  expect(registrations.map(({ job: each }) => each.Version)).toEqual([1])
})

test('a job that moved to another file stays what it is', () => {
  const { registrations, removals, moved } = changes(registered('a'), [read('a', {}, 'jobs/deep/other.nomad.hcl')])
  expect([registrations.length, removals.length, moved.map((source) => source.path)]).toEqual([0, 0, ['jobs/deep/other.nomad.hcl']])
})

test('a file that is gone stops its job', () => {
  const state = registered('a', 'b')
  expect(changes(state, [], ['a']).removals.map((each) => each.ID)).toEqual(['b'])
})

test('a file that cannot be read keeps its job and is told with its place', () => {
  const { removals, frozen } = changes(registered('a'), [broken(path('a'))])
  expect([removals.length, frozen.map((file) => [file.jobId, file.mistakes[0]!.line])]).toEqual([0, [['a', 1]]])
})

test('while a new file cannot be read nothing is absent for sure', () => {
  const { removals, held } = changes(registered('a'), [broken('jobs/renamed.nomad.hcl')])
  expect([removals.length, held?.reason, held?.jobs.map((each) => each.jobId)]).toEqual([0, 'unreadable-files', ['a']])
})

test('the same id twice freezes both files and changes nothing', () => {
  const state = registered('a')
  const { registrations, removals, frozen } = changes(state, [
    read('a', { Priority: 90 }),
    read('a', { Priority: 80 }, 'jobs/copy.nomad.hcl'),
  ])
  expect([registrations.length, removals.length, frozen.map((file) => file.path)]).toEqual([
    0,
    0,
    ['jobs/a.nomad.hcl', 'jobs/copy.nomad.hcl'],
  ])
  expect(frozen[0]!.mistakes[0]!.summary).toContain('also defined in jobs/copy.nomad.hcl')
})

test('a job that is unchanged in one file and appears in another freezes both files', () => {
  const { registrations, removals, frozen } = changes(registered('a'), [read('a', {}, 'jobs/copy.nomad.hcl')], ['a'])
  expect([registrations.length, removals.length, frozen.map((file) => [file.path, file.blob])]).toEqual([
    0,
    0,
    [
      ['jobs/a.nomad.hcl', 'blob-0'],
      ['jobs/copy.nomad.hcl', 'blob-1'],
    ],
  ])
})

test('more than three removals that are more than a fifth wait for the trailer', () => {
  const state = registered('a', 'b', 'c', 'd', 'e')
  const { removals, held } = changes(state, [], ['a'])
  expect([removals.length, held?.reason, held?.jobs.length]).toEqual([0, 'mass-deletion', 4])
  expect(held?.remedy).toContain('Drover-Allow-Delete: b c d e')
})

test('three removals are free, and four of many are too', () => {
  const few = registered('a', 'b', 'c', 'd')
  expect(changes(few, [], ['a']).removals.length).toBe(3)
  const ids = Array.from({ length: 30 }, (_, at) => `job-${String(at).padStart(2, '0')}`)
  const many = registered(...ids)
  expect(changes(many, [], ids.slice(4)).removals.length).toBe(4)
})

test.each(['*', 'b c d e', 'default/b'])('the trailer "%s" lets the removals go', (value) => {
  const state = registered('a', 'b', 'c', 'd', 'e')
  const { removals, held } = changes(state, [], ['a'], [{ key: 'Drover-Allow-Delete', value }])
  expect([removals.length, held]).toEqual([4, null])
})

test('a trailer that names others leaves the rest waiting', () => {
  const state = registered('a', 'b', 'c', 'd', 'e', 'f')
  const { removals, held } = changes(state, [], ['a'], [{ key: 'Drover-Allow-Delete', value: 'b' }])
  expect([removals.map((each) => each.ID), held?.jobs.length]).toEqual([['b'], 4])
})

test('a version that was reverted for failing does not come back before its file says something new', () => {
  const state = registered('a')
  const failing = { TaskGroups: [taskGroup({ Count: 5 })] }
  const source = jobSource({ namespace: 'default', jobId: 'a', path: path('a'), inputs: [{ path: path('a'), blob: 'blob-1' }], version: 1 })
  const run = (body: CommandBody) => apply(state, state.index + 1, { ...body, atMs: FIXTURE_MS })
  run({ kind: 'job-register', job: named('a', { ...failing, Version: 1 }), source, evaluations: [] })
  run({ kind: 'job-register', job: named('a', { Version: 2 }), source: null, evaluations: [] })
  expect(changes(state, [read('a', failing)]).registrations.length).toBe(0)
  expect(changes(state, [read('a', { TaskGroups: [taskGroup({ Count: 6 })] })]).registrations.map(({ job: each }) => each.Version)).toEqual(
    [3],
  )
})

test('a stopped job whose file is back is registered anew', () => {
  const state = registered('a')
  apply(state, state.index + 1, {
    kind: 'job-deregister',
    namespace: 'default',
    jobId: 'a',
    purge: false,
    evaluations: [],
    atMs: FIXTURE_MS,
  })
  expect(changes(state, [read('a')]).registrations.map(({ job: each }) => [each.Version, each.Stop])).toEqual([[2, false]])
})
