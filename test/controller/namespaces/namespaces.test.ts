/** What `jobs/<namespace>/_namespace.hcl` says: who may run there, and when it may change. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../../src/adapters/logger.js'
import { systemRandom } from '../../../src/adapters/random.js'
import { ChangeGate, tellWaiting } from '../../../src/controller/order/change-gate.js'
import { ManualClock } from '../manual-clock.js'
import { reconcilerWorld } from '../reconciler-world.js'

const FILE = 'jobs/shop/_namespace.hcl'
const text = (id: string, command = '/bin/true', driver = 'raw_exec') => `job "${id}" {
  group "group" {
    count = 0
    task "main" {
      driver = "${driver}"
      config { command = "${command}" }
    }
  }
}`

async function world() {
  const clock = new ManualClock()
  const base = await reconcilerWorld()
  const { leader, reconciler } = base
  const gate = new ChangeGate({
    view: leader.state,
    clock,
    random: systemRandom,
    logger: silentLogger,
    propose: (bodies) => void leader.propose(bodies),
    isSettled: () => reconciler.isSettled,
    onDue: () => leader.nudge(),
  })
  leader.onTurnEnd(() => gate.reconcile())
  const settled = async () => {
    leader.nudge()
    await Promise.resolve()
    await leader.whenDurable(leader.state.index)
    await leader.whenDurable(leader.state.index)
  }
  const commit = async (files: Readonly<Record<string, string | null>>) => {
    const outcome = await base.apply(files)
    await settled()
    return outcome.frozen.map(({ path, mistakes }) => `${path}: ${mistakes[0]!.summary}`)
  }
  const versions = () => Object.fromEntries(leader.state.jobs.all().map(({ ID, Version, Stop }) => [ID, Stop ? 'stopped' : Version]))
  const waiting = () => tellWaiting(leader.state, clock.wallMs()).map(({ jobId, reasons }) => [jobId, ...reasons.map((one) => one.text)])
  return { ...base, commit, clock, settled, versions, waiting, namespace: (name: string) => leader.state.namespaces.get(name) }
}

test('the file makes its namespace what it says, and without it the namespace is plain again', async () => {
  const { commit, namespace } = await world()
  const said = `description = "the shop"
meta { owner = "ann" }
capabilities { disabled_task_drivers = ["raw_exec"] }
node_pool_config { allowed = ["shop"] }`
  expect(await commit({ [FILE]: said })).toEqual([])
  expect(namespace('shop')).toMatchObject({
    Description: 'the shop',
    Meta: { owner: 'ann' },
    Capabilities: { EnabledTaskDrivers: null, DisabledTaskDrivers: ['raw_exec'] },
    NodePoolConfiguration: { Allowed: ['shop'], Denied: null },
  })
  await commit({ [FILE]: null })
  expect(namespace('shop')).toMatchObject({ Description: '', Meta: null, Capabilities: null, NodePoolConfiguration: null })
})

test('a file with mistakes leaves what it last said, and says where they are', async () => {
  const { commit, namespace } = await world()
  await commit({ [FILE]: 'description = "the shop"' })
  expect(await commit({ [FILE]: 'description = "the shop"\nquota = "x"' })).toEqual([`${FILE}: Unsupported argument`])
  expect(namespace('shop')?.Description).toBe('the shop')
})

test.each([
  ['jobs/_namespace.hcl', '', 'A file of this name means nothing here'],
  ['jobs/shop/deep/_namespace.hcl', '', 'A file of this name means nothing here'],
  ['jobs/a b/_namespace.hcl', '', 'Invalid namespace'],
  [FILE, 'sync_window "x" { kind = "allow" }', 'Incomplete sync_window'],
  [FILE, 'sync_window "x" {\n kind = "maybe"\n schedule = "0 0 * * *"\n duration = "1h"\n}', 'Incorrect value'],
  [FILE, 'sync_window "x" {\n kind = "deny"\n schedule = "nonsense"\n duration = "1h"\n}', 'Incorrect schedule'],
  [FILE, 'sync_window "x" {\n kind = "deny"\n schedule = "0 0 * * *"\n duration = "1ms"\n}', 'Incorrect duration'],
  [
    FILE,
    'sync_window "x" {\n kind = "deny"\n schedule = "0 0 * * *"\n duration = "1h"\n time_zone = "Mars/Olympus"\n}',
    'Unknown time zone',
  ],
  [FILE, 'suspend { until = "2099-01-01T00:00:00Z" }', 'Incomplete suspension'],
  [FILE, 'suspend { reason = "x" }', 'Incomplete suspension'],
  [FILE, 'capabilities { enabled_task_drivers = "docker" }', 'Incorrect value'],
  [FILE, 'node_pool_config {\n allowed = ["a"]\n denied = ["b"]\n}', 'Two lists of pools'],
])('%s with %s is refused', async (path, content, summary) => {
  const { commit } = await world()
  expect(await commit({ [path]: content })).toEqual([`${path}: ${summary}`])
})

test('a job whose driver or pool its namespace does not allow is a mistake of its file', async () => {
  const { commit, versions } = await world()
  const rules = 'capabilities { enabled_task_drivers = ["docker"] }\nnode_pool_config { denied = ["default"] }'
  const frozen = await commit({ [FILE]: rules, 'jobs/shop/web.nomad.hcl': text('web'), 'jobs/free.nomad.hcl': text('free') })
  expect(frozen).toEqual(['jobs/shop/web.nomad.hcl: task "main" uses driver "raw_exec", which namespace "shop" does not allow'])
  expect(versions()).toEqual({ free: 0 })
})

test('a namespace that forbids what already runs stops nothing, tells it, and holds later changes', async () => {
  const { commit, versions } = await world()
  await commit({ 'jobs/shop/web.nomad.hcl': text('web') })
  expect(await commit({ [FILE]: 'capabilities { disabled_task_drivers = ["raw_exec"] }' })).toHaveLength(1)
  expect(await commit({ 'README.md': 'x' })).toHaveLength(1)
  expect(await commit({ 'jobs/shop/web.nomad.hcl': text('web', '/bin/false') })).toHaveLength(1)
  expect(versions()).toEqual({ web: 0 })
  expect(await commit({ [FILE]: null })).toEqual([])
  expect(versions()).toEqual({ web: 1 })
})

/** ManualClock begins at midnight. */
const NIGHTS = 'sync_window "nights" {\n kind = "allow"\n schedule = "0 22 * * *"\n duration = "8h"\n}'
const DAYS = 'sync_window "days" {\n kind = "allow"\n schedule = "0 8 * * *"\n duration = "8h"\n}'

test('outside of a window changes and removals wait, and are carried out when it opens', async () => {
  const { commit, versions, waiting, clock, settled } = await world()
  await commit({ 'jobs/shop/web.nomad.hcl': text('web'), 'jobs/shop/old.nomad.hcl': text('old'), 'jobs/free.nomad.hcl': text('free') })
  await commit({
    [FILE]: DAYS,
    'jobs/shop/web.nomad.hcl': text('web', '/bin/false'),
    'jobs/shop/old.nomad.hcl': null,
    'jobs/free.nomad.hcl': text('free', '/bin/false'),
  })
  expect(versions()).toEqual({ web: 0, old: 0, free: 1 })
  const reason = 'no window allows changes now (days); changes are carried out from 2026-01-01T08:00:00Z on'
  expect(waiting()).toEqual([
    ['old', reason],
    ['web', reason],
  ])
  clock.advance(8 * 3_600_000)
  await settled()
  expect([versions(), waiting()]).toEqual([{ web: 1, old: 'stopped', free: 1 }, []])
})

test('inside of a window nothing waits, and a commit may open one that is closed', async () => {
  const { commit, versions } = await world()
  await commit({ [FILE]: NIGHTS, 'jobs/shop/web.nomad.hcl': text('web') })
  expect(versions()).toEqual({ web: 0 })
  await commit({ [FILE]: DAYS, 'jobs/shop/web.nomad.hcl': text('web', '/bin/false') })
  expect(versions()).toEqual({ web: 0 })
  await commit({ [FILE]: null })
  expect(versions()).toEqual({ web: 1 })
})

test('a suspended namespace waits as a whole, in the words of who suspended it', async () => {
  const { commit, versions, waiting } = await world()
  await commit({ [FILE]: 'suspend {\n until = "2099-01-01T00:00:00Z"\n reason = "audit"\n}', 'jobs/shop/web.nomad.hcl': text('web') })
  expect([versions(), waiting()]).toEqual([{}, [['web', 'namespace shop is suspended until 2099-01-01T00:00:00Z: audit']]])
})

test('a change that waits does not begin where its namespace has come to forbid it, nor while its file has mistakes', async () => {
  const { commit, versions, waiting } = await world()
  const web = 'jobs/shop/web.nomad.hcl'
  await commit({ [web]: text('web') })
  await commit({ [FILE]: DAYS, [web]: text('web', '/bin/false') })
  await commit({ [FILE]: 'capabilities { enabled_task_drivers = ["docker"] }' })
  expect([versions(), waiting()]).toEqual([{ web: 0 }, []])
  await commit({ [FILE]: null, [web]: 'job "web" {' })
  expect(versions()).toEqual({ web: 0 })
  await commit({ [web]: text('web', '/bin/false') })
  expect([versions(), waiting()]).toEqual([{ web: 1 }, []])
})
