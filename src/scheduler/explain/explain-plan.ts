/** Why a plan does what it does: each placement, each end, and what has no node. */
import type { Allocation, AllocationStop, Job, Reason, SchedulingResult } from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import { explainPlacement } from './explain-placement.js'
import { explainShortfall } from './explain-shortfall.js'
import { explainStop, preemptorOf } from './explain-stop.js'

/**
 * @param view as it was when the plan was made
 * @param job as the plan wants it, which the tables may not know yet
 */
export function explainPlan(view: StateView, job: Job | undefined, { plan, evaluation }: SchedulingResult): readonly Reason[] {
  const ends = new Map([...plan.Stops, ...plan.Preemptions].map((stop) => [stop.ID, stop]))
  const explainEnd = (stop: AllocationStop): Reason[] => {
    const row: Allocation | undefined = view.allocations.get(stop.ID)
    if (row === undefined) return []
    const preemptedBy = preemptorOf(stop.PreemptedByAllocation, (id) => plan.Placements.find((placed) => placed.ID === id))
    // Whoever is preempted belongs to another job.
    const owner = preemptedBy === undefined ? job : view.jobs.get(ownerKey(row))
    return [explainStop({ row, job: owner, description: stop.DesiredDescription, preemptedBy })]
  }
  return [
    ...[...ends.values()].flatMap(explainEnd),
    ...plan.Placements.map((row) => explainPlacement(view, row, (id) => ends.get(id)?.DesiredDescription)),
    ...Object.entries(evaluation.FailedTGAllocs ?? {}).map(([group, metric]) => explainShortfall(group, metric, [])),
  ]
}
