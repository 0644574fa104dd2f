import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Item, Search } from '../../../bench/pack/optimum.js'

const item = fc.record({ cpuMhz: fc.integer({ min: 1, max: 6 }), memoryMb: fc.integer({ min: 1, max: 6 }) })
const NODE = { cpuMhz: 10, memoryMb: 10 }

/** Tries each item on each node. */
function fitsSomehow(items: readonly Item[], free: readonly Item[]): boolean {
  const [first, ...rest] = items
  if (first === undefined) return true
  return free.some((node, at) => {
    const left = { cpuMhz: node.cpuMhz - first.cpuMhz, memoryMb: node.memoryMb - first.memoryMb }
    return left.cpuMhz >= 0 && left.memoryMb >= 0 && fitsSomehow(rest, free.with(at, left))
  })
}

test('the search says that items fit exactly when some way to place them exists', () => {
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 7 }), fc.integer({ min: 1, max: 3 }), (items, nodeCount) => {
      const capacity = { cpuMhz: new Float64Array(nodeCount).fill(NODE.cpuMhz), memoryMb: new Float64Array(nodeCount).fill(NODE.memoryMb) }
      const wanted = fitsSomehow(items, new Array(nodeCount).fill(NODE)) ? 'fits' : 'does not fit'
      expect(new Search(capacity, items).run()).toBe(wanted)
    }),
    { numRuns: 300 },
  )
})
