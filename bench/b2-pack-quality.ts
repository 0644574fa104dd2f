/**
 * B2: how well a stream of jobs is packed, Drover's scheduler beside a choice from a sample in the manner of Nomad (`B2` of
 * docs/benchmarks.md). Both sides get the same nodes and jobs; what they are compared by is counted outside of both.
 */
import { type Bench, type BenchOptions, type Measurement, measurement } from './measurement.js'
import { compare, GATED, MEASURES } from './pack/comparison.js'
import type { DistributionName } from './pack/distributions.js'
import { DroverSide } from './pack/drover-side.js'
import { firstItems, longestBeginning, type Optimum, placedBeforeFailure } from './pack/optimum.js'
import { type Packing, pack } from './pack/packing.js'
import { SampledSide } from './pack/sampled-side.js'
import { makeInstance } from './pack/streams.js'

const STREAMS: readonly DistributionName[] = ['mixed-large', 'equal-large', 'mixed-memory-heavy', 'google-like', 'azure-like']

export const b2PackQuality: Bench = {
  name: 'B2',
  summary: 'pack quality beside a sampled choice: utilisation, spread, co-location, distance to the best possible',
  async *run({ quick }: BenchOptions): AsyncIterable<Measurement> {
    for (const name of STREAMS) yield* measureStream(name, quick ? 120 : 600, quick ? 6 : 40)
    for (const nodeCount of quick ? [4] : [4, 8, 12]) yield* measureOptimum(nodeCount, quick ? 6 : 40)
  },
}

function* measureStream(name: DistributionName, nodeCount: number, seeds: number): Iterable<Measurement> {
  const pairs: (readonly [drover: Packing, sampled: Packing])[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const instance = makeInstance(name, nodeCount, seed)
    pairs.push([pack(instance, new DroverSide(instance.nodes, seed)), pack(instance, new SampledSide(instance.nodes, seed))])
  }
  const caseName = `${name},nodes=${nodeCount}`
  const verdicts = []
  for (const measure of MEASURES) {
    const { lines, verdict } = compare(caseName, measure, pairs.map(measure.of))
    yield* lines
    if (GATED.includes(measure)) verdicts.push(verdict)
  }
  for (const wanted of ['better', 'worse'] as const)
    yield measurement('B2', caseName, `U1–U7.${wanted}`, `of ${GATED.length}`, [verdicts.filter((verdict) => verdict === wanted).length])
}

/** Of the longest beginning of a stream that could be placed at all, the share that each side places before its first failure. */
function* measureOptimum(nodeCount: number, seeds: number): Iterable<Measurement> {
  const pairs: (readonly [drover: number, sampled: number])[] = []
  const optima: Optimum[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const instance = makeInstance('coarse', nodeCount, seed)
    const items = firstItems(instance)
    const drover = placedBeforeFailure(instance, new DroverSide(instance.nodes, seed))
    const sampled = placedBeforeFailure(instance, new SampledSide(instance.nodes, seed))
    const optimum = longestBeginning(instance, items, Math.max(drover, sampled))
    optima.push(optimum)
    pairs.push([(100 * drover) / optimum.atMost, (100 * sampled) / optimum.atMost])
  }
  const caseName = `coarse,nodes=${nodeCount}`
  yield* compare(caseName, { name: 'U8-share-of-optimum', unit: '%', isMoreBetter: true }, pairs).lines
  const exact = optima.map(({ fits, atMost }) => (fits === atMost ? 1 : 0))
  yield { ...measurement('B2', caseName, 'U8-optimum.exact', `of ${seeds}`, exact), value: exact.filter((each) => each === 1).length }
  yield measurement(
    'B2',
    caseName,
    'U8-optimum.at-least',
    'allocations',
    optima.map(({ fits }) => fits),
  )
  yield measurement(
    'B2',
    caseName,
    'U8-optimum.at-most',
    'allocations',
    optima.map(({ atMost }) => atMost),
  )
}
