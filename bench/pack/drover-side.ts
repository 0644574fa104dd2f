/** Drover's own scheduler on its own state: registration, evaluation, plan and its application, all as in the server. */
import type { Job, Node, SchedulerAlgorithm } from '../../src/domain/index.js'
import { createScheduler, type Scheduler } from '../../src/scheduler/index.js'
import { apply, type CommandBody, type State } from '../../src/state/index.js'
import { evaluation, FIXTURE_MS } from '../../test/fixtures.js'
import { SeededRandom } from '../../test/simulation/seeded-random.js'
import { loadCluster } from '../cluster/cluster-file.js'
import type { Side } from './side.js'

export class DroverSide implements Side {
  readonly #state: State
  readonly #scheduler: Scheduler
  readonly #positions: ReadonlyMap<string, number>
  readonly #random: SeededRandom

  constructor(nodes: readonly Node[], seed: number, algorithm: SchedulerAlgorithm = 'balanced') {
    this.#state = loadCluster({ format: 1, nodes, jobs: [], allocations: [] })
    this.#state.schedulerConfiguration = { ...this.#state.schedulerConfiguration, SchedulerAlgorithm: algorithm }
    this.#scheduler = createScheduler(this.#state)
    this.#positions = new Map(nodes.map((node, position) => [node.ID, position]))
    this.#random = new SeededRandom(seed)
  }

  place(job: Job): readonly number[] {
    const wanted = evaluation({ ID: this.#random.uuid(), JobID: job.ID, Type: job.Type })
    this.#apply({ kind: 'job-register', job, source: null, evaluations: [wanted] })
    const result = this.#scheduler.schedule(this.#state.evaluations.get(wanted.ID)!, {
      nowMs: FIXTURE_MS,
      newId: () => this.#random.uuid(),
    })
    this.#apply({ kind: 'plan-apply', plan: result.plan, closes: { evaluation: result.evaluation, created: result.created } })
    return result.plan.Placements.map(({ NodeID }) => this.#positions.get(NodeID)!)
  }

  #apply(body: CommandBody): void {
    apply(this.#state, this.#state.index + 1, { ...body, atMs: FIXTURE_MS })
  }
}
