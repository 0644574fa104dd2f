/**
 * `distinct_hosts` and `distinct_property`: what may not meet (Nomad docs, "Placement"). Told of every allocation of the job that
 * the plan adds or takes away, so that the question for a node is a look-up.
 */
import { type Allocation, type Constraint, isServerTerminal, isTerminal, type Job, type TaskGroup } from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import type { PlanBuilder } from '../plan-builder.js'
import type { ClusterIndex } from './cluster-index.js'
import type { NodeTable } from './node-table.js'
import { NO_VALUE, type ValueColumn, type ValueColumns } from './value-columns.js'

interface PropertyRule {
  readonly target: string
  readonly allowed: number
  /** Undefined for the whole job. */
  readonly group: string | undefined
  readonly column: ValueColumn
  readonly used: Map<number, number>
}

const HOSTS = 'distinct_hosts'

export class DistinctRules {
  readonly #plan: PlanBuilder
  readonly #table: NodeTable
  readonly #job: Job
  readonly #group: string
  readonly #isHostPerJob: boolean
  readonly #isHostPerGroup: boolean
  readonly #properties: readonly PropertyRule[]
  /** Counts how often the answers for other nodes may have changed too. */
  turns = 0

  constructor(view: StateView, { table, columns }: ClusterIndex, plan: PlanBuilder, job: Job, group: TaskGroup) {
    this.#plan = plan
    this.#table = table
    this.#job = job
    this.#group = group.Name
    const ofJob = job.Constraints ?? []
    const ofGroup = [...(group.Constraints ?? []), ...group.Tasks.flatMap((task) => task.Constraints ?? [])]
    // A system job is meant to be on every host with all of its groups.
    const mayShun = job.Type === 'service' || job.Type === 'batch'
    this.#isHostPerJob = mayShun && ofJob.some(wantsOwnHost)
    this.#isHostPerGroup = mayShun && ofGroup.some(wantsOwnHost)
    this.#properties = [...propertyRules(ofJob, undefined, columns), ...propertyRules(ofGroup, group.Name, columns)]
    if (this.#properties.length === 0) return
    this.#countExisting(view)
    plan.observe((allocation, by) => this.#note(allocation, by))
  }

  get isActive(): boolean {
    return this.#isHostPerJob || this.#isHostPerGroup || this.#properties.length > 0
  }

  /** Why the row may not take one more. What is told to stop and still runs still holds its host. */
  refusalOf(row: number): string | undefined {
    if (this.#isHostPerJob && this.#plan.residentsOn(this.#nodeId(row)) > 0) return HOSTS
    if (this.#isHostPerGroup && this.#plan.residentsOn(this.#nodeId(row), this.#group) > 0) return HOSTS
    for (const { column, target, used, allowed } of this.#properties) {
      const id = column.ids[row] ?? NO_VALUE
      if (id === NO_VALUE) return `missing property "${target}"`
      const count = used.get(id) ?? 0
      if (count >= allowed) return `distinct_property: ${target}=${column.values[id]} used by ${count} allocs`
    }
    return undefined
  }

  #nodeId(row: number): string {
    return this.#table.nodes[row]!.ID
  }

  #note(allocation: Allocation, by: 1 | 0 | -1): void {
    if (by !== 0 && this.#isOwn(allocation) && !isServerTerminal(allocation)) this.#count(allocation, by)
  }

  /** What an earlier job of the same name has left does not count. */
  #isOwn({ Namespace, JobID, JobCreateIndex }: Allocation): boolean {
    return JobID === this.#job.ID && Namespace === this.#job.Namespace && JobCreateIndex === this.#job.CreateIndex
  }

  #count(allocation: Allocation, by: 1 | -1): void {
    const row = this.#table.rowOf(allocation.NodeID)
    if (row === undefined) return
    for (const { column, group, used, allowed } of this.#properties) {
      const id = column.ids[row] ?? NO_VALUE
      if (id === NO_VALUE || (group !== undefined && group !== allocation.TaskGroup)) continue
      const before = used.get(id) ?? 0
      const after = Math.max(0, before + by)
      used.set(id, after)
      // The count is told in the reason too, so it matters once the value is full.
      if (after >= allowed || before >= allowed) this.turns++
    }
  }

  #countExisting(view: StateView): void {
    for (const stored of view.allocations.valuesBy('job', ownerKey({ Namespace: this.#job.Namespace, JobID: this.#job.ID }))) {
      const allocation = this.#plan.updates.get(stored.ID) ?? stored
      const isLiving = !isTerminal(allocation) && !this.#plan.stops.has(allocation.ID)
      if (isLiving && this.#isOwn(allocation)) this.#count(allocation, 1)
    }
    for (const allocation of this.#plan.placements) this.#count(allocation, 1)
  }
}

function propertyRules(constraints: readonly Constraint[], group: string | undefined, columns: ValueColumns): readonly PropertyRule[] {
  return constraints
    .filter(({ Operand }) => Operand === 'distinct_property')
    .map(({ LTarget, RTarget }) => {
      const allowed = Number.parseInt(RTarget, 10)
      return { target: LTarget, allowed: Number.isNaN(allowed) ? 1 : allowed, group, column: columns.of(LTarget), used: new Map() }
    })
}

/** Anything but a plain "no" is meant. */
function wantsOwnHost({ Operand, RTarget }: Constraint): boolean {
  return Operand === HOSTS && !['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(RTarget)
}
