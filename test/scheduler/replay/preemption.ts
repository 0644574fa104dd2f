/** Who makes room is not compared one by one; what must be true is: less important, enough, none in vain, and only where nothing is free. */
import type { Allocation, Job, Node, TaskGroup } from '../../../src/domain/index.js'
import { coresHeld, coresOf } from '../reference/amounts.js'
import type { Moment } from '../reference/moment.js'
import { type Finding, surveyNodes } from '../reference/survey.js'
import { demand } from './agreement.js'

const PRIORITY_GAP = 10

export interface Place {
  readonly moment: Moment
  readonly job: Job
  readonly group: TaskGroup
  readonly name: string
}

export function isOpen({ kind, portReason }: Finding): boolean {
  return kind === 'open' && portReason === undefined
}

/** Leaves the moment without the victims. */
export function agreeOnVictims(place: Place, findings: readonly Finding[], row: Allocation): void {
  const { moment } = place
  const victims = moment.proposedOn(row.NodeID).filter(({ ID }) => row.PreemptedAllocations?.includes(ID))
  const finding = findings.find(({ node }) => node.ID === row.NodeID)
  demand(victims.length === row.PreemptedAllocations?.length, `${row.Name} ends allocations that are not on its node`)
  demand(finding !== undefined && finding.kind !== 'filtered', `${row.Name} ends others on a node that may never take it`)
  demand(!findings.some(isOpen), `${row.Name} ends others although there is room`)
  for (const victim of victims) demand(isLessImportant(place, victim), `${row.Name} ends ${victim.Name}, which is too important`)
  for (const { ID } of victims) moment.stopped.add(ID)
  demand(isOpenOn(place, finding!.node), `${row.Name} does not end enough of the others`)
  for (const { ID, Name } of victims) {
    moment.stopped.delete(ID)
    demand(!isOpenOn(place, finding!.node), `${row.Name} ends ${Name} in vain`)
    moment.stopped.add(ID)
  }
  const { preemption } = row.Metrics!.ScoreMetaData!.find(({ NodeID }) => NodeID === row.NodeID)!.Scores
  const expected = scoreOf(victims.map((victim) => ownerOf(moment, victim)!.Priority))
  demand(Math.abs(preemption! - expected) < 1e-9, `${row.Name} tells ${preemption} for its victims, it is ${expected}`)
}

/** No node would take it if everybody left who may be told to. */
export function agreeOnNobodyToEnd(place: Place, findings: readonly Finding[]): void {
  const { moment, name } = place
  for (const { node, kind, reason, portReason } of findings) {
    if (kind !== 'exhausted' || isNeverFreed(place, node, reason!) || (portReason !== undefined && hasDynamicPorts(place.group))) continue
    const victims = moment.proposedOn(node.ID).filter((victim) => isLessImportant(place, victim))
    for (const { ID } of victims) moment.stopped.add(ID)
    demand(!isOpenOn(place, node), `${name} is not placed on ${node.Name}, where ending others would make room`)
    for (const { ID } of victims) moment.stopped.delete(ID)
  }
}

/** Nobody ends for a place among so many, or for whole cores. */
function isNeverFreed({ moment, group }: Place, node: Node, reason: string): boolean {
  const rows = moment.proposedOn(node.ID)
  const cores = group.Tasks.reduce((sum, task) => sum + task.Resources.Cores, 0)
  const isCrowded = node.NodeMaxAllocs > 0 && rows.length > node.NodeMaxAllocs
  return reason === 'max allocation exceeded' || isCrowded || coresHeld(rows).length + cores > coresOf(node).length
}

/** Who holds a dynamic port is never asked for it. */
function hasDynamicPorts({ Networks }: TaskGroup): boolean {
  return (Networks?.[0]?.DynamicPorts ?? []).length > 0
}

function ownerOf({ view }: Moment, row: Allocation): Job | undefined {
  return view.findJobVersion(row.Namespace, row.JobID, row.JobCreateIndex, row.JobVersion)
}

function isLessImportant({ moment, job }: Place, victim: Allocation): boolean {
  const owner = ownerOf(moment, victim)
  return owner !== undefined && (owner.ID !== job.ID || owner.Namespace !== job.Namespace) && owner.Priority <= job.Priority - PRIORITY_GAP
}

function isOpenOn({ moment, job, group, name }: Place, node: Node): boolean {
  return surveyNodes(moment, job, group, name, new Set()).some((finding) => finding.node.ID === node.ID && isOpen(finding))
}

/** Nomad docs, "Placement" */
function scoreOf(priorities: readonly number[]): number {
  const max = Math.max(...priorities)
  const net = max === 0 ? 0 : max + priorities.reduce((sum, priority) => sum + priority, 0) / max
  return 1 / (1 + Math.exp(0.0048 * (net - 2048)))
}
