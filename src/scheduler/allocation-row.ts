/** The row of an allocation that is to be placed. */
import { type Allocation, type Job, type TaskGroup, unixNanoseconds, ZERO_TIME } from '../domain/index.js'
import type { Choice } from './rank/selector.js'
import type { Writable } from './writable.js'

export interface NewAllocation {
  readonly id: string
  readonly name: string
  readonly evaluationId: string
  readonly job: Job
  readonly group: TaskGroup
  readonly choice: Choice
  readonly nowMs: number
}

export const UNJUDGED_CANARY = Object.freeze({ Healthy: null, Timestamp: ZERO_TIME, Canary: true, ModifyIndex: 0 })

/** Indexes are filled in when the plan is applied; what only some have is the caller's to add. */
export function newAllocation({ id, name, evaluationId, job, group, choice, nowMs }: NewAllocation): Writable<Allocation> {
  const row: Writable<Allocation> = {
    ID: id,
    Namespace: job.Namespace,
    EvalID: evaluationId,
    Name: name,
    NodeID: choice.node.ID,
    NodeName: choice.node.Name,
    JobID: job.ID,
    JobCreateIndex: job.CreateIndex,
    JobVersion: job.Version,
    TaskGroup: group.Name,
    AllocatedResources: choice.resources,
    Metrics: choice.metric,
    DesiredStatus: 'run',
    ClientStatus: 'pending',
    CreateIndex: 0,
    ModifyIndex: 0,
    AllocModifyIndex: 0,
    CreateTime: unixNanoseconds(nowMs),
    ModifyTime: unixNanoseconds(nowMs),
  }
  if (choice.victims.length > 0) row.PreemptedAllocations = choice.victims.map((victim) => victim.ID)
  return row
}
