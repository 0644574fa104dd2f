/**
 * Reports that the server has not acknowledged yet: the newest of each allocation, numbered. A newer report of the same
 * allocation takes the place of an older one; only an acknowledgement of exactly what was sent removes it. What is told has been
 * written down before: a crash takes back nothing that the server has heard.
 */
import type { AllocationReport } from '../domain/index.js'
import { type LocalState, type OutboxEntry, outboxKey } from './local-state.js'

/** Well below what one message may hold. */
const REPORTS_PER_BATCH = 32

export class Outbox {
  readonly #local: LocalState
  readonly #onReady: () => void
  readonly #entries: Map<string, OutboxEntry>
  /** Numbers of entries that are not on disk yet. */
  readonly #unwritten = new Set<number>()
  #number: number

  /** @param onReady there is something to send that was not there before */
  constructor(local: LocalState, onReady: () => void) {
    this.#local = local
    this.#onReady = onReady
    this.#entries = new Map(local.outbox().map((entry) => [entry.report.ID, entry]))
    this.#number = Math.max(local.agent.reportNumber, ...[...this.#entries.values()].map(({ number }) => number))
  }

  /** Of the newest report ever made here. */
  get number(): number {
    return this.#number
  }

  /** Something can be sent. */
  get isReady(): boolean {
    return this.#sendable().length > 0
  }

  holds(allocationId: string): boolean {
    return this.#entries.has(allocationId)
  }

  /** Takes a report in; durable with all else that is saved in this turn. */
  async put(report: AllocationReport): Promise<void> {
    this.#number++
    const entry = { number: this.#number, report }
    this.#entries.set(report.ID, entry)
    this.#unwritten.add(entry.number)
    void this.#local.saveAgent({ reportNumber: this.#number })
    await this.#local.save({ [outboxKey(report.ID)]: entry })
    this.#unwritten.delete(entry.number)
    this.#onReady()
  }

  /** The oldest reports. `number` is that of the newest of them. */
  batch(): { readonly number: number; readonly reports: readonly AllocationReport[] } {
    const entries = this.#sendable().slice(0, REPORTS_PER_BATCH)
    return { number: entries.at(-1)?.number ?? 0, reports: entries.map(({ report }) => report) }
  }

  /** Everything up to `number` has arrived for good. */
  acknowledge(number: number): Promise<void> {
    const arrived = [...this.#entries.values()].filter((entry) => entry.number <= number)
    for (const { report } of arrived) this.#entries.delete(report.ID)
    return this.#local.save(Object.fromEntries(arrived.map(({ report }) => [outboxKey(report.ID), undefined])))
  }

  /** In order, up to the first that is not on disk: an acknowledgement takes all before it along. */
  #sendable(): readonly OutboxEntry[] {
    const entries = [...this.#entries.values()].sort((a, b) => a.number - b.number)
    const end = entries.findIndex(({ number }) => this.#unwritten.has(number))
    return end < 0 ? entries : entries.slice(0, end)
  }
}
