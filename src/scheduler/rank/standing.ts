/** Which of two rows is the better choice. */

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
  return a.score === b.score ? isBetterEqual(terms, a.position, b.position) : a.score > b.score
}

/** Of two rows with one score: the same order as inside a cell, where rounding may have made equal scores of different sums. */
export function isBetterEqual(terms: Terms, a: number, b: number): boolean {
  const difference = terms.sumOf(a) - terms.sumOf(b)
  return difference > 0 || (difference === 0 && terms.tieOf(a) < terms.tieOf(b))
}
