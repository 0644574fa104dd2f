/**
 * Allocations of which this host cannot read what it had written down. Nobody can say what of them has run and what has not, so they are
 * ended, told as failed, and not begun again; everything else runs on. Remembered until the server names them no more.
 */
import { type AllocationReport, explainError, type Logger } from '../domain/index.js'
import type { Driver } from './driver.js'
import type { LocalState } from './local-state.js'
import { quarantineKey } from './local-state.js'
import type { NetworkPort } from './network.js'
import type { Outbox } from './outbox.js'

export interface QuarantineDeps {
  readonly local: LocalState
  readonly outbox: Outbox
  readonly drivers: readonly Driver[]
  readonly network: NetworkPort
  readonly logger: Logger
}

export class Quarantine {
  readonly #deps: QuarantineDeps
  /** Why, by allocation. */
  readonly #reasons: Map<string, string>
  /** Nothing of them runs any more, and their server has been told. */
  readonly #ended = new Set<string>()

  constructor(deps: QuarantineDeps) {
    this.#deps = deps
    this.#reasons = new Map(deps.local.quarantined())
  }

  has(allocationId: string): boolean {
    return this.#reasons.has(allocationId)
  }

  add(allocationId: string, reason: string): void {
    const { local, logger } = this.#deps
    logger.error({ allocationId, reason }, 'what was written down of an allocation cannot be read: it is ended and told as failed')
    this.#reasons.set(allocationId, reason)
    void local.save({ [quarantineKey(allocationId)]: { allocationId, reason } })
  }

  /** Ends what is left of them and tells of it. What cannot be done now is done when it is called again. */
  async end(): Promise<void> {
    const ids = [...this.#reasons.keys()].filter((id) => !this.#ended.has(id))
    if (ids.length === 0) return
    const isAnother = (id: string) => !ids.includes(id)
    try {
      for (const driver of this.#deps.drivers) await driver.endUnclaimed(isAnother)
      await this.#deps.network.releaseUnclaimed(isAnother)
    } catch (error) {
      this.#deps.logger.warn({ allocations: ids, error: explainError(error) }, 'what cannot be read could not be ended, trying again')
      return
    }
    for (const id of ids) {
      this.#ended.add(id)
      await this.#deps.outbox.put(reportOf(id, this.#reasons.get(id) ?? ''))
    }
  }

  /** Who still wants them to run has not heard of it, or has forgotten it; of what nobody names nobody needs to know. */
  follow(named: ReadonlyMap<string, 'run' | 'stop'>): void {
    for (const [id, reason] of this.#reasons) {
      if (!named.has(id)) this.#forget(id)
      else if (named.get(id) === 'run' && this.#ended.has(id) && !this.#deps.outbox.holds(id))
        void this.#deps.outbox.put(reportOf(id, reason))
    }
  }

  #forget(id: string): void {
    if (!this.#ended.has(id)) return
    this.#reasons.delete(id)
    this.#ended.delete(id)
    void this.#deps.local.save({ [quarantineKey(id)]: undefined })
  }
}

function reportOf(ID: string, reason: string): AllocationReport {
  const ClientDescription = `what this host had written down of it cannot be read: ${reason}`
  return { ID, ClientStatus: 'failed', ClientDescription, TaskStates: {}, Services: [] }
}
