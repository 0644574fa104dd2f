import { expect, test } from 'vitest'
import { checkDependencies, type OrderedJob } from '../../../src/controller/order/check-dependencies.js'
import { namespacedKey } from '../../../src/domain/index.js'

/** `{ web: 'db cache' }`: web depends on both. */
function check(jobs: Readonly<Record<string, string>>, others: readonly string[] = []) {
  const ordered = Object.entries(jobs).map(([jobId, on]): [string, OrderedJob] => {
    const dependsOn = on
      .split(' ')
      .filter(Boolean)
      .map((name) => ({ namespace: 'default', jobId: name }))
    return [
      namespacedKey('default', jobId),
      { path: `jobs/${jobId}.nomad.hcl`, blob: '', order: { dependsOn, bundle: '', suspend: null, hooks: [] } },
    ]
  })
  const defined = new Set([...ordered.map(([key]) => key), ...others.map((id) => namespacedKey('default', id))])
  const frozen = checkDependencies(new Map(ordered), (key) => defined.has(key))
  return Object.fromEntries(frozen.map(({ jobId, mistakes }) => [jobId, mistakes.map(({ summary }) => summary)]))
}

test('jobs that depend on jobs which are there are sound', () => {
  expect(check({ web: 'db cache', db: 'disk', cache: '', disk: '' })).toEqual({})
})

test('a job that no file defines is a mistake of the one that depends on it, and of no other', () => {
  expect(check({ web: 'db lost', db: '' })).toEqual({ web: ['the job names lost in its meta "drover", which no file defines'] })
})

test('a file that cannot be read still defines its job', () => {
  expect(check({ web: 'db' }, ['db'])).toEqual({})
})

test('each job of a circle is told of it; what only depends on the circle is sound', () => {
  const told = check({ a: 'b', b: 'c', c: 'a', outside: 'a', other: '' })
  expect(Object.keys(told)).toEqual(['a', 'b', 'c'])
  expect(told['b']).toEqual(['jobs wait for each other in a circle: a → b → c → a'])
})

test('two circles with a bridge between them are both found', () => {
  expect(Object.keys(check({ a: 'b', b: 'a bridge', bridge: 'c', c: 'd', d: 'c' }))).toEqual(['a', 'b', 'c', 'd'])
})

test('a circle of thousands is told in a few names', () => {
  const names = Array.from({ length: 5_000 }, (_, at) => `job-${at}`)
  const told = check(Object.fromEntries(names.map((name, at) => [name, names[(at + 1) % names.length]!])))
  expect(Object.keys(told).length).toBe(5_000)
  expect(told['job-7']![0]).toContain('job-9 → 4990 more → job-0')
})

test('a hook that comes before a job and depends on it is a circle', () => {
  const web = namespacedKey('default', 'web')
  const migrate = namespacedKey('default', 'migrate')
  const ref = { namespace: 'default', jobId: 'web' }
  const order = { dependsOn: [ref], bundle: '', suspend: null, hooks: [{ phase: 'before' as const, target: ref }] }
  const jobs = new Map([
    [web, { path: 'jobs/web.nomad.hcl', blob: '', order: undefined }],
    [migrate, { path: 'jobs/migrate.nomad.hcl', blob: '', order }],
  ])
  const frozen = checkDependencies(jobs, (key) => jobs.has(key))
  expect(frozen.map(({ path }) => path)).toEqual(['jobs/migrate.nomad.hcl', 'jobs/web.nomad.hcl'])
})
