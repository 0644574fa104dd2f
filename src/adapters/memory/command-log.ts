/**
 * A log in memory, for tests and the simulation. `MemoryLogStore` is the disk, which outlives any process;
 * `MemoryCommandLog` is one process's handle on it, with the delays and losses of a network in between.
 */

import type { AppendOutcome, CommandLog, LogRecord, Snapshot } from '../../controller/index.js'
import { type Clock, DataDamagedError, type LogIndex } from '../../domain/index.js'

type Answer = 'durable' | 'refused' | 'lease-held'

export class MemoryLogStore {
  readonly records: LogRecord[] = []
  readonly snapshots: Snapshot[] = []
  /** Which process wrote each record, by its hash. */
  readonly writers = new Map<string, string>()
  epoch = 0
  /** When the leader was last heard, on the store's own clock. */
  #heardMs = Number.NEGATIVE_INFINITY
  readonly #nowMs: () => number
  readonly leaseMs: number

  constructor(nowMs: () => number, leaseMs: number) {
    this.#nowMs = nowMs
    this.leaseMs = leaseMs
  }

  get nextIndex(): LogIndex {
    const last = this.records.at(-1)
    return last === undefined ? (this.snapshots.at(-1)?.index ?? 0) + 1 : last.firstIndex + last.count
  }

  /** All or nothing. Offering the same record again finds it there. */
  offer(record: LogRecord, writer: string): Answer {
    if (this.records.some((known) => known.hash === record.hash)) return 'durable'
    if (record.epoch < this.epoch) return 'refused'
    const last = this.records.at(-1)
    if (record.firstIndex !== this.nextIndex || (last !== undefined && record.previousHash !== last.hash)) return 'refused'
    if (record.epoch > this.epoch && this.#nowMs() - this.#heardMs < this.leaseMs) return 'lease-held'
    this.records.push(record)
    this.writers.set(record.hash, writer)
    this.epoch = record.epoch
    this.#heardMs = this.#nowMs()
    return 'durable'
  }

  saveSnapshot(snapshot: Snapshot): void {
    this.snapshots.push(snapshot)
    if (this.snapshots.length > 2) this.snapshots.shift()
    const older = this.snapshots[0]!.index
    while (this.records.length > 1 && this.records[0]!.firstIndex + this.records[0]!.count - 1 <= older) this.records.shift()
  }
}

/** How one attempt to append fares on its way: after how long it arrives, and whether the answer comes back. */
export type Crossing = () => { readonly delayMs: number; readonly requestLost: boolean; readonly answerLost: boolean }

const SMOOTH: Crossing = () => ({ delayMs: 0, requestLost: false, answerLost: false })
const RETRY_MS = 400

export class MemoryCommandLog implements CommandLog {
  readonly #store: MemoryLogStore
  readonly #clock: Clock
  readonly #cross: Crossing
  readonly #writer: string
  readonly #wire: Pick<Clock, 'after'>
  #confirmedMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  /** @param wire the time of the way to the store, which goes on when the process of `clock` is dead */
  constructor(store: MemoryLogStore, clock: Clock, cross: Crossing = SMOOTH, writer = '', wire: Pick<Clock, 'after'> = clock) {
    this.#store = store
    this.#clock = clock
    this.#cross = cross
    this.#writer = writer
    this.#wire = wire
  }

  async loadSnapshot(): Promise<Snapshot | undefined> {
    return this.#store.snapshots.at(-1)
  }

  async *read(fromIndex: LogIndex): AsyncIterable<LogRecord> {
    const records = this.#store.records.filter((record) => record.firstIndex + record.count > fromIndex)
    if (records.length > 0 && records[0]!.firstIndex > fromIndex) {
      throw new DataDamagedError('LOG_GAP', `the log begins at index ${records[0]!.firstIndex}, after ${fromIndex}`)
    }
    yield* records
  }

  async append(record: LogRecord): Promise<AppendOutcome> {
    const beganMs = this.#clock.monotonicMs()
    // An unknown outcome is resolved by offering the same record again, until the lease would be over anyway.
    for (;;) {
      const sentMs = this.#clock.monotonicMs()
      const answer = await this.#attempt(record)
      if (this.#isClosed) return { kind: 'refused', reason: 'the log was closed' }
      if (answer === 'durable') {
        this.#confirmedMs = sentMs
        return { kind: 'durable' }
      }
      if (answer === 'refused') return { kind: 'refused', reason: 'another leader wrote first' }
      const deadlineMs = answer === 'lease-held' ? 10 * this.#store.leaseMs : this.#store.leaseMs
      if (this.#clock.monotonicMs() - beganMs > deadlineMs) return { kind: 'refused', reason: 'no answer before the lease ended' }
    }
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#store.saveSnapshot(snapshot)
  }

  lease(): { readonly confirmedMs: number; readonly leaseMs: number } {
    return { confirmedMs: this.#confirmedMs, leaseMs: this.#store.leaseMs }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  /** `unknown` when no answer came in the time of a retry. A request on its way arrives even if its sender is dead by then. */
  #attempt(record: LogRecord): Promise<Answer | 'unknown'> {
    const { delayMs, requestLost, answerLost } = this.#cross()
    return new Promise((resolve) => {
      const giveUp = this.#clock.after(RETRY_MS, () => resolve('unknown'))
      if (requestLost) return
      this.#wire.after(delayMs, () => {
        const answer = this.#store.offer(record, this.#writer)
        if (answerLost) return
        this.#clock.after(answer === 'lease-held' ? RETRY_MS : 0, () => {
          giveUp()
          resolve(answer)
        })
      })
    })
  }
}
