/** Several sources of one cluster: each job, namespace and variable is one source's, and no source touches what is another's. */
import { expect, test } from 'vitest'
import { systemRandom } from '../../../src/adapters/random.js'
import { CommitPlanner } from '../../../src/controller/commit-planner.js'
import { AuditFacts } from '../../../src/controller/memory/audit-facts.js'
import { OPEN_LIMITS } from '../../fixtures.js'
import { hcl, SourcesWorld } from './sources-world.js'

const SHOP = {
  ...OPEN_LIMITS,
  namespaces: ['shop', 'shop-*'],
  nodePools: ['default'],
  drivers: ['exec'],
  privileged: false,
  hostVolumes: [],
  priorityMax: 60,
}

const versionOf = (world: SourcesWorld, key: string) => world.state.jobs.get(key.replace('/', '\u0000'))?.Version

test('each source has its jobs, its cursor and its commits', async () => {
  const world = await SourcesWorld.start({ limits: { shop: SHOP } })
  world.commit('default', { 'jobs/web.nomad.hcl': hcl('web') })
  world.commit('shop', { 'jobs/shop/cart.nomad.hcl': hcl('cart') })
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/web': 'default', 'shop/cart': 'shop' })
  const cursors = world.state.sources.all().map(({ id, commit }) => [id, commit!.id === world.repositoryOf(id).head])
  expect(cursors).toEqual([
    ['default', true],
    ['shop', true],
  ])
  expect(world.state.versionSources.all().map(({ jobId, sourceId }) => [jobId, sourceId])).toEqual([
    ['web', undefined],
    ['cart', 'shop'],
  ])
})

test('the same path and the same commit in two sources are two', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS, two: OPEN_LIMITS } })
  const files = { 'jobs/a.nomad.hcl': 'job "a" {', 'vars/default/x.yaml': '- no mapping\n' }
  const ids = [world.commit('one', files), world.commit('two', files)]
  expect(ids[0]).toBe(ids[1])
  await world.settle()
  expect(Object.keys(world.frozen())).toEqual([
    'one:jobs/a.nomad.hcl',
    'one:vars/default/x.yaml',
    'two:jobs/a.nomad.hcl',
    'two:vars/default/x.yaml',
  ])
  expect(world.state.commitTraces.all().map(({ sourceId }) => sourceId)).toEqual(['one', 'two'])
  world.commit('two', { 'jobs/a.nomad.hcl': hcl('b'), 'vars/default/x.yaml': 'a: b\n' })
  await world.settle()
  expect(Object.keys(world.frozen())).toEqual(['one:jobs/a.nomad.hcl', 'one:vars/default/x.yaml'])
})

test('a job that another source has is a mistake of the later one, and is taken over when it is free', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  world.commit('default', { 'jobs/web.nomad.hcl': hcl('web') })
  await world.settle()
  world.commit('one', { 'jobs/web.nomad.hcl': hcl('web', { command: '/bin/other' }), 'jobs/more.nomad.hcl': hcl('more') })
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/web': 'default', 'default/more': 'one' })
  expect(world.frozen()).toEqual({
    'one:jobs/web.nomad.hcl': 'job "web" of namespace "default" is already defined by the source "default"',
  })
  world.commit('default', { 'jobs/web.nomad.hcl': null })
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/web': 'one', 'default/more': 'one' })
  expect(world.frozen()).toEqual({})
})

test('a job that moves to another source is never stopped, and has a new version only if it says something else', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  const stopped: string[] = []
  world.state.jobs.observe((_before, after) => after?.Stop === true && stopped.push(after.ID))
  const files = { 'jobs/web.nomad.hcl': hcl('web'), 'jobs/db.nomad.hcl': hcl('db'), 'jobs/gone.nomad.hcl': hcl('gone') }
  world.commit('default', files)
  await world.settle()
  world.commit('one', { 'jobs/w.nomad.hcl': hcl('web'), 'jobs/db.nomad.hcl': hcl('db', { command: '/bin/other' }) })
  await world.settle()
  world.commit('default', Object.fromEntries(Object.keys(files).map((path) => [path, null])))
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/web': 'one', 'default/db': 'one' })
  expect([versionOf(world, 'default/web'), versionOf(world, 'default/db')]).toEqual([0, 1])
  expect(world.state.jobSources.all().map(({ path, inputs }) => [path, inputs.length])).toEqual([
    ['jobs/db.nomad.hcl', 1],
    ['jobs/w.nomad.hcl', 1],
  ])
  expect([stopped, world.frozen()]).toEqual([['gone'], {}])
  const facts = new AuditFacts()
  for await (const events of world.leader.events.follow(1, new AbortController().signal)) {
    const told = facts.read(events).filter(({ action }) => action === 'job-hand-over')
    if (told.length === 0) continue
    const subject = { namespace: 'default', from: 'default', to: 'one' }
    expect(told.map((fact) => [fact.actor.kind, fact.subject])).toEqual([
      ['commit', { ...subject, jobId: 'db', path: 'jobs/db.nomad.hcl' }],
      ['commit', { ...subject, jobId: 'web', path: 'jobs/w.nomad.hcl' }],
    ])
    break
  }
  // It is the other one's now, to its end.
  world.commit('one', { 'jobs/w.nomad.hcl': null })
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/db': 'one' })
})

test('a job whose other source no longer says it when it would be handed over is removed by that one', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  world.commit('default', { 'jobs/web.nomad.hcl': hcl('web'), 'jobs/stay.nomad.hcl': hcl('stay') })
  await world.settle()
  world.commit('one', { 'jobs/web.nomad.hcl': hcl('web') })
  await world.settle()
  world.commit('one', { 'jobs/web.nomad.hcl': null })
  world.commit('default', { 'jobs/web.nomad.hcl': null })
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/stay': 'default' })
})

test('before something is removed the others are heard, and it is removed when they say nothing of it', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  world.commit('default', { 'jobs/web.nomad.hcl': hcl('web'), 'jobs/gone.nomad.hcl': hcl('gone') })
  await world.settle()
  world.commit('default', { 'jobs/web.nomad.hcl': null, 'jobs/gone.nomad.hcl': null })
  world.commit('one', { 'jobs/web.nomad.hcl': hcl('web') })
  world.isNewElsewhere = true
  expect((await world.look('default'))!.isComplete).toBe(false)
  expect(world.jobs()).toEqual({ 'default/web': 'default', 'default/gone': 'default' })
  world.isNewElsewhere = false
  await world.look('one')
  await world.settle()
  expect([world.jobs(), versionOf(world, 'default/web')]).toEqual([{ 'default/web': 'one' }, 0])
})

test('a source removes nothing that is not its own, and its deletion guard counts its own jobs', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  const many = (prefix: string, text: string | null) =>
    Object.fromEntries(
      Array.from({ length: 6 }, (_, at) => [`jobs/${prefix}${at}.nomad.hcl`, text === null ? null : hcl(`${prefix}${at}`)]),
    )
  world.commit('default', many('d', ''))
  world.commit('one', { ...many('o', ''), 'jobs/last.nomad.hcl': hcl('last') })
  await world.settle()
  world.commit('one', many('o', null))
  const outcomes = await world.settle()
  expect(outcomes.get('one')!.held).toMatchObject({ reason: 'mass-deletion' })
  expect(Object.keys(world.jobs())).toHaveLength(13)
  world.commit('one', {}, { 'Drover-Allow-Delete': '*' })
  await world.settle()
  expect(Object.values(world.jobs())).toEqual([...Array(6).fill('default'), 'one'])
})

test('what a source may not do is a mistake of its file, and what stood stays', async () => {
  const world = await SourcesWorld.start({ limits: { shop: SHOP } })
  world.commit('default', { 'agents/gpu/host.hcl': 'public_key = ""\n' })
  world.commit('shop', { 'jobs/shop/cart.nomad.hcl': hcl('cart') })
  await world.settle()
  const forbidden = {
    'jobs/other.nomad.hcl': hcl('other'),
    'jobs/shop/cart.nomad.hcl': hcl('cart', { more: 'node_pool = "gpu"' }),
    'jobs/shop/first.nomad.hcl': hcl('first', { more: 'priority = 90' }),
    'jobs/shop/raw.nomad.hcl': hcl('raw').replace('"exec"', '"raw_exec"'),
    'jobs/shop/deep.nomad.hcl': hcl('deep').replace('config { ', 'config {\n cap_add = ["sys_admin"]\n ').replace('sleep" }', 'sleep"\n}'),
    'jobs/shop-eu/good.nomad.hcl': hcl('good'),
    'agents/mine.hcl': 'public_key = ""\n',
    'agents/_cluster.hcl': '',
    'vars/default/secret.yaml': 'a: b\n',
    'jobs/other/_namespace.hcl': 'description = "mine"\n',
  }
  world.commit('shop', forbidden)
  await world.settle()
  expect(world.jobs()).toEqual({ 'shop/cart': 'shop', 'shop-eu/good': 'shop' })
  expect([versionOf(world, 'shop/cart'), world.state.nodeDeclarations.count, world.state.variables.count]).toEqual([0, 1, 0])
  expect(world.frozen()).toEqual({
    'shop:agents/_cluster.hcl': 'this source declares no hosts',
    'shop:agents/mine.hcl': 'this source declares no hosts',
    'shop:jobs/other.nomad.hcl': 'namespace "default" is not one of this source; allowed: shop, shop-*',
    'shop:jobs/other/_namespace.hcl': 'namespace "other" is not one of this source',
    'shop:jobs/shop/cart.nomad.hcl': 'node pool "gpu" is not allowed to this source; allowed: default',
    'shop:jobs/shop/deep.nomad.hcl': 'task "t" sets cap_add, which only a privileged source may',
    'shop:jobs/shop/first.nomad.hcl': 'priority 90 is above 60, the highest of this source',
    'shop:jobs/shop/raw.nomad.hcl': 'task "t" uses driver "raw_exec", which is not allowed to this source; allowed: exec',
    'shop:vars/default/secret.yaml': 'namespace "default" is not one of this source',
  })
})

test('another configuration judges the same commit anew, and still takes nothing away', async () => {
  const world = await SourcesWorld.start({ limits: { shop: SHOP } })
  world.commit('default', {})
  world.commit('shop', { 'jobs/shop/cart.nomad.hcl': hcl('cart') })
  await world.settle()
  world.restart({ shop: { ...SHOP, drivers: [] } })
  await world.settle()
  expect([world.jobs(), world.frozen()]).toEqual([
    { 'shop/cart': 'shop' },
    { 'shop:jobs/shop/cart.nomad.hcl': 'task "t" uses driver "exec", which is not allowed to this source; none is' },
  ])
  world.restart({ shop: SHOP })
  await world.settle()
  expect(world.frozen()).toEqual({})
})

test('a source that is followed no more leaves its jobs, and another may take them over without a new version', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS, two: OPEN_LIMITS } })
  const files = { 'jobs/a.nomad.hcl': hcl('a'), 'vars/default/x.yaml': 'a: b\n' }
  world.commit('default', {})
  world.commit('one', files)
  await world.settle()
  world.commit('two', files)
  await world.settle()
  expect(Object.keys(world.frozen())).toEqual(['two:jobs/a.nomad.hcl', 'two:vars/default/x.yaml'])
  world.restart({ two: OPEN_LIMITS })
  await world.settle()
  expect([world.jobs(), versionOf(world, 'default/a')]).toEqual([{ 'default/a': 'two' }, 0])
  expect(world.state.sourceClaims.all()).toEqual([{ sourceId: 'two', kind: 'variable', namespace: 'default', path: 'x' }])
})

test('variables and descriptions of namespaces are of the source that says them', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  const isThere = (path: string) => world.state.variables.get(`team\u0000${path}`) !== undefined
  world.commit('default', { 'vars/team/a.yaml': 'k: default\n' })
  world.commit('one', { 'vars/team/b.yaml': 'k: one\n', 'jobs/team/_namespace.hcl': 'description = "of one"\n' })
  await world.settle()
  world.commit('default', { 'vars/team/c.yaml': 'k: default\n', 'jobs/team/_namespace.hcl': 'description = "of default"\n' })
  await world.settle()
  expect(['a', 'b', 'c'].map(isThere)).toEqual([true, true, true])
  expect(world.state.namespaces.get('team')!.Description).toBe('of one')
  expect(world.frozen()).toEqual({ 'default:jobs/team/_namespace.hcl': 'the namespace "team" is already said by the source "one"' })
  world.commit('one', { 'vars/team/b.yaml': null, 'jobs/team/_namespace.hcl': null })
  await world.settle()
  expect(['a', 'b', 'c'].map(isThere)).toEqual([true, false, true])
  expect([world.state.namespaces.get('team')!.Description, world.frozen(), world.state.sourceClaims.count]).toEqual(['of default', {}, 0])
})

test('who may read what is encrypted is said by the source of the variable alone', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS, shop: SHOP } })
  const readers = () => world.state.variables.get('team\u0000a')?.readers
  world.commit('default', { 'vars/team/a.yaml': 'k: default\n', 'vars/team/_access.yaml': 'a: [web]\n' })
  await world.settle()
  world.commit('one', { 'vars/team/a.yaml': 'k: one\n', 'vars/team/_access.yaml': 'a: [thief]\n' })
  world.commit('shop', { 'vars/team/_access.yaml': 'a: [thief]\n' })
  await world.settle()
  expect(readers()).toEqual(['web'])
  expect(world.frozen()).toEqual({
    'one:vars/team/a.yaml': 'the variable "a" of namespace "team" is already said by the source "default"',
    'shop:vars/team/_access.yaml': 'namespace "team" is not one of this source',
  })
})

test("a hook is of jobs of the source's namespaces", async () => {
  const world = await SourcesWorld.start({ limits: { shop: SHOP } })
  world.commit('default', { 'jobs/web.nomad.hcl': hcl('web') })
  await world.settle()
  world.commit('shop', {
    'jobs/shop/hook.nomad.hcl': hcl('hook', { drover: 'before=default/web', more: 'type = "batch"\n  parameterized {}' }),
  })
  await world.settle()
  expect(world.frozen()).toEqual({
    'shop:jobs/shop/hook.nomad.hcl': 'it is a hook of a job of another namespace: namespace "default" is not one of this source',
  })
})

test('a rule of a namespace that another source describes is heeded', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  world.commit('default', {})
  world.commit('one', { 'jobs/team/a.nomad.hcl': hcl('a') })
  await world.settle()
  world.commit('default', { 'jobs/team/_namespace.hcl': 'capabilities { enabled_task_drivers = ["docker"] }\n' })
  await world.look('default')
  world.commit('one', { README: 'x' })
  await world.settle()
  expect(world.frozen()).toEqual({ 'one:jobs/team/a.nomad.hcl': 'task "t" uses driver "exec", which namespace "team" does not allow' })
})

test('jobs may wait for those of another source, which may come later and go', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  world.commit('default', {})
  world.commit('one', { 'jobs/a.nomad.hcl': hcl('a', { drover: 'depends_on=db' }) })
  await world.settle()
  expect(world.frozen()).toEqual({ 'one:jobs/a.nomad.hcl': 'the job names db in its meta "drover", which no file defines' })
  world.commit('default', { 'jobs/db.nomad.hcl': hcl('db') })
  await world.settle()
  expect([world.frozen(), world.state.waitingChanges.all().map(({ jobId }) => jobId)]).toEqual([{}, ['a']])
  world.commit('default', { 'jobs/db.nomad.hcl': hcl('db', { drover: 'depends_on=a' }) })
  await world.settle()
  expect(world.frozen()).toEqual({ 'default:jobs/db.nomad.hcl': 'jobs wait for each other in a circle: a → db → a' })
})

test('trailers act on jobs of their own source, the first on all, and only the first on hosts', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS } })
  world.commit('default', { 'jobs/web.nomad.hcl': hcl('web') })
  world.commit('one', { 'jobs/cart.nomad.hcl': hcl('cart') })
  await world.settle()
  world.commit('one', {}, { 'Drover-Evaluate': 'web, cart', 'Drover-Drain': 'some-host', 'Drover-Replace-Lost': '*' })
  world.commit('default', {}, { 'Drover-Evaluate': 'cart' })
  const outcomes = await world.settle()
  expect(outcomes.get('one')!.ignored).toEqual([
    'Drover-Evaluate: web: no job of this id is registered',
    'Drover-Drain: some-host: hosts are in the hands of the first source',
    'Drover-Replace-Lost: *: hosts are in the hands of the first source',
  ])
  expect(outcomes.get('default')!.ignored).toEqual([])
})

test('what one source says of a job of another keeps nobody waiting', async () => {
  const world = await SourcesWorld.start({ limits: { one: SHOP } })
  world.commit('default', { 'jobs/db.nomad.hcl': hcl('db') })
  world.commit('one', { 'jobs/db.nomad.hcl': 'job "db" {\n wrong = 1\n}\n' })
  await world.settle()
  world.commit('default', { 'jobs/a.nomad.hcl': hcl('a', { drover: 'depends_on=db' }) })
  await world.settle()
  const { tellWaiting } = await import('../../../src/controller/index.js')
  expect(tellWaiting(world.state, 0).flatMap(({ reasons }) => reasons.map(({ text }) => text))).not.toContain(
    'the file of db has mistakes (jobs/db.nomad.hcl)',
  )
})

test('a repository that cannot be read changes nothing of the others', async () => {
  const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS, two: OPEN_LIMITS } })
  world.commit('default', {})
  world.commit('one', { 'jobs/a.nomad.hcl': hcl('a') })
  await world.settle()
  world.away.add('one')
  world.restart()
  world.commit('two', { 'jobs/a.nomad.hcl': hcl('a'), 'jobs/b.nomad.hcl': hcl('b') })
  await world.settle()
  expect(world.jobs()).toEqual({ 'default/a': 'one', 'default/b': 'two' })
})

test('a plan of a source tells what the server would find wrong, and nothing of the others', async () => {
  const world = await SourcesWorld.start({ limits: { shop: SHOP } })
  world.commit('default', {
    'jobs/web.nomad.hcl': hcl('web'),
    'agents/gpu/host.hcl': 'public_key = ""\n',
    'jobs/shop/mine.nomad.hcl': hcl('mine'),
  })
  world.commit('shop', { 'jobs/shop/cart.nomad.hcl': hcl('cart') })
  await world.settle()
  const scope = { id: 'shop', limits: SHOP, isFollowed: () => true }
  const planner = new CommitPlanner(world.leader, systemRandom, () => ({ scope, rewind: 'hold' }))
  const needs = {
    nodePool: 'default',
    priority: 50,
    hostVolumes: [],
    tasks: [{ name: 't', driver: 'exec', privileges: [] }],
    hookNamespaces: [],
  }
  const job = (id: string, over: object = {}) => ({
    path: `jobs/shop/${id}.nomad.hcl`,
    namespace: 'shop',
    id,
    spec: 'x',
    type: 'service',
    isPeriodic: false,
    isParameterized: false,
    needs: { ...needs, ...over },
  })
  const jobs = [
    job('new'),
    job('mine'),
    job('first', { priority: 99 }),
    job('far', { nodePool: 'nowhere' }),
    job('gpu', { nodePool: 'gpu' }),
  ]
  const plan = await planner.plan({
    source: 'shop',
    isWhole: true,
    leaves: null,
    isShallow: false,
    trailers: [],
    jobs,
    unsound: [],
    agents: null,
  })
  expect(Object.fromEntries(plan.jobs.map(({ id, change }) => [id, change]))).toEqual({
    new: 'new',
    mine: 'frozen',
    first: 'frozen',
    far: 'frozen',
    gpu: 'frozen',
    cart: 'removed',
  })
  expect(plan.refusals.map(({ summary }) => summary).sort()).toEqual([
    'job "far" is in nonexistent node pool "nowhere"',
    'job "mine" of namespace "shop" is already defined by the source "default"',
    'node pool "gpu" is not allowed to this source; allowed: default',
    'node pool "nowhere" is not allowed to this source; allowed: default',
    'priority 99 is above 60, the highest of this source',
  ])
})
