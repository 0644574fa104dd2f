/** Gives system jobs their allocations, node by node, and keeps account of the nodes that cannot take one. */
import { type Allocation, type AllocMetric, allocationName, type Job, type Node, type TaskGroup } from '../../domain/index.js'
import { newAllocation, UNJUDGED_CANARY } from '../allocation-row.js'
import { UPDATING } from '../descriptions.js'
import { orNull } from '../feasible/static-feasibility.js'
import type { Eligibility } from '../outcome.js'
import type { PlanBuilder } from '../plan-builder.js'
import { addExhausted } from '../rank/exhausted-resources.js'
import { selectOnly } from '../rank/single-node.js'
import type { Sites } from '../rank/sites.js'
import type { ScheduleEnv } from '../schedule-env.js'

/** One allocation of a group, wanted on this node. */
export interface Wanted {
  readonly node: Node
  readonly previous?: Allocation
  readonly replaces?: Allocation
  readonly isCanary?: boolean
}

export class SystemPlacer {
  readonly #sites: Sites
  readonly #plan: PlanBuilder
  readonly #env: ScheduleEnv
  readonly #mayPreempt: boolean
  /** Full nodes, and how many of them each group met. */
  readonly #exhaustedNodes = new Set<Node>()
  readonly #exhausted = new Map<string, number>()
  readonly #filtered = new Map<string, AllocMetric>()
  hasPlaced = false

  constructor(sites: Sites, env: ScheduleEnv, mayPreempt: boolean) {
    this.#sites = sites
    this.#plan = sites.plan
    this.#env = env
    this.#mayPreempt = mayPreempt
  }

  exhaustedOf(group: string): number {
    return this.#exhausted.get(group) ?? 0
  }

  /** One full node is waited for by itself; of several, the first to have room is. */
  get onlyExhaustedNode(): Node | undefined {
    const [first] = this.#exhaustedNodes
    return this.#exhaustedNodes.size === 1 ? first : undefined
  }

  get eligibility(): Eligibility {
    return { classes: Object.fromEntries([...this.#exhaustedNodes].map((node) => [node.ComputedClass, true])), hasEscaped: false }
  }

  /** Groups that may run nowhere at all: that is told, though nothing is waited for. */
  unplaceable(isRunningSomewhere: (group: string) => boolean): ReadonlyMap<string, AllocMetric> {
    const plan = this.#plan
    const isNowhere = (group: string) =>
      !plan.failed.has(group) && !plan.placements.some((row) => row.TaskGroup === group) && !isRunningSomewhere(group)
    return new Map([...this.#filtered].filter(([group]) => isNowhere(group)))
  }

  place(job: Job, group: TaskGroup, want: Wanted): void {
    const plan = this.#plan
    if (want.replaces !== undefined) plan.stop(want.replaces, UPDATING)
    const selection = selectOnly(this.#sites, this.#sites.of(job, group), want.node, this.#mayPreempt)
    if (selection.kind === 'none') return this.#giveUp(group, want, selection.metric)
    const id = this.#env.newId()
    for (const victim of selection.choice.victims) plan.preempt(victim, id)
    if (want.replaces === undefined) plan.count(group.Name, 'Place', 1)
    const name = want.replaces?.Name ?? allocationName(job.ID, group.Name, 0)
    const row = newAllocation({ id, name, evaluationId: plan.evaluation.ID, job, group, choice: selection.choice, nowMs: this.#env.nowMs })
    if (want.previous !== undefined) row.PreviousAllocation = want.previous.ID
    if (want.isCanary === true) row.DeploymentStatus = UNJUDGED_CANARY
    plan.place(row)
    this.hasPlaced = true
  }

  /** A node that can never take the group is no failure, and loses what it has of it; a full one is, and is waited for. */
  #giveUp(group: TaskGroup, want: Wanted, metric: AllocMetric): void {
    const plan = this.#plan
    if (metric.NodesExhausted === 0) {
      this.#noteFiltered(group, metric)
      return
    }
    if (want.replaces !== undefined) plan.unstop(want.replaces)
    const known = plan.failed.get(group.Name)
    const counted = known === undefined ? metric : { ...known, CoalescedFailures: known.CoalescedFailures + 1 }
    plan.failed.set(group.Name, addExhausted(counted, group))
    plan.queued.set(group.Name, (plan.queued.get(group.Name) ?? 0) + 1)
    this.#exhausted.set(group.Name, (this.#exhausted.get(group.Name) ?? 0) + 1)
    this.#exhaustedNodes.add(want.node)
  }

  #noteFiltered(group: TaskGroup, metric: AllocMetric): void {
    const known = this.#filtered.get(group.Name)
    this.#filtered.set(group.Name, known === undefined ? metric : mergeFiltered(known, metric))
  }
}

/** The same nodes of a group counted together. */
function mergeFiltered(a: AllocMetric, b: AllocMetric): AllocMetric {
  const ConstraintFiltered: Record<string, number> = { ...a.ConstraintFiltered }
  for (const [reason, count] of Object.entries(b.ConstraintFiltered ?? {}))
    ConstraintFiltered[reason] = (ConstraintFiltered[reason] ?? 0) + count
  const ClassFiltered: Record<string, number> = { ...a.ClassFiltered }
  for (const [name, count] of Object.entries(b.ClassFiltered ?? {})) ClassFiltered[name] = (ClassFiltered[name] ?? 0) + count
  return {
    ...a,
    NodesEvaluated: a.NodesEvaluated + b.NodesEvaluated,
    NodesFiltered: a.NodesFiltered + b.NodesFiltered,
    ConstraintFiltered,
    ClassFiltered: orNull(ClassFiltered),
  }
}
