import fc from 'fast-check'
import { test } from 'vitest'
import { clusterCase, makeWorld, schedule } from './cases/case.js'
import { FEATURES, type Feature } from './cases/feature.js'
import { agree } from './replay/agreement.js'

const keys = fc.array(fc.nat(), { minLength: 24, maxLength: 24 })

test('the order in which nodes, jobs and allocations were stored changes nothing: not the counts, and not the nodes', () => {
  const features: readonly (readonly Feature[])[] = [FEATURES, ['spreads'], ['holdings', 'system', 'preemption']]
  for (const each of features) {
    fc.assert(
      fc.property(clusterCase(each), keys, (given, order) => {
        const arrange = <T>(rows: readonly T[]) =>
          rows
            .map((row, at) => ({ row, key: order[at % order.length]! }))
            .sort((a, b) => a.key - b.key)
            .map(({ row }) => row)
        agree('the decision', schedule(makeWorld(given, arrange)), schedule(makeWorld(given)))
      }),
      { numRuns: 700 },
    )
  }
})
