/** Several sources over repositories and a log in memory, looked at one after the other until nothing changes any more. */
import { expect } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.js'
import { InProcessJobReader, InProcessSyntaxReader } from '../../../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../../src/adapters/random.js'
import { GitReconciler, type SyncOutcome } from '../../../src/controller/git-reconciler.js'
import { foldLog, Leader } from '../../../src/controller/index.js'
import type { SourceLimits } from '../../../src/domain/index.js'
import { dumpState } from '../../../src/state/index.js'
import { SimulatedRepository } from '../../simulation/simulated-git.js'

const LEASE_MS = 60_000

export const hcl = (id: string, { command = '/bin/sleep', drover = '', more = '' } = {}) => `job "${id}" {
  meta { ${drover === '' ? '' : `drover = ${JSON.stringify(drover)}`} }
  ${more}
  group "g" {
    task "t" {
      driver = "exec"
      config { command = "${command}" }
    }
  }
}
`

export interface SourcesWorldOptions {
  /** Of all but the first, which is called `default`. */
  readonly limits: Readonly<Record<string, SourceLimits>>
}

export class SourcesWorld {
  readonly repositories = new Map<string, SimulatedRepository>()
  /** Those whose repository cannot be read now. */
  readonly away = new Set<string>()
  /** Of all of them, from the next restart on. */
  overlay: string | undefined
  /** Somebody else has a commit that was not looked at yet. */
  isNewElsewhere = false
  readonly #disk: MemoryLogStore
  readonly #stops: readonly string[]
  readonly #reconcilers = new Map<string, GitReconciler>()
  #limits: SourcesWorldOptions['limits']

  static async start({ limits }: SourcesWorldOptions): Promise<SourcesWorld> {
    const disk = new MemoryLogStore(() => performance.now(), LEASE_MS)
    const stops: string[] = []
    const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
    const log = new MemoryCommandLog(disk, systemClock)
    const leader = await Leader.start({ ...deps, log, onStop: (reason) => stops.push(reason) })
    return new SourcesWorld(leader, { disk, stops }, limits)
  }

  private constructor(
    readonly leader: Leader,
    { disk, stops }: { readonly disk: MemoryLogStore; readonly stops: readonly string[] },
    limits: SourcesWorldOptions['limits'],
  ) {
    this.#disk = disk
    this.#stops = stops
    this.#limits = limits
    this.restart()
  }

  get state(): Leader['state'] {
    return this.leader.state
  }

  repositoryOf(source: string): SimulatedRepository {
    const known = this.repositories.get(source) ?? new SimulatedRepository()
    this.repositories.set(source, known)
    return known
  }

  /** All that reconcilers remember is gone, as when a server is started anew; perhaps with another configuration. */
  restart(limits = this.#limits): void {
    this.#limits = limits
    this.#reconcilers.clear()
    for (const id of ['default', ...Object.keys(limits)]) this.#reconcilers.set(id, this.#reconcilerOf(id))
  }

  commit(source: string, files: Readonly<Record<string, string | null>>, trailers: Readonly<Record<string, string>> = {}): string {
    return this.repositoryOf(source).commit(files, { trailers: Object.entries(trailers).map(([key, value]) => ({ key, value })) })
  }

  /** One look; undefined: the repository could not be read. */
  async look(source: string): Promise<SyncOutcome | undefined> {
    const reconciler = this.#reconcilers.get(source)!
    reconciler.isConcernedByOthers()
    try {
      return await reconciler.reconcile()
    } catch (error) {
      if (!this.away.has(source) && this.repositoryOf(source).head !== null) throw error
      return undefined
    } finally {
      expect(this.#stops).toEqual([])
    }
  }

  /** Everybody looks until a round changes nothing; then the log says the same as the state. @returns outcomes of the first round by source */
  async settle(): Promise<ReadonlyMap<string, SyncOutcome>> {
    const outcomes = new Map<string, SyncOutcome>()
    const { leader } = this
    for (let index = -1; index !== leader.state.index; ) {
      index = leader.state.index
      for (const source of this.#reconcilers.keys()) {
        const outcome = await this.look(source)
        if (outcome !== undefined && !outcomes.has(source)) outcomes.set(source, outcome)
      }
      await leader.whenDurable(leader.state.index)
    }
    const folded = await foldLog(new MemoryCommandLog(this.#disk, systemClock))
    expect(dumpState(folded.state)).toBe(dumpState(leader.state))
    return outcomes
  }

  /** Jobs that are to run, as `namespace/id` with their source. */
  jobs(): Readonly<Record<string, string>> {
    const running = this.state.jobs.all().filter(({ Stop }) => !Stop)
    return Object.fromEntries(
      running.map((job) => {
        const source = this.state.jobSources.get(`${job.Namespace}\u0000${job.ID}`)
        return [`${job.Namespace}/${job.ID}`, source === undefined ? '-' : (source.sourceId ?? 'default')]
      }),
    )
  }

  /** The first mistake of each file that is frozen, as `source:path`. */
  frozen(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.state.frozenFiles.all().map(({ sourceId = 'default', path, mistakes }) => [`${sourceId}:${path}`, mistakes[0]!.summary]),
    )
  }

  #reconcilerOf(id: string): GitReconciler {
    const git = this.repositoryOf(id).sourceFor(systemClock)
    const resolve = async () => {
      if (this.away.has(id)) throw new Error(`${id} is away`)
      return git.resolve()
    }
    return new GitReconciler({
      leader: this.leader,
      random: systemRandom,
      logger: silentLogger,
      git: { ...git, resolve },
      syntax: new InProcessSyntaxReader(),
      jobs: new InProcessJobReader(),
      options: { rewind: 'follow', ref: 'HEAD', overlay: this.overlay },
      scope: { id, limits: this.#limits[id], isFollowed: (other) => other === 'default' || this.#limits[other] !== undefined },
      isNewElsewhere: async () => this.isNewElsewhere,
      region: 'global',
    })
  }
}
