/** The measures U1 to U8 of a pair of packings, and the lines that tell which side is better by each. */
import { type Measurement, measurement, quantile } from '../measurement.js'
import { pairedDifference, type Verdict, verdictOf } from './bootstrap.js'
import type { Packing } from './packing.js'

type Pair<T> = readonly [drover: T, sampled: T]

export interface MeasureName {
  readonly name: string
  readonly unit: string
  readonly isMoreBetter: boolean
}

export interface Measure extends MeasureName {
  /** NaN when the pair says nothing about it. */
  readonly of: (pair: Pair<Packing>) => Pair<number>
}

/** By these no side may be worse. */
export const GATED: readonly Measure[] = [
  ofEach('U1-utilisation-at-first-failure', '%', true, ({ first }) => 100 * first),
  ofEach('U2-utilisation-after-25-failures', '%', true, ({ last }) => 100 * last),
  ofEach('U3-allocations-placed', 'count', true, ({ placedCount }) => placedCount),
  ofEach('U4-non-empty-nodes-at-half', 'count', false, ({ nonEmptyAtHalf }) => nonEmptyAtHalf),
  ofEach('U5-big-slots-left-at-half', '%', true, ({ bigSlotsAtHalf }) => 100 * bigSlotsAtHalf),
  ofEach('U6-co-located', '%', false, ({ colocated }) => 100 * colocated),
  { name: 'U7-spread-error', unit: 'allocations', isMoreBetter: false, of: meanSpreadErrors },
]

export const MEASURES: readonly Measure[] = [
  ...GATED,
  { name: 'U8-distance-to-bound', unit: '%', isMoreBetter: false, of: distancesToBound },
]

function ofEach(name: string, unit: string, isMoreBetter: boolean, pick: (packing: Packing) => number): Measure {
  return { name, unit, isMoreBetter, of: ([drover, sampled]) => [pick(drover), pick(sampled)] }
}

/** Over the jobs that both sides have placed in full, so that neither is judged by a job for which there was no room left. */
function meanSpreadErrors([drover, sampled]: Pair<Packing>): Pair<number> {
  const shared = [...drover.spreadErrors.keys()].filter((number) => sampled.spreadErrors.has(number))
  const meanOf = ({ spreadErrors }: Packing) => shared.reduce((sum, number) => sum + spreadErrors.get(number)!, 0) / shared.length
  return [meanOf(drover), meanOf(sampled)]
}

/** If allocations were liquid, all that either side was offered would fit until the nodes are full. */
function distancesToBound([drover, sampled]: Pair<Packing>): Pair<number> {
  const bound = Math.min(1, Math.max(drover.offered, sampled.offered))
  return [100 * (bound - drover.last), 100 * (bound - sampled.last)]
}

export function compare(
  caseName: string,
  { name, unit, isMoreBetter }: MeasureName,
  all: readonly Pair<number>[],
): { readonly lines: readonly Measurement[]; readonly verdict: Verdict } {
  const pairs = all.filter((pair) => !pair.some(Number.isNaN))
  const difference = pairedDifference(pairs)
  const verdict = verdictOf(difference, isMoreBetter)
  const line = (what: string, lineUnit: string, value: number, runs: readonly number[]) => ({
    ...measurement('B2', caseName, `${name}.${what}`, lineUnit, runs.map(rounded)),
    value: rounded(value),
  })
  const side = (what: string, runs: readonly number[]) => line(what, unit, quantile(runs, 0.5), runs)
  const single = (what: string, value: number) => line(what, '%', 100 * value, [100 * value])
  const perPair = pairs.map(([drover, sampled]) => (drover === sampled ? 0 : (100 * (drover - sampled)) / sampled))
  return {
    verdict,
    lines: [
      side(
        'drover',
        pairs.map(([drover]) => drover),
      ),
      side(
        'sampled',
        pairs.map(([, sampled]) => sampled),
      ),
      line('difference', '%', 100 * difference.value, perPair),
      single('difference-low', difference.low),
      single('difference-high', difference.high),
      line('verdict', verdict, SIGNS[verdict], [SIGNS[verdict]]),
    ],
  }
}

const SIGNS: Readonly<Record<Verdict, number>> = { better: 1, 'within 1 %': 0, unclear: 0, worse: -1 }

/** Five digits say all there is to say. */
function rounded(value: number): number {
  return Number(value.toPrecision(5))
}
