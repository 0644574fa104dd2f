/** Changes wait for what they depend on, for their bundle and for the end of a suspension, and begin by themselves when that has come. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../../src/adapters/logger.js'
import { systemRandom } from '../../../src/adapters/random.js'
import { ChangeGate, tellWaiting } from '../../../src/controller/order/change-gate.js'
import { HookRunner } from '../../../src/controller/order/hook-runner.js'
import { cutState, decodeSnapshot, encodeCut } from '../../../src/state/index.js'
import { allocation, uuid } from '../../fixtures.js'
import { ManualClock } from '../manual-clock.js'
import { reconcilerWorld } from '../reconciler-world.js'

interface Written {
  readonly count?: number
  readonly type?: string
  readonly drover?: string
  readonly command?: string
}

function text(id: string, { count = 0, type = 'service', drover, command = '/bin/true' }: Written = {}): string {
  const meta = drover === undefined ? '' : `meta {\n    drover = ${JSON.stringify(drover)}\n  }`
  return `job "${id}" {
  type = "${type}"
  ${meta}
  group "group" {
    count = ${count}
    task "main" {
      driver = "raw_exec"
      config { command = "${command}" }
    }
  }
}`
}

const BROKEN = 'job "db" {'

/** Files by the id of their job; null deletes. */
async function world() {
  const clock = new ManualClock()
  const base = await reconcilerWorld()
  const { leader, reconciler } = base
  const { state } = leader
  const propose = (bodies: Parameters<typeof leader.propose>[0]) => void leader.propose(bodies)
  const gate = new ChangeGate({
    view: state,
    clock,
    random: systemRandom,
    logger: silentLogger,
    propose,
    isSettled: () => reconciler.isSettled,
    onDue: () => leader.nudge(),
  })
  const newHooks = () =>
    new HookRunner({ view: state, clock, random: systemRandom, logger: silentLogger, propose, onDue: () => leader.nudge() })
  let hooks = newHooks()
  leader.onTurnEnd(() => hooks.reconcile())
  leader.onTurnEnd(() => gate.reconcile())
  const restartHooks = () => {
    hooks = newHooks()
  }
  const settled = async () => {
    leader.nudge()
    await Promise.resolve()
    await leader.whenDurable(state.index)
    await leader.whenDurable(state.index)
  }
  const commit = async (jobs: Readonly<Record<string, string | null>>, trailers: readonly { key: string; value: string }[] = []) => {
    const outcome = await base.apply(Object.fromEntries(Object.entries(jobs).map(([id, file]) => [`jobs/${id}.nomad.hcl`, file])), {
      trailers,
    })
    await settled()
    return outcome
  }
  /** What an agent would report. */
  const run = async (jobId: string, ClientStatus: 'running' | 'complete' | 'failed', id: number) => {
    const { CreateIndex: JobCreateIndex, Version: JobVersion } = state.jobs.get(`default\u0000${jobId}`)!
    const row = allocation({ ID: uuid(id, 0xb0), JobID: jobId, Name: `${jobId}.group[0]`, JobCreateIndex, JobVersion, ClientStatus })
    const evaluations = state.evaluations.by('job', `default\u0000${jobId}`).map((one) => ({ ...one, Status: 'complete' as const }))
    leader.propose([
      { kind: 'allocation-adopt', nodeId: row.NodeID, allocations: [row] },
      { kind: 'evaluation-update', evaluations },
    ])
    await settled()
  }
  const waiting = () =>
    Object.fromEntries(tellWaiting(state, clock.wallMs()).map(({ jobId, reasons }) => [jobId, reasons.map((one) => one.text)]))
  const versions = () => Object.fromEntries(state.jobs.all().map(({ ID, Version, Stop }) => [ID, Stop ? 'stopped' : Version]))
  return { ...base, gate, restartHooks, clock, commit, run, waiting, versions, settled, state }
}

test('a job that depends on another is registered when that one runs', async () => {
  const { commit, run, waiting, versions } = await world()
  await commit({ db: text('db', { count: 1 }), web: text('web', { drover: 'depends_on=db' }) })
  expect(versions()).toEqual({ db: 0 })
  expect(waiting()).toEqual({ web: ['of group group of db 0 of 1 are running'] })
  await run('db', 'running', 1)
  expect([versions(), waiting()]).toEqual([{ db: 0, web: 0 }, {}])
})

test('work that ends is waited for until it was done; what failed does not count', async () => {
  const { commit, run, waiting, versions } = await world()
  await commit({ migrate: text('migrate', { count: 1, type: 'batch' }), web: text('web', { drover: 'depends_on=migrate' }) })
  await run('migrate', 'failed', 1)
  expect(waiting()).toEqual({ web: ['of group group of migrate 0 of 1 are done'] })
  await run('migrate', 'complete', 2)
  expect(versions()).toEqual({ migrate: 0, web: 0 })
})

test('a change waits for the change of what it depends on in the same commit, also through others', async () => {
  const { commit, run, waiting, versions } = await world()
  const files = (command: string) => ({
    a: text('a', { count: 1, command }),
    b: text('b', { drover: 'depends_on=a', command }),
    c: text('c', { drover: 'depends_on=b', command }),
  })
  await commit(files('/bin/true'))
  await run('a', 'running', 1)
  expect(versions()).toEqual({ a: 0, b: 0, c: 0 })
  await commit(files('/bin/false'))
  expect(versions()).toEqual({ a: 1, b: 0, c: 0 })
  expect(waiting()).toEqual({ b: ['of group group of a 0 of 1 are running'], c: ['b is to change first'] })
  await run('a', 'running', 2)
  expect(versions()).toEqual({ a: 1, b: 1, c: 1 })
})

test('of hundreds of changes none begins before all of them are known', async () => {
  const { commit, versions } = await world()
  const ids = Array.from({ length: 120 }, (_, at) => `j${1000 + at}`)
  const last = ids.at(-1)!
  const all = (command: string) =>
    Object.fromEntries(
      ids.map((id) => [
        id,
        text(id, { command, drover: id === last ? 'bundle=x suspend_until=2099-01-01T00:00:00Z suspend_reason=x' : `depends_on=${last}` }),
      ]),
    )
  await commit({ [last]: text(last), ...Object.fromEntries(ids.slice(0, -1).map((id) => [id, text(id)])) })
  await commit(all('/bin/false'))
  expect(new Set(Object.values(versions()))).toEqual(new Set([0]))
})

test('the newest commit is the one that waits, and one that takes the change back ends the waiting', async () => {
  const { commit, waiting, versions, state } = await world()
  const db = text('db', { count: 1 })
  await commit({ web: text('web') })
  await commit({ db, web: text('web', { command: '/bin/one', drover: 'depends_on=db' }) })
  await commit({ web: text('web', { command: '/bin/two', drover: 'depends_on=db' }) })
  expect(state.waitingChanges.all().map(({ job }) => job?.TaskGroups[0]?.Tasks[0]?.Config)).toEqual([{ command: '/bin/two' }])
  await commit({ web: text('web') })
  expect([versions(), waiting()]).toEqual([{ db: 0, web: 0 }, {}])
})

test('saying that a job depends on another changes nothing of it', async () => {
  const { commit, versions, state } = await world()
  await commit({ db: text('db', { count: 1 }), web: text('web') })
  await commit({ web: text('web', { drover: 'depends_on=db' }) })
  expect(versions()).toEqual({ db: 0, web: 0 })
  expect(state.jobSources.get('default\u0000web')?.order?.dependsOn).toEqual([{ namespace: 'default', jobId: 'db' }])
})

test('while the file of what is depended on has mistakes, the change waits and what runs stays', async () => {
  const { commit, run, waiting, versions } = await world()
  await commit({ db: text('db', { count: 1 }), web: text('web', { drover: 'depends_on=db' }) })
  await run('db', 'running', 1)
  await commit({ db: BROKEN, web: text('web', { drover: 'depends_on=db', command: '/bin/false' }) })
  expect([versions(), waiting()]).toEqual([{ db: 0, web: 0 }, { web: ['the file of db has mistakes (jobs/db.nomad.hcl)'] }])
  await commit({ db: text('db', { count: 1 }) })
  expect(versions()).toEqual({ db: 0, web: 1 })
})

test('circles and jobs that are not there are mistakes of their files alone', async () => {
  const { commit, versions } = await world()
  const { frozen } = await commit({
    a: text('a', { drover: 'depends_on=b' }),
    b: text('b', { drover: 'depends_on=a' }),
    c: text('c', { drover: 'depends_on=lost' }),
    d: text('d'),
  })
  expect(frozen.map(({ path }) => path)).toEqual(['jobs/a.nomad.hcl', 'jobs/b.nomad.hcl', 'jobs/c.nomad.hcl'])
  expect(versions()).toEqual({ d: 0 })
})

test('a job whose dependency is removed keeps running, and its file is told of', async () => {
  const { commit, versions } = await world()
  await commit({ db: text('db'), web: text('web', { drover: 'depends_on=db' }) })
  const { frozen } = await commit({ db: null })
  expect(versions()).toEqual({ db: 'stopped', web: 0 })
  expect(frozen.map(({ jobId, mistakes }) => [jobId, mistakes[0]!.summary])).toEqual([
    ['web', 'the job names db in its meta "drover", which no file defines'],
  ])
})

test('a suspended job stays as it is until its time, also when its file goes', async () => {
  const { commit, clock, settled, waiting, versions } = await world()
  const drover = `suspend_until=${new Date(clock.wallMs() + 60_000).toISOString().replace(/\.\d+/, '')} suspend_reason="nobody is here"`
  await commit({ web: text('web'), old: text('old', { drover: 'bundle=x' }) })
  await commit({ web: text('web', { drover, command: '/bin/false' }), old: text('old', { drover }) })
  await commit({ old: null })
  expect(versions()).toEqual({ old: 0, web: 0 })
  expect(waiting()['web']).toEqual([expect.stringMatching(/^suspended until 2026-01-01T00:01:00Z: nobody is here$/)])
  clock.advance(60_000)
  await settled()
  expect([versions(), waiting()]).toEqual([{ old: 'stopped', web: 1 }, {}])
})

test('a suspension that a commit takes out is over', async () => {
  const { commit, versions } = await world()
  await commit({ web: text('web') })
  await commit({ web: text('web', { drover: 'suspend_until=2099-01-01T00:00:00Z suspend_reason=x', command: '/bin/false' }) })
  expect(versions()).toEqual({ web: 0 })
  await commit({ web: text('web', { command: '/bin/false' }) })
  expect(versions()).toEqual({ web: 1 })
})

test('of a bundle all change or none: a file with mistakes holds the others', async () => {
  const { commit, waiting, versions } = await world()
  const drover = 'bundle=shop'
  await commit({ db: text('db', { drover }), web: text('web', { drover }), other: text('other') })
  await commit({
    db: `${text('db', { drover })}\nx = 1`,
    web: text('web', { drover, command: '/bin/false' }),
    other: text('other', { command: '/bin/false' }),
  })
  expect([versions(), waiting()]).toEqual([{ db: 0, web: 0, other: 1 }, { web: ['bundle shop: jobs/db.nomad.hcl has mistakes'] }])
  await commit({ db: text('db', { drover, command: '/bin/false' }) })
  expect(versions()).toEqual({ db: 1, web: 1, other: 1 })
})

test('a new member of a bundle that cannot be read holds the others, too', async () => {
  const { commit, versions } = await world()
  await commit({
    web: text('web', { drover: 'bundle=shop' }),
    fresh: text('fresh', { drover: 'bundle=shop' }).replace('"main"', '"main" "twice"'),
  })
  expect(versions()).toEqual({})
})

test('a suspended member holds its bundle, and its dependencies order it once it begins', async () => {
  const { commit, run, waiting, versions } = await world()
  const web = { drover: 'bundle=shop depends_on=db' }
  const db = { drover: 'bundle=shop', count: 1 }
  const suspended = `${db.drover} suspend_until=2099-01-01T00:00:00Z suspend_reason=later`
  await commit({ db: text('db', { ...db, drover: suspended }), web: text('web', web) })
  expect(versions()).toEqual({})
  expect(waiting()['web']).toContain('bundle shop: db waits: suspended until 2099-01-01T00:00:00Z: later')
  await commit({ db: text('db', db) })
  expect(versions()).toEqual({ db: 0 })
  await run('db', 'running', 1)
  expect(versions()).toEqual({ db: 0, web: 0 })
})

test('removals that were allowed once and wait are not asked about again', async () => {
  const { commit, waiting, clock, settled, versions } = await world()
  const drover = `suspend_until=${new Date(clock.wallMs() + 60_000).toISOString()} suspend_reason=later`.replace(/\.\d+/, '')
  const ids = ['a', 'b', 'c', 'd', 'e']
  await commit(Object.fromEntries(ids.map((id) => [id, text(id, { drover })])))
  clock.advance(60_000)
  await settled()
  clock.advance(-30_000)
  await commit(Object.fromEntries(ids.map((id) => [id, null])), [{ key: 'Drover-Allow-Delete', value: '*' }])
  const { held } = await commit({ f: text('f') })
  expect([held, Object.keys(waiting())]).toEqual([null, ids])
  clock.advance(60_000)
  await settled()
  expect(versions()).toEqual({ a: 'stopped', b: 'stopped', c: 'stopped', d: 'stopped', e: 'stopped', f: 0 })
})

test('what waits is kept over a restart', async () => {
  const { commit, state } = await world()
  await commit({ db: text('db', { count: 1 }), web: text('web', { drover: 'depends_on=db' }) })
  const restored = decodeSnapshot(Buffer.concat([...encodeCut(cutState(state))]))
  expect(restored.waitingChanges.all()).toEqual(state.waitingChanges.all())
})

const hook = (drover: string, command = '/bin/true') =>
  text('migrate', { count: 1, type: 'batch', drover, command }).replace(
    'type = "batch"',
    'type = "batch"\n  parameterized {\n    meta_optional = ["drover_job", "drover_version", "drover_commit"]\n  }',
  )

test('a hook comes before each change of its job, once, and after all else that is waited for', async () => {
  const { commit, run, waiting, versions, state, settled, leader } = await world()
  const children = () => state.jobs.by('parent', 'default\u0000migrate').map(({ ID }) => ID)
  const web = (command: string) => text('web', { drover: 'depends_on=db', command })
  await commit({ db: text('db', { count: 1 }), migrate: hook('before=web'), web: web('/bin/one') })
  expect([versions(), children()]).toEqual([{ db: 0, migrate: 0 }, []])
  expect(waiting()['web']).toEqual(['of group group of db 0 of 1 are running', 'migrate comes before it'])
  await run('db', 'running', 1)
  const [child] = children()
  expect(waiting()['web']).toEqual([`migrate comes before it and runs (${child})`])
  expect(child).toMatch(/^migrate\/dispatch-before-/)
  expect(state.jobs.get(`default\u0000${child}`)?.Meta).toMatchObject({ drover_job: 'web', drover_version: '0' })
  await run(child!, 'complete', 2)
  expect([versions()['web'], waiting()]).toEqual([0, {}])
  leader.propose([{ kind: 'job-deregister', namespace: 'default', jobId: child!, purge: true, evaluations: [] }])
  await settled()
  await commit({ other: text('other') })
  expect(children()).toEqual([])
  await commit({ web: web('/bin/two') })
  expect([versions()['web'], children().length]).toEqual([0, 1])
  await run(children()[0]!, 'complete', 3)
  expect(versions()['web']).toBe(1)
})

test('a hook that failed holds the change until its own file says something else', async () => {
  const { commit, run, waiting, versions, state } = await world()
  const newest = () => state.jobs.by('parent', 'default\u0000migrate').at(-1)!.ID
  await commit({ web: text('web') })
  await commit({ migrate: hook('before=web'), web: text('web', { command: '/bin/false' }) })
  const first = newest()
  await run(first, 'failed', 1)
  expect(waiting()['web']).toEqual([expect.stringContaining(`migrate, which comes before it, failed (${first})`)])
  await commit({ migrate: hook('before=web', '/bin/mended') })
  const second = state.jobs.by('parent', 'default\u0000migrate').find(({ ID }) => ID !== first)!.ID
  await run(second, 'complete', 2)
  expect(versions()['web']).toBe(1)
})

test('hooks after and on failure are dispatched once for each version, also after a restart that finds their jobs gone', async () => {
  const { commit, run, state, settled, leader, restartHooks } = await world()
  const children = () => state.jobs.by('parent', 'default\u0000migrate').map(({ ID }) => ID.replace(/-\d+-\w+$/, ''))
  await commit({ migrate: hook('after=web on_failure=web'), web: text('web', { count: 1, type: 'batch' }) })
  expect(children()).toEqual([])
  await run('web', 'failed', 1)
  expect(children()).toEqual(['migrate/dispatch-on-failure'])
  for (const child of state.jobs.by('parent', 'default\u0000migrate'))
    leader.propose([{ kind: 'job-deregister', namespace: 'default', jobId: child.ID, purge: true, evaluations: [] }])
  await settled()
  restartHooks()
  await settled()
  expect(children()).toEqual([])
  await commit({ web: text('web', { count: 1, type: 'batch', command: '/bin/false' }) })
  await run('web', 'complete', 2)
  expect(children()).toEqual(['migrate/dispatch-after'])
  restartHooks()
  await settled()
  expect(children()).toEqual(['migrate/dispatch-after'])
})

test('two members of a bundle that each have a hook begin when both hooks are done', async () => {
  const { commit, run, state, versions } = await world()
  const member = (id: string) => text(id, { drover: 'bundle=shop' })
  await commit({ migrate: hook('before=a,b'), a: member('a'), b: member('b') })
  const [one, two] = state.jobs.by('parent', 'default\u0000migrate').map(({ ID }) => ID)
  await run(one!, 'complete', 1)
  expect(versions()).not.toHaveProperty('a')
  await run(two!, 'complete', 2)
  expect(versions()).toMatchObject({ a: 0, b: 0 })
})

test('a removal waits for no hook', async () => {
  const { commit, versions } = await world()
  await commit({ web: text('web') })
  await commit({ migrate: hook('before=web') })
  await commit({ migrate: hook(''), web: null })
  expect(versions()['web']).toBe('stopped')
})
