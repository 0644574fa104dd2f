/** What people ask for by the trailers of commits that change no file: launches, dispatches, drains, roll-outs taken in hand. */
import { type Commit, isDeploymentActive, isTerminal, type Node } from '../../src/domain/index.js'
import type { StateView } from '../../src/state/index.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimulatedRepository } from './simulated-git.js'
import { DISPATCHED_JOB, FORCED_JOB } from './workload.js'

type Trailer = Commit['trailers'][number]

export class HandActs {
  readonly #repository: SimulatedRepository
  readonly #random: SeededRandom
  readonly #view: StateView
  #serial = 0
  #token = ''

  constructor(repository: SimulatedRepository, random: SeededRandom, view: StateView) {
    this.#repository = repository
    this.#random = random
    this.#view = view
  }

  step(): void {
    const kinds = [
      () => this.#force(),
      () => this.#dispatch(),
      () => this.#drain(),
      () => this.#drain(),
      () => this.#cancelDrain(),
      () => this.#rollOut(),
      () => this.#endChild(),
      () => this.#restart(),
    ]
    const trailers = this.#random.pick(kinds)()
    if (trailers.length > 0) this.#commit(trailers)
  }

  /** Canaries that are healthy by now. */
  promoteAll(): void {
    const jobs = this.#serviceJobs()
    if (jobs.length > 0) this.#commit([{ key: 'Drover-Promote', value: jobs.join(' ') }])
  }

  pause(job: string): void {
    this.#commit([{ key: 'Drover-Pause', value: job }])
  }

  /** So that much time is left for every step. */
  drainSlowly(nodeId: string): void {
    this.#commit([{ key: 'Drover-Drain', value: `${nodeId} deadline=5m` }])
  }

  /** What was paused goes on. */
  resumeAll(): readonly Trailer[] {
    const jobs = this.#serviceJobs()
    return jobs.length === 0 ? [] : [{ key: 'Drover-Resume', value: jobs.join(' ') }]
  }

  /** What is still away is gone for good. */
  replaceLost(): readonly Trailer[] {
    return [{ key: 'Drover-Replace-Lost', value: '*' }]
  }

  /** Every host may be used again. */
  reopenAll(): readonly Trailer[] {
    return this.#view.nodes.all().map(({ ID }) => ({ key: 'Drover-Drain', value: `${ID} cancel=true mark_eligible=true` }))
  }

  /** Sometimes twice within a second. */
  #force(): readonly Trailer[] {
    const force = { key: 'Drover-Force', value: FORCED_JOB }
    return this.#random.chance(0.3) ? [force, force] : [force]
  }

  /** Some come under the token of the one before, some under none. */
  #dispatch(): readonly Trailer[] {
    this.#serial++
    const value = `${DISPATCHED_JOB} meta.serial=${this.#serial}`
    if (this.#random.chance(0.3)) return [{ key: 'Drover-Dispatch', value }]
    if (this.#random.chance(0.8)) this.#token = `token-${this.#serial}`
    return [{ key: 'Drover-Dispatch', value: `${value} token=${this.#token}` }]
  }

  #drain(): readonly Trailer[] {
    const node = this.#someNode()
    if (node === undefined) return []
    const words = [`deadline=${this.#random.between(2, 20)}s`]
    if (this.#random.chance(0.2)) words.push('force=true')
    if (this.#random.chance(0.3)) words.push('ignore_system=true')
    return [{ key: 'Drover-Drain', value: `${node.ID} ${words.join(' ')}` }]
  }

  #cancelDrain(): readonly Trailer[] {
    const node = this.#someNode()
    return node === undefined ? [] : [{ key: 'Drover-Drain', value: `${node.ID} cancel=true mark_eligible=${this.#random.chance(0.8)}` }]
  }

  #rollOut(): readonly Trailer[] {
    const moving = this.#view.deployments.all().filter(isDeploymentActive)
    const jobs = moving.length > 0 && this.#random.chance(0.8) ? moving.map(({ JobID }) => JobID) : this.#serviceJobs()
    if (jobs.length === 0) return []
    const key = this.#random.pick(['Drover-Promote', 'Drover-Promote', 'Drover-Pause', 'Drover-Pause', 'Drover-Resume', 'Drover-Fail'])
    return [{ key, value: this.#random.pick(jobs) }]
  }

  #endChild(): readonly Trailer[] {
    const children = this.#view.jobs.all().filter(({ ParentID, Stop, Status }) => ParentID !== '' && !Stop && Status !== 'dead')
    return children.length === 0 ? [] : [{ key: 'Drover-Stop', value: this.#random.pick(children).ID }]
  }

  #restart(): readonly Trailer[] {
    const living = this.#view.allocations.all().filter((allocation) => !isTerminal(allocation))
    return living.length === 0 ? [] : [{ key: 'Drover-Restart', value: this.#random.pick(living).ID }]
  }

  #commit(trailers: readonly Trailer[]): void {
    this.#repository.commit({}, { subject: 'by hand', trailers })
  }

  #someNode(): Node | undefined {
    const nodes = this.#view.nodes.all()
    return nodes.length === 0 ? undefined : this.#random.pick(nodes)
  }

  #serviceJobs(): readonly string[] {
    return this.#view.jobs
      .all()
      .filter(({ Type, Stop }) => Type === 'service' && !Stop)
      .map(({ ID }) => ID)
  }
}
