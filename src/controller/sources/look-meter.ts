/** Counts looks at a repository and how long they take. */
import type { Clock, LookCounts } from '../../domain/index.js'

export class LookMeter {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #succeeded = 0
  #failed = 0
  #lastMs = 0
  #succeededAtMs: number | null = null

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  get counts(): Omit<LookCounts, 'signatures'> {
    const ageMs = this.#succeededAtMs === null ? null : this.#clock.monotonicMs() - this.#succeededAtMs
    return { succeeded: this.#succeeded, failed: this.#failed, lastMs: this.#lastMs, ageMs }
  }

  async measure<Outcome>(look: () => Promise<Outcome>): Promise<Outcome> {
    const beganMs = this.#clock.monotonicMs()
    try {
      const outcome = await look()
      this.#succeeded++
      this.#succeededAtMs = this.#clock.monotonicMs()
      return outcome
    } catch (error) {
      this.#failed++
      throw error
    } finally {
      this.#lastMs = this.#clock.monotonicMs() - beganMs
    }
  }
}
