import { expect, test } from 'vitest'
import { makeJob, makeNode } from '../../../bench/cluster/makers.js'
import { askOf } from '../../../bench/pack/asks.js'
import { DroverSide } from '../../../bench/pack/drover-side.js'
import { SampledSide } from '../../../bench/pack/sampled-side.js'
import { makeInstance } from '../../../bench/pack/streams.js'
import { SeededRandom } from '../../simulation/seeded-random.js'

/** Nodes that are all of different sizes, so that two of them hardly ever score alike. */
function unequalNodes(count: number) {
  const random = new SeededRandom(5)
  return Array.from({ length: count }, (_, at) =>
    makeNode(at, { cores: 4, cpuMhz: random.between(8_000, 24_000), memoryMb: random.between(8_000, 48_000) }, { zone: 'abcd'[at % 4]! }),
  )
}

function* unequalJobs(spreads: boolean) {
  const random = new SeededRandom(6)
  const Spreads = spreads ? [{ Attribute: '${meta.zone}', Weight: 100, SpreadTarget: [] }] : null
  for (let number = 0; number < 40; number++)
    yield makeJob(
      `job-${number}`,
      random.between(1, 6),
      { cpuMhz: random.between(100, 2_000), memoryMb: random.between(100, 4_000) },
      { Spreads },
    )
}

test('a sample that holds every node chooses what the full scan of Drover with the score `binpack` chooses', () => {
  const nodes = unequalNodes(12)
  const [sampled, drover] = [new SampledSide(nodes, 1), new DroverSide(nodes, 1, 'binpack')]
  // A spread makes the sample larger than these nodes are many.
  for (const job of unequalJobs(true)) expect(sampled.place(job)).toEqual(drover.place(job))
})

test('a job without spreads is placed in full as long as any node has room, though few nodes are looked at', () => {
  const nodes = unequalNodes(200)
  const sampled = new SampledSide(nodes, 1)
  for (const job of unequalJobs(false)) expect(sampled.place(job)).toHaveLength(askOf(job).count)
})

test('the same seed gives the same stream and the same choices', () => {
  const placements = () => {
    const { nodes, jobs } = makeInstance('google-like', 40, 3)
    const side = new SampledSide(nodes, 3)
    const placed: (readonly number[])[] = []
    for (const job of jobs()) if (placed.push(side.place(job)) === 50) break
    return placed
  }
  expect(placements()).toEqual(placements())
})
