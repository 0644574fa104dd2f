import type { Job } from '../domain/index.js'

/** What the scheduler cannot find in the state. The worker fills it in; a test pins it. */
export interface ScheduleEnv {
  readonly nowMs: number
  readonly newId: () => string
  /** A dry run: this job instead of the stored one, and nothing of the result is meant to be applied. */
  readonly job?: Job
}
