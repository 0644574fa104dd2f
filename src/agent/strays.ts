/** Looks now and then for what no allocation of this host claims any more: processes, networks, folders. */
import { type Clock, explainError, type Logger } from '../domain/index.js'
import type { Driver } from './driver.js'
import type { AllocationDirectories, HookPorts } from './ports.js'

export interface StraysDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly drivers: readonly Driver[]
  readonly directories: AllocationDirectories
  readonly network: HookPorts['network']
  /** By the id of an allocation: it is held here, ended or not. */
  readonly isKnown: (allocationId: string) => boolean
  /** It is held here, and has not ended. */
  readonly isLiving: (allocationId: string) => boolean
  /** What is to be looked at as often. */
  readonly also: () => void
}

const EVERY_MS = 60_000

export class Strays {
  readonly #deps: StraysDeps
  #cancel = () => {}

  constructor(deps: StraysDeps) {
    this.#deps = deps
  }

  /** Not before the server was heard: what this host has forgotten may be wanted, and is found again when it is named. */
  start(): void {
    const { clock, isLiving, also } = this.#deps
    this.#cancel()
    this.#cancel = clock.after(EVERY_MS, () => this.start())
    void this.endUnclaimed(isLiving).then(() => this.#releaseNetworks())
    also()
    void this.#removeFolders()
  }

  close(): void {
    this.#cancel()
  }

  async endUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<void> {
    const { drivers, logger } = this.#deps
    for (const driver of drivers) {
      try {
        const count = await driver.endUnclaimed(isClaimed)
        if (count > 0) logger.warn({ driver: driver.name, count }, 'ended what no allocation of this host claims')
      } catch (error) {
        logger.warn({ driver: driver.name, error: explainError(error) }, 'runs could not be looked through')
      }
    }
  }

  async #releaseNetworks(): Promise<void> {
    const { network, logger, isLiving } = this.#deps
    const count = await network.releaseUnclaimed(isLiving)
    if (count > 0) logger.info({ count }, 'gave back networks that no allocation of this host claims')
  }

  async #removeFolders(): Promise<void> {
    const { directories, logger, isKnown } = this.#deps
    try {
      for (const id of await directories.list()) if (!isKnown(id)) await directories.remove(id)
    } catch (error) {
      logger.warn({ error: explainError(error) }, 'folders without an allocation could not be removed')
    }
  }
}
