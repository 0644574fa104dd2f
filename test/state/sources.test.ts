/** Rows of several sources beside each other, and logs from when there was one. */
import { expect, test } from 'vitest'
import type { FrozenFile, SourceClaim } from '../../src/domain/index.js'
import { apply, type CommandBody, cutState, decodeSnapshot, dumpState, encodeCut, State } from '../../src/state/index.js'
import { commit, FIXTURE_MS, job, jobSource } from '../fixtures.js'

function fold(...bodies: readonly CommandBody[]): State {
  const state = new State()
  for (const body of bodies) apply(state, state.index + 1, { ...body, atMs: FIXTURE_MS })
  return state
}

const frozen = (path: string, sourceId?: string): FrozenFile => ({
  ...(sourceId === undefined ? {} : { sourceId }),
  path,
  blob: 'b',
  namespace: null,
  jobId: null,
  mistakes: [],
})
const trace = {
  commit: commit({ id: 'c1' }),
  detectedMs: 1,
  verifiedMs: null,
  parsedMs: 1,
  appliedMs: 1,
  registered: 0,
  waiting: 0,
  removed: 0,
  frozen: 0,
}
const claim: SourceClaim = { sourceId: 'shop', kind: 'variable', namespace: 'default', path: 'x' }

test('what carries no source is of the first, as in every log from before there were several', () => {
  const state = fold(
    { kind: 'source-files', frozen: [frozen('jobs/a.hcl')], mended: [], moved: [jobSource({ path: 'jobs/b.hcl' })] },
    { kind: 'commit-trace', trace, forgotten: [] },
    { kind: 'commits-acted', commits: ['c1'] },
  )
  expect([...state.frozenFiles.keys(), ...state.commitTraces.keys(), ...state.actedCommits.keys()]).toEqual(['jobs/a.hcl', 'c1', 'c1'])
  expect(state.jobSources.by('source', 'default')).toEqual(state.jobSources.by('path', 'jobs/b.hcl'))
  expect(state.jobSources.count).toBe(1)
})

test('the same path and commit of another source is another row, and is mended and forgotten by itself', () => {
  const own: readonly CommandBody[] = [
    { kind: 'source-files', frozen: [frozen('jobs/a.hcl')], mended: [], moved: [] },
    { kind: 'commit-trace', trace, forgotten: [] },
    { kind: 'commits-acted', commits: ['c1'] },
  ]
  const others: readonly CommandBody[] = [
    { kind: 'source-files', frozen: [frozen('jobs/a.hcl', 'shop')], mended: [], moved: [], sourceId: 'shop' },
    { kind: 'commit-trace', trace: { ...trace, sourceId: 'shop' }, forgotten: [] },
    { kind: 'commits-acted', commits: ['c1'], sourceId: 'shop' },
  ]
  const both = fold(...own, ...others)
  expect([both.frozenFiles.count, both.commitTraces.count, both.actedCommits.count]).toEqual([2, 2, 2])
  apply(both, both.index + 1, { kind: 'source-files', frozen: [], mended: ['jobs/a.hcl'], moved: [], sourceId: 'shop', atMs: FIXTURE_MS })
  expect([...both.frozenFiles.keys()]).toEqual(['jobs/a.hcl'])
})

test('a version remembers the source that it comes from', () => {
  const made = job({ CreateIndex: 0, ModifyIndex: 0, JobModifyIndex: 0 })
  const source = jobSource({ sourceId: 'shop', namespace: made.Namespace, jobId: made.ID })
  const state = fold({ kind: 'job-register', job: made, source, evaluations: [] })
  expect(state.versionSources.all()).toMatchObject([{ sourceId: 'shop', path: source.path }])
})

test('claims are taken, taken over and released, and survive a snapshot', () => {
  const state = fold(
    { kind: 'source-claims', claimed: [claim], released: [] },
    { kind: 'source-claims', claimed: [{ ...claim, sourceId: 'other' }], released: [] },
  )
  expect(state.sourceClaims.all()).toEqual([{ ...claim, sourceId: 'other' }])
  expect(state.sourceClaims.by('source', 'shop')).toEqual([])
  const bytes = Buffer.concat([...encodeCut(cutState(state))])
  expect(dumpState(decodeSnapshot(bytes))).toBe(dumpState(state))
  apply(state, state.index + 1, { kind: 'source-claims', claimed: [], released: [claim], atMs: FIXTURE_MS })
  expect(state.sourceClaims.count).toBe(0)
})
