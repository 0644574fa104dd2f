/**
 * Reports that the server has not acknowledged yet: the newest of each allocation, numbered. A newer report of the same
 * allocation takes the place of an older one; only an acknowledgement of exactly what was sent removes it.
 */
import type { AllocationReport } from '../domain/index.js'
import { type LocalState, type OutboxEntry, outboxKey } from './local-state.js'

/** Well below what one message may hold. */
const REPORTS_PER_BATCH = 32

export class Outbox {
  readonly #local: LocalState
  readonly #entries: Map<string, OutboxEntry>
  #number: number

  constructor(local: LocalState) {
    this.#local = local
    this.#entries = new Map(local.outbox().map((entry) => [entry.report.ID, entry]))
    this.#number = Math.max(local.agent.reportNumber, ...[...this.#entries.values()].map(({ number }) => number))
  }

  /** Of the newest report ever made here. */
  get number(): number {
    return this.#number
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  holds(allocationId: string): boolean {
    return this.#entries.has(allocationId)
  }

  /** Takes a report in; durable with all else that is saved in this turn. */
  put(report: AllocationReport): Promise<void> {
    this.#number++
    const entry = { number: this.#number, report }
    this.#entries.set(report.ID, entry)
    void this.#local.saveAgent({ reportNumber: this.#number })
    return this.#local.save({ [outboxKey(report.ID)]: entry })
  }

  /** The oldest reports. `number` is that of the newest of them. */
  batch(): { readonly number: number; readonly reports: readonly AllocationReport[] } {
    const entries = [...this.#entries.values()].sort((a, b) => a.number - b.number).slice(0, REPORTS_PER_BATCH)
    return { number: entries.at(-1)?.number ?? 0, reports: entries.map(({ report }) => report) }
  }

  /** Everything up to `number` has arrived for good. */
  acknowledge(number: number): Promise<void> {
    const arrived = [...this.#entries.values()].filter((entry) => entry.number <= number)
    for (const { report } of arrived) this.#entries.delete(report.ID)
    return this.#local.save(Object.fromEntries(arrived.map(({ report }) => [outboxKey(report.ID), undefined])))
  }
}
