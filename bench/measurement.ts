import type { ClusterFile } from './cluster/cluster-file.js'
import type { Note, PeerOption } from './sides/peer.js'

/** One line of output of a benchmark. Ratios and counts of one run are comparable; absolute times only on one machine. */
export interface Measurement {
  readonly bench: string
  readonly case: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  /** The single values that `value` is the median of. */
  readonly runs: readonly number[]
  /** Whose it is, where several are measured in turns: `drover`, `peer`, `bare`, `limit`. */
  readonly side?: string
}

export type Line = Measurement | Note

export interface BenchOptions {
  /** Instead of clusters that are made up; for B1. */
  readonly cluster?: ClusterFile
  /** At most 20 seconds, without a peer. */
  readonly quick: boolean
  readonly peer: PeerOption
}

export interface Bench {
  readonly name: string
  readonly summary: string
  run(options: BenchOptions): AsyncIterable<Line>
}

export function measurement(bench: string, caseName: string, metric: string, unit: string, runs: readonly number[]): Measurement {
  return { bench, case: caseName, metric, value: quantile(runs, 0.5), unit, runs }
}

/** `share` in [0, 1]; nearest rank. NaN of no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}
