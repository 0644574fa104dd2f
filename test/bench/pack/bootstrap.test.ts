import { expect, test } from 'vitest'
import { pairedDifference, verdictOf } from '../../../bench/pack/bootstrap.js'

test('the difference is of all runs together, and its interval encloses it', () => {
  const { value, low, high } = pairedDifference([
    [11, 10],
    [33, 30],
    [50, 60],
  ])
  expect(value).toBeCloseTo(-0.06)
  expect(low).toBeLessThanOrEqual(value)
  expect(high).toBeGreaterThanOrEqual(value)
})

test.each([
  ['better', { value: 0.03, low: 0.01, high: 0.05 }],
  ['within 1 %', { value: 0.001, low: -0.008, high: 0.02 }],
  ['unclear', { value: 0.02, low: -0.02, high: 0.06 }],
  ['worse', { value: -0.011, low: -0.04, high: 0.02 }],
])('what is %s by its interval is called so, and the reverse where less is better', (verdict, difference) => {
  expect(verdictOf(difference, true)).toBe(verdict)
  const { value, low, high } = difference
  expect(verdictOf({ value: -value, low: -high, high: -low }, false)).toBe(verdict)
})
