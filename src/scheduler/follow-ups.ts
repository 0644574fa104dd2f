/** Delayed evaluations: what is due within the same few seconds shares one (Nomad docs, "Placement"). */
import type { Evaluation, EvaluationTrigger } from '../domain/index.js'
import { rfc3339 } from '../domain/index.js'
import type { PlanBuilder } from './plan-builder.js'
import type { Later } from './reconcile/types.js'

const WINDOW_MS = 5_000
const DESCRIPTIONS: { readonly [Trigger in EvaluationTrigger]?: string } = {
  'alloc-reschedule': 'created for delayed rescheduling',
  'alloc-failure': 'created for delayed rescheduling',
  'max-disconnect-timeout': 'created for delayed disconnect timeout',
}

/** Adds the evaluations to the plan and says which allocation waits for which. */
export function createFollowUps(
  plan: PlanBuilder,
  later: readonly Later[],
  trigger: EvaluationTrigger,
  newId: () => string,
): ReadonlyMap<string, string> {
  const byAllocation = new Map<string, string>()
  let window: { readonly startMs: number; readonly id: string } | undefined
  for (const { allocation, atMs } of [...later].sort((a, b) => a.atMs - b.atMs || (a.allocation.ID < b.allocation.ID ? -1 : 1))) {
    if (window === undefined || atMs - window.startMs >= WINDOW_MS) {
      const isFirst = window === undefined
      window = { startMs: atMs, id: newId() }
      plan.followUps.push(followUp(plan.evaluation, window.id, atMs, trigger, isFirst))
    }
    byAllocation.set(allocation.ID, window.id)
  }
  return byAllocation
}

/** Only the first window of rescheduling is told as such; later ones go by the older name. */
function followUp(evaluation: Evaluation, id: string, atMs: number, trigger: EvaluationTrigger, isFirst: boolean): Evaluation {
  const description = DESCRIPTIONS[trigger]
  return {
    ID: id,
    Namespace: evaluation.Namespace,
    Priority: evaluation.Priority,
    Type: evaluation.Type,
    TriggeredBy: trigger === 'alloc-reschedule' && !isFirst ? 'alloc-failure' : trigger,
    JobID: evaluation.JobID,
    ...(evaluation.JobModifyIndex === undefined ? {} : { JobModifyIndex: evaluation.JobModifyIndex }),
    Status: 'pending',
    ...(isFirst && description !== undefined ? { StatusDescription: description } : {}),
    WaitUntil: rfc3339(atMs),
    PreviousEval: evaluation.ID,
    CreateIndex: 0,
    ModifyIndex: 0,
    CreateTime: 0,
    ModifyTime: 0,
  }
}
