/** A distribution since this server runs. */
export interface HistogramReading {
  readonly bounds: readonly number[]
  /** Of values up to each bound. */
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
}

/** How often values lay below which bound, as Prometheus counts them, and what Nomad's metrics tell of them beside that. */
export class Histogram implements HistogramReading {
  readonly bounds: readonly number[]
  readonly counts: number[]
  count = 0
  sum = 0
  min = Number.POSITIVE_INFINITY
  max = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = bounds.map(() => 0)
  }

  /** Clocks differ: what would be less than nothing counts as nothing. */
  add(value: number): void {
    const counted = Math.max(0, value)
    this.count++
    this.sum += counted
    this.min = Math.min(this.min, counted)
    this.max = Math.max(this.max, counted)
    for (const [at, bound] of this.bounds.entries()) if (counted <= bound) this.counts[at]!++
  }
}

/** From a millisecond to a minute and a half. */
const SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]

export type OutcomeSeconds<Reading = HistogramReading> = Readonly<Record<'succeeded' | 'failed', Reading>>

/** How long something took, in seconds. */
export function newSeconds(): Histogram {
  return new Histogram(SECONDS)
}

/** The same by what came of it. */
export function newOutcomeSeconds(): OutcomeSeconds<Histogram> {
  return { succeeded: newSeconds(), failed: newSeconds() }
}
