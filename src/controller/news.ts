/** Those who wait for what comes next, until it comes or they give up. */
export class News {
  readonly #waiting = new Set<() => void>()

  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  tell(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  /** Resolves when something is told, or on abort. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}
