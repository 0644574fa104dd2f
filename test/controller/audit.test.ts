/** Who did what: from Commands, with the commit that wanted it; kept in bounds; refusals told once a minute. */
import { expect, test } from 'vitest'
import { AuditFacts } from '../../src/controller/memory/audit-facts.js'
import { AuditTrail } from '../../src/controller/memory/audit-trail.js'
import type { AuditEntry, AuditFact } from '../../src/domain/index.js'
import type { CommandKind } from '../../src/state/index.js'
import { ManualClock } from './manual-clock.js'
import { reconcilerWorld } from './reconciler-world.js'

const JOB = (id: string, count = 1) =>
  `job "${id}" {\n  group "g" {\n    count = ${count}\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`

/** Facts of everything that the leader has made durable, each as `who action what outcome`. */
async function told(leader: Awaited<ReturnType<typeof reconcilerWorld>>['leader'], from = 0): Promise<readonly string[]> {
  const stop = new AbortController()
  const facts = new AuditFacts()
  const all: AuditFact[] = []
  for await (const events of leader.events.follow(from, stop.signal)) {
    all.push(...facts.read(events))
    if (events.at(-1)!.index >= leader.durableIndex) break
  }
  return all.map(({ actor, action, subject, outcome, reason }) => {
    const who = actor.kind === 'commit' ? actor.commit : actor.kind
    const what = Object.entries(subject).map(([name, value]) => `${name}=${String(value)}`)
    return [who, action, ...what, ...(outcome === 'refused' ? [`refused: ${reason}`] : [])].join(' ')
  })
}

test('what a commit did is told with the commit: jobs, variables, removals, mistakes', async () => {
  const { apply, leader } = await reconcilerWorld()
  const before = leader.state.index + 1
  const files = { 'jobs/web.nomad.hcl': JOB('web'), 'jobs/api.nomad.hcl': JOB('api'), 'vars/default/kv/a.yaml': 'x: "1"' }
  const { id: ann } = (await apply(files)).commit
  const second = leader.state.index + 1
  const changes = { 'jobs/web.nomad.hcl': JOB('web', 2), 'jobs/api.nomad.hcl': null, 'jobs/bad.nomad.hcl': 'job "x" {' }
  const { id: bob } = (await apply(changes)).commit
  expect(await told(leader)).toContain('server leadership-begin')
  expect((await told(leader, before)).filter((line) => line.startsWith(ann))).toEqual([
    `${ann} job-register namespace=default jobId=api version=0 path=jobs/api.nomad.hcl`,
    `${ann} job-register namespace=default jobId=web version=0 path=jobs/web.nomad.hcl`,
    `${ann} variable-put namespace=default path=kv/a`,
    `${ann} commit-apply ref=HEAD source=default`,
  ])
  const told2 = await told(leader, second)
  expect(told2.filter((line) => !line.startsWith(bob) && !line.startsWith('server commit-hold'))).toEqual([])
  expect(told2).toEqual(
    expect.arrayContaining([
      `${bob} job-register namespace=default jobId=web version=1 path=jobs/web.nomad.hcl`,
      expect.stringMatching(/file-read path=jobs\/bad\.nomad\.hcl mistakes=\d refused: jobs\/bad\.nomad\.hcl:\d+:\d+: /),
      `${bob} commit-apply ref=HEAD source=default`,
    ]),
  )
})

test('a removal is that of the commit that removed, and a commit that is held says why', async () => {
  const { apply, leader } = await reconcilerWorld({ rewind: 'hold' })
  const jobs = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((id) => [`jobs/${id}.nomad.hcl`, JOB(id)]))
  await apply(jobs)
  const second = leader.state.index + 1
  const { id: bob } = (await apply({ 'jobs/a.nomad.hcl': null })).commit
  expect(await told(leader, second)).toEqual([`${bob} job-remove namespace=default jobId=a`, `${bob} commit-apply ref=HEAD source=default`])
  const third = leader.state.index + 1
  const { id: eve } = (await apply(Object.fromEntries(Object.keys(jobs).map((path) => [path, null])))).commit
  expect(await told(leader, third)).toEqual([
    `${eve} commit-apply ref=HEAD source=default`,
    expect.stringMatching(new RegExp(`^server commit-hold commit=${eve} source=default jobs=4 refused: mass-deletion: `)),
  ])
})

test('rows of no interest are no news', () => {
  const kind: CommandKind = 'garbage-collect'
  const changes = new Map([['x', { table: 'jobs', key: 'x', before: { ID: 'a' }, after: undefined } as const]])
  expect(new AuditFacts().read([{ index: 1, kind, changes }])).toEqual([])
})

const REFUSED: AuditFact = {
  actor: { kind: 'api', address: '127.0.0.1', program: 'curl' },
  action: 'request',
  subject: { method: 'PUT', path: '/v1/jobs' },
  outcome: 'refused',
  reason: 'no',
}
const DONE: AuditFact = { ...REFUSED, outcome: 'done', reason: '' }

test('entries are numbered and bounded, and go on where an earlier life ended', () => {
  const written: AuditEntry[] = []
  const earlier = [{ ...DONE, number: 41, atMs: 1 }]
  const trail = new AuditTrail({ clock: new ManualClock(), earlier, write: (entry) => written.push(entry) })
  for (let times = 0; times < 10_001; times++) trail.record(DONE)
  expect(written.map(({ number }) => number).slice(0, 2)).toEqual([42, 43])
  expect(trail.kept(0)).toHaveLength(10_000)
  expect(trail.kept(10_040).map(({ number }) => number)).toEqual([10_040, 10_041, 10_042])
  expect(trail.kept(10_043)).toEqual([])
})

test('what is refused over and over is told once a minute, with its count; what is done is always told', () => {
  const clock = new ManualClock()
  const trail = new AuditTrail({ clock })
  for (let times = 0; times < 5; times++) trail.record(REFUSED)
  trail.record({ ...REFUSED, reason: 'another' })
  trail.record(DONE)
  trail.record(DONE)
  expect(trail.kept(0).map(({ reason, repeats }) => [reason, repeats])).toEqual([
    ['no', undefined],
    ['another', undefined],
    ['', undefined],
    ['', undefined],
  ])
  clock.advance(60_000)
  trail.record(REFUSED)
  expect(trail.kept(5)).toMatchObject([{ reason: 'no', repeats: 4 }])
  clock.advance(60_000)
  trail.record(REFUSED)
  expect(trail.kept(6)[0]).not.toHaveProperty('repeats')
})

test('a flood of different refusals leaves room for everything else, and is counted', () => {
  const clock = new ManualClock()
  const trail = new AuditTrail({ clock })
  for (let at = 0; at < 5_000; at++) trail.record({ ...REFUSED, reason: String(at) })
  trail.record(DONE)
  expect(trail.kept(0)).toHaveLength(121)
  clock.advance(60_000)
  trail.record(DONE)
  expect(trail.kept(122)).toMatchObject([
    { action: 'audit', reason: '4880 more refusals were too many to be told one by one' },
    { outcome: 'done' },
  ])
})

test('followers hear what is kept and what comes', async () => {
  const trail = new AuditTrail({ clock: new ManualClock() })
  trail.record(DONE)
  const stop = new AbortController()
  const heard: number[] = []
  const following = (async () => {
    for await (const entries of trail.follow(1, stop.signal)) {
      heard.push(...entries.map(({ number }) => number))
      if (heard.length === 3) stop.abort()
    }
  })()
  await Promise.resolve()
  trail.record(DONE)
  await Promise.resolve()
  trail.record(DONE)
  await following
  expect(heard).toEqual([1, 2, 3])
})
