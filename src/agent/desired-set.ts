/**
 * From sets to orders. A set is heeded only when its entries have the announced number and hash; then it is compared with what this
 * host holds. Pure.
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

/** Undefined: the entries are not those that the set announces. */
export function wholeSetOf(set: DesiredSet): WholeSet | undefined {
  const { clusterId, epoch, version, entries, jobs } = set
  if (entries.length !== set.count || hashEntries(entries) !== set.hash) return undefined
  return { clusterId, epoch, version, entries, bodies: new Map(set.bodies.map((body) => [body.ID, body])), jobs }
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
