/**
 * What a new version of the job carries into a running allocation, and what it must replace though it could be carried. The order in which
 * the engine looks at them is not played again: what changes in place fits once all stops are made, what is replaced did not fit before.
 */
import { type Allocation, findTaskGroup, type Job, type Node, type Plan, type TaskGroup } from '../../../src/domain/index.js'
import { IN_PLACE, UPDATING } from '../../../src/scheduler/descriptions.js'
import type { StateView } from '../../../src/state/index.js'
import { isInReach } from '../reference/feasible.js'
import { Moment } from '../reference/moment.js'
import { reasonToLeave } from '../reference/survey.js'
import { Disagreement } from './agreement.js'

export function agreeOnInPlace(view: StateView, job: Job, plan: Plan): void {
  // The description of an earlier change stays.
  const isChanged = (row: Allocation) => row.DesiredDescription === IN_PLACE && view.allocations.get(row.ID)!.JobVersion !== row.JobVersion
  for (const row of plan.Updates.filter(isChanged)) {
    const moment = new Moment(view)
    for (const { ID } of [...plan.Stops, ...plan.Preemptions]) moment.stopped.add(ID)
    const reason = reasonOf(moment, job, row)
    if (reason !== undefined) throw new Disagreement(`${row.Name} changes in place: ${reason}`)
  }
  for (const { ID } of plan.Stops.filter(({ DesiredDescription }) => DesiredDescription === UPDATING)) {
    const row = view.allocations.get(ID)!
    if (!isCarried(view, job, row)) continue
    const moment = new Moment(view)
    for (const update of plan.Updates) moment.updates.set(update.ID, update)
    // System jobs place one group before they look at the next.
    if (job.Type === 'system' || job.Type === 'sysbatch')
      for (const placed of plan.Placements) if (placed.TaskGroup !== row.TaskGroup) moment.placed.push(placed)
    if (reasonOf(moment, job, row) === undefined) throw new Disagreement(`${row.Name} is replaced though it could change in place`)
  }
}

function reasonOf(moment: Moment, job: Job, row: Allocation): string | undefined {
  const { node, group } = placeOf(moment.view, job, row)
  if (node === undefined || group === undefined) return 'it has no place'
  moment.stopped.add(row.ID)
  return isInReach(node, job) ? reasonToLeave(moment, node, job, group, row.Name) : 'its node is out of reach'
}

function placeOf(view: StateView, job: Job, row: Allocation): { readonly node: Node | undefined; readonly group: TaskGroup | undefined } {
  return { node: view.nodes.get(row.NodeID), group: findTaskGroup(job, row.TaskGroup) }
}

function isCarried(view: StateView, job: Job, row: Allocation): boolean {
  return !needsProcesses(view, job, row) && row.DesiredStatus === 'run' && ['running', 'pending', 'unknown'].includes(row.ClientStatus)
}

/** In these cases only a new environment needs new processes. */
export function needsProcesses(view: StateView, job: Job, row: Allocation): boolean {
  const old = view.findJobVersion(row.Namespace, row.JobID, row.JobCreateIndex, row.JobVersion)
  const [before, after] = [old, job].map((version) => version && findTaskGroup(version, row.TaskGroup)?.Tasks[0]?.Env)
  return old === undefined || JSON.stringify(before) !== JSON.stringify(after)
}
