/** One decision over rows that are simply there: for what is told best by a handful of objects. */
import {
  type Allocation,
  type Deployment,
  type Evaluation,
  type Job,
  type Node,
  SCHEDULER_CONFIGURATION_DEFAULT,
  type SchedulerConfiguration,
  type SchedulingResult,
} from '../../src/domain/index.js'
import { createScheduler } from '../../src/scheduler/index.js'
import { jobKey, State } from '../../src/state/index.js'
import { evaluation, FIXTURE_MS, uuid } from '../fixtures.js'

export interface Rows {
  readonly nodes: readonly Node[]
  /** Every version; the newest of each id is the job. */
  readonly jobs: readonly Job[]
  readonly allocations?: readonly Allocation[]
  readonly deployments?: readonly Deployment[]
  readonly configuration?: Partial<SchedulerConfiguration>
}

const STORED_AT = 100

export function decide({ nodes, jobs, allocations = [], deployments = [], configuration = {} }: Rows): SchedulingResult {
  const state = new State()
  state.index = STORED_AT
  state.atMs = FIXTURE_MS
  state.schedulerConfiguration = { ...SCHEDULER_CONFIGURATION_DEFAULT, ...configuration }
  for (const row of nodes) state.nodes.put(STORED_AT, row)
  for (const row of jobs) {
    state.jobVersions.put(STORED_AT, row)
    const known = state.jobs.get(jobKey(row))
    if (known === undefined || known.Version < row.Version) state.jobs.put(STORED_AT, row)
  }
  for (const row of allocations) state.allocations.put(STORED_AT, row)
  for (const row of deployments) state.deployments.put(STORED_AT, row)
  let made = 0
  const asked: Evaluation = evaluation({ JobID: jobs[0]!.ID, Type: jobs[0]!.Type, Priority: jobs[0]!.Priority })
  return createScheduler(state).schedule(asked, { nowMs: FIXTURE_MS, newId: () => uuid(made++, 0xe0) })
}

export const PREEMPTION_ON: Partial<SchedulerConfiguration> = {
  PreemptionConfig: {
    SystemSchedulerEnabled: true,
    SysBatchSchedulerEnabled: true,
    BatchSchedulerEnabled: true,
    ServiceSchedulerEnabled: true,
  },
}
