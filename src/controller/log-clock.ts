/**
 * The clock that Commands are dated by. Its wall clock never runs slower than time passes: one that is set back neither makes what
 * was due not due again nor holds up what is due later.
 */
import type { Clock } from '../domain/index.js'

export class LogClock implements Clock {
  readonly #clock: Clock
  #atMs: number
  #atMonotonicMs: number

  /** @param startMs what the log has dated last: no Command is older than one before it */
  constructor(clock: Clock, startMs: number) {
    this.#clock = clock
    this.#atMs = startMs
    this.#atMonotonicMs = clock.monotonicMs()
  }

  wallMs(): number {
    const passedMs = Math.floor(this.#atMs + this.#clock.monotonicMs() - this.#atMonotonicMs)
    const wallMs = this.#clock.wallMs()
    if (wallMs <= passedMs) return passedMs
    this.#atMs = wallMs
    this.#atMonotonicMs = this.#clock.monotonicMs()
    return wallMs
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#clock.after(delayMs, callback)
  }
}
