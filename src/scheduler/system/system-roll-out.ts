/** The roll-out of a system job: how many are replaced at once, what its deployment watches, and when that has succeeded. */
import {
  type Allocation,
  type Deployment,
  type DeploymentState,
  isCanary,
  isTerminal,
  type Job,
  type TaskGroup,
  type UpdateStrategy,
} from '../../domain/index.js'
import { IN_PLACE } from '../descriptions.js'
import type { PlanBuilder } from '../plan-builder.js'
import { newDeployment, seedDeploymentState, succeed } from '../reconcile/deployments.js'
import type { Wanted } from './system-placer.js'

export interface GroupTally {
  readonly missing: number
  readonly destructive: number
  /** Nodes that may take the group, without those that are full: these are waited for, but not by the deployment. */
  readonly total: number
  readonly all: readonly Allocation[]
}

export class SystemRollOut {
  readonly #plan: PlanBuilder
  readonly #current: Deployment | undefined
  readonly #isSysbatch: boolean
  readonly #states = new Map<string, DeploymentState>()
  /** Some group still has allocations to replace. */
  #isRolling = false

  constructor(plan: PlanBuilder, current: Deployment | undefined, isSysbatch: boolean) {
    this.#plan = plan
    this.#current = current
    this.#isSysbatch = isSysbatch
  }

  /** As many at once as the update block lets, counting those that have not proved themselves yet. */
  admit(group: TaskGroup, destructive: readonly Wanted[], all: readonly Allocation[]): readonly Wanted[] {
    const update = group.Update
    const plan = this.#plan
    this.#isRolling ||= destructive.length > 0
    if (update === null || update.MaxParallel === 0 || this.#isSysbatch) {
      plan.count(group.Name, 'DestructiveUpdate', destructive.length)
      return destructive
    }
    if (this.#current?.Status === 'paused') {
      plan.count(group.Name, 'Ignore', destructive.length)
      return []
    }
    const state = this.#current?.TaskGroups[group.Name]
    const isCanarying = update.Canary > 0 && destructive.length > 0 && state?.Promoted !== true
    if (isCanarying) return this.#admitCanaries(group, update, destructive, this.#nodesOfTrial(state, all))
    const unproven = all.filter(
      (allocation) => this.#isOfCurrent(allocation) && !isTerminal(allocation) && allocation.DeploymentStatus?.Healthy !== true,
    )
    plan.count(group.Name, 'DestructiveUpdate', destructive.length)
    return destructive.slice(0, Math.max(0, update.MaxParallel - unproven.length))
  }

  /** Where a trial that was overtaken has put its version already comes first: as few nodes as can be run what is not proven. */
  #admitCanaries(group: TaskGroup, update: UpdateStrategy, destructive: readonly Wanted[], onTrial: number): readonly Wanted[] {
    const wanted = Math.max(0, canariesOf(update, destructive.length + onTrial) - onTrial)
    const versionOf = ({ replaces }: Wanted) => replaces?.JobVersion ?? 0
    const admitted = [...destructive].sort((a, b) => versionOf(b) - versionOf(a)).slice(0, wanted)
    this.#plan.count(group.Name, 'DestructiveUpdate', destructive.length)
    this.#plan.count(group.Name, 'Canary', admitted.length)
    this.#plan.queued.set(group.Name, destructive.length - admitted.length)
    return admitted.map((want) => ({ ...want, isCanary: true }))
  }

  /** What has failed is tried again where it was; what was lost, elsewhere. */
  #nodesOfTrial(state: DeploymentState | undefined, all: readonly Allocation[]): number {
    const placed = new Set(state?.PlacedCanaries ?? [])
    const isOnTrial = (allocation: Allocation) =>
      placed.has(allocation.ID) && allocation.ClientStatus !== 'lost' && !this.#plan.stops.has(allocation.ID)
    return new Set(all.filter(isOnTrial).map(({ NodeID }) => NodeID)).size
  }

  /** Does what comes after it on its node go on with its trial? */
  continuesTrial(previous: Allocation): boolean {
    return isCanary(previous) && this.#isOfCurrent(previous)
  }

  #isOfCurrent({ ID, DeploymentID }: Allocation): boolean {
    return this.#current !== undefined && DeploymentID === this.#current.ID && !this.#plan.stops.has(ID)
  }

  /** What the deployment has to watch of the group. */
  note(job: Job, group: TaskGroup, { missing, destructive, total, all }: GroupTally): void {
    if (this.#isSysbatch || group.Update === null || group.Update.MaxParallel === 0) return
    const living = all.filter((allocation) => !isTerminal(allocation) && !this.#plan.stops.has(allocation.ID))
    const hasCurrent = living.some((allocation) => allocation.JobVersion === job.Version && allocation.JobCreateIndex === job.CreateIndex)
    const hasUpdates =
      destructive > 0 || [...this.#plan.updates.values()].some((row) => row.TaskGroup === group.Name && row.DesiredDescription === IN_PLACE)
    const known = this.#current?.TaskGroups[group.Name]
    if (known === undefined && hasCurrent && !hasUpdates) return
    if (known === undefined && missing + destructive === 0 && !hasUpdates) return
    if (total <= 0) return
    const canaries = group.Update.Canary > 0 && destructive > 0 && known?.Promoted !== true ? canariesOf(group.Update, destructive) : 0
    this.#states.set(group.Name, {
      ...(known ?? seedDeploymentState(group)),
      DesiredTotal: total,
      DesiredCanaries: Math.max(known?.DesiredCanaries ?? 0, canaries),
    })
  }

  /** A new deployment where there is something to watch, the known one with what has changed, or its success. */
  settle(job: Job, hasPlaced: boolean, newId: () => string): Deployment | undefined {
    const current = this.#current
    if (this.#states.size === 0) return current
    if (current === undefined) {
      const { Priority } = this.#plan.evaluation
      this.#plan.deployment = newDeployment(job, Object.fromEntries(this.#states), newId(), Priority)
      return this.#plan.deployment
    }
    const groups = { ...current.TaskGroups, ...Object.fromEntries(this.#states) }
    const isProven = Object.values(groups).every(
      (state) => state.HealthyAllocs >= state.DesiredTotal && (state.DesiredCanaries === 0 || state.Promoted),
    )
    if (isProven && !hasPlaced) {
      succeed(this.#plan, current)
      return undefined
    }
    const isChanged = Object.entries(groups).some(
      ([name, state]) =>
        state.DesiredTotal !== current.TaskGroups[name]?.DesiredTotal ||
        state.DesiredCanaries !== current.TaskGroups[name]?.DesiredCanaries,
    )
    if (!isChanged && !this.#isRolling) return current
    this.#plan.deployment = { ...current, TaskGroups: groups }
    return this.#plan.deployment
  }
}

/** Of a system job canaries are told in percent, and no more are tried at once than may be replaced at once. */
function canariesOf(update: UpdateStrategy, updating: number): number {
  return Math.min(update.MaxParallel, Math.ceil((update.Canary / 100) * updating))
}
