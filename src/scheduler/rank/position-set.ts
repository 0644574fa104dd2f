/** A set of positions below a fixed limit that keeps insertion order. Clearing it allocates nothing. */
export class PositionSet {
  readonly #members: Int32Array
  readonly #isMember: Uint8Array
  size = 0

  constructor(length: number) {
    this.#members = new Int32Array(length)
    this.#isMember = new Uint8Array(length)
  }

  add(position: number): void {
    if (this.#isMember[position] === 1) return
    this.#isMember[position] = 1
    this.#members[this.size++] = position
  }

  /** The one that was added as number `at`. */
  at(at: number): number {
    return this.#members[at]!
  }

  clear(): void {
    for (let at = 0; at < this.size; at++) this.#isMember[this.#members[at]!] = 0
    this.size = 0
  }
}
