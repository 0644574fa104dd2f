/** Counts looks at a repository and how long they take. */
import { type Clock, type Histogram, type LookCounts, newOutcomeSeconds, type OutcomeSeconds } from '../../domain/index.js'

export class LookMeter {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #seconds: OutcomeSeconds<Histogram> = newOutcomeSeconds()
  #succeededAtMs: number | null = null

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  get counts(): Omit<LookCounts, 'signatures'> {
    const ageMs = this.#succeededAtMs === null ? null : this.#clock.monotonicMs() - this.#succeededAtMs
    return { seconds: this.#seconds, ageMs }
  }

  async measure<Outcome>(look: () => Promise<Outcome>): Promise<Outcome> {
    const beganMs = this.#clock.monotonicMs()
    const end = (seconds: Histogram) => seconds.add((this.#clock.monotonicMs() - beganMs) / 1000)
    try {
      const outcome = await look()
      end(this.#seconds.succeeded)
      this.#succeededAtMs = this.#clock.monotonicMs()
      return outcome
    } catch (error) {
      end(this.#seconds.failed)
      throw error
    }
  }
}
