/** Which numbers of one session were heard already. They may come a little out of order; what is far behind counts as heard. Pure. */
const WINDOW = 128

export class ReplayWindow {
  readonly session: string
  #newest = 0
  readonly #heard = new Set<number>()

  constructor(session: string) {
    this.session = session
  }

  /** True once for each number. */
  accept(number: number): boolean {
    if (number <= this.#newest - WINDOW || this.#heard.has(number)) return false
    this.#heard.add(number)
    if (number > this.#newest) {
      this.#newest = number
      for (const old of this.#heard) if (old <= number - WINDOW) this.#heard.delete(old)
    }
    return true
  }
}
