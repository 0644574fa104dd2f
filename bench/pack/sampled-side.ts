/**
 * A choice in the manner of Nomad, written anew from what is known of its behaviour (Nomad docs, "Placement"): nodes in an order that is
 * shuffled for each evaluation, a few of them looked at for each allocation, the best of those few taken. It shares no code with
 * `src/scheduler`, so that neither side can lend the other a mistake.
 */
import type { Job, Node } from '../../src/domain/index.js'
import { SeededRandom } from '../../test/simulation/seeded-random.js'
import { askOf, type Capacity, capacityOf } from './asks.js'
import { SampledSpread } from './sampled-spread.js'
import type { Side } from './side.js'

/** Candidates looked at when a job spreads: so many, or its count. */
const SPREAD_LIMIT = 100
const BATCH_LIMIT = 2
/** So many candidates that score nothing are passed over in the hope of better ones. */
const SKIPS_MAX = 3

interface Candidate {
  readonly position: number
  readonly score: number
}

/** One job while its allocations are placed. */
interface Placing {
  readonly cpuMhz: number
  readonly memoryMb: number
  readonly count: number
  /** Allocations of the job by node. */
  readonly residents: Map<number, number>
  readonly spread: SampledSpread | undefined
  readonly order: Int32Array
  readonly limit: number
  /** Where in the order the next allocation goes on looking. */
  offset: number
}

export class SampledSide implements Side {
  readonly #nodes: readonly Node[]
  readonly #capacity: Capacity
  readonly #usedCpu: Float64Array
  readonly #usedMemory: Float64Array
  readonly #random: SeededRandom

  constructor(nodes: readonly Node[], seed: number) {
    this.#nodes = nodes
    this.#capacity = capacityOf(nodes)
    this.#usedCpu = new Float64Array(nodes.length)
    this.#usedMemory = new Float64Array(nodes.length)
    this.#random = new SeededRandom(seed)
  }

  place(job: Job): readonly number[] {
    const ask = askOf(job)
    const spread = job.Spreads?.[0] === undefined ? undefined : new SampledSpread(job.Spreads[0], ask.count, this.#nodes)
    const limit = limitOf(job, ask.count, this.#nodes.length)
    const placing: Placing = { ...ask, residents: new Map(), spread, order: this.#shuffled(), limit, offset: 0 }
    const placed: number[] = []
    while (placed.length < ask.count) {
      const position = this.#choose(placing)
      // What has found no room once finds none for the rest of the evaluation.
      if (position === undefined) break
      this.#usedCpu[position]! += ask.cpuMhz
      this.#usedMemory[position]! += ask.memoryMb
      placing.residents.set(position, (placing.residents.get(position) ?? 0) + 1)
      spread?.count(position)
      placed.push(position)
    }
    return placed
  }

  #shuffled(): Int32Array {
    const order = Int32Array.from(this.#nodes, (_, position) => position)
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.#random.between(0, last)
      const moved = order[last]!
      order[last] = order[other]!
      order[other] = moved
    }
    return order
  }

  /** The first of the best among the candidates. */
  #choose(placing: Placing): number | undefined {
    let best: Candidate | undefined
    for (const candidate of this.#candidates(placing)) if (best === undefined || candidate.score > best.score) best = candidate
    return best?.position
  }

  #candidates(placing: Placing): readonly Candidate[] {
    const { order, limit } = placing
    const found: Candidate[] = []
    const skipped: Candidate[] = []
    for (let seen = 0; seen < order.length && found.length < limit; seen++) {
      const position = order[placing.offset]!
      placing.offset = (placing.offset + 1) % order.length
      if (!this.#hasRoom(position, placing)) continue
      const candidate = { position, score: this.#scoreOf(position, placing) }
      if (candidate.score <= 0 && skipped.length < SKIPS_MAX) skipped.push(candidate)
      else found.push(candidate)
    }
    return [...found, ...skipped.slice(0, limit - found.length)]
  }

  #hasRoom(position: number, { cpuMhz, memoryMb }: Placing): boolean {
    const { cpuMhz: cpu, memoryMb: memory } = this.#capacity
    return this.#usedCpu[position]! + cpuMhz <= cpu[position]! && this.#usedMemory[position]! + memoryMb <= memory[position]!
  }

  /** The mean of those scores that say something. */
  #scoreOf(position: number, { cpuMhz, memoryMb, count, residents, spread }: Placing): number {
    const freeCpu = 1 - (this.#usedCpu[position]! + cpuMhz) / this.#capacity.cpuMhz[position]!
    const freeMemory = 1 - (this.#usedMemory[position]! + memoryMb) / this.#capacity.memoryMb[position]!
    let sum = Math.min(18, Math.max(0, 20 - (10 ** freeCpu + 10 ** freeMemory))) / 18
    let scores = 1
    const neighbours = residents.get(position) ?? 0
    if (neighbours > 0) {
      sum -= (neighbours + 1) / count
      scores++
    }
    const boost = spread?.boostOf(position) ?? 0
    return boost === 0 ? sum / scores : (sum + boost) / (scores + 1)
  }
}

function limitOf(job: Job, count: number, nodeCount: number): number {
  if ((job.Spreads ?? []).length > 0) return Math.max(count, SPREAD_LIMIT)
  return job.Type === 'batch' ? BATCH_LIMIT : Math.max(2, Math.ceil(Math.log2(nodeCount)))
}
