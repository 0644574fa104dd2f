/** How an evaluation ends, and what it leaves behind for what could not be placed (`reference/scheduler.md` §1.5). */
import type { Evaluation, Node, SchedulingResult } from '../domain/index.js'
import type { PlanBuilder } from './plan-builder.js'

export interface Eligibility {
  readonly classes: Readonly<Record<string, boolean>>
  readonly hasEscaped: boolean
}

export const NOTHING_LOOKED_AT: Eligibility = { classes: {}, hasEscaped: false }

export function concludeEvaluation(
  plan: PlanBuilder,
  /** Asked only when something is left to wait for. */
  eligibilityOf: () => Eligibility,
  deploymentId: string | undefined,
  newId: () => string,
  /** Of a system job: the node whose room is waited for. */
  node?: Node,
): SchedulingResult {
  const { evaluation } = plan
  const queued = Object.fromEntries(plan.queued)
  const failed = plan.failed.size === 0 ? {} : { FailedTGAllocs: Object.fromEntries(plan.failed) }
  const outcome = { QueuedAllocations: queued, ...failed, ...(deploymentId === undefined ? {} : { DeploymentID: deploymentId }) }
  const annotations = plan.build()
  const withAnnotations = { PlanAnnotations: { DesiredTGUpdates: plan.desired, PreemptedAllocs: null } }
  const last = plan.followUps.at(-1)
  const nextEval = last === undefined ? {} : { NextEval: last.ID }
  if (evaluation.Status === 'blocked' && plan.failed.size > 0) {
    return { plan: annotations, evaluation: { ...evaluation, ...outcome, ...blockedBy(eligibilityOf()) }, created: plan.followUps }
  }
  const blocked = plan.failed.size > 0 ? blockedEvaluation(plan, eligibilityOf(), newId(), node) : undefined
  const created = blocked === undefined ? plan.followUps : [...plan.followUps, blocked]
  const { StatusDescription: _, ...rest } = evaluation
  return {
    plan: annotations,
    evaluation: {
      ...rest,
      ...outcome,
      ...nextEval,
      ...withAnnotations,
      ...(blocked === undefined ? {} : { BlockedEval: blocked.ID }),
      Status: 'complete',
    },
    created,
  }
}

function blockedEvaluation(plan: PlanBuilder, eligibility: Eligibility, id: string, node: Node | undefined): Evaluation {
  const { evaluation } = plan
  return {
    ID: id,
    Namespace: evaluation.Namespace,
    Priority: evaluation.Priority,
    Type: evaluation.Type,
    TriggeredBy: 'queued-allocs',
    JobID: evaluation.JobID,
    ...(evaluation.JobModifyIndex === undefined ? {} : { JobModifyIndex: evaluation.JobModifyIndex }),
    Status: 'blocked',
    StatusDescription: 'created to place remaining allocations',
    PreviousEval: evaluation.ID,
    ...(node === undefined ? {} : { NodeID: node.ID }),
    ...blockedBy(eligibility),
    FailedTGAllocs: Object.fromEntries(plan.failed),
    CreateIndex: 0,
    ModifyIndex: 0,
    CreateTime: 0,
    ModifyTime: 0,
  }
}

/** Classes say nothing where some condition escapes them. */
function blockedBy({ classes, hasEscaped }: Eligibility): Pick<Evaluation, 'ClassEligibility' | 'EscapedComputedClass'> {
  if (hasEscaped) return { EscapedComputedClass: true }
  return { EscapedComputedClass: false, ...(Object.keys(classes).length === 0 ? {} : { ClassEligibility: classes }) }
}
