/** How long it takes from a placement until its host first tells of it, since the start of this server. */
import { type Allocation, type Clock, type Histogram, type HistogramReading, MILLISECOND, newSeconds } from '../domain/index.js'
import type { StateView } from '../state/index.js'

export class AssignmentTimes {
  readonly #clock: Pick<Clock, 'wallMs'>
  readonly #startedMs: number
  readonly #seconds: Histogram = newSeconds()

  /** @param view as it changes: what stands in it already is not counted */
  constructor(view: StateView, clock: Pick<Clock, 'wallMs'>) {
    this.#clock = clock
    this.#startedMs = clock.wallMs()
    view.allocations.observe((before, after) => {
      if (before !== undefined && after !== undefined && !isTold(before) && isTold(after)) this.#note(after)
    })
  }

  get seconds(): HistogramReading {
    return this.#seconds
  }

  /** What was placed before this server ran waited for it, too. */
  #note({ CreateTime }: Allocation): void {
    const placedMs = CreateTime / MILLISECOND
    if (placedMs >= this.#startedMs) this.#seconds.add((this.#clock.wallMs() - placedMs) / 1000)
  }
}

/** A host tells of the tasks with the first word that it says of an allocation. */
function isTold({ TaskStates }: Allocation): boolean {
  return Object.keys(TaskStates ?? {}).length > 0
}
