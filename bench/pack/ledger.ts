/** What the nodes hold, counted apart from the side that placed it, so that no side is judged by its own books. */
import type { Node } from '../../src/domain/index.js'
import { type Capacity, capacityOf, type JobAsk } from './asks.js'
import { CORE_MHZ, GIB } from './units.js'

/** Room for one large allocation: 8 cores and 16 GiB. */
const BIG_SLOT = { cpuMhz: 8 * CORE_MHZ, memoryMb: 16 * GIB }

export class Ledger {
  readonly #capacity: Capacity
  readonly #usedCpu: Float64Array
  readonly #usedMemory: Float64Array
  readonly #totalCpu: number
  readonly #totalMemory: number
  readonly #bigSlotsAtFirst: number
  #placedCpu = 0
  #placedMemory = 0

  constructor(nodes: readonly Node[]) {
    this.#capacity = capacityOf(nodes)
    this.#usedCpu = new Float64Array(nodes.length)
    this.#usedMemory = new Float64Array(nodes.length)
    this.#totalCpu = sum(this.#capacity.cpuMhz)
    this.#totalMemory = sum(this.#capacity.memoryMb)
    this.#bigSlotsAtFirst = this.#countBigSlots()
  }

  /** @throws when the node has no room: then the side is wrong, and so would be every figure. */
  add(position: number, { cpuMhz, memoryMb }: JobAsk): void {
    this.#usedCpu[position]! += cpuMhz
    this.#usedMemory[position]! += memoryMb
    this.#placedCpu += cpuMhz
    this.#placedMemory += memoryMb
    const fits =
      this.#usedCpu[position]! <= this.#capacity.cpuMhz[position]! && this.#usedMemory[position]! <= this.#capacity.memoryMb[position]!
    if (!fits) throw new Error(`node ${position} was given more than it has`)
  }

  /** Of the dimension that is nearer to its end, in [0, 1]. */
  get utilisation(): number {
    return this.shareOf(this.#placedCpu, this.#placedMemory)
  }

  shareOf(cpuMhz: number, memoryMb: number): number {
    return Math.max(cpuMhz / this.#totalCpu, memoryMb / this.#totalMemory)
  }

  get nonEmptyCount(): number {
    return this.#usedCpu.reduce((count, used) => count + (used > 0 ? 1 : 0), 0)
  }

  /** Of those that the empty cluster had. */
  get bigSlotShare(): number {
    return this.#countBigSlots() / this.#bigSlotsAtFirst
  }

  #countBigSlots(): number {
    const { cpuMhz, memoryMb } = this.#capacity
    let count = 0
    for (let position = 0; position < cpuMhz.length; position++) {
      const byCpu = Math.floor((cpuMhz[position]! - this.#usedCpu[position]!) / BIG_SLOT.cpuMhz)
      count += Math.min(byCpu, Math.floor((memoryMb[position]! - this.#usedMemory[position]!) / BIG_SLOT.memoryMb))
    }
    return count
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
