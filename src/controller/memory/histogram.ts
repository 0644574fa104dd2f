/** How often values lay below which bound, as Prometheus counts them, and what Nomad's metrics tell of them beside that. */
export class Histogram {
  readonly bounds: readonly number[]
  /** Of values up to each bound. */
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
