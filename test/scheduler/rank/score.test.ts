import fc from 'fast-check'
import { expect, test } from 'vitest'
import { balancedFit } from '../../../src/scheduler/rank/score.js'

const held = fc.double({ min: 0, max: 0.7, noNaN: true })
const asked = fc.double({ min: 0.001, max: 0.3, noNaN: true })

test('the balanced score is in [0, 1] and never below that of an empty node', () => {
  fc.assert(
    fc.property(held, held, asked, asked, (heldCpu, heldMemory, askedCpu, askedMemory) => {
      const score = balancedFit(heldCpu, heldMemory, askedCpu, askedMemory)
      expect(score).toBeGreaterThanOrEqual(balancedFit(0, 0, askedCpu, askedMemory) - 1e-9)
      expect(score).toBeLessThanOrEqual(1 + 1e-9)
    }),
  )
})

test('what asks for memory goes where cpu is used, what asks for cpu where memory is', () => {
  const [leansToCpu, leansToMemory] = [[0.6, 0.3] as const, [0.3, 0.6] as const]
  expect(balancedFit(...leansToCpu, 0.02, 0.1)).toBeGreaterThan(balancedFit(...leansToMemory, 0.02, 0.1))
  expect(balancedFit(...leansToMemory, 0.1, 0.02)).toBeGreaterThan(balancedFit(...leansToCpu, 0.1, 0.02))
})

test('of nearly empty nodes the fuller is better, of taken nodes neither', () => {
  expect(balancedFit(0.1, 0.1, 0.05, 0.05)).toBeGreaterThan(balancedFit(0.05, 0.05, 0.05, 0.05))
  expect(balancedFit(0.7, 0.7, 0.05, 0.05)).toBeCloseTo(balancedFit(0.3, 0.3, 0.05, 0.05))
})

test('nodes that lean far enough to the other side are exactly alike, so that the tie-break decides', () => {
  expect(balancedFit(0.7, 0.3, 0.02, 0.1)).toBe(balancedFit(0.61, 0.37, 0.02, 0.1))
})

test('a node that has neither cpu nor memory to give, or is asked for neither, has a score all the same', () => {
  expect(balancedFit(0, 0, 0, 0)).toBeGreaterThan(0)
})
