/**
 * The best of several heaps that has not been taken yet. A heap's next best is always its top or a child of what was taken from it, so
 * few places are looked at; they are kept in arrays that are used again for every choice.
 */
import type { IndexedHeap } from './indexed-heap.js'
import { isBetterEqual, type Terms } from './standing.js'

export class Frontier {
  readonly #terms: Terms
  readonly #heaps: IndexedHeap[] = []
  readonly #places: number[] = []
  readonly #positions: number[] = []
  readonly #scores: number[] = []
  size = 0
  /** What was taken last. */
  position = 0
  score = 0

  constructor(terms: Terms) {
    this.#terms = terms
  }

  clear(): void {
    this.size = 0
  }

  /** Only the best `limit` tops are kept, in order; most heaps are turned away by one comparison. */
  offerTop(heap: IndexedHeap, limit: number): void {
    const position = heap.at(0)
    const score = this.#terms.scoreOf(position)
    if (this.size >= limit && score < this.#scores[limit - 1]!) return
    let at = this.size
    while (at > 0 && this.#isBetter(score, position, at - 1)) at--
    if (at >= limit) return
    if (this.size < limit) this.size++
    for (let place = this.size - 1; place > at; place--) this.#move(place - 1, place)
    this.#put(at, heap, 0, position, score)
  }

  /** Takes the best; its children take its place. */
  take(): void {
    let best = 0
    for (let at = 1; at < this.size; at++) if (this.#isBetter(this.#scores[at]!, this.#positions[at]!, best)) best = at
    this.position = this.#positions[best]!
    this.score = this.#scores[best]!
    const heap = this.#heaps[best]!
    const left = 2 * this.#places[best]! + 1
    this.size--
    if (best !== this.size) this.#move(this.size, best)
    if (left < heap.size) this.#offer(heap, left)
    if (left + 1 < heap.size) this.#offer(heap, left + 1)
  }

  #offer(heap: IndexedHeap, place: number): void {
    const position = heap.at(place)
    this.#put(this.size++, heap, place, position, this.#terms.scoreOf(position))
  }

  #isBetter(score: number, position: number, than: number): boolean {
    const other = this.#scores[than]!
    return score === other ? isBetterEqual(this.#terms, position, this.#positions[than]!) : score > other
  }

  #put(at: number, heap: IndexedHeap, place: number, position: number, score: number): void {
    this.#heaps[at] = heap
    this.#places[at] = place
    this.#positions[at] = position
    this.#scores[at] = score
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#heaps[from]!, this.#places[from]!, this.#positions[from]!, this.#scores[from]!)
  }
}
