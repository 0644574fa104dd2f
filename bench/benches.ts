/** Every benchmark, in order (`reference` figures and goals: docs/benchmarks.md). */
import { b6ApiRead } from './b6-api-read.js'
import type { Bench } from './measurement.js'

export const BENCHES: readonly Bench[] = [b6ApiRead]
