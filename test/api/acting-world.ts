/** The API of a server, `api.writes` being `runtime` unless it is told otherwise, around a leader with a log in memory and nothing else. */
import { systemClock } from '../../src/adapters/clock.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { Actor } from '../../src/controller/actor.js'
import { CommitPlanner } from '../../src/controller/commit-planner.js'
import { Leader } from '../../src/controller/leader.js'
import { LeaderReader } from '../../src/controller/leader-reader.js'
import { FIRST_SOURCE } from '../../src/controller/sources/source-scope.js'
import type { CommandBody, State } from '../../src/state/index.js'
import { WORLD_SETTINGS, World } from './world.js'

const LEASE_MS = 3_600_000

export class ActingWorld {
  readonly #leader: Leader
  readonly #http: World

  static async start(writes: 'none' | 'runtime' = 'runtime'): Promise<ActingWorld> {
    const log = new MemoryCommandLog(new MemoryLogStore(() => performance.now(), LEASE_MS), systemClock)
    const leader = await Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {} })
    return new ActingWorld(leader, writes)
  }

  private constructor(leader: Leader, writes: 'none' | 'runtime') {
    this.#leader = leader
    const settings = { ...WORLD_SETTINGS, writes }
    const actor = new Actor({ leader, random: systemRandom, logger: silentLogger })
    this.#http = new World({
      reader: new LeaderReader(leader),
      actor,
      settings,
      commitPlanner: new CommitPlanner(leader, systemRandom, () => ({ scope: FIRST_SOURCE, rewind: 'hold' })),
    })
  }

  get state(): State {
    return this.#leader.state
  }

  propose(...commands: readonly CommandBody[]): void {
    this.#leader.propose(commands)
  }

  send(method: string, path: string, body?: unknown): ReturnType<World['send']> {
    return this.#http.send(method, path, body)
  }

  /** @returns the address of a free port of this host */
  listen(): Promise<string> {
    return this.#http.http.listen({ host: '127.0.0.1', port: 0 })
  }

  async stop(): Promise<void> {
    await this.#leader.whenDurable(this.#leader.state.index)
    this.#leader.retire('the test is over')
    await this.#http.http.close()
  }
}
