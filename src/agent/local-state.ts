/**
 * What this agent must still know after a crash, in its small store. All that is saved in one turn is one write, so an order
 * and what follows from it become durable together or not at all. One write at a time: what is saved meanwhile is the next, and an older
 * value is never written over a newer one.
 */
import { type AllocationReport, type Clock, explainError, type Logger, type Node } from '../domain/index.js'
import type { AllocationRecord } from './allocation-runner.js'
import type { LocalStore } from './ports.js'

export interface AgentRecord {
  /** Empty: never joined. */
  readonly clusterId: string
  /** Highest epoch ever heard: nothing older is obeyed. */
  readonly epoch: number
  /** Newest version acted upon under `versionEpoch`: nothing older of that epoch is obeyed. */
  readonly version: number
  readonly versionEpoch: number
  /** The node as the server has declared it. */
  readonly node: Node | null
  /** Of the newest report; never reused. */
  readonly reportNumber: number
  /** Public keys by which this host knows its server. Empty: it never joined one that has a key. */
  readonly serverKeys: readonly string[]
}

export interface OutboxEntry {
  readonly number: number
  readonly report: AllocationReport
}

const NEVER_JOINED: AgentRecord = { clusterId: '', epoch: 0, version: 0, versionEpoch: 0, node: null, reportNumber: 0, serverKeys: [] }
const RETRY_MS = 1_000
const WRITE_AFTER_MS = 10

export const allocationKey = (id: string) => `allocation/${id}`
export const outboxKey = (id: string) => `outbox/${id}`

export class LocalState {
  readonly #store: LocalStore
  readonly #clock: Clock
  readonly #logger: Logger
  #agent: AgentRecord
  #changes: Record<string, unknown> = {}
  /** The write that takes up `#changes` as soon as the one before it is through. */
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()
  /** Lets `#next` begin as soon as the last is through. */
  #open = () => {}

  constructor(store: LocalStore, clock: Clock, logger: Logger) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
    this.#agent = { ...NEVER_JOINED, ...(store.get('agent') as AgentRecord | undefined) }
  }

  get agent(): AgentRecord {
    return this.#agent
  }

  allocations(): readonly AllocationRecord[] {
    return this.#all(allocationKey('')) as readonly AllocationRecord[]
  }

  outbox(): readonly OutboxEntry[] {
    return this.#all(outboxKey('')) as readonly OutboxEntry[]
  }

  #all(prefix: string): readonly unknown[] {
    return this.#store.keys(prefix).map((key) => this.#store.get(key))
  }

  saveAgent(change: Partial<AgentRecord>): Promise<void> {
    this.#agent = { ...this.#agent, ...change }
    return this.save({ agent: this.#agent })
  }

  /**
   * Resolves when the changes are durable, with all others of this turn. `undefined` deletes. Unless somebody waits for `written`, that
   * is after a moment, so that what follows from one event is one write.
   */
  save(changes: Readonly<Record<string, unknown>>): Promise<void> {
    Object.assign(this.#changes, changes)
    if (this.#next !== undefined) return this.#next
    const opened = new Promise<void>((resolve) => {
      const cancel = this.#clock.after(WRITE_AFTER_MS, resolve)
      this.#open = () => {
        cancel()
        resolve()
      }
    })
    this.#next = Promise.all([this.#last, opened]).then(() => this.#flush())
    this.#last = this.#next
    return this.#next
  }

  /** Resolves when all that was saved is durable, and sees to it that this is now. */
  written(): Promise<void> {
    this.#open()
    return this.#last
  }

  async #flush(): Promise<void> {
    const changes = this.#changes
    this.#changes = {}
    this.#next = undefined
    for (let failures = 0; ; failures++) {
      try {
        await this.#store.write(changes)
        if (failures > 0) this.#logger.info({ failures }, 'local state is written again')
        return
      } catch (error) {
        // What is not written must not be acted upon: everything that waits for it waits on.
        if (failures === 0) this.#logger.error({ error: explainError(error) }, 'local state could not be written, trying again')
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve))
      }
    }
  }
}
