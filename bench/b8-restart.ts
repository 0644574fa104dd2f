/**
 * B8 with real tasks: kill -9, start again, and how long until everything is told to be running. `programs`: only the system itself is killed,
 * its tasks run on. `everything`: the tasks, too. `limit`: an empty Node process, and after `everything` a bare process for each task.
 */
import { execFileSync } from 'node:child_process'
import type { BenchOptions, Line } from './measurement.js'
import { BareTasks } from './sides/bare-tasks.js'
import { DroverSide } from './sides/drover-side.js'
import { openPeers, peerNotGiven } from './sides/peer.js'
import { type Side, untilRunning, untilSo } from './sides/side.js'
import { Stamps, stampingJob } from './sides/stamping-job.js'
import { inTurns, linesOfSides } from './sides/turns.js'

const BENCH = 'B8'

interface Restarted {
  readonly name: string
  /** @returns ms from the start until all is told to be running */
  restart(killed: 'programs' | 'everything'): Promise<number>
  remove(): Promise<void>
}

export async function* restart({ quick, peer }: BenchOptions): AsyncIterable<Line> {
  const count = quick ? 20 : 100
  const sides: Restarted[] = []
  try {
    sides.push(await RestartedSide.start(await DroverSide.start(), count))
    for (const side of await openPeers({ ...peer, addresses: [] })) sides.push(await RestartedSide.start(side, count))
    if (sides.length === 1)
      yield peerNotGiven(BENCH, 'peer not given (what listens at an address cannot be killed from here: name its binary)')
    sides.push(new Bare(count))
    for (const killed of ['programs', 'everything'] as const) {
      const values = await inTurns(sides, quick ? 1 : 5, (side) => side.restart(killed))
      yield* linesOfSides(
        { bench: BENCH, case: `tasks=${count},killed=${killed}`, metric: 'start-to-all-told-running', unit: 'ms' },
        values,
      )
    }
  } finally {
    for (const side of sides) await side.remove()
  }
}

class RestartedSide implements Restarted {
  readonly name: string
  readonly #side: Side
  readonly #count: number
  readonly #stamps = new Stamps()

  static async start(side: Side, count: number): Promise<RestartedSide> {
    const started = new RestartedSide(side, count)
    await (await side.prepare([stampingJob(started.#stamps, 'all', { count })]))()
    await started.#untilAllRun(true)
    return started
  }

  private constructor(side: Side, count: number) {
    this.name = side.name
    this.#side = side
    this.#count = count
  }

  async restart(killed: 'programs' | 'everything'): Promise<number> {
    await this.#side.programs!.kill({ tasks: killed === 'everything' })
    this.#stamps.empty()
    const beganMs = performance.now()
    await this.#side.programs!.start()
    await this.#untilAllRun(killed === 'everything')
    const tookMs = performance.now() - beganMs
    // A task that ran on has nothing to stamp.
    if (killed === 'programs' && this.#stamps.count > 0) throw new Error(`${this.#stamps.count} tasks of ${this.name} were started again`)
    return tookMs
  }

  async #untilAllRun(isNew: boolean): Promise<void> {
    if (isNew) await untilSo(`all tasks of ${this.name} run`, () => this.#stamps.count >= this.#count)
    await untilRunning(this.#side, this.#count)
  }

  async remove(): Promise<void> {
    await this.#side.remove()
    this.#stamps.remove()
  }
}

class Bare implements Restarted {
  readonly name = 'limit'
  readonly #count: number
  readonly #tasks = new BareTasks()

  constructor(count: number) {
    this.#count = count
  }

  async restart(killed: 'programs' | 'everything'): Promise<number> {
    this.#tasks.clear()
    const beganMs = performance.now()
    execFileSync(process.execPath, ['-e', '0'])
    if (killed === 'everything') await this.#tasks.startAll(this.#count)
    return performance.now() - beganMs
  }

  async remove(): Promise<void> {
    this.#tasks.remove()
  }
}
