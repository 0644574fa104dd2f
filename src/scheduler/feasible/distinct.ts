/** `distinct_hosts` and `distinct_property`: what may not meet (`reference/scheduler.md` §3.5). */
import { type Allocation, type Constraint, isClientTerminal, isTerminal, type Job, type Node, type TaskGroup } from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import type { PlanBuilder } from '../plan-builder.js'
import { resolveTarget } from './constraints.js'

type Rule = { readonly constraint: Constraint; readonly group: string | undefined }

const HOSTS = 'distinct_hosts'

export class DistinctRules {
  readonly #view: StateView
  readonly #plan: PlanBuilder
  readonly #job: Job
  readonly #rules: readonly Rule[]

  constructor(view: StateView, plan: PlanBuilder, job: Job, group: TaskGroup) {
    this.#view = view
    this.#plan = plan
    this.#job = job
    const jobRules = (job.Constraints ?? []).map((constraint): Rule => ({ constraint, group: undefined }))
    const groupConstraints = [...(group.Constraints ?? []), ...group.Tasks.flatMap((task) => task.Constraints ?? [])]
    this.#rules = [...jobRules, ...groupConstraints.map((constraint): Rule => ({ constraint, group: group.Name }))].filter(
      ({ constraint }) => constraint.Operand === 'distinct_property' || (constraint.Operand === HOSTS && !isOff(constraint.RTarget)),
    )
  }

  /** Why the node may not take one more; undefined when it may. */
  refusal(node: Node): string | undefined {
    for (const rule of this.#rules) {
      const reason = rule.constraint.Operand === HOSTS ? this.#hostTaken(node, rule) : this.#propertyTaken(node, rule)
      if (reason !== undefined) return reason
    }
    return undefined
  }

  isRefusal(reason: string): boolean {
    return reason === HOSTS || reason.startsWith('distinct_property:') || reason.startsWith('missing property')
  }

  /** An allocation that is told to stop and still runs still holds its host. */
  #hostTaken(node: Node, rule: Rule): string | undefined {
    return this.#plan.proposedOn(node.ID).some((allocation) => this.#isOwn(allocation, rule)) ? HOSTS : undefined
  }

  #isOwn(allocation: Allocation, rule: Rule): boolean {
    return (
      allocation.Namespace === this.#job.Namespace &&
      allocation.JobID === this.#job.ID &&
      (rule.group === undefined || allocation.TaskGroup === rule.group)
    )
  }

  #propertyTaken(node: Node, rule: Rule): string | undefined {
    const { LTarget, RTarget } = rule.constraint
    const value = resolveTarget(node, LTarget)
    if (value === undefined) return `missing property "${LTarget}"`
    const allowed = RTarget === '' ? 1 : Number.parseInt(RTarget, 10)
    const used = this.#countValue(LTarget, value, rule)
    return used >= allowed ? `distinct_property: ${LTarget}=${value} used by ${used} allocs` : undefined
  }

  #countValue(target: string, value: string, rule: Rule): number {
    const valueOn = (nodeId: string) => {
      const node = this.#view.nodes.get(nodeId)
      return node === undefined ? undefined : resolveTarget(node, target)
    }
    let count = 0
    for (const allocation of this.#view.allocations.valuesBy('job', ownerKey({ Namespace: this.#job.Namespace, JobID: this.#job.ID }))) {
      const isLiving = !isTerminal(allocation) && !isClientTerminal(allocation) && !this.#plan.stops.has(allocation.ID)
      if (
        isLiving &&
        allocation.JobCreateIndex === this.#job.CreateIndex &&
        this.#isOwn(allocation, rule) &&
        valueOn(allocation.NodeID) === value
      )
        count++
    }
    for (const allocation of this.#plan.placements) if (this.#isOwn(allocation, rule) && valueOn(allocation.NodeID) === value) count++
    return count
  }
}

function isOff(text: string): boolean {
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)
}
