/**
 * Lets a few through in each turn of the event loop. A thousand that were woken at once are served one after the other, and whoever comes
 * new is not kept waiting until all of them are.
 */
export class Turnstile {
  readonly #perTurn: number
  #left: number
  #isArmed = false
  readonly #waiting: (() => void)[] = []

  constructor(perTurn: number) {
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** In the order in which they asked. */
  pass(): Promise<void> {
    if (!this.#isArmed) this.#arm()
    if (this.#left > 0) {
      this.#left--
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #arm(): void {
    this.#isArmed = true
    setImmediate(() => {
      this.#isArmed = false
      this.#left = this.#perTurn
      if (this.#waiting.length === 0) return
      this.#arm()
      for (const resolve of this.#waiting.splice(0, this.#perTurn)) {
        this.#left--
        resolve()
      }
    })
  }
}
