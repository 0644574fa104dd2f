/** What a host must sign to show that it wants to join now. One at a time for each key, so that nobody can spoil a join by asking for more. */
import type { Clock, Random } from '../domain/index.js'

const VALID_MS = 30_000

export class JoinNonces {
  readonly #clock: Clock
  readonly #random: Random
  readonly #nonces = new Map<string, { readonly nonce: string; readonly untilMs: number }>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  give(publicKey: string): string {
    const nowMs = this.#clock.monotonicMs()
    const given = this.#nonces.get(publicKey)
    if (given !== undefined && given.untilMs > nowMs) return given.nonce
    const nonce = this.#random.uuid()
    this.#nonces.set(publicKey, { nonce, untilMs: nowMs + VALID_MS })
    return nonce
  }

  /** True once for each that was given. */
  take(publicKey: string, nonce: string): boolean {
    const given = this.#nonces.get(publicKey)
    if (nonce === '' || given?.nonce !== nonce || given.untilMs <= this.#clock.monotonicMs()) return false
    this.#nonces.delete(publicKey)
    return true
  }
}
