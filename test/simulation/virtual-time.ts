/** One queue of everything that will happen, in virtual milliseconds; equal times are ordered by chance of the seed. */
import type { SeededRandom } from './seeded-random.js'

type Event = { readonly atMs: number; readonly tie: number; readonly run: () => void; isCanceled: boolean }

export class VirtualTime {
  nowMs = 0
  eventCount = 0
  /** Work under way on real time (a parser that loads itself): virtual time stands still until it is done. */
  realWork = 0
  readonly #random: SeededRandom
  readonly #heap: Event[] = []

  constructor(random: SeededRandom) {
    this.#random = random
  }

  after(delayMs: number, run: () => void): () => void {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), tie: this.#random.fraction(), run, isCanceled: false }
    push(this.#heap, event)
    return () => {
      event.isCanceled = true
    }
  }

  /** Runs everything up to `untilMs`; `afterEach` looks after every event, when all that it caused in this turn is done. */
  async runUntil(untilMs: number, afterEach: () => void): Promise<void> {
    await this.#settle()
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > untilMs) break
      pop(this.#heap)
      if (next.isCanceled) continue
      this.nowMs = next.atMs
      this.eventCount++
      next.run()
      await this.#settle()
      afterEach()
    }
    this.nowMs = untilMs
  }

  /** Everything that follows from what has happened by now. */
  async #settle(): Promise<void> {
    do await drainMicrotasks()
    while (this.realWork > 0)
  }
}

/** All promise reactions of this turn run before the next macrotask does. */
function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie)
}

function push(heap: Event[], event: Event): void {
  let at = heap.length
  heap.push(event)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(event, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
