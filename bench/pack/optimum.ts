/**
 * The longest beginning of a stream that any placement, knowing it all, could put on the nodes: found by a search through every way to
 * place it, for a handful of nodes. Where the search is given up, what is known is a length that fits and one that is proved not to.
 */
import { askOf, capacityOf } from './asks.js'
import type { Side } from './side.js'
import type { Instance } from './streams.js'

export interface Optimum {
  /** Allocations that surely fit, and a number that surely no placement exceeds; equal when the search came to its end. */
  readonly fits: number
  readonly atMost: number
}

export interface Item {
  readonly cpuMhz: number
  readonly memoryMb: number
}

/** Places tried before one question is given up. */
const STEPS_MAX = 60_000

/** The allocations of a stream one by one, to a length that is more than the nodes can hold. */
export function firstItems({ nodes, jobs }: Instance): readonly Item[] {
  const { cpuMhz, memoryMb } = capacityOf(nodes)
  let [cpuLeft, memoryLeft] = [sumOf(cpuMhz), sumOf(memoryMb)]
  const items: Item[] = []
  for (const job of jobs()) {
    const ask = askOf(job)
    for (let number = 0; number < ask.count; number++) {
      items.push(ask)
      cpuLeft -= ask.cpuMhz
      memoryLeft -= ask.memoryMb
      if (cpuLeft < 0 || memoryLeft < 0) return items
    }
  }
  return items
}

/** How many allocations the side places before the first that finds no room. */
export function placedBeforeFailure({ jobs }: Instance, side: Side): number {
  let count = 0
  for (const job of jobs()) {
    const placed = side.place(job).length
    count += placed
    if (placed < askOf(job).count) break
  }
  return count
}

/** @param known a length that somebody has placed */
export function longestBeginning(instance: Instance, items: readonly Item[], known: number): Optimum {
  const capacity = capacityOf(instance.nodes)
  let fits = known
  // The last item is the one with which all nodes together were too small.
  for (let length = known + 1; length < items.length; length++) {
    const answer = new Search(capacity, items.slice(0, length)).run()
    if (answer === 'does not fit') return { fits, atMost: length - 1 }
    if (answer === 'fits') fits = length
  }
  return { fits, atMost: items.length - 1 }
}

export class Search {
  readonly #freeCpu: Float64Array
  readonly #freeMemory: Float64Array
  /** Largest first: what is hard to place is placed while there is room. */
  readonly #items: readonly Item[]
  /** What the items from each one on need, and the least that one of them needs. */
  readonly #rest: readonly Item[]
  readonly #least: readonly Item[]
  readonly #failed = new Set<string>()
  #steps = 0

  constructor({ cpuMhz, memoryMb }: { readonly cpuMhz: Float64Array; readonly memoryMb: Float64Array }, items: readonly Item[]) {
    this.#freeCpu = cpuMhz.slice()
    this.#freeMemory = memoryMb.slice()
    const [cpuMax, memoryMax] = [Math.max(...cpuMhz), Math.max(...memoryMb)]
    const sizeOf = (item: Item) => Math.max(item.cpuMhz / cpuMax, item.memoryMb / memoryMax)
    this.#items = [...items].sort((a, b) => sizeOf(b) - sizeOf(a) || b.cpuMhz - a.cpuMhz || b.memoryMb - a.memoryMb)
    this.#rest = suffixes(this.#items, { cpuMhz: 0, memoryMb: 0 }, (sum, item) => ({
      cpuMhz: sum.cpuMhz + item.cpuMhz,
      memoryMb: sum.memoryMb + item.memoryMb,
    }))
    this.#least = suffixes(this.#items, { cpuMhz: Number.POSITIVE_INFINITY, memoryMb: Number.POSITIVE_INFINITY }, (least, item) => ({
      cpuMhz: Math.min(least.cpuMhz, item.cpuMhz),
      memoryMb: Math.min(least.memoryMb, item.memoryMb),
    }))
  }

  run(): 'fits' | 'does not fit' | 'given up' {
    if (this.#place(0)) return 'fits'
    return this.#steps > STEPS_MAX ? 'given up' : 'does not fit'
  }

  #place(at: number): boolean {
    const item = this.#items[at]
    if (item === undefined) return true
    if (++this.#steps > STEPS_MAX || !this.#isRoomEnough(at)) return false
    const key = this.#keyOf(at)
    if (this.#failed.has(key)) return false
    const tried = new Set<number>()
    for (const node of this.#tightestFirst(item)) {
      // Two nodes with the same room left are the same choice.
      const room = this.#freeCpu[node]! * 2 ** 24 + this.#freeMemory[node]!
      if (tried.has(room)) continue
      tried.add(room)
      this.#take(node, item, 1)
      if (this.#place(at + 1)) return true
      this.#take(node, item, -1)
    }
    if (this.#steps <= STEPS_MAX) this.#failed.add(key)
    return false
  }

  /** Room in which not even the least of what is left has its place is none. */
  #isRoomEnough(at: number): boolean {
    let [cpu, memory] = [0, 0]
    const least = this.#least[at]!
    for (let node = 0; node < this.#freeCpu.length; node++) {
      if (this.#freeCpu[node]! < least.cpuMhz || this.#freeMemory[node]! < least.memoryMb) continue
      cpu += this.#freeCpu[node]!
      memory += this.#freeMemory[node]!
    }
    return cpu >= this.#rest[at]!.cpuMhz && memory >= this.#rest[at]!.memoryMb
  }

  #keyOf(at: number): string {
    const rooms = Array.from(this.#freeCpu, (cpu, node) => cpu * 2 ** 24 + this.#freeMemory[node]!)
    return `${at} ${rooms.sort((a, b) => a - b).join(' ')}`
  }

  #tightestFirst(item: Item): readonly number[] {
    const nodes: number[] = []
    for (let node = 0; node < this.#freeCpu.length; node++)
      if (this.#freeCpu[node]! >= item.cpuMhz && this.#freeMemory[node]! >= item.memoryMb) nodes.push(node)
    const room = (node: number) => this.#freeCpu[node]! / item.cpuMhz + this.#freeMemory[node]! / item.memoryMb
    return nodes.sort((a, b) => room(a) - room(b))
  }

  #take(node: number, { cpuMhz, memoryMb }: Item, by: 1 | -1): void {
    this.#freeCpu[node]! -= by * cpuMhz
    this.#freeMemory[node]! -= by * memoryMb
  }
}

/** For each place the fold of the items from there on. */
function suffixes(items: readonly Item[], last: Item, add: (value: Item, item: Item) => Item): readonly Item[] {
  const values = new Array<Item>(items.length + 1).fill(last)
  for (let at = items.length - 1; at >= 0; at--) values[at] = add(values[at + 1]!, items[at]!)
  return values
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}
