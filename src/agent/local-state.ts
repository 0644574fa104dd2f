/**
 * What this agent must still know after a crash, in its small store. All that is saved in one turn is one write, so an order
 * and what follows from it become durable together or not at all. One write at a time: what is saved meanwhile is the next, and an older
 * value is never written over a newer one.
 */
import { type AllocationReport, type Clock, explainError, type Logger, type Node } from '../domain/index.js'
import type { AllocationRecord } from './allocation-record.js'
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

interface Quarantined {
  readonly allocationId: string
  readonly reason: string
}

const NEVER_JOINED: AgentRecord = { clusterId: '', epoch: 0, version: 0, versionEpoch: 0, node: null, reportNumber: 0, serverKeys: [] }
const RETRY_MS = 1_000
const WRITE_AFTER_MS = 10

export const allocationKey = (id: string) => `allocation/${id}`
export const outboxKey = (id: string) => `outbox/${id}`
export const quarantineKey = (id: string) => `quarantine/${id}`

/** What is there and cannot be read, by its key's last part. */
export interface Unreadable {
  readonly id: string
  readonly reason: string
}

interface Readings<Value> {
  readonly values: readonly Value[]
  readonly unreadable: readonly Unreadable[]
}

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
    this.#agent = { ...NEVER_JOINED, ...this.#read<AgentRecord>('agent') }
  }

  get agent(): AgentRecord {
    return this.#agent
  }

  allocations(): Readings<AllocationRecord> {
    return this.#all(allocationKey(''), (id, { allocation }: AllocationRecord) => allocation.ID === id)
  }

  /** One that cannot be read is told anew by whoever it is about. */
  outbox(): readonly OutboxEntry[] {
    return this.#all(outboxKey(''), (id, { report, number }: OutboxEntry) => report.ID === id && Number.isInteger(number)).values
  }

  /** Why, by allocation. */
  quarantined(): readonly (readonly [allocationId: string, reason: string])[] {
    const isWhole = (id: string, { allocationId }: Quarantined) => allocationId === id
    const { values, unreadable } = this.#all(quarantineKey(''), isWhole)
    return [
      ...values.map(({ allocationId, reason }) => [allocationId, reason] as const),
      ...unreadable.map(({ id, reason }) => [id, reason] as const),
    ]
  }

  /** @param isOf false, or an error: it is no such thing, or of another key */
  #all<Value>(prefix: string, isOf: (id: string, value: Value) => boolean): Readings<Value> {
    const values: Value[] = []
    const unreadable: Unreadable[] = []
    for (const key of this.#store.keys(prefix)) {
      const id = key.slice(prefix.length)
      const { value, problem } = this.#tryRead<Value>(key)
      const reason = problem ?? problemOf(id, value, isOf)
      if (reason === undefined) values.push(value!)
      else {
        unreadable.push({ id, reason })
        this.#putAside(key, reason)
      }
    }
    return { values, unreadable }
  }

  #read<Value>(key: string): Value | undefined {
    const { value, problem } = this.#tryRead<Value>(key)
    if (problem !== undefined) this.#putAside(key, problem)
    return value
  }

  #tryRead<Value>(key: string): { readonly value?: Value; readonly problem?: string } {
    try {
      return { value: this.#store.get(key) as Value }
    } catch (error) {
      return { problem: explainError(error) }
    }
  }

  #putAside(key: string, reason: string): void {
    this.#logger.error({ key, reason }, 'part of the local state is damaged and is put aside')
    this.#store.setAside(key).catch((error: unknown) => this.#logger.warn({ key, error: explainError(error) }, 'it could not be put aside'))
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

function problemOf<Value>(id: string, value: Value | undefined, isOf: (id: string, value: Value) => boolean): string | undefined {
  try {
    return isOf(id, value as Value) ? undefined : 'it is of something else'
  } catch {
    return 'it is no such record'
  }
}
