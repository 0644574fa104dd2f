/**
 * Arrays by position that last for one evaluation. Making them costs more than filling them, so they are lent out again: an evaluation
 * takes one set for each group that it places, and gives all of them back when the next one begins.
 */
import type { NodeScoreMeta } from '../../domain/index.js'
import { PositionSet } from './position-set.js'
import type { Refusal } from './refusal.js'

export interface RowScratch {
  /** Longer than asked for, and full of whatever was there before. */
  readonly fits: Float64Array
  readonly sums: Float64Array
  /** All 0. */
  readonly neighbours: Int32Array
  /** All undefined. */
  readonly refusals: (Refusal | undefined)[]
  /** Empty. */
  readonly stale: PositionSet
  /** All undefined. */
  readonly told: (NodeScoreMeta | undefined)[]
}

export class RowScratches {
  readonly #sets: RowScratch[] = []
  #lent = 0

  takeBackAll(): void {
    this.#lent = 0
  }

  lend(length: number): RowScratch {
    const at = this.#lent++
    let set = this.#sets[at]
    if (set === undefined || set.sums.length < length) {
      set = newScratch(2 * length)
      this.#sets[at] = set
    } else {
      set.neighbours.fill(0, 0, length)
      set.refusals.fill(undefined, 0, length)
      set.stale.clear()
      set.told.fill(undefined, 0, length)
    }
    return set
  }
}

function newScratch(length: number): RowScratch {
  return {
    fits: new Float64Array(length),
    sums: new Float64Array(length),
    neighbours: new Int32Array(length),
    refusals: new Array(length).fill(undefined),
    stale: new PositionSet(length),
    told: new Array(length).fill(undefined),
  }
}
