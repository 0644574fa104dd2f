/**
 * The feasible rows of one group in the order in which they are the best choice, kept up to date as the plan grows. Rows whose final
 * scores move together (same spread zone, same number of scores) form a cell; inside a cell the order depends on each row's own sum
 * only, so one placement moves one row, and the boosts of zones move whole cells.
 */
import { Frontier } from './frontier.js'
import { IndexedHeap } from './indexed-heap.js'
import { Shortlist } from './shortlist.js'
import { finalScore, isBetterEqual, type Terms } from './standing.js'

export interface Ranking {
  /** The best open rows; what is given is written over by the next call. `penalized` rows have one more score. */
  top(penalized: readonly number[]): Shortlist
  /** The row's terms have changed. */
  update(position: number): void
}

/** Looks at every row each time: nothing to build, right for one or two choices. */
export class ScannedRanking implements Ranking {
  readonly #terms: Terms
  readonly #best: Shortlist

  constructor(terms: Terms, limit: number) {
    this.#terms = terms
    this.#best = new Shortlist(terms, limit)
  }

  top(penalized: readonly number[]): Shortlist {
    const [terms, best] = [this.#terms, this.#best]
    best.clear()
    for (let position = 0; position < terms.length; position++) {
      if (!terms.isOpen(position)) continue
      best.offer(position, finalScore(terms, position, penalized.length > 0 && penalized.includes(position)))
    }
    return best
  }

  update(): void {}
}

const NOWHERE = -1

export class HeapedRanking implements Ranking {
  readonly #terms: Terms
  readonly #cells: (IndexedHeap | undefined)[] = []
  /** Numbers of the cells that exist. */
  readonly #cellIds: number[] = []
  readonly #cellOf: Int32Array
  readonly #places: Int32Array
  readonly #isBefore: (a: number, b: number) => boolean
  readonly #frontier: Frontier
  readonly #best: Shortlist
  readonly #limit: number

  constructor(terms: Terms, limit: number) {
    this.#terms = terms
    this.#limit = limit
    this.#frontier = new Frontier(terms)
    this.#best = new Shortlist(terms, limit)
    this.#cellOf = new Int32Array(terms.length).fill(NOWHERE)
    this.#places = new Int32Array(terms.length).fill(NOWHERE)
    this.#isBefore = (a, b) => isBetterEqual(terms, a, b)
    for (let position = 0; position < terms.length; position++) if (terms.isOpen(position)) this.#cellFor(position).append(position)
    for (const id of this.#cellIds) this.#cells[id]!.order()
  }

  /** Scores in a row's sum differ by one at most: the one for neighbours. */
  #cellFor(position: number): IndexedHeap {
    const id = this.#terms.zoneOf(position) * COUNTS + this.#terms.countOf(position)
    this.#cellOf[position] = id
    let cell = this.#cells[id]
    if (cell === undefined) {
      cell = new IndexedHeap(this.#places, this.#isBefore)
      this.#cells[id] = cell
      this.#cellIds.push(id)
    }
    return cell
  }

  update(position: number): void {
    const old = this.#cellOf[position]!
    if (old !== NOWHERE) this.#cells[old]!.remove(position)
    this.#cellOf[position] = NOWHERE
    if (this.#terms.isOpen(position)) this.#cellFor(position).add(position)
  }

  /** The next best is always the top of a cell, or a child of what was taken. */
  top(penalized: readonly number[]): Shortlist {
    const [terms, frontier, best, limit] = [this.#terms, this.#frontier, this.#best, this.#limit]
    best.clear()
    for (const position of penalized) if (terms.isOpen(position)) best.offer(position, finalScore(terms, position, true))
    frontier.clear()
    // Only the best few cells can hold the best few rows.
    for (const id of this.#cellIds) {
      const heap = this.#cells[id]!
      if (heap.size > 0) frontier.offerTop(heap, limit + penalized.length)
    }
    for (let found = 0; frontier.size > 0 && found < limit; ) {
      frontier.take()
      if (penalized.length > 0 && penalized.includes(frontier.position)) continue
      best.offer(frontier.position, frontier.score)
      found++
    }
    return best
  }
}

/** More than any row has scores. */
const COUNTS = 8
