/** Counts what was dropped and says so: the first of each reason at once, then how many there were, once a minute at most. */
import type { Clock, Logger } from '../domain/index.js'
import { DroppedMessage, type DropReason } from './seal.js'

const TELL_EVERY_MS = 60_000

type Tally = { total: number; untold: number; toldMs: number }

export class DroppedMessages {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #tallies = new Map<DropReason, Tally>()

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** By reason, since the start of this process. */
  get counts(): ReadonlyMap<DropReason, number> {
    return new Map([...this.#tallies].map(([reason, { total }]) => [reason, total]))
  }

  /** Carries out what a message asks for. One that must not be heeded ends here; every other error is the caller's. */
  guard<T>(subject: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof DroppedMessage)) throw error
      this.note(error, subject)
      return undefined
    }
  }

  note({ reason, message }: DroppedMessage, subject: string): void {
    const nowMs = this.#clock.monotonicMs()
    const tally = this.#tallies.get(reason) ?? { total: 0, untold: 0, toldMs: Number.NEGATIVE_INFINITY }
    this.#tallies.set(reason, tally)
    tally.total++
    tally.untold++
    if (nowMs - tally.toldMs < TELL_EVERY_MS) return
    this.#logger.warn({ subject, reason, count: tally.untold, total: tally.total, error: message }, 'message dropped')
    tally.untold = 0
    tally.toldMs = nowMs
  }
}
