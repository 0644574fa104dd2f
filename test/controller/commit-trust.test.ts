/** What a commit that does not count changes: nothing. */
import { beforeEach, expect, test } from 'vitest'
import type { CommitSignatures, SignatureFact } from '../../src/controller/index.js'
import { SimulatedRepository } from '../simulation/simulated-git.js'
import { reconcilerWorld } from './reconciler-world.js'

const JOB = (id: string) => `job "${id}" {\n  group "g" {\n    count = 0\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`
const GOOD: SignatureFact = { kind: 'good', signer: 'ann' }

let repository: SimulatedRepository
let facts: Map<string, SignatureFact>
let believed: string
let asked: string[]
let touched: Map<string, readonly string[]>
let problem: Error | undefined
const signatures: CommitSignatures = {
  prepare: async () => {
    if (problem !== undefined) throw problem
    return believed
  },
  read: async (ids) => {
    asked.push(...ids)
    return new Map(ids.map((id) => [id, facts.get(id) ?? { kind: 'none' }]))
  },
  touched: async (id) => touched.get(id) ?? [],
}

beforeEach(() => {
  repository = new SimulatedRepository()
  facts = new Map()
  touched = new Map()
  believed = 'the first list'
  asked = []
  problem = undefined
})

/** A commit on the branch, signed as told. */
function commit(files: Readonly<Record<string, string | null>>, fact: SignatureFact = GOOD, trailers: Record<string, string> = {}): string {
  const id = repository.commit(files, { trailers: Object.entries(trailers).map(([key, value]) => ({ key, value })) })
  facts.set(id, fact)
  return id
}

const strict = (root: string, paths: { path: string; signers: string[]; required: number }[] = []) =>
  reconcilerWorld({ repository, rewind: 'hold', trust: { rules: { mode: 'strict', root, paths }, signatures } })
const head = () => reconcilerWorld({ repository, rewind: 'hold', trust: { rules: { mode: 'head' }, signatures } })

test('a commit that is not signed waits, is told with the remedy, and changes nothing; one that is goes on from there', async () => {
  commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look, jobIds, leader, reconciler } = await head()
  await look()
  const unsigned = commit({ 'jobs/b.nomad.hcl': JOB('b') }, { kind: 'none' })
  const outcome = await look()
  expect(outcome).toMatchObject({ registered: 0, held: { reason: 'untrusted', commit: unsigned, jobs: [] } })
  expect(outcome.held?.remedy).toMatch(/of somebody is not signed; sign it/)
  expect(leader.state.sources.get('default')).toMatchObject({ held: { reason: 'untrusted' } })
  expect(jobIds()).toEqual(['a'])
  commit({ 'jobs/c.nomad.hcl': JOB('c') })
  expect(await look()).toMatchObject({ registered: 2, held: null })
  expect(Object.fromEntries(reconciler.signatureCounts)).toEqual({ good: 2, none: 1 })
})

test('also the very first commit waits', async () => {
  commit({ 'jobs/a.nomad.hcl': JOB('a') }, { kind: 'unknown', key: 'K' })
  const { look, jobIds, leader } = await head()
  await look()
  expect(jobIds()).toEqual([])
  expect(leader.state.sources.get('default')).toMatchObject({ commit: null, held: { reason: 'untrusted' } })
})

test('in strict mode the newest signature vouches for nothing before it', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') }, { kind: 'none' })
  const { look, jobIds } = await strict(root)
  expect(await look()).toMatchObject({ registered: 1, held: null })
  commit({ 'jobs/evil.nomad.hcl': JOB('evil') }, { kind: 'none' })
  commit({ 'jobs/b.nomad.hcl': JOB('b') })
  expect(await look()).toMatchObject({ registered: 0, held: { reason: 'untrusted' } })
  expect(jobIds()).toEqual(['a'])
})

test('trailers of commits that do not count ask for nothing, neither a rewind nor a deletion', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look, jobIds } = await strict(root)
  const applied = commit({ 'jobs/b.nomad.hcl': JOB('b') })
  await look()
  const rewound = repository.commit(
    { 'jobs/c.nomad.hcl': JOB('c') },
    { parent: root, trailers: [{ key: 'Drover-Allow-Rewind', value: applied }] },
  )
  expect(await look()).toMatchObject({ held: { reason: 'untrusted', commit: rewound } })
  expect(jobIds()).toEqual(['a', 'b'])
  facts.set(rewound, GOOD)
  believed = 'another list'
  expect(await look()).toMatchObject({ registered: 1, removed: 1, held: null })
})

test('an older commit that was signed in its time does not come back', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look, jobIds } = await strict(root)
  const older = commit({ 'jobs/b.nomad.hcl': JOB('b') })
  commit({ 'jobs/b.nomad.hcl': null, 'jobs/c.nomad.hcl': JOB('c') })
  await look()
  repository.move(older)
  expect(await look()).toMatchObject({ held: { reason: 'rewind', commit: older } })
  expect(jobIds().sort()).toEqual(['a', 'c'])
})

test('what the ref has left waits no more', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look, leader } = await strict(root)
  await look()
  commit({ 'jobs/b.nomad.hcl': JOB('b') }, { kind: 'none' })
  await look()
  repository.move(root)
  expect(await look()).toMatchObject({ held: null })
  expect(leader.state.sources.get('default')).toMatchObject({ held: null, verified: { root, id: root } })
})

test('what was verified is not read again, and a commit that waits not with every look', async () => {
  const root = commit({})
  const { look } = await strict(root)
  const first = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  await look()
  const second = commit({ 'jobs/b.nomad.hcl': JOB('b') }, { kind: 'none' })
  await look()
  await look()
  expect(asked).toEqual([first, second])
})

test('who is added to the list is believed without a new commit', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look } = await strict(root)
  const id = commit({ 'jobs/b.nomad.hcl': JOB('b') }, { kind: 'unknown', key: 'K' })
  expect(await look()).toMatchObject({ held: { reason: 'untrusted' } })
  facts.set(id, GOOD)
  believed = 'a list with that key'
  expect(await look()).toMatchObject({ registered: 2, held: null })
})

test('a list that cannot be read refuses nobody and lets nobody in: it is a problem, and told', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look, jobIds } = await strict(root)
  await look()
  commit({ 'jobs/b.nomad.hcl': JOB('b') })
  problem = new Error('the keys cannot be read')
  await expect(look()).rejects.toThrow('the keys cannot be read')
  expect(jobIds()).toEqual(['a'])
})

test('a history without the root is refused', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look } = await strict(root)
  await look()
  const other = repository.commit({ 'jobs/b.nomad.hcl': JOB('b') }, { parent: null })
  facts.set(other, GOOD)
  const { held } = await look()
  expect(held?.remedy).toMatch(/does not descend from .* the root of trust/)
})

test('a path of which two have to approve runs once the second has', async () => {
  const root = commit({ 'jobs/a.nomad.hcl': JOB('a') })
  const { look, jobIds } = await strict(root, [{ path: 'jobs/prod', signers: ['ann', 'bob'], required: 2 }])
  await look()
  const change = commit({ 'jobs/prod/web.nomad.hcl': JOB('web') })
  touched.set(change, ['jobs/prod/web.nomad.hcl'])
  expect((await look()).held?.remedy).toMatch(/which 2 of \(ann, bob\) have to sign, and so far only ann has/)
  commit({}, { kind: 'good', signer: 'bob' }, { 'Drover-Approve': change })
  expect(await look()).toMatchObject({ registered: 1, held: null, ignored: [] })
  expect(jobIds()).toEqual(['a', 'web'])
})
