/** Collects what one evaluation decides, and answers what the cluster would look like with it. */
import type {
  Allocation,
  AllocationStop,
  AllocMetric,
  Deployment,
  DeploymentStatusUpdate,
  DesiredUpdates,
  Evaluation,
  Plan,
  PlanAnnotations,
} from '../domain/index.js'
import { isClientTerminal } from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { IN_PLACE } from './descriptions.js'
import { claimsOnce } from './feasible/node-table.js'

export const NO_UPDATES: DesiredUpdates = Object.freeze({
  Ignore: 0,
  Place: 0,
  Migrate: 0,
  Stop: 0,
  InPlaceUpdate: 0,
  DestructiveUpdate: 0,
  Canary: 0,
  Preemptions: 0,
  Disconnect: 0,
  Reconnect: 0,
  RescheduleNow: 0,
  RescheduleLater: 0,
})

/** What the plan changes on one node: by how much the amounts in use grow, and what it places there. */
export interface NodeChange {
  cpu: number
  memory: number
  disk: number
  cores: number
  count: number
  placed: Allocation[] | undefined
}

/** Called when an allocation comes to hold (1) or gives up (-1) its share of a node in the plan; 0 when only its neighbours see a change. */
export type PlanObserver = (allocation: Allocation, by: 1 | 0 | -1) => void

const NOBODY: ReadonlyMap<string, number> = new Map()

export class PlanBuilder {
  readonly evaluation: Evaluation
  readonly stops = new Map<string, AllocationStop>()
  readonly placements: Allocation[] = []
  readonly updates = new Map<string, Allocation>()
  readonly preemptions = new Map<string, AllocationStop>()
  readonly followUps: Evaluation[] = []
  readonly failed = new Map<string, AllocMetric>()
  readonly queued = new Map<string, number>()
  readonly #desired = new Map<string, { -readonly [Name in keyof DesiredUpdates]: number }>()
  readonly #view: StateView
  readonly #changes = new Map<string, NodeChange>()
  /** Living allocations of the evaluation's job by group and node, as they would be. */
  readonly #residentsByGroup = new Map<string, Map<string, number>>()
  readonly #observers: PlanObserver[] = []
  #hidden: string | undefined
  deployment: Deployment | null = null
  deploymentUpdates: DeploymentStatusUpdate[] = []

  constructor(view: StateView, evaluation: Evaluation) {
    this.#view = view
    this.evaluation = evaluation
    for (const allocation of view.allocations.valuesBy('job', ownerKey(evaluation)))
      if (!isClientTerminal(allocation)) this.#countResident(allocation, 1)
  }

  stop(allocation: Allocation, description: string, details: Partial<AllocationStop> = {}): void {
    const isFirst = !this.stops.has(allocation.ID)
    this.stops.set(allocation.ID, { ID: allocation.ID, DesiredStatus: 'stop', DesiredDescription: description, ...details })
    if (isFirst) this.#hold(allocation, -1)
  }

  /** Takes the last stop of the allocation back: what was to follow it has found no place. */
  unstop(allocation: Allocation): void {
    if (this.stops.delete(allocation.ID)) this.#hold(allocation, 1)
  }

  preempt(allocation: Allocation, byId: string): void {
    const DesiredDescription = `Preempted by alloc ID ${byId}`
    this.preemptions.set(allocation.ID, { ID: allocation.ID, DesiredStatus: 'evict', DesiredDescription, PreemptedByAllocation: byId })
    this.#hold(allocation, -1)
  }

  place(allocation: Allocation): void {
    this.placements.push(allocation)
    this.#countResident(allocation, 1)
    const change = this.#changeFor(allocation.NodeID)
    if (change.placed === undefined) change.placed = [allocation]
    else change.placed.push(allocation)
    this.#amend(change, allocation, 1)
  }

  update(allocation: Allocation): void {
    const before = this.updates.get(allocation.ID) ?? this.#view.allocations.get(allocation.ID)
    if (before !== undefined && before.AllocatedResources !== allocation.AllocatedResources) {
      const change = this.#changeFor(allocation.NodeID)
      this.#amend(change, before, -1)
      this.#amend(change, allocation, 1)
    }
    // What has failed and waits for its replacement counts as a neighbour: others had better go elsewhere.
    const isNewNeighbour = before !== undefined && isClientTerminal(before) && !this.updates.has(allocation.ID)
    this.updates.set(allocation.ID, allocation)
    if (isNewNeighbour) this.#hold(before, 1)
  }

  /** The answer to a question about the cluster as it would be without an allocation. */
  without<T>(allocation: Allocation, ask: () => T): T {
    this.#hold(allocation, -1)
    this.#hidden = allocation.ID
    const answer = ask()
    this.#hidden = undefined
    this.#hold(allocation, 1)
    return answer
  }

  observe(observer: PlanObserver): void {
    this.#observers.push(observer)
  }

  get changes(): ReadonlyMap<string, NodeChange> {
    return this.#changes
  }

  changeOn(nodeId: string): NodeChange | undefined {
    return this.#changes.get(nodeId)
  }

  /** Allocations of the job, or of one of its groups, that would be on the node. */
  residentsOn(nodeId: string, group?: string): number {
    if (group !== undefined) return this.#residentsByGroup.get(group)?.get(nodeId) ?? 0
    let count = 0
    for (const ofGroup of this.#residentsByGroup.values()) count += ofGroup.get(nodeId) ?? 0
    return count
  }

  /** Allocations of the group by node, as they would be. */
  residentsOf(group: string): ReadonlyMap<string, number> {
    return this.#residentsByGroup.get(group) ?? NOBODY
  }

  /** It comes to hold its share, or gives it up. What has ended holds nothing, and is a neighbour only while something is written about it. */
  #hold(allocation: Allocation, sign: 1 | -1): void {
    const update = this.updates.get(allocation.ID)
    const hasEnded = isClientTerminal(allocation)
    if (hasEnded && update === undefined) return
    this.#countResident(allocation, sign)
    if (hasEnded) this.#tell(allocation, 0)
    else this.#amend(this.#changeFor(allocation.NodeID), update ?? allocation, sign)
  }

  #changeFor(nodeId: string): NodeChange {
    let change = this.#changes.get(nodeId)
    if (change === undefined) {
      change = { cpu: 0, memory: 0, disk: 0, cores: 0, count: 0, placed: undefined }
      this.#changes.set(nodeId, change)
    }
    return change
  }

  #amend(change: NodeChange, allocation: Allocation, sign: 1 | -1): void {
    const claims = claimsOnce(allocation)
    change.cpu += sign * claims.cpuShares
    change.memory += sign * claims.memoryMb
    change.disk += sign * claims.diskMb
    change.cores += sign * claims.cores.length
    change.count += sign
    this.#tell(allocation, sign)
  }

  #tell(allocation: Allocation, by: 1 | 0 | -1): void {
    for (const observer of this.#observers) observer(allocation, by)
  }

  #countResident(allocation: Allocation, sign: 1 | -1): void {
    if (allocation.JobID !== this.evaluation.JobID || allocation.Namespace !== this.evaluation.Namespace) return
    let ofGroup = this.#residentsByGroup.get(allocation.TaskGroup)
    if (ofGroup === undefined) {
      ofGroup = new Map()
      this.#residentsByGroup.set(allocation.TaskGroup, ofGroup)
    }
    ofGroup.set(allocation.NodeID, (ofGroup.get(allocation.NodeID) ?? 0) + sign)
  }

  count(group: string, name: keyof DesiredUpdates, by: number): void {
    const counts = this.#desired.get(group) ?? { ...NO_UPDATES }
    counts[name] += by
    this.#desired.set(group, counts)
  }

  get desired(): Readonly<Record<string, DesiredUpdates>> {
    return Object.fromEntries(this.#desired)
  }

  /** Allocations of the node as they would be: without what has ended or is to end by this plan, with what it places. */
  proposedOn(nodeId: string): readonly Allocation[] {
    const rows: Allocation[] = []
    for (const allocation of this.#view.allocations.valuesBy('node', nodeId)) {
      if (isClientTerminal(allocation) || this.stops.has(allocation.ID) || this.preemptions.has(allocation.ID)) continue
      if (allocation.ID === this.#hidden) continue
      rows.push(this.updates.get(allocation.ID) ?? allocation)
    }
    return [...rows, ...(this.#changes.get(nodeId)?.placed ?? [])]
  }

  get isEmpty(): boolean {
    return (
      this.stops.size + this.placements.length + this.updates.size + this.preemptions.size + this.deploymentUpdates.length === 0 &&
      this.deployment === null
    )
  }

  #withFollowUp(stop: AllocationStop): AllocationStop {
    const FollowupEvalID = this.updates.get(stop.ID)?.FollowupEvalID
    return FollowupEvalID === undefined || stop.FollowupEvalID !== undefined ? stop : { ...stop, FollowupEvalID }
  }

  build(): Plan {
    const { evaluation } = this
    return {
      EvalID: evaluation.ID,
      Namespace: evaluation.Namespace,
      JobID: evaluation.JobID,
      Stops: [...this.stops.values()].map((stop) => this.#withFollowUp(stop)),
      Placements: this.placements,
      // What is to end is not changed any more: the row would be written as if it went on.
      Updates: [...this.updates.values()].filter((row) => !this.stops.has(row.ID)).map(withoutMark),
      Preemptions: [...this.preemptions.values()],
      Deployment: this.deployment,
      DeploymentUpdates: this.deploymentUpdates,
      Annotations: evaluation.AnnotatePlan === true ? this.#annotations() : null,
    }
  }

  #annotations(): PlanAnnotations {
    const preempted = [...this.preemptions.keys()].flatMap((id) => this.#view.allocations.get(id) ?? [])
    return { DesiredTGUpdates: this.desired, PreemptedAllocs: preempted.length === 0 ? null : preempted }
  }
}

/** That it changes in place is known while the plan is made; what is stored says only what is wanted. */
function withoutMark(row: Allocation): Allocation {
  return row.DesiredDescription === IN_PLACE ? { ...row, DesiredDescription: '' } : row
}
