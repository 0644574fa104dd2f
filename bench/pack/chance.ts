import type { SeededRandom } from '../../test/simulation/seeded-random.js'

export type Histogram<T> = readonly (readonly [weight: number, item: T])[]

export function drawWeighted<T>(items: Histogram<T>, random: SeededRandom): T {
  let left = random.fraction() * items.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, item] of items) {
    left -= weight
    if (left < 0) return item
  }
  return items.at(-1)![1]
}

/** Mean 0, deviation 1. */
export function drawNormal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}
