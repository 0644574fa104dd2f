/**
 * B5, the part with a peer beside it: one job changes, a hundred new ones come, one comes with a count of a hundred; until the process runs, or
 * until all are told to be running. `limit` is what the machine takes without any orchestrator: git's own commit and a bare process for each task.
 */
import { ScratchRepository } from '../test/scratch-repository.js'
import type { BenchOptions, Line } from './measurement.js'
import { BareTasks } from './sides/bare-tasks.js'
import { DroverSide } from './sides/drover-side.js'
import { openPeers, peerNotGiven } from './sides/peer.js'
import { type Side, untilRunning } from './sides/side.js'
import { Stamps, stampingJob } from './sides/stamping-job.js'
import { inTurns, linesOfSides } from './sides/turns.js'

const BENCH = 'B5'
const CHANGED_JOBS = 10

interface Runner {
  readonly name: string
  /** @returns ms until the process of another version of a job has written its file */
  change(generation: number): Promise<number>
  /** @returns ms until that many new tasks are told to be running. @param form one job each, or all of one */
  start(count: number, form: 'jobs' | 'count', round: number): Promise<number>
  clear(): Promise<void>
  remove(): Promise<void>
}

export async function* besidePeer({ quick, peer }: BenchOptions): AsyncIterable<Line> {
  const runners: Runner[] = []
  try {
    runners.push(new SideRunner(await DroverSide.start()))
    for (const side of await openPeers(peer)) runners.push(new SideRunner(side))
    if (runners.length === 1) yield peerNotGiven(BENCH)
    runners.push(new BareRunner())
    const rounds = quick ? 1 : 5
    for (const form of ['jobs', 'count'] as const) {
      const count = quick ? 20 : 100
      const values = await inTurns(runners, rounds, async (runner, round) => {
        const tookMs = await runner.start(count, form, round)
        await runner.clear()
        return tookMs
      })
      const of = form === 'jobs' ? `new-jobs=${count}` : `count=${count}`
      yield* linesOfSides({ bench: BENCH, case: of, metric: 'all-told-running', unit: 'ms' }, values)
    }
    for (const runner of runners) await runner.change(0)
    const changes = quick ? 10 : 100
    const values = await inTurns(runners, changes, (runner, round) => runner.change(round + 1))
    for (const share of [0.5, 0.9])
      yield* linesOfSides({ bench: BENCH, case: `changes=${changes}`, metric: `to-process-p${share * 100}`, unit: 'ms', share }, values)
  } finally {
    for (const runner of runners) await runner.remove()
  }
}

class SideRunner implements Runner {
  readonly name: string
  readonly #side: Side
  readonly #stamps = new Stamps()

  constructor(side: Side) {
    this.#side = side
    this.name = side.name
  }

  async change(generation: number): Promise<number> {
    const ids = Array.from({ length: CHANGED_JOBS }, (_, at) => `changed-${at}`)
    const id = ids[generation % CHANGED_JOBS]!
    const jobs = generation === 0 ? ids : [id]
    const submit = await this.#side.prepare(jobs.map((each) => stampingJob(this.#stamps, each, { generation })))
    const seen = this.#stamps.whenStamped(id, String(generation))
    const beganMs = performance.now()
    await submit()
    const tookMs = (await seen) - beganMs
    await untilRunning(this.#side, CHANGED_JOBS)
    return tookMs
  }

  async start(count: number, form: 'jobs' | 'count', round: number): Promise<number> {
    const jobs =
      form === 'count'
        ? [stampingJob(this.#stamps, `all-${round}`, { count })]
        : Array.from({ length: count }, (_, at) => stampingJob(this.#stamps, `new-${round}-${at}`))
    const submit = await this.#side.prepare(jobs)
    const beganMs = performance.now()
    await submit()
    await untilRunning(this.#side, count)
    return performance.now() - beganMs
  }

  async clear(): Promise<void> {
    await this.#side.clear()
    this.#stamps.empty()
  }

  async remove(): Promise<void> {
    await this.#side.remove()
    this.#stamps.remove()
  }
}

/** No orchestrator: a commit, and processes that this one starts. */
class BareRunner implements Runner {
  readonly name = 'limit'
  readonly #repository = new ScratchRepository()
  readonly #tasks = new BareTasks()

  async change(generation: number): Promise<number> {
    const seen = this.#tasks.stamps.whenStamped('changed', String(generation))
    const beganMs = performance.now()
    this.#commit()
    this.#tasks.start('changed', String(generation))
    return (await seen) - beganMs
  }

  async start(count: number): Promise<number> {
    const beganMs = performance.now()
    this.#commit()
    await this.#tasks.startAll(count)
    return performance.now() - beganMs
  }

  async clear(): Promise<void> {
    this.#tasks.clear()
  }

  async remove(): Promise<void> {
    this.#repository.remove()
    this.#tasks.remove()
  }

  #commit(): void {
    this.#repository.git('commit', '-q', '--allow-empty', '-m', 'next')
  }
}
