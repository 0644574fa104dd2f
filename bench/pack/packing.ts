/** One side fed with one stream until 25 jobs have failed, and what is seen on the way. */
import type { Job } from '../../src/domain/index.js'
import { askOf, type JobAsk } from './asks.js'
import { Ledger } from './ledger.js'
import type { Side } from './side.js'
import { spreadError } from './spread-error.js'
import type { Instance } from './streams.js'

const FAILURES = 25
const HALF = 0.5

export interface Packing {
  /** Utilisation when a job first found no room for an allocation, and after the last failure; in [0, 1]. */
  readonly first: number
  readonly last: number
  readonly placedCount: number
  readonly nonEmptyAtHalf: number
  readonly bigSlotsAtHalf: number
  /** Allocations that share their node with an earlier one of their job, of all allocations. */
  readonly colocated: number
  /** By number of the job, for jobs with a spread that were placed in full. */
  readonly spreadErrors: ReadonlyMap<number, number>
  /** What all jobs of the stream so far asked for, as utilisation: more than 1 when no packing could hold it. */
  readonly offered: number
}

export function pack(instance: Instance, side: Side): Packing {
  const ledger = new Ledger(instance.nodes)
  const progress = { placedCount: 0, colocatedCount: 0, offeredCpu: 0, offeredMemory: 0, failures: 0, number: 0 }
  const spreadErrors = new Map<number, number>()
  let first: number | undefined
  let half: { readonly nonEmptyAtHalf: number; readonly bigSlotsAtHalf: number } | undefined
  for (const job of instance.jobs()) {
    const ask = askOf(job)
    const placed = side.place(job)
    count(progress, ask, placed)
    for (const position of placed) ledger.add(position, ask)
    if (half === undefined && ledger.utilisation >= HALF)
      half = { nonEmptyAtHalf: ledger.nonEmptyCount, bigSlotsAtHalf: ledger.bigSlotShare }
    if (placed.length === ask.count) noteSpread(spreadErrors, progress.number, job, placed, instance)
    else {
      first ??= ledger.utilisation
      if (++progress.failures === FAILURES) break
    }
    progress.number++
  }
  return {
    first: first!,
    last: ledger.utilisation,
    placedCount: progress.placedCount,
    ...(half ?? { nonEmptyAtHalf: Number.NaN, bigSlotsAtHalf: Number.NaN }),
    colocated: progress.colocatedCount / progress.placedCount,
    spreadErrors,
    offered: ledger.shareOf(progress.offeredCpu, progress.offeredMemory),
  }
}

interface Progress {
  placedCount: number
  colocatedCount: number
  offeredCpu: number
  offeredMemory: number
}

function count(progress: Progress, { cpuMhz, memoryMb, count: asked }: JobAsk, placed: readonly number[]): void {
  progress.placedCount += placed.length
  progress.colocatedCount += placed.length - new Set(placed).size
  progress.offeredCpu += asked * cpuMhz
  progress.offeredMemory += asked * memoryMb
}

function noteSpread(errors: Map<number, number>, number: number, job: Job, placed: readonly number[], { nodes }: Instance): void {
  const [spread] = job.Spreads ?? []
  if (spread !== undefined) errors.set(number, spreadError(spread, nodes, placed))
}
