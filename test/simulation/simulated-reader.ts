/**
 * Somebody who reads the API again and again, some of the time by blocking queries.
 *
 * I13 No index this reader has seen goes backwards, over crashes and new leaders too. P1 What it was told is in the log.
 */
import type { Server } from '../../src/controller/index.js'
import type { State, TableName } from '../../src/state/index.js'
import { Violation } from '../checkers.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimulatedProcess } from './simulated-process.js'

type Answer = { readonly index: number; readonly keys: readonly string[]; readonly newestRow: number }

const TABLES: readonly TableName[] = ['jobs', 'allocations', 'evaluations', 'deployments', 'nodes']
const PAUSE_MS = 700
const WAIT_MS = 5_000

export class SimulatedReader {
  readonly #table: TableName
  readonly #seen = new Map<TableName, number>()
  readonly #process: SimulatedProcess
  readonly #server: () => Server | undefined
  readonly #durable: () => State
  readonly #onViolation: (violation: unknown) => void

  constructor(
    process: SimulatedProcess,
    random: SeededRandom,
    server: () => Server | undefined,
    durable: () => State,
    onViolation: (violation: unknown) => void,
  ) {
    this.#process = process
    this.#table = random.pick(TABLES)
    this.#server = server
    this.#durable = durable
    this.#onViolation = onViolation
    this.#again()
  }

  #again(): void {
    this.#process.clock.after(PAUSE_MS, () => {
      this.#readOnce()
        .catch((error: unknown) => {
          // No leader, or one that stopped meanwhile: a reader asks again, as clients do.
          if (error instanceof Violation) this.#onViolation(error)
        })
        .finally(() => this.#again())
    })
  }

  async #readOnce(): Promise<void> {
    const server = this.#server()
    if (server === undefined) return
    const seen = this.#seen.get(this.#table) ?? 0
    let viewIndex = 0
    const ask = () =>
      server.reader.read((view): Answer => {
        viewIndex = view.index
        const table = view[this.#table] as unknown as { index: number; all(): readonly object[] }
        const rows = table.all()
        const newestRow = Math.max(0, ...rows.map((row) => (row as { ModifyIndex: number }).ModifyIndex))
        return { index: table.index, keys: rows.map(keyOf), newestRow }
      })
    const first = await ask()
    this.#check(first)
    if (first.index > seen) return
    const abort = new AbortController()
    const cancel = this.#process.clock.after(WAIT_MS, () => abort.abort())
    await server.reader.changed([{ table: this.#table }], viewIndex, abort.signal)
    cancel()
    this.#check(await ask())
  }

  #check({ index, keys, newestRow }: Answer): void {
    const seen = this.#seen.get(this.#table) ?? 0
    const durable = this.#durable()
    if (index < seen) throw new Violation('I13', `the index of ${this.#table} went from ${seen} to ${index}`)
    if (newestRow > index) throw new Violation('I13', `${this.#table} was told at index ${index} with a row of ${newestRow}`)
    if (index > durable.index)
      throw new Violation('P1', `a reader was told of index ${index} of ${this.#table}, durable is ${durable.index}`)
    this.#seen.set(this.#table, index)
    const table = durable[this.#table] as unknown as { index: number; get(key: string): object | undefined }
    // Only comparable while nothing of the table has changed since.
    if (table.index !== index) return
    for (const key of keys)
      if (table.get(key) === undefined) throw new Violation('P1', `a reader was shown ${this.#table} ${key}, which is not in the log`)
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function keyOf(row: object): string {
  const { Namespace, ID } = row as { Namespace?: string; ID: string }
  return UUID.test(ID) || Namespace === undefined ? ID : `${Namespace}\u0000${ID}`
}
