import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SourceTree } from '../../src/controller/source-tree.js'
import { UnchangedJobs } from '../../src/controller/unchanged-jobs.js'
import { apply, type CommandBody, State } from '../../src/state/index.js'
import { FIXTURE_MS, job, jobSource } from '../fixtures.js'

const NAMES = ['a', 'b', 'c', 'd']
const PATHS = [
  ...NAMES.map((name) => `jobs/${name}.nomad.hcl`),
  'jobs/a.vars.hcl',
  'jobs/b.patch.yaml',
  'jobs/conf/x',
  'jobs/conf/y',
  'README',
]
const NO_BLOBS = { read: async () => new Map<string, never>() }

type Step =
  | { readonly kind: 'commit'; readonly files: Readonly<Record<string, string>> }
  | { readonly kind: 'register'; readonly name: string; readonly at: string; readonly extra: readonly string[] }
  | { readonly kind: 'stop'; readonly name: string }
  | { readonly kind: 'look' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('commit' as const),
    files: fc.dictionary(fc.constantFrom(...PATHS), fc.constantFrom('blob-0', 'blob-1'), { noNullPrototype: true }),
  }),
  fc.record({
    kind: fc.constant('register' as const),
    name: fc.constantFrom(...NAMES),
    at: fc.constantFrom(...PATHS.slice(0, 4)),
    extra: fc.subarray(['jobs/conf/', 'jobs/conf/x', 'jobs/a.vars.hcl', 'jobs/missing']),
  }),
  fc.record({ kind: fc.constant('stop' as const), name: fc.constantFrom(...NAMES) }),
  fc.constant({ kind: 'look' as const }),
)

function treeOf(files: Readonly<Record<string, string>>): SourceTree {
  const paths = Object.keys(files).sort()
  return new SourceTree(
    NO_BLOBS,
    paths.map((path) => ({ path, blob: files[path]!, mode: 'file' })),
  )
}

function commandOf(change: Exclude<Step, { kind: 'commit' | 'look' }>, state: State, tree: SourceTree): CommandBody | undefined {
  const key = `default\u0000${change.name}`
  if (change.kind === 'stop')
    return state.jobs.get(key) && { kind: 'job-deregister', namespace: 'default', jobId: change.name, purge: false, evaluations: [] }
  const inputs = [change.at, ...change.extra].map((path) => ({ path, blob: tree.blobOf(path) }))
  const source = jobSource({ namespace: 'default', jobId: change.name, path: change.at, inputs })
  const Version = (state.jobs.get(key)?.Version ?? -1) + 1
  return { kind: 'job-register', job: job({ ID: change.name, Name: change.name, Version }), source, evaluations: [] }
}

test('what is kept from look to look is what looking at everything gives', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const state = new State()
      const kept = new UnchangedJobs(state, 'default')
      let tree = treeOf({})
      for (const each of [...steps, { kind: 'look' as const }]) {
        if (each.kind === 'commit') tree = treeOf(each.files)
        else if (each.kind === 'look') expect(outline(kept, tree)).toEqual(outline(new UnchangedJobs(state, 'default'), tree))
        else {
          const body = commandOf(each, state, tree)
          if (body !== undefined) apply(state, state.index + 1, { ...body, atMs: FIXTURE_MS })
        }
      }
    }),
    { numRuns: 500 },
  )
})

function outline(jobs: UnchangedJobs, tree: SourceTree) {
  const { unchanged, unread } = jobs.look(tree)
  return { unchanged: [...unchanged.keys()].sort(), unread: unread.map(({ entry }) => entry.path) }
}

test('a job with a listing is read again when a file appears there, and only then', () => {
  const state = new State()
  const kept = new UnchangedJobs(state, 'default')
  const files = { 'jobs/a.nomad.hcl': 'blob-0', 'jobs/conf/x': 'blob-0' }
  const before = treeOf(files)
  const register = commandOf({ kind: 'register', name: 'a', at: 'jobs/a.nomad.hcl', extra: ['jobs/conf/'] }, state, before)!
  apply(state, 1, { ...register, atMs: FIXTURE_MS })
  expect(outline(kept, treeOf({ ...files, 'jobs/conf/x': 'blob-1' })).unread).toEqual([])
  expect(outline(kept, treeOf({ ...files, 'jobs/conf/y': 'blob-0' })).unread).toEqual(['jobs/a.nomad.hcl'])
  expect(outline(kept, before)).toEqual({ unchanged: ['default\u0000a'], unread: [] })
})
