/** Notices when the connection to the broker is lost and when it is back, and says each once: all that a server or an agent knows of the other side comes by it. */
import type { Bus, Clock, Logger } from '../domain/index.js'

export interface BrokerWatchDeps {
  readonly bus: Pick<Bus, 'isConnected' | 'onConnectionChange'>
  readonly clock: Clock
  readonly logger: Logger
  /** @param awayMs how long it was away; undefined: it has just been lost */
  readonly onChange?: ((awayMs: number | undefined) => void) | undefined
}

export class BrokerWatch {
  readonly #deps: BrokerWatchDeps
  readonly #unsubscribe: () => void
  /** Monotonic. */
  #lostMs: number | undefined

  constructor(deps: BrokerWatchDeps) {
    this.#deps = deps
    if (!deps.bus.isConnected()) this.#onChange(false)
    this.#unsubscribe = deps.bus.onConnectionChange((isConnected) => this.#onChange(isConnected))
  }

  /** How long the broker has been away; 0 while it is there. */
  get awayMs(): number {
    return this.#lostMs === undefined ? 0 : this.#deps.clock.monotonicMs() - this.#lostMs
  }

  close(): void {
    this.#unsubscribe()
  }

  #onChange(isConnected: boolean): void {
    const { clock, logger, onChange } = this.#deps
    if (isConnected === (this.#lostMs === undefined)) return
    const awayMs = this.#lostMs === undefined ? undefined : clock.monotonicMs() - this.#lostMs
    this.#lostMs = isConnected ? undefined : clock.monotonicMs()
    if (awayMs === undefined) logger.warn({}, 'the broker is away')
    else logger.info({ awayMs: Math.round(awayMs) }, 'the broker is back')
    onChange?.(awayMs)
  }
}

/** For people. */
export function describeBroker(awayMs: number | undefined): string {
  return awayMs === undefined ? 'lost the broker; tasks keep running' : `the broker is back after ${Math.round(awayMs / 1000)} s`
}
