/**
 * Runs one reconciler again and again, never twice at once: when asked, when a slow timer says so, and sooner and sooner
 * less often while it fails.
 */
import type { Clock } from '../domain/index.js'

export interface ReconcileLoopOptions {
  /** A look this long after the last one although nobody asked. */
  readonly everyMs: number
  readonly backOffMsMin: number
  readonly backOffMsMax: number
}

export class ReconcileLoop {
  readonly #clock: Clock
  readonly #options: ReconcileLoopOptions
  /** Resolves to false to be run again soon: not everything could be done. */
  readonly #reconcile: () => Promise<boolean>
  #isRunning = false
  #isAsked = false
  #isStopped = false
  #failures = 0
  #cancelTimer: () => void = () => {}

  constructor(clock: Clock, options: ReconcileLoopOptions, reconcile: () => Promise<boolean>) {
    this.#clock = clock
    this.#options = options
    this.#reconcile = reconcile
  }

  /** Somebody has seen something change: look at once, or once more when the look under way is over. */
  ask(): void {
    if (this.#isStopped) return
    if (this.#isRunning) {
      this.#isAsked = true
      return
    }
    void this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
  }

  async #run(): Promise<void> {
    this.#cancelTimer()
    this.#isRunning = true
    do {
      this.#isAsked = false
      try {
        this.#failures = (await this.#reconcile()) ? 0 : this.#failures + 1
      } catch {
        // The reconciler has told what failed where it failed; here only the next attempt is planned.
        this.#failures++
      }
    } while (this.#isAsked && !this.#isStopped)
    this.#isRunning = false
    if (!this.#isStopped) this.#cancelTimer = this.#clock.after(this.#nextDelayMs(), () => this.ask())
  }

  #nextDelayMs(): number {
    const { everyMs, backOffMsMin, backOffMsMax } = this.#options
    return this.#failures === 0 ? everyMs : Math.min(everyMs, backOffMsMax, backOffMsMin * 2 ** (this.#failures - 1))
  }
}
