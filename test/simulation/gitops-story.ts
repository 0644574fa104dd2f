/**
 * One simulated life of a cluster that follows three repositories: changes wait for each other, a job goes from one repository to another, a
 * scaler moves counts, variables come and go, and servers and agents die in between. Then everything has to come true.
 */

import type { Server } from '../../src/controller/index.js'
import { AuditFacts } from '../../src/controller/index.js'
import type { AuditFact } from '../../src/domain/index.js'
import { GitopsWitness } from './gitops-witness.js'
import { SeededRandom } from './seeded-random.js'
import { SimulatedRepository } from './simulated-git.js'
import type { StoryResult } from './story.js'
import { jobFile, serviceShape } from './workload.js'
import { jobIdsIn, World } from './world.js'

const WORKING_MS = 90_000
const SETTLE_MS = 60_000
/** A job that is always said by some repository, the same everywhere. */
const MOVER = 'mover'
const SCALED = 'flex'
/** What a job waits for is there when it comes. */
const ORDERED = { db: '', web: 'depends_on=db', cart: 'bundle=shop', shelf: 'bundle=shop depends_on=db' } as const
const OTHERS = ['one', 'two'] as const

type Ordered = keyof typeof ORDERED
type Files = Record<string, string | null>

export async function tellGitopsStory(seed: number): Promise<StoryResult> {
  const story = new GitopsStory(seed)
  const { world } = story
  const onCrash = (error: unknown) => world.fail(error)
  process.on('unhandledRejection', onCrash)
  const result = (error: Error | undefined): StoryResult => ({
    seed,
    virtualMs: world.time.nowMs,
    events: world.time.eventCount,
    commands: world.durable.index,
    violation: error === undefined ? undefined : { atMs: world.time.nowMs, error },
  })
  try {
    await story.tell()
    return result(undefined)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return result(error)
  } finally {
    process.off('unhandledRejection', onCrash)
  }
}

class GitopsStory {
  readonly world: World
  readonly #witness: GitopsWitness
  readonly #random: SeededRandom
  readonly #repositories: ReadonlyMap<string, SimulatedRepository>
  readonly #generations = new Map<string, number>()
  readonly #suspended = new Set<Ordered>()
  #flex = { generation: 1, min: 1, max: 4, count: 2 }
  #moverAt: string = OTHERS[0]
  /** It is in both, until it is taken out of this one. */
  #moverLeaves: string | undefined
  #variables = new Map<string, { readonly source: string; readonly value: string }>()
  readonly #readers = new Map<string, readonly string[]>()
  /** Of the server that has begun last. */
  #audited: { readonly server: Server; readonly facts: AuditFact[]; readonly since: number } | undefined

  constructor(seed: number) {
    // Of its own, so that what the world draws does not depend on what is said here.
    this.#random = new SeededRandom(seed ^ 0x5eed)
    this.#repositories = new Map(OTHERS.map((name) => [name, new SimulatedRepository()]))
    const onCommand = (command: Parameters<GitopsWitness['checkCommand']>[0]) => this.#witness.checkCommand(command)
    this.world = new World({ seed, hosts: 3, repositories: this.#repositories, onCommand, onServer: (server) => this.#audit(server) })
    this.#witness = new GitopsWitness(this.world.durable, (violation) => this.world.fail(violation))
  }

  async tell(): Promise<void> {
    const { world } = this
    this.#commit('default', { ...this.#orderedFiles(), ...this.#flexFile() })
    this.#commit(OTHERS[0], { [pathOf(MOVER)]: moverFile() })
    this.#commit(OTHERS[1], { 'README.md': 'nothing yet' })
    this.#witness.keepsRunning(MOVER)
    world.startServer()
    for (const host of world.hosts) host.startAgent()
    this.#every(4_000, () => this.#step())
    this.#every(25_000, () => world.crashServer(this.#random.between(50, 4_000)))
    this.#every(20_000, () => this.#random.pick(world.hosts).crashAgent(this.#random.between(50, 5_000)))
    await world.run(WORKING_MS)
    world.calm()
    this.#settle()
    await world.run(SETTLE_MS)
    await world.rest()
    world.checkConverged()
    this.#check()
    // What the checks have found is thrown behind the next event.
    await world.run(1_000)
  }

  #every(meanMs: number, act: () => void): void {
    this.world.time.after(meanMs * (0.3 + 1.4 * this.#random.fraction()), () => {
      if (this.world.isCalm) return
      act()
      this.#every(meanMs, act)
    })
  }

  #step(): void {
    this.#random.pick([
      () => this.#change(['db', 'web']),
      () => this.#change(['cart', 'shelf']),
      () => this.#change(['db', 'web', 'cart', 'shelf']),
      () => this.#breakMember(),
      () => this.#suspend(),
      () => this.#move(),
      () => this.#move(),
      () => this.#scale(),
      () => this.#scale(),
      () => this.#changeFlex(),
      () => this.#setVariable(),
      () => this.#setVariable(),
    ])()
  }

  #change(ids: readonly Ordered[]): void {
    for (const id of ids) this.#generations.set(id, (this.#generations.get(id) ?? 1) + 1)
    this.#commit('default', this.#orderedFiles(ids))
  }

  /** Until its next change. */
  #breakMember(): void {
    const other = this.#random.pick(['cart', 'shelf'] as const)
    this.#generations.set(other, (this.#generations.get(other) ?? 1) + 1)
    const broken = JSON.parse(this.#orderedFile(other)) as { Job: { Type: string } }
    broken.Job.Type = 'nothing'
    this.#commit('default', { ...this.#orderedFiles(['cart', 'shelf']), [pathOf(other)]: JSON.stringify(broken) })
  }

  #suspend(): void {
    const id = this.#random.pick(['web', 'cart'] as const)
    if (this.#suspended.has(id)) this.#suspended.delete(id)
    else this.#suspended.add(id)
    this.#change([id])
  }

  /** First it is said by both, a moment later by one; or both is seen at once. */
  #move(): void {
    const to = OTHERS.find((name) => name !== this.#moverAt)!
    if (this.#moverLeaves !== undefined) return this.#leave()
    this.#commit(to, { [pathOf(MOVER)]: moverFile() })
    this.#moverLeaves = this.#moverAt
    this.#moverAt = to
    if (this.#random.chance(0.5)) this.#leave()
  }

  #leave(): void {
    const from = this.#moverLeaves
    this.#moverLeaves = undefined
    if (from !== undefined) this.#commit(from, { [pathOf(MOVER)]: null })
  }

  #scale(): void {
    const server = this.world.leader
    const count = this.#random.between(0, 7)
    const request = {
      namespace: 'default',
      jobId: SCALED,
      group: 'main',
      count,
      message: '',
      isError: false,
      meta: null,
      overridesPolicy: false,
    }
    // A leader that ends meanwhile answers nobody.
    server?.actor.perform('job-scale', request).catch(() => {})
  }

  #changeFlex(): void {
    const { generation, count } = this.#flex
    const min = this.#random.between(1, 2)
    this.#flex = { generation: generation + 1, min, max: min + this.#random.between(0, 4), count: this.#random.chance(0.5) ? min : count }
    this.#flex = { ...this.#flex, count: Math.min(Math.max(this.#flex.count, this.#flex.min), this.#flex.max) }
    this.#commit('default', this.#flexFile())
  }

  #setVariable(): void {
    const path = this.#random.pick(['x', 'y', 'z'])
    const known = this.#variables.get(path)
    const source = known?.source ?? this.#random.pick(['default', ...OTHERS])
    if (known !== undefined && this.#random.chance(0.3)) {
      this.#variables.delete(path)
      return this.#commit(source, { [`vars/default/${path}.yaml`]: null })
    }
    const value = `v${this.#random.between(1, 1_000)}`
    this.#variables.set(path, { source, value })
    const readers = this.#random.pick([['web'], ['web', 'db'], []])
    this.#readers.set(`${source} ${path}`, readers)
    this.#commit(source, { [`vars/default/${path}.yaml`]: `value: ${value}\n`, 'vars/default/_access.yaml': this.#accessFile(source) })
  }

  #accessFile(source: string): string {
    const rules = [...this.#readers].flatMap(([key, readers]) => {
      const [of, path] = key.split(' ')
      return of === source && readers.length > 0 ? [`${path}: [${readers.join(', ')}]`] : []
    })
    return rules.length === 0 ? '{}\n' : `${rules.join('\n')}\n`
  }

  #settle(): void {
    this.#leave()
    this.#suspended.clear()
    this.#change(['db', 'web', 'cart', 'shelf'])
  }

  #check(): void {
    this.world.foldNow()
    const wanted = [...this.#variables].map(([path, { source, value }]) => {
      const readers = [...(this.#readers.get(`${source} ${path}`) ?? [])]
      return [path, { items: { value }, readers: readers.sort() }] as const
    })
    this.#witness.checkVariables(new Map(wanted))
    const all = [['default', this.world.repository] as const, ...this.#repositories]
    this.#witness.checkOwners(new Map(all.map(([id, repository]) => [id, new Set(jobIdsIn(repository))])))
    if (this.#audited !== undefined && this.#audited.server === this.world.leader)
      this.#witness.checkAudit(this.#audited.facts, this.#audited.since)
  }

  /** As the server's own program reads it. */
  #audit(server: Server): void {
    const facts: AuditFact[] = []
    this.#audited = { server, facts, since: server.leader.state.index }
    const reader = new AuditFacts()
    const follow = async () => {
      for await (const events of server.reader.events(0, new AbortController().signal))
        for (const fact of reader.read(events)) {
          this.world.foldNow()
          this.#witness.checkTold(fact)
          facts.push(fact)
        }
    }
    follow().catch((error: unknown) => server.leader.isStopped || this.world.fail(error))
  }

  #orderedFiles(ids: readonly Ordered[] = Object.keys(ORDERED) as Ordered[]): Files {
    return Object.fromEntries(ids.map((id) => [pathOf(id), this.#orderedFile(id)]))
  }

  #orderedFile(id: Ordered): string {
    // In whole seconds, as they are written.
    const until = new Date(this.world.wallMs + 8_000).toISOString().replace(/\.\d+/, '')
    const order = [ORDERED[id], ...(this.#suspended.has(id) ? [`suspend_until=${until} suspend_reason=x`] : [])].join(' ').trim()
    const shape = serviceShape({ id, count: id === 'db' ? 2 : 1, generation: this.#generations.get(id) ?? 1 })
    const file = JSON.parse(jobFile(shape)) as { Job: { Meta?: object } }
    if (order !== '') file.Job.Meta = { drover: order }
    return JSON.stringify(file)
  }

  #flexFile(): Files {
    const { generation, min, max, count } = this.#flex
    const file = JSON.parse(jobFile(serviceShape({ id: SCALED, count, generation }))) as { Job: { TaskGroups: { Scaling?: object }[] } }
    file.Job.TaskGroups[0]!.Scaling = { Enabled: true, Min: min, Max: max, Policy: {} }
    return { [pathOf(SCALED)]: JSON.stringify(file) }
  }

  #commit(source: string, changes: Files): void {
    const repository = source === 'default' ? this.world.repository : this.#repositories.get(source)!
    repository.commit(changes, { trailers: [{ key: 'Drover-Allow-Delete', value: '*' }] })
  }
}

function pathOf(id: string): string {
  return `jobs/${id}.nomad.json`
}

function moverFile(): string {
  return jobFile(serviceShape({ id: MOVER, count: 1 }))
}
