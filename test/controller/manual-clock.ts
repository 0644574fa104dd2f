/** A clock that a test moves by hand. */
import type { Clock } from '../../src/domain/index.js'

export class ManualClock implements Clock {
  nowMs = 0
  /** By how much somebody has set the wall clock. */
  wallOffsetMs = 0
  #timers: { atMs: number; callback: () => void }[] = []

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.nowMs + this.wallOffsetMs
  }

  monotonicMs(): number {
    return this.nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Runs every timer that falls due, in order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const next = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.nowMs = next.atMs
      next.callback()
    }
    this.nowMs = untilMs
  }

  /** The process stood still: time has passed and nothing ran. Timers that are due run late, at once. */
  sleep(ms: number): void {
    this.nowMs += ms
    const due = this.#timers.filter((timer) => timer.atMs <= this.nowMs)
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.nowMs)
    for (const timer of due) timer.callback()
  }
}
