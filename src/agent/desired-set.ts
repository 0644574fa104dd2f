/**
 * From parts to orders. A set is complete only when all its parts are there and their entries have the announced number and
 * hash; until then nothing is done. What is complete is compared with what this host holds. Pure.
 */
import type { Allocation, Job } from '../domain/index.js'
import { hashEntries } from './messages.js'
import type { DesiredEntry, DesiredSet } from './protocol.js'

export interface WholeSet {
  readonly clusterId: string
  readonly epoch: number
  readonly version: number
  readonly entries: readonly DesiredEntry[]
  readonly bodies: ReadonlyMap<string, Allocation>
  readonly jobs: readonly Job[]
}

/** Collects the parts of the newest set that has been begun; parts of older ones are dropped. */
export class DesiredSetAssembler {
  #parts = new Map<number, DesiredSet>()
  #current: DesiredSet | undefined

  /** The set that `part` completes. `damaged`: all parts are there and they contradict what they announced. */
  add(part: DesiredSet): { readonly kind: 'whole'; readonly set: WholeSet } | { readonly kind: 'incomplete' | 'damaged' } {
    if (this.#current === undefined || !isSameSet(this.#current, part)) {
      if (this.#current !== undefined && isOlder(part, this.#current)) return { kind: 'incomplete' }
      this.#current = part
      this.#parts = new Map()
    }
    this.#parts.set(part.part, part)
    if (this.#parts.size < part.parts) return { kind: 'incomplete' }
    const parts = [...this.#parts.values()].sort((a, b) => a.part - b.part)
    this.#current = undefined
    this.#parts = new Map()
    return assemble(parts)
  }
}

function isSameSet(a: DesiredSet, b: DesiredSet): boolean {
  return a.epoch === b.epoch && a.version === b.version && a.parts === b.parts && a.baseVersion === b.baseVersion && a.hash === b.hash
}

function isOlder(a: DesiredSet, b: DesiredSet): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.version < b.version)
}

/** @param parts of one set, in order */
export function assemble(
  parts: readonly DesiredSet[],
): { readonly kind: 'whole'; readonly set: WholeSet } | { readonly kind: 'incomplete' | 'damaged' } {
  const first = parts[0]
  if (first === undefined || parts.length !== first.parts || !parts.every((part) => isSameSet(part, first))) return { kind: 'incomplete' }
  const entries = parts.flatMap((part) => part.entries)
  if (entries.length !== first.count || hashEntries(entries) !== first.hash) return { kind: 'damaged' }
  const bodies = new Map(parts.flatMap((part) => part.bodies.map((body): [string, Allocation] => [body.ID, body])))
  const { clusterId, epoch, version } = first
  return { kind: 'whole', set: { clusterId, epoch, version, entries, bodies, jobs: parts.flatMap((part) => part.jobs) } }
}

/** What this host knows of one allocation, as far as it matters here. */
export interface Held {
  readonly allocation: Allocation
  readonly job: Job
  readonly clusterId: string
}

export type Order =
  | { readonly kind: 'desired'; readonly id: string; readonly allocation: Allocation; readonly job: Job; readonly want: 'run' | 'stop' }
  | { readonly kind: 'absent'; readonly id: string }

/**
 * What the set asks of this host. `isWhole` false: a body or its job was missing; what runs is kept and the set must be
 * pulled. Absence ends only what this cluster placed here.
 */
export function computeOrders(
  set: WholeSet,
  held: ReadonlyMap<string, Held>,
): { readonly orders: readonly Order[]; readonly isWhole: boolean } {
  const orders: Order[] = []
  let isWhole = true
  const named = new Set<string>()
  for (const [id, modifyIndex, want] of set.entries) {
    named.add(id)
    const known = held.get(id)
    if (known !== undefined && known.clusterId === set.clusterId && known.allocation.AllocModifyIndex >= modifyIndex) continue
    const body = set.bodies.get(id)
    const job = body === undefined ? undefined : findJob(body, set.jobs, held)
    if (body === undefined || body.AllocModifyIndex < modifyIndex || job === undefined) isWhole = false
    else orders.push({ kind: 'desired', id, allocation: body, job, want })
  }
  for (const [id, { clusterId }] of held) if (!named.has(id) && clusterId === set.clusterId) orders.push({ kind: 'absent', id })
  return { orders, isWhole }
}

function findJob(allocation: Allocation, jobs: readonly Job[], held: ReadonlyMap<string, Held>): Job | undefined {
  const isIts = (job: Job) =>
    job.Namespace === allocation.Namespace &&
    job.ID === allocation.JobID &&
    job.Version === allocation.JobVersion &&
    job.CreateIndex === allocation.JobCreateIndex
  const given = jobs.find(isIts)
  if (given !== undefined) return given
  const known = held.get(allocation.ID)?.job
  return known !== undefined && isIts(known) ? known : undefined
}
