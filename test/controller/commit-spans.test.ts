/** A commit as a trace: told once, when its jobs are at their end. */
import { expect, test } from 'vitest'
import { CommitSpans, spansOf } from '../../src/controller/memory/commit-spans.js'
import type { CommitTrace, TracedJob } from '../../src/domain/index.js'
import { State, type StateEvents } from '../../src/state/index.js'
import { commit, job } from '../fixtures.js'

const ID = 'ab'.repeat(20)
const TRACE: CommitTrace = {
  commit: commit({ id: ID, author: 'Ann', subject: 'more', atMs: 1_000 }),
  detectedMs: 1_100,
  verifiedMs: 1_150,
  parsedMs: 1_200,
  appliedMs: 1_300,
  registered: 2,
  waiting: 0,
  removed: 0,
  frozen: 0,
}
const WEB: TracedJob = {
  namespace: 'default',
  jobId: 'web',
  path: 'jobs/web.nomad.hcl',
  version: 3,
  registeredMs: 1_250,
  plannedMs: 1_350,
  placedMs: 1_360,
  endedMs: 2_000,
  outcome: 'healthy',
  waitsFor: [],
}

function outline(tree: ReturnType<typeof spansOf>) {
  const names = new Map(tree.spans.map(({ id, name }) => [id, name]))
  return tree.spans.map(({ name, parentId, fromMs, untilMs, error }) =>
    [names.get(parentId ?? '') ?? '-', name, fromMs, untilMs, ...(error === undefined ? [] : [error])].join(' '),
  )
}

test('each step is a span from the one before it, below its job or the whole', () => {
  const tree = spansOf(TRACE, [WEB], 9_000)
  expect(tree.traceId).toBe('ab'.repeat(16))
  expect(outline(tree)).toEqual([
    '- commit abababababab 1000 2000',
    'commit abababababab detected 1000 1100',
    'commit abababababab verified 1100 1150',
    'commit abababababab parsed 1150 1200',
    'commit abababababab applied 1200 1300',
    'commit abababababab job default/web 1250 2000',
    'job default/web planned 1250 1350',
    'job default/web placed 1350 1360',
    'job default/web healthy 1360 2000',
  ])
  expect(new Set(tree.spans.map(({ id }) => id)).size).toBe(9)
  expect(tree.spans.every(({ id }) => /^[0-9a-f]{16}$/.test(id))).toBe(true)
  expect(tree.spans[5]!.attributes).toEqual({
    'drover.namespace': 'default',
    'drover.job.id': 'web',
    'drover.job.path': 'jobs/web.nomad.hcl',
    'drover.job.version': 3,
    'drover.outcome': 'healthy',
  })
  expect(spansOf(TRACE, [WEB], 9_000)).toEqual(tree)
})

test('a failure is an error of its job and of the whole; what never happened has no span', () => {
  const failed: TracedJob = { ...WEB, jobId: 'api', outcome: 'failed', placedMs: null }
  const waiting: TracedJob = {
    ...WEB,
    jobId: 'late',
    version: null,
    registeredMs: null,
    plannedMs: null,
    placedMs: null,
    endedMs: null,
    outcome: 'waiting',
    waitsFor: ['job default/db is not healthy'],
  }
  const tree = spansOf({ ...TRACE, verifiedMs: null }, [failed, waiting], 9_000)
  expect(outline(tree)).toEqual([
    '- commit abababababab 1000 9000 failed: api',
    'commit abababababab detected 1000 1100',
    'commit abababababab parsed 1100 1200',
    'commit abababababab applied 1200 1300',
    'commit abababababab job default/api 1250 2000 version 3 failed',
    'job default/api planned 1250 1350',
    'job default/api failed 1350 2000',
    'commit abababababab job default/late 1300 9000',
  ])
  expect(tree.spans.at(-1)!.attributes['drover.waits_for']).toBe('job default/db is not healthy')
})

test('no span ends before it begins, whatever the clock of the author says', () => {
  const tree = spansOf({ ...TRACE, commit: commit({ id: ID, atMs: 5_000 }) }, [], 9_000)
  expect(tree.spans.every(({ fromMs, untilMs }) => fromMs <= untilMs)).toBe(true)
})

const sourceOf = (jobId: string) => ({
  namespace: 'default',
  jobId,
  createIndex: 1,
  version: 0,
  path: `jobs/${jobId}.nomad.hcl`,
  commit: TRACE.commit,
  revertOf: null,
})

test('a commit is told once all its jobs are at their end, and after an hour with what there is', () => {
  const state = new State()
  const events: StateEvents[] = []
  const sources = ['a', 'b'].map((ID_) => job({ ID: ID_, CreateIndex: 1, Version: 0 }))
  for (const each of sources) {
    state.jobs.put(1, each)
    state.jobVersions.put(1, each)
    state.versionSources.put(1, sourceOf(each.ID))
  }
  const spans = new CommitSpans(state, () => [], 1_300)
  state.commitTraces.put(2, TRACE)
  events.push({
    index: 2,
    kind: 'commit-trace',
    changes: new Map([['t', { table: 'commitTraces', key: ID, before: undefined, after: TRACE }]]),
  })
  spans.hear(events)
  const end = (jobId: string) =>
    state.versionTimes.put(3, {
      namespace: 'default',
      jobId,
      createIndex: 1,
      version: 0,
      commit: ID,
      registeredMs: 1_250,
      plannedMs: 1_300,
      placedMs: 1_310,
      endedMs: 2_000,
      outcome: 'healthy',
    })
  expect(spans.take(2_000)).toEqual([])
  end('a')
  expect(spans.take(2_000)).toEqual([])
  // A server that is started now goes on with it.
  const later = new CommitSpans(state, () => [], 2_500)
  end('b')
  expect(spans.take(2_600)).toHaveLength(1)
  expect(spans.take(2_700)).toEqual([])
  expect(later.take(2_600)).toHaveLength(1)
  expect(new CommitSpans(state, () => [], 2_700).take(2_800)).toEqual([])
})
