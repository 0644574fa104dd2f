/** A clock that stands still until it is told to go on. */
import type { Clock } from '../../src/domain/index.js'

type Timer = { readonly atMs: number; readonly order: number; readonly callback: () => void }

export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5)

export class HandClock implements Clock {
  nowMs = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  wallMs(): number {
    return START_MS + Math.floor(this.nowMs)
  }

  monotonicMs(): number {
    return this.nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that would keep a process alive. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Runs everything that falls due within `ms`, in order, each with all that follows from it. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    for (;;) {
      await settle()
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.delete(next)
      this.nowMs = next.atMs
      next.callback()
    }
    this.nowMs = untilMs
    await settle()
  }
}

/** Until every promise that can go on without a timer has gone on. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 6; round++) await new Promise((resolve) => setImmediate(resolve))
}
