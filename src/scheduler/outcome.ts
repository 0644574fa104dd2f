/** How an evaluation ends, and what it leaves behind for what could not be placed (Nomad docs, "Placement"). */
import type { Evaluation, Node, SchedulingResult } from '../domain/index.js'
import type { PlanBuilder } from './plan-builder.js'
import type { Writable } from './writable.js'

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
  if (plan.failed.size === 0) return { plan: plan.build(), evaluation: completed(plan, deploymentId, undefined), created: plan.followUps }
  if (evaluation.Status === 'blocked') {
    const waiting = { ...withOutcome(plan, deploymentId), ...blockedBy(eligibilityOf()) }
    return { plan: plan.build(), evaluation: waiting, created: plan.followUps }
  }
  const blocked = blockedEvaluation(plan, eligibilityOf(), newId(), node)
  return { plan: plan.build(), evaluation: completed(plan, deploymentId, blocked.ID), created: [...plan.followUps, blocked] }
}

function withOutcome(plan: PlanBuilder, deploymentId: string | undefined): Writable<Evaluation> {
  const row: Writable<Evaluation> = { ...plan.evaluation }
  row.QueuedAllocations = Object.fromEntries(plan.queued)
  // What was missing when it was blocked is there now.
  if (plan.failed.size > 0) row.FailedTGAllocs = Object.fromEntries(plan.failed)
  else delete row.FailedTGAllocs
  if (deploymentId !== undefined) row.DeploymentID = deploymentId
  return row
}

function completed(plan: PlanBuilder, deploymentId: string | undefined, blockedId: string | undefined): Evaluation {
  const row = withOutcome(plan, deploymentId)
  const last = plan.followUps.at(-1)
  row.Status = 'complete'
  row.PlanAnnotations = { DesiredTGUpdates: plan.desired, PreemptedAllocs: null }
  if (last !== undefined) row.NextEval = last.ID
  if (blockedId !== undefined) row.BlockedEval = blockedId
  if (row.StatusDescription !== undefined) delete row.StatusDescription
  return row
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
