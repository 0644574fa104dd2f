/** Every benchmark, in order (`reference` figures and goals: docs/benchmarks.md). */
import type { Bench } from './measurement.js'

export const BENCHES: readonly Bench[] = []
