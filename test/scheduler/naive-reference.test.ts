/**
 * The engine against a reference that knows no columns, heaps or caches and looks at every node with every object for every placement:
 * the same nodes, scores and counts (`reference/`, played beside each plan by `replay/`).
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clusterCase, makeWorld, schedule } from './cases/case.js'
import { FEATURES, type Feature } from './cases/feature.js'
import { replayGeneric } from './replay/generic.js'
import { replaySystem } from './replay/system.js'

function holdFor(features: readonly Feature[], numRuns: number): void {
  const replay = features.includes('system') ? replaySystem : replayGeneric
  let placed = 0
  fc.assert(
    fc.property(clusterCase(features), (given) => {
      const world = makeWorld(given)
      const result = schedule(world)
      placed += result.plan.Placements.length
      replay(world.state, world.evaluation, result)
    }),
    { numRuns },
  )
  // Cases in which nothing happens would prove nothing.
  expect(placed).toBeGreaterThan(numRuns / 4)
}

test('every placement is on the node that is best by amounts, and tells the truth of the others', () => holdFor([], 1_500))
test('conditions and affinities of job, group and task are those of the reference', () => holdFor(['conditions', 'affinities'], 1_500))
test('spreads with and without targets, also several, boost the same nodes', () => holdFor(['spreads'], 1_500))
test('distinct hosts and distinct properties turn away the same nodes', () => holdFor(['distinct'], 1_000))
test('ports, cores, devices and volumes go where they are free', () => holdFor(['holdings'], 1_500))
test('canaries, replacements, sticky disks and penalties choose as the reference does', () => holdFor(['history'], 1_200))
test('what changes in place keeps what it holds, and only where it may', () => holdFor(['history', 'holdings'], 1_200))
test('others end only where nothing is free, only the less important, and none in vain', () => holdFor(['preemption', 'holdings'], 1_200))
test('everything at once is decided as the reference does', () => holdFor(FEATURES, 2_000))
test('a system job has each group on exactly the nodes that can take it', () =>
  holdFor(['system', 'conditions', 'distinct', 'holdings', 'history', 'preemption'], 1_500))
