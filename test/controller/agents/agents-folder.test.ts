import { expect, test } from 'vitest'
import { InProcessSyntaxReader } from '../../../src/adapters/hcl-syntax/index.js'
import { computeAgentsChanges } from '../../../src/controller/agents/agents-changes.js'
import { AgentsFolderReader } from '../../../src/controller/agents/agents-folder.js'
import { checksumOf, SourceTree, type TreeEntry } from '../../../src/controller/index.js'
import { placeText, SCHEDULER_CONFIGURATION_DEFAULT } from '../../../src/domain/index.js'
import { apply, State } from '../../../src/state/index.js'
import { FIXTURE_MS } from '../../fixtures.js'

const blobOf = (text: string) => checksumOf(new TextEncoder().encode(text))

type Files = Readonly<Record<string, string>>

/** A cluster that follows what `agents/` says, commit by commit. */
class Cluster {
  readonly state = new State()
  readonly #reader = new AgentsFolderReader(new InProcessSyntaxReader())
  #entries: readonly TreeEntry[] = []

  constructor() {
    apply(this.state, 1, { kind: 'leadership-begin', epoch: 1, clusterId: 'c', leader: 'l', atMs: FIXTURE_MS })
  }

  /** @returns places and summaries of mistakes, and how many commands the commit came to */
  async commit(files: Files): Promise<{ readonly mistakes: readonly string[]; readonly commands: number }> {
    const contents = new Map(Object.values(files).map((text) => [blobOf(text), text]))
    const known = new Map(this.#entries.map((entry) => [`${entry.path} ${entry.blob}`, entry]))
    this.#entries = Object.entries(files)
      .map(([path, text]): TreeEntry => ({ path, blob: blobOf(text), mode: 'file' }))
      .map((entry) => known.get(`${entry.path} ${entry.blob}`) ?? entry)
    const read = async (blobs: readonly string[]) =>
      new Map(blobs.map((blob) => [blob, { kind: 'bytes' as const, bytes: new TextEncoder().encode(contents.get(blob)!) }]))
    const folder = await this.#reader.read(new SourceTree({ read }, this.#entries))
    const commands = computeAgentsChanges(this.state, folder)
    for (const body of commands) apply(this.state, this.state.index + 1, { ...body, atMs: FIXTURE_MS })
    const mistakes = folder.frozen.flatMap((file) => file.mistakes.map((each) => `${placeText(each)} ${each.summary}`))
    return { mistakes, commands: commands.length }
  }

  get pools(): readonly string[] {
    return this.state.nodePools.all().map(({ Name }) => Name)
  }
}

const SPREADING =
  'scheduler_config {\n  scheduler_algorithm = "spread"\n  preemption_config {\n    service_scheduler_enabled = true\n  }\n}\n'

test('a host is what its file says, in the pool of its folder', async () => {
  const cluster = new Cluster()
  const text = 'public_key = "UA"\nclass = "large"\nmeta {\n  rack = "r1"\n}\nreserved {\n  cpu = 500\n  ports = "22,80-81"\n}\n'
  expect(await cluster.commit({ 'agents/gpu/a.hcl': text })).toEqual({ mistakes: [], commands: 2 })
  expect(cluster.state.nodeDeclarations.get('a')).toMatchObject({
    pool: 'gpu',
    nodeClass: 'large',
    meta: { rack: 'r1' },
    reserved: { cpuMhz: 500, memoryMb: 0, ports: '22,80-81' },
    isEligible: true,
    drain: null,
  })
  expect(cluster.pools).toEqual(['all', 'default', 'gpu'])
})

test('a pool is there as long as its folder is, and is what its file says', async () => {
  const cluster = new Cluster()
  await cluster.commit({
    'agents/gpu/_pool.hcl': 'description = "cards"\nscheduler_config {\n  memory_oversubscription_enabled = true\n}\n',
  })
  expect(cluster.state.nodePools.get('gpu')).toMatchObject({
    Description: 'cards',
    Meta: null,
    SchedulerConfiguration: { SchedulerAlgorithm: '', MemoryOversubscriptionEnabled: true },
  })
  await cluster.commit({ 'agents/gpu/a.hcl': '' })
  expect(cluster.state.nodePools.get('gpu')).toMatchObject({ Description: '', SchedulerConfiguration: null })
  await cluster.commit({})
  expect(cluster.pools).toEqual(['all', 'default'])
  expect(cluster.state.nodeDeclarations.all()).toEqual([])
})

test('the scheduler is configured by a file, and is as before without it', async () => {
  const cluster = new Cluster()
  await cluster.commit({ 'agents/_cluster.hcl': SPREADING })
  expect(cluster.state.schedulerConfiguration).toMatchObject({
    SchedulerAlgorithm: 'spread',
    PreemptionConfig: { ServiceSchedulerEnabled: true, SystemSchedulerEnabled: true, BatchSchedulerEnabled: false },
    MemoryOversubscriptionEnabled: false,
    ModifyIndex: 2,
  })
  expect(await cluster.commit({ 'agents/_cluster.hcl': SPREADING })).toEqual({ mistakes: [], commands: 0 })
  await cluster.commit({})
  expect(cluster.state.schedulerConfiguration).toEqual({ ...SCHEDULER_CONFIGURATION_DEFAULT, ModifyIndex: 3 })
})

test('a file with mistakes leaves what it last said', async () => {
  const cluster = new Cluster()
  await cluster.commit({
    'agents/_cluster.hcl': SPREADING,
    'agents/a.hcl': 'class = "x"\n',
    'agents/gpu/_pool.hcl': 'description = "cards"\n',
  })
  const outcome = await cluster.commit({
    'agents/_cluster.hcl': 'scheduler_config {\n  scheduler_algorithm = "best"\n}\n',
    'agents/a.hcl': 'class = = "x"\n',
    'agents/gpu/_pool.hcl': 'descriptoin = "cards"\n',
  })
  expect(outcome.commands).toBe(0)
  expect(outcome.mistakes).toEqual([
    'agents/_cluster.hcl:2:25 Incorrect value',
    expect.stringMatching(/^agents\/a\.hcl:1:9 /),
    'agents/gpu/_pool.hcl:1:1 Unsupported argument',
  ])
})

test.each([
  ['agents/_clusters.hcl', '', 'agents/_clusters.hcl A file of this name means nothing here'],
  ['agents/_pool.hcl', '', 'agents/_pool.hcl A file of this name means nothing here'],
  ['agents/gpu/deep/a.hcl', '', 'agents/gpu/deep/a.hcl A file of this name means nothing here'],
  ['agents/default/_pool.hcl', '', 'agents/default/_pool.hcl The pool "default" is built in'],
  ['agents/all/a.hcl', '', 'agents/all/a.hcl Every host is in the pool "all"'],
  ['agents/g p u/a.hcl', '', 'agents/g p u/a.hcl "g p u" is no name for a pool'],
  ['agents/a.hcl', 'reserved {\n  ports = "22,x"\n}\n', 'agents/a.hcl:2:11 Incorrect ports'],
  ['agents/a.hcl', 'reserved {\n  cpu = -1\n}\n', 'agents/a.hcl:2:9 Incorrect value'],
  ['agents/a.hcl', 'eligible = "yes"\n', 'agents/a.hcl:1:12 Incorrect value'],
  ['agents/a.hcl', 'class = var.x\n', 'agents/a.hcl:1:9 Not a plain value'],
  ['agents/a.hcl', 'meta {\n}\nmeta {\n}\n', 'agents/a.hcl:3:1 Duplicate block'],
  ['agents/a.hcl', 'host_volume "d" {\n}\n', 'agents/a.hcl:1:1 Incomplete host_volume'],
])('%s: %j is a mistake', async (path, text, mistake) => {
  expect((await new Cluster().commit({ [path]: text })).mistakes).toEqual([mistake])
})

test('one host in two files, or one key for two hosts, is a mistake in both', async () => {
  const cluster = new Cluster()
  const { mistakes } = await cluster.commit({
    'agents/a.hcl': '',
    'agents/b.hcl': 'public_key = "UA"\n',
    'agents/c.hcl': 'public_key = "UA"\n',
    'agents/gpu/a.hcl': '',
  })
  expect(mistakes).toEqual([
    'agents/a.hcl host "a" is also declared in agents/gpu/a.hcl',
    'agents/b.hcl the public_key of host "b" is also that of agents/c.hcl',
    'agents/c.hcl the public_key of host "c" is also that of agents/b.hcl',
    'agents/gpu/a.hcl host "a" is also declared in agents/a.hcl',
  ])
  expect(cluster.state.nodeDeclarations.all()).toEqual([])
})

test('the cluster says after how long a host without a file runs nothing', async () => {
  const cluster = new Cluster()
  await cluster.commit({ 'agents/_cluster.hcl': 'stop_after_undeclared = "90s"\n' })
  expect(cluster.state.schedulerConfiguration.stopAfterUndeclaredMs).toBe(90_000)
  const { mistakes } = await cluster.commit({ 'agents/_cluster.hcl': 'stop_after_undeclared = "soon"\n' })
  expect(mistakes).toEqual(['agents/_cluster.hcl:1:25 Incorrect duration'])
  expect(cluster.state.schedulerConfiguration.stopAfterUndeclaredMs).toBe(90_000)
  await cluster.commit({ 'agents/_cluster.hcl': '' })
  expect(cluster.state.schedulerConfiguration.stopAfterUndeclaredMs).toBeUndefined()
})
