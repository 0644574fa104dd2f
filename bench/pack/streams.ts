/**
 * What is packed: an empty cluster and jobs without end. The same name, size and seed give the same nodes and jobs, to whoever places them.
 */
import type { Job, Node, Spread } from '../../src/domain/index.js'
import { SeededRandom } from '../../test/simulation/seeded-random.js'
import { makeJob, makeNode } from '../cluster/makers.js'
import { drawWeighted } from './chance.js'
import { DISTRIBUTIONS, type Distribution, type DistributionName } from './distributions.js'

export interface Instance {
  readonly nodes: readonly Node[]
  /** Endless, from its beginning at each call. */
  readonly jobs: () => Iterable<Job>
}

export const ZONE_ATTRIBUTE = '${meta.zone}'
export const ZONES = ['a', 'b', 'c', 'd'] as const
const TARGETS = [40, 30, 20, 10]
/** Of the jobs that have enough allocations for it. */
const SPREAD_SHARE = 0.2
const SPREAD_COUNT_MIN = 4

export function makeInstance(name: DistributionName, nodeCount: number, seed: number): Instance {
  const distribution = DISTRIBUTIONS[name]
  const random = new SeededRandom(2 * seed)
  const nodes = Array.from({ length: nodeCount }, (_, at) =>
    makeNode(at, drawWeighted(distribution.nodes, random), { zone: ZONES[at % ZONES.length]! }),
  )
  return { nodes, jobs: () => drawJobs(distribution, Math.ceil(nodeCount / 4), 2 * seed + 1) }
}

/** @param countMax no job is so large that it must put two allocations on one node */
function* drawJobs(distribution: Distribution, countMax: number, seed: number): Iterable<Job> {
  const random = new SeededRandom(seed)
  for (let number = 0; ; number++) {
    const ask = distribution.drawAsk(random)
    const count = Math.min(countMax, distribution.drawCount(random))
    const Type = random.chance(distribution.batchShare) ? 'batch' : 'service'
    const isSpread = random.chance(SPREAD_SHARE)
    const isEven = random.chance(0.5)
    const Spreads = isSpread && count >= SPREAD_COUNT_MIN ? [spreadOver(isEven)] : null
    yield makeJob(`job-${number}`, count, ask, { Type, Spreads })
  }
}

function spreadOver(isEven: boolean): Spread {
  const targets = ZONES.map((Value, at) => ({ Value, Percent: TARGETS[at]! }))
  return { Attribute: ZONE_ATTRIBUTE, Weight: 100, SpreadTarget: isEven ? [] : targets }
}
