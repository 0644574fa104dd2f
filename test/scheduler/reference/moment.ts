/** The cluster as it would be at one moment of a plan. Nothing is kept: every question goes through every allocation. */
import { type Allocation, isClientTerminal, isTerminal, type Job } from '../../../src/domain/index.js'
import type { StateView } from '../../../src/state/index.js'

export class Moment {
  readonly view: StateView
  readonly stopped = new Set<string>()
  /** Rows as they would be, by id. */
  readonly updates = new Map<string, Allocation>()
  readonly placed: Allocation[] = []

  constructor(view: StateView) {
    this.view = view
  }

  /** What holds a share of the node. Told to stop earlier and still running is still there. */
  proposedOn(nodeId: string): readonly Allocation[] {
    return this.neighboursOn(nodeId).filter((row) => !isClientTerminal(row))
  }

  /** The same, and what has failed and is written about again: others had better go elsewhere. */
  neighboursOn(nodeId: string): readonly Allocation[] {
    const stored = this.view.allocations
      .all()
      .filter((row) => !this.stopped.has(row.ID))
      .flatMap((row) => this.updates.get(row.ID) ?? (isClientTerminal(row) ? [] : [row]))
    return [...stored, ...this.placed].filter((row) => row.NodeID === nodeId)
  }

  /** Allocations of the job that shall run after the plan. */
  wantedOf(job: Job): readonly Allocation[] {
    const stored = this.view.allocations
      .all()
      .filter((row) => !isTerminal(row) && !this.stopped.has(row.ID))
      .map((row) => this.updates.get(row.ID) ?? row)
    return [...stored, ...this.placed].filter((row) => row.JobID === job.ID && row.Namespace === job.Namespace)
  }
}
