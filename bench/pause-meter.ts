/**
 * The longest time for which nothing else got a turn on this thread: by the clock, and by the processor time that the process used meanwhile,
 * which is what remains of it on a machine where nobody else wants the processor.
 */
export class PauseMeter {
  readonly #timer: NodeJS.Timeout
  #last = now()
  #longest = { clockMs: 0, processorMs: 0 }

  constructor() {
    this.#timer = setInterval(() => this.#look(), 1)
  }

  /** Since the last call. */
  take(): { readonly clockMs: number; readonly processorMs: number } {
    this.#look()
    const longest = this.#longest
    this.#longest = { clockMs: 0, processorMs: 0 }
    return longest
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const next = now()
    const clockMs = next.clockMs - this.#last.clockMs
    const processorMs = Math.min(clockMs, next.processorMs - this.#last.processorMs)
    this.#longest = {
      clockMs: Math.max(this.#longest.clockMs, clockMs),
      processorMs: Math.max(this.#longest.processorMs, processorMs),
    }
    this.#last = next
  }
}

function now() {
  const { user, system } = process.cpuUsage()
  return { clockMs: performance.now(), processorMs: (user + system) / 1000 }
}
