/** The best few rows in order, best first; kept in columns that are used again for every choice. */
import { isBetterEqual, type Terms } from './standing.js'

export class Shortlist {
  readonly #terms: Terms
  readonly #limit: number
  readonly #positions: Int32Array
  readonly #scores: Float64Array
  size = 0

  constructor(terms: Terms, limit: number) {
    this.#terms = terms
    this.#limit = limit
    this.#positions = new Int32Array(limit)
    this.#scores = new Float64Array(limit)
  }

  clear(): void {
    this.size = 0
  }

  positionAt(place: number): number {
    return this.#positions[place]!
  }

  scoreAt(place: number): number {
    return this.#scores[place]!
  }

  /** Takes its place if it is among the best; most are turned away by one comparison. */
  offer(position: number, score: number): void {
    let at = this.size
    while (at > 0 && this.#isBetter(position, score, at - 1)) at--
    if (at === this.#limit) return
    if (this.size < this.#limit) this.size++
    for (let place = this.size - 1; place > at; place--) {
      this.#positions[place] = this.#positions[place - 1]!
      this.#scores[place] = this.#scores[place - 1]!
    }
    this.#positions[at] = position
    this.#scores[at] = score
  }

  #isBetter(position: number, score: number, than: number): boolean {
    const other = this.#scores[than]!
    return score === other ? isBetterEqual(this.#terms, position, this.#positions[than]!) : score > other
  }
}
