/** Kills agent, supervisor, broker and server again and again under counting tasks, and tells what became of those. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { processes } from '../../bench/processes.js'
import { killQuietly, until } from '../acceptance/cluster.js'
import { RealCluster } from '../real-cluster.js'
import type { SeededRandom } from '../simulation/seeded-random.js'
import { Counters, countingJob, readLog } from './counters.js'

const WITHIN_MS = 120_000
const AWAY_MS_MAX = 1_500
const HOST = 'h1'
const TTL_SECONDS = 60

export const VICTIMS = ['agent', 'supervisor', 'broker', 'server'] as const
export type Victim = (typeof VICTIMS)[number]

interface Stub {
  readonly ID: string
  readonly Name: string
  readonly ClientStatus: string
  readonly TaskStates: Readonly<Record<string, { readonly Restarts: number }>> | null
}

export interface ChaosResult {
  readonly problems: readonly string[]
  readonly restarts: number
  /** Tasks that were started more than once. */
  readonly doubleRuns: number
  readonly linesSaid: number
  /** What a supervisor had taken out of a pipe when it was killed, and not yet written down. */
  readonly linesLost: number
}

export class Chaos {
  readonly #cluster: RealCluster
  readonly #counters: Counters
  readonly #count: number
  #supervisorKills = 0

  static async create(count: number): Promise<Chaos> {
    return new Chaos(count, await RealCluster.ports())
  }

  private constructor(count: number, ports: readonly [number, number]) {
    this.#count = count
    // A host that was away for longer is given up, and its work begun anew: on a busy machine that would be no fault.
    const server = { nodes: { heartbeat_ttl_seconds: TTL_SECONDS } }
    this.#cluster = new RealCluster({ name: 'chaos', hosts: [HOST], server }, ports)
    this.#counters = new Counters(this.#outside, count)
  }

  get #outside(): string {
    return join(this.#cluster.folder, 'counts')
  }

  async start(): Promise<void> {
    mkdirSync(this.#outside)
    this.#cluster.begin({ 'jobs/counters.nomad.hcl': countingJob(this.#count, this.#outside) })
    await until('all tasks count', WITHIN_MS, () => this.#counters.haveBegun)
  }

  /** kill -9 of one, which comes back; resolves when all of it works again. */
  async kill(victim: Victim, random: SeededRandom): Promise<void> {
    const { agents, broker, server } = this.#cluster
    if (victim === 'supervisor') return this.#killSupervisor()
    const program = { agent: agents[0]!, broker, server }[victim]
    const joined = this.#joinedCount
    await program.end('SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, random.between(0, AWAY_MS_MAX)))
    program.start()
    if (victim === 'agent') await until('the agent has joined', WITHIN_MS, () => this.#joinedCount > joined)
    await this.#cluster.answers()
    await this.#readingGoesOn()
  }

  get #joinedCount(): number {
    return this.#cluster.agents[0]!.output.split('joined the cluster').length
  }

  /** What the tasks have said until now is in their logs, and nothing else. */
  async finish(): Promise<ChaosResult> {
    await this.#cluster.answers()
    const before = this.#counters.counts
    await until('all tasks go on', WITHIN_MS, () => this.#counters.counts.every((count, at) => count > before[at]! + 1))
    await until('all are known to run', WITHIN_MS, async () => (await this.#allocations()).length >= this.#count)
    const allocations = await this.#allocations()
    const problems = [...this.#cluster.ends, ...this.#counters.problems()]
    let linesLost = 0
    let linesSaid = 0
    for (const { ID, Name } of allocations) {
      const at = Number(/\[(\d+)\]$/.exec(Name)![1])
      const log = () => readLog(join(this.#cluster.hostFolder(0), 'alloc', ID, 'alloc', 'logs'))
      const said = this.#counters.counts[at]!
      await until(`all that ${Name} said is in its log`, WITHIN_MS, () => log().last >= said)
      const { gaps, lost, foreign } = log()
      linesSaid += said
      linesLost += lost
      if (foreign.length > 0) problems.push(`log of ${Name}: ${foreign.slice(0, 3).join('; ')}`)
      if (gaps > this.#supervisorKills) problems.push(`log of ${Name}: ${gaps} gaps, ${this.#supervisorKills} supervisors died`)
    }
    const restarts = allocations.reduce((sum, { TaskStates }) => sum + (TaskStates?.['count']?.Restarts ?? 0), 0)
    if (allocations.length !== this.#count) problems.push(`${allocations.length} allocations run for ${this.#count} tasks`)
    if (restarts > 0) problems.push(`${restarts} restarts`)
    const doubleRuns = this.#counters.problems().filter((problem) => problem.includes('was started')).length
    return { problems, restarts, doubleRuns, linesSaid, linesLost }
  }

  async remove(): Promise<void> {
    await this.#cluster.remove()
  }

  /** Those that run. A host that was away for too long on a busy machine has others beside, which never began. */
  async #allocations(): Promise<readonly Stub[]> {
    const all = await this.#cluster.get<readonly Stub[]>('/v1/job/counters/allocations')
    return all.filter(({ ClientStatus }) => ClientStatus === 'running')
  }

  get #supervisorPid(): number | undefined {
    const folder = `${this.#cluster.hostFolder(0)}/`
    return processes((line) => line.includes('supervisor.js') && line.includes(folder)).map(({ pid }) => Number(pid))[0]
  }

  async #killSupervisor(): Promise<void> {
    const pid = this.#supervisorPid
    if (pid === undefined) throw new Error('there is no supervisor')
    killQuietly(pid)
    this.#supervisorKills++
    await until('another supervisor lives', WITHIN_MS, () => this.#supervisorPid !== undefined && this.#supervisorPid !== pid)
    await this.#readingGoesOn()
  }

  /** Somebody empties the tasks' pipes, which would stand still when those are full, and the host is known to be there. */
  async #readingGoesOn(): Promise<void> {
    const folders = this.#logFolders
    const said = () => folders.map((folder) => readLog(folder).last)
    const before = said()
    await until('what is said is written down', WITHIN_MS, () => said().some((last, at) => last > before[at]!))
    await until('the host is ready', WITHIN_MS, async () => {
      const [host] = await this.#cluster.get<readonly { readonly Status: string }[]>('/v1/nodes')
      return host?.Status === 'ready'
    })
  }

  get #logFolders(): readonly string[] {
    const folder = join(this.#cluster.hostFolder(0), 'alloc')
    return readdirSync(folder)
      .map((id) => join(folder, id, 'alloc', 'logs'))
      .filter((logs) => existsSync(join(logs, 'count.stdout.0')))
  }
}
