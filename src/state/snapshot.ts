/**
 * A snapshot is a cut: in one turn the references of all rows are copied (rows are frozen), then they are encoded in
 * slices while the state goes on. Decoding gives the same state, index for index.
 */
// Without the native reader that 'msgpackr' loads: each short text it reads keeps all that it was read with (findings/).
import { Packr } from 'msgpackr/pack'
import { DataDamagedError, invariant, type Job } from '../domain/index.js'
import type { TableName, Tables } from './schema.js'
import { RestoredJobs } from './shared-parts.js'
import { type Counters, State } from './state.js'

/** 1: each object with the names of its members. 2: names once a slice, a quarter of the bytes and of the time to read them. */
const FORMAT = 2
const FORMATS_READ: readonly unknown[] = [1, FORMAT]
const ROWS_PER_SLICE = 200

const packr = new Packr({ useRecords: true, mapsAsObjects: true, moreTypes: false })

export interface StateCut {
  readonly counters: Counters
  readonly tables: readonly { readonly name: TableName; readonly index: number; readonly rows: readonly object[] }[]
}

type Slice =
  | { readonly format: number; readonly counters: Counters }
  | { readonly table: TableName; readonly index: number; readonly rows: readonly object[] }

export function cutState(state: State): StateCut {
  const { index, atMs, epoch, clusterId, schedulerConfiguration } = state
  return {
    counters: { index, atMs, epoch, clusterId, schedulerConfiguration },
    tables: tablesOf(state).map(([name, table]) => ({ name, index: table.index, rows: [...table.values()] })),
  }
}

/** Length-prefixed slices; the caller may let other work in between two of them. */
export function* encodeCut(cut: StateCut): Generator<Uint8Array> {
  yield frame({ format: FORMAT, counters: cut.counters })
  for (const { name, index, rows } of cut.tables) {
    for (let from = 0; from === 0 || from < rows.length; from += ROWS_PER_SLICE) {
      yield frame({ table: name, index, rows: rows.slice(from, from + ROWS_PER_SLICE) })
    }
  }
}

/** @throws DataDamagedError when the bytes are no snapshot of a known format */
export function decodeSnapshot(bytes: Uint8Array): State {
  const state = new State()
  const slices = unframe(bytes)
  const head = slices.next().value
  if (head === undefined || !('format' in head) || !FORMATS_READ.includes(head.format)) {
    throw new DataDamagedError('SNAPSHOT_FORMAT', `snapshot has no header of format ${FORMAT}; start a server of the version that wrote it`)
  }
  const jobs = new RestoredJobs(state)
  for (const slice of slices) {
    invariant('table' in slice, 'snapshot slice without a table')
    const table = state[slice.table] as unknown as { put(index: number, row: object): void }
    for (const row of slice.rows) table.put(slice.index, restored(jobs, slice.table, row))
    ;(state[slice.table] as { index: number }).index = slice.index
  }
  return Object.assign(state, head.counters)
}

function restored(jobs: RestoredJobs, table: TableName, row: object): object {
  if (table === 'jobs') return jobs.job(row as Job)
  return table === 'jobVersions' ? jobs.version(row as Job) : row
}

export function tablesOf(state: State): readonly (readonly [TableName, Tables[TableName]])[] {
  return Object.entries(state).filter(([, value]) => typeof value === 'object' && value !== null && 'observe' in value) as [
    TableName,
    Tables[TableName],
  ][]
}

function frame(slice: Slice): Uint8Array {
  const body = packr.pack(slice)
  const framed = new Uint8Array(4 + body.length)
  new DataView(framed.buffer).setUint32(0, body.length)
  framed.set(body, 4)
  return framed
}

function* unframe(bytes: Uint8Array): Generator<Slice, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : Number.POSITIVE_INFINITY
    if (at + 4 + length > bytes.length) throw new DataDamagedError('SNAPSHOT_SHORT', `snapshot ends inside the slice at byte ${at}`)
    yield packr.unpack(bytes.subarray(at + 4, at + 4 + length)) as Slice
    at += 4 + length
  }
}
