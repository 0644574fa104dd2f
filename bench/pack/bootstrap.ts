/** Whether one side is better than the other over runs that come in pairs. */
import { SeededRandom } from '../../test/simulation/seeded-random.js'
import { quantile } from '../measurement.js'

export interface Difference {
  /** By how much of the second side the first is greater, all runs together: 0.02 is two per cent more. */
  readonly value: number
  /** The middle 95 % of what the same runs give when pairs are drawn from them anew. */
  readonly low: number
  readonly high: number
}

const RESAMPLES = 2_000

export function pairedDifference(pairs: readonly (readonly [first: number, second: number])[]): Difference {
  const random = new SeededRandom(1)
  const drawn = Array.from({ length: RESAMPLES }, () => relativeDifference(pairs.map(() => random.pick(pairs))))
  return { value: relativeDifference(pairs), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) }
}

/** Of the sums, so that a run with next to nothing on the second side does not outweigh all others. */
function relativeDifference(pairs: readonly (readonly [number, number])[]): number {
  let [first, second] = [0, 0]
  for (const [a, b] of pairs) {
    first += a
    second += b
  }
  if (first === second) return 0
  return (first - second) / second
}

export type Verdict = 'better' | 'within 1 %' | 'worse' | 'unclear'

/**
 * `better`: surely so (the whole interval). `within 1 %`: surely not worse by more. `worse`: by more than that, sure or not.
 * `unclear`: seems within, but more runs could show otherwise.
 */
export function verdictOf({ value, low, high }: Difference, isMoreBetter: boolean): Verdict {
  const gain = isMoreBetter ? value : -value
  const gainLow = isMoreBetter ? low : -high
  if (gainLow > 0) return 'better'
  if (gain < -0.01) return 'worse'
  return gainLow >= -0.01 ? 'within 1 %' : 'unclear'
}
