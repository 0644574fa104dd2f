/**
 * What has ended stays for a while, so that people can look at its files and logs: the oldest go first, by age, by number and when the disk
 * fills; and all go that the server has forgotten. Nothing goes whose end the server has not taken note of.
 */
import { type Clock, explainError, type Logger } from '../domain/index.js'
import type { AllocationShell } from './allocation-shell.js'

export interface CollectionRules {
  /** So many are kept. */
  readonly endedMax: number
  readonly ageMsMax: number
  /** Above this share of the disk nothing that has ended is kept; likewise of its inodes. */
  readonly diskPercentMax: number
  readonly inodePercentMax: number
}

export const COLLECTION_DEFAULTS: CollectionRules = {
  endedMax: 50,
  ageMsMax: 7 * 24 * 3_600_000,
  diskPercentMax: 80,
  inodePercentMax: 70,
}

/** Of the file system that holds the allocations. */
export interface DiskShare {
  readonly usedPercent: number
  readonly inodesUsedPercent: number
}

export interface EndedAllocationsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly rules: CollectionRules
  readonly shells: () => Iterable<AllocationShell>
  /** The server names it, or has not taken note of its end. */
  readonly isHeld: (allocationId: string) => boolean
  readonly forget: (shell: AllocationShell) => Promise<void>
  readonly diskShare: () => Promise<DiskShare>
  /** Those of the ids that the server knows nothing of. Rejects when no server answers. */
  readonly askForgotten: (ids: readonly string[]) => Promise<readonly string[]>
}

const LOOK_EVERY_MS = 60_000

export class EndedAllocations {
  readonly #deps: EndedAllocationsDeps
  #cancel = () => {}
  #isClosed = false
  #isLooking = false

  constructor(deps: EndedAllocationsDeps) {
    this.#deps = deps
  }

  /** Looks from now on. */
  start(): void {
    this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => {
      void this.#look()
      this.start()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  /** Those that are too many or too old go; cheap enough for every set. */
  collect(): void {
    const { rules, clock } = this.#deps
    const ended = this.#collectable()
    const oldMs = clock.wallMs() - rules.ageMsMax
    const surplus = ended.length - rules.endedMax
    for (const [at, shell] of ended.entries()) if (at < surplus || endedMsOf(shell) <= oldMs) void this.#deps.forget(shell)
  }

  /** Now, whatever the rules say: one, or all. */
  collectNow(allocationId: string | undefined): void {
    for (const shell of this.#collectable()) if (allocationId === undefined || shell.id === allocationId) void this.#deps.forget(shell)
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      this.collect()
      await this.#collectForgotten()
      await this.#makeRoom()
    } catch (error) {
      this.#deps.logger.warn({ error: explainError(error) }, 'what has ended could not be looked through')
    } finally {
      this.#isLooking = false
    }
  }

  async #collectForgotten(): Promise<void> {
    const ended = this.#collectable()
    if (ended.length === 0) return
    const forgotten = new Set(await this.#deps.askForgotten(ended.map(({ id }) => id)).catch(() => []))
    for (const shell of ended) if (forgotten.has(shell.id)) await this.#deps.forget(shell)
  }

  /** One after the other: each may have been what filled the disk. */
  async #makeRoom(): Promise<void> {
    const { rules, diskShare, logger } = this.#deps
    for (const shell of this.#collectable()) {
      const { usedPercent, inodesUsedPercent } = await diskShare()
      if (this.#isClosed || (usedPercent <= rules.diskPercentMax && inodesUsedPercent <= rules.inodePercentMax)) return
      logger.info({ allocationId: shell.id, usedPercent, inodesUsedPercent }, 'an ended allocation goes because the disk is full')
      await this.#deps.forget(shell)
    }
  }

  /** Oldest first. */
  #collectable(): readonly AllocationShell[] {
    const ended = [...this.#deps.shells()].filter(({ id, runner }) => runner.hasEnded && !this.#deps.isHeld(id))
    return ended.sort((a, b) => endedMsOf(a) - endedMsOf(b))
  }
}

function endedMsOf({ runner }: AllocationShell): number {
  return runner.record.endedMs ?? 0
}
