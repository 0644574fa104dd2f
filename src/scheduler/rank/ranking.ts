/**
 * The feasible rows of one group in the order in which they are the best choice, kept up to date as the plan grows. Rows whose final
 * scores move together (same spread zone, same number of scores) form a cell; inside a cell the order depends on each row's own sum
 * only, so one placement moves one row, and the boosts of zones move whole cells.
 */
import { IndexedHeap } from './indexed-heap.js'

export interface Standing {
  readonly position: number
  readonly score: number
}

/** What a final score is made of beside a row's own sum. */
export interface Terms {
  /** The final score where nothing failed before: what the other terms come to. */
  scoreOf(position: number): number
  /** Sum of the row's own scores. */
  sumOf(position: number): number
  /** How many scores are in that sum. */
  countOf(position: number): number
  zoneOf(position: number): number
  boostOf(zone: number): number
  /** Smaller wins among equals. */
  tieOf(position: number): number
  isOpen(position: number): boolean
  readonly length: number
}

/** The mean of a row's own scores and the boost of its zone, which counts only when there is one. */
export function combine(sum: number, count: number, boost: number): number {
  return boost === 0 ? sum / count : (sum + boost) / (count + 1)
}

/** A row on which the group has failed before has one more score, the worst. */
export function finalScore(terms: Terms, position: number, isPenalized: boolean): number {
  if (!isPenalized) return terms.scoreOf(position)
  return combine(terms.sumOf(position) - 1, terms.countOf(position) + 1, terms.boostOf(terms.zoneOf(position)))
}

export function isBetter(terms: Terms, a: Standing, b: Standing): boolean {
  if (a.score !== b.score) return a.score > b.score
  // The same order as inside a cell, where rounding may have made equal scores of different sums.
  const difference = terms.sumOf(a.position) - terms.sumOf(b.position)
  return difference > 0 || (difference === 0 && terms.tieOf(a.position) < terms.tieOf(b.position))
}

/** Adds to a short list that is kept in order, best first. */
export function insertStanding(terms: Terms, best: Standing[], standing: Standing, limit: number): void {
  let at = best.length
  while (at > 0 && isBetter(terms, standing, best[at - 1]!)) at--
  if (at >= limit) return
  best.splice(at, 0, standing)
  if (best.length > limit) best.pop()
}

export interface Ranking {
  /** The best open rows, best first. `penalized` rows have one more score. */
  top(limit: number, penalized: readonly number[]): readonly Standing[]
  /** The row's terms have changed. */
  update(position: number): void
}

/** Looks at every row each time: nothing to build, right for one or two choices. */
export class ScannedRanking implements Ranking {
  readonly #terms: Terms

  constructor(terms: Terms) {
    this.#terms = terms
  }

  top(limit: number, penalized: readonly number[]): readonly Standing[] {
    const terms = this.#terms
    const best: Standing[] = []
    let worst = Number.NEGATIVE_INFINITY
    for (let position = 0; position < terms.length; position++) {
      if (!terms.isOpen(position)) continue
      const score = finalScore(terms, position, penalized.length > 0 && penalized.includes(position))
      if (score < worst) continue
      insertStanding(terms, best, { position, score }, limit)
      if (best.length === limit) worst = best[limit - 1]!.score
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

  constructor(terms: Terms) {
    this.#terms = terms
    this.#cellOf = new Int32Array(terms.length).fill(NOWHERE)
    this.#places = new Int32Array(terms.length).fill(NOWHERE)
    this.#isBefore = (a, b) => {
      const difference = terms.sumOf(a) - terms.sumOf(b)
      return difference > 0 || (difference === 0 && terms.tieOf(a) < terms.tieOf(b))
    }
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

  /** Best first: the next best is always the top of a cell, or a child of what was taken. */
  top(limit: number, penalized: readonly number[]): readonly Standing[] {
    const terms = this.#terms
    const best: Standing[] = []
    for (const position of penalized) if (terms.isOpen(position)) insertStanding(terms, best, this.#stand(position, true), limit)
    // Only the best few cells can hold the best few rows.
    const open: Entry[] = []
    for (const id of this.#cellIds) {
      const heap = this.#cells[id]!
      if (heap.size > 0) this.#offerTop(open, heap, limit + penalized.length)
    }
    for (let found = 0; open.length > 0 && found < limit; ) {
      const { heap, place, standing } = this.#takeBest(open)
      if (2 * place + 1 < heap.size) this.#offer(open, heap, 2 * place + 1)
      if (2 * place + 2 < heap.size) this.#offer(open, heap, 2 * place + 2)
      if (penalized.length > 0 && penalized.includes(standing.position)) continue
      insertStanding(terms, best, standing, limit)
      found++
    }
    return best
  }

  /** Keeps the tops in order while there are few enough; most cells are turned away by one comparison. */
  #offerTop(open: Entry[], heap: IndexedHeap, limit: number): void {
    const position = heap.at(0)
    const score = finalScore(this.#terms, position, false)
    if (open.length >= limit && score < open[limit - 1]!.standing.score) return
    const standing = { position, score }
    let at = open.length
    while (at > 0 && isBetter(this.#terms, standing, open[at - 1]!.standing)) at--
    if (at >= limit) return
    open.splice(at, 0, { heap, place: 0, standing })
    if (open.length > limit) open.pop()
  }

  #stand(position: number, isPenalized: boolean): Standing {
    return { position, score: finalScore(this.#terms, position, isPenalized) }
  }

  #offer(open: Entry[], heap: IndexedHeap, place: number): void {
    open.push({ heap, place, standing: this.#stand(heap.at(place), false) })
  }

  #takeBest(open: Entry[]): Entry {
    let best = 0
    for (let at = 1; at < open.length; at++) if (isBetter(this.#terms, open[at]!.standing, open[best]!.standing)) best = at
    const taken = open[best]!
    const last = open.pop()!
    if (last !== taken) open[best] = last
    return taken
  }
}

interface Entry {
  readonly heap: IndexedHeap
  readonly place: number
  readonly standing: Standing
}

/** More than any row has scores. */
const COUNTS = 8
