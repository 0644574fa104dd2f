import type { Job } from '../../src/domain/index.js'

/** A scheduler that is fed jobs one after the other and remembers where it has put them. */
export interface Side {
  /** Positions of the nodes that took the job's allocations; fewer than its count when there is no room for the rest. */
  place(job: Job): readonly number[]
}
