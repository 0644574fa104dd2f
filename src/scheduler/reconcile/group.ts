/**
 * One group of a service or batch job: what to stop, keep, change, replace and add (Nomad docs, "Placement", in its order).
 * Decides only what is wanted; which node takes it is decided afterwards.
 */
import {
  type Allocation,
  allocationNameIndex,
  type Deployment,
  type DeploymentState,
  isCanary,
  isServerTerminal,
  isTerminal,
  type Job,
  type RescheduleTracker,
  type TaskGroup,
} from '../../domain/index.js'
import { LOST, MIGRATING, NOT_NEEDED } from '../descriptions.js'
import { type Classified, classify, isOutdated } from './classify.js'
import { seedDeploymentState } from './deployments.js'
import { handleDisconnects } from './disconnect.js'
import { stopAll, stopEnded } from './lost.js'
import { NameIndex } from './names.js'
import { reconnect } from './reconnect.js'
import { filterReschedulable, type Rescheduling } from './reschedulable.js'
import { computeStop } from './stop.js'
import type { GroupContext, PlacementRequest } from './types.js'
import { classifyUpdates } from './update.js'

export interface GroupOutcome {
  readonly destructive: readonly PlacementRequest[]
  readonly placements: readonly PlacementRequest[]
  /** Nothing is left to do for the group in its deployment. */
  readonly isComplete: boolean
  readonly deploymentState: DeploymentState | undefined
}

export function reconcileGroup(context: GroupContext, group: TaskGroup, all: readonly Allocation[]): GroupOutcome {
  return new GroupReconciler(context, group).run(all)
}

class GroupReconciler {
  readonly #context: GroupContext
  readonly #group: TaskGroup
  readonly #job: Job
  readonly #deployment: Deployment | undefined
  readonly #hadState: boolean
  #state: DeploymentState

  constructor(context: GroupContext, group: TaskGroup) {
    this.#context = context
    this.#group = group
    this.#job = context.job
    this.#deployment = context.deployment
    const known = context.deployment?.TaskGroups[group.Name]
    this.#hadState = known !== undefined
    this.#state = known ?? seedDeploymentState(group)
  }

  run(everything: readonly Allocation[]): GroupOutcome {
    const { plan, view, nowMs } = this.#context
    if (this.#group.Count === 0) return this.#stopEverything(everything)
    const all = this.#dropOldBatch(everything)
    const canaryIds = this.#stopOldCanaries(all)
    // What a drain has ended for good keeps its place, also when its host is lost before it could say that it has ended.
    const isRelevant = ({ ID, DesiredTransition }: Allocation) => !plan.stops.has(ID) || DesiredTransition?.MigrateDisablePlacement === true
    const relevant = all.filter(isRelevant)
    const sets = classify(view, relevant, this.#context.jobOf, nowMs)
    // A trial that was given up is not moved: what replaced it, if anything, did so long ago.
    const isGivenUp = (allocation: Allocation) => isTerminal(allocation) && !canaryIds.has(allocation.ID)
    sets.migrate.splice(0, sets.migrate.length, ...sets.migrate.filter((allocation) => !isGivenUp(allocation)))
    // What a service was told to end is history already; of batch work it may be a result.
    const ignored = this.#context.isBatch ? sets.ignore : sets.ignore.filter((allocation) => !isServerTerminal(allocation))
    plan.count(this.#group.Name, 'Ignore', ignored.length)
    const canaries = this.#settleCanaries(sets, canaryIds)
    const rescheduling = filterReschedulable(this.#context, sets.untainted, false)
    this.#replaceUntainted(sets, rescheduling)
    reconnect(this.#context, this.#group, sets, rescheduling)
    const lostLater = handleDisconnects(this.#context, this.#group, sets, rescheduling)
    this.#context.followUp(rescheduling.later, 'alloc-reschedule')
    plan.count(this.#group.Name, 'RescheduleLater', rescheduling.later.length)
    return this.#decide(all, sets, rescheduling, canaries, lostLater)
  }

  /** Of a group of none nothing is tried, moved or waited for. */
  #stopEverything(all: readonly Allocation[]): GroupOutcome {
    const { plan, view, nowMs } = this.#context
    stopEnded(plan, all)
    stopAll(view, plan, all, nowMs)
    return { destructive: [], placements: [], isComplete: true, deploymentState: this.#hadState ? this.#state : undefined }
  }

  /** What an older version of a batch job has finished is history. */
  #dropOldBatch(all: readonly Allocation[]): readonly Allocation[] {
    if (!this.#context.isBatch) return all
    const isOld = (allocation: Allocation) => isOutdated(allocation, this.#job) && isTerminal(allocation)
    const kept = all.filter((allocation) => !isOld(allocation))
    this.#context.plan.count(this.#group.Name, 'Ignore', all.length - kept.length)
    return kept
  }

  /** Canaries of a deployment that was given up. Returns the ids of those of the current one. */
  #stopOldCanaries(all: readonly Allocation[]): ReadonlySet<string> {
    const { plan, oldDeployment } = this.#context
    const abandoned = new Set<string>()
    for (const state of Object.values(oldDeployment?.TaskGroups ?? {}))
      if (!state.Promoted) for (const id of state.PlacedCanaries ?? []) abandoned.add(id)
    if (this.#deployment?.Status === 'failed') {
      for (const state of Object.values(this.#deployment.TaskGroups))
        if (!state.Promoted) for (const id of state.PlacedCanaries ?? []) abandoned.add(id)
    }
    for (const allocation of all) {
      if (!abandoned.has(allocation.ID) || isServerTerminal(allocation)) continue
      plan.stop(allocation, NOT_NEEDED)
      plan.count(this.#group.Name, 'Stop', 1)
    }
    const current = Object.values(this.#deployment?.TaskGroups ?? {}).flatMap((state) => state.PlacedCanaries ?? [])
    return new Set(current.filter((id) => !abandoned.has(id)))
  }

  /** Canaries on nodes in trouble end; the others stay apart from the ordinary ones. */
  #settleCanaries(sets: Classified, ids: ReadonlySet<string>): readonly Allocation[] {
    const { plan } = this.#context
    for (const [set, description, client] of [
      [sets.migrate, MIGRATING, undefined],
      [sets.lost, LOST, 'lost'],
    ] as const) {
      for (const allocation of set.filter((candidate) => ids.has(candidate.ID))) {
        plan.stop(allocation, description, client === undefined ? {} : { ClientStatus: client })
        set.splice(set.indexOf(allocation), 1)
      }
    }
    return [...sets.untainted, ...sets.disconnecting].filter((allocation) => ids.has(allocation.ID))
  }

  #replaceUntainted(sets: Classified, rescheduling: Rescheduling): void {
    sets.untainted.splice(0, sets.untainted.length, ...rescheduling.untainted)
  }

  #decide(
    all: readonly Allocation[],
    sets: Classified,
    rescheduling: Rescheduling,
    canaries: readonly Allocation[],
    lostLater: ReadonlyMap<string, string>,
  ): GroupOutcome {
    const { plan } = this.#context
    const { Name: name, Count: count, Update: update } = this.#group
    const lost = [...sets.lost, ...sets.expiring]
    const holders = [...sets.untainted, ...sets.migrate, ...rescheduling.now, ...lost]
    const names = new NameIndex(this.#job.ID, name, count, holders)
    const isCanarying = this.#state.DesiredCanaries > 0 && !this.#state.Promoted
    const stopped = computeStop(this.#context, this.#group, { ...sets, lost }, canaries, isCanarying, names, lostLater)
    const kept = sets.untainted.filter((allocation) => !stopped.has(allocation.ID))
    const migrate = sets.migrate.filter((allocation) => !stopped.has(allocation.ID))
    const { ignore, inPlace, destructive } = classifyUpdates(this.#context, this.#group, kept)
    plan.count(name, 'Ignore', ignore.length)
    plan.count(name, 'InPlaceUpdate', inPlace.length)
    if (!this.#hadState) this.#grow(destructive.length + inPlace.length)
    const livingCanaries = canaries.filter((allocation) => !stopped.has(allocation.ID))
    const ordinary = isCanarying ? kept.filter((allocation) => !livingCanaries.includes(allocation)) : kept
    this.#dropSurplus(rescheduling, count - ordinary.length - migrate.length, isCanarying)
    const requests: PlacementRequest[] = []
    // Also when all that ran before is gone by now: the trial goes on until it is promoted.
    const isTrial = destructive.length > 0 || isCanarying
    const needsCanaries = update !== null && isTrial && livingCanaries.length < update.Canary && !this.#state.Promoted
    if (needsCanaries) this.#requestCanaries(requests, names, livingCanaries, destructive, update.Canary)
    const isHeldBack = this.#state.DesiredCanaries > 0 && !this.#state.Promoted
    const limit = this.#limit(ordinary, destructive, migrate, isHeldBack)
    const placements = lostLater.size === 0 ? this.#computePlacements(ordinary, migrate, rescheduling.now, lost, names, isHeldBack) : []
    if (!this.#hadState) this.#grow(placements.length)
    const rest = this.#admit(requests, placements, rescheduling, isHeldBack, limit)
    const updates = this.#admitDestructive(destructive, isHeldBack, rest)
    this.#migrate(requests, migrate, isHeldBack)
    const isQuiet =
      destructive.length + inPlace.length + placements.length + migrate.length + rescheduling.now.length + rescheduling.later.length === 0
    const isOrdinary = (allocation: Allocation) => !isCanary(allocation) && !stopped.has(allocation.ID)
    const ordinaryNames = isHeldBack ? new NameIndex(this.#job.ID, name, count, holders.filter(isOrdinary)) : names
    return {
      destructive: withOwnNames(updates, ordinaryNames),
      placements: withOwnNames(requests, ordinaryNames),
      isComplete: isQuiet && !needsCanaries && this.#isProven(),
      deploymentState: this.#stateToStore(all, destructive.length + inPlace.length),
    }
  }

  /** What has failed is not placed again beyond the count; canaries stand beside it. */
  #dropSurplus(rescheduling: Rescheduling, room: number, isCanarying: boolean): void {
    const isBeside = (allocation: Allocation) => isCanarying && isCanary(allocation)
    const surplus = inNameOrder(rescheduling.now.filter((allocation) => !isBeside(allocation))).slice(Math.max(0, room))
    for (const allocation of surplus) {
      rescheduling.now.splice(rescheduling.now.indexOf(allocation), 1)
      if (rescheduling.disconnecting.has(allocation.ID)) continue
      this.#context.plan.stop(allocation, NOT_NEEDED)
      this.#context.plan.count(this.#group.Name, 'Stop', 1)
    }
  }

  #grow(by: number): void {
    this.#state = { ...this.#state, DesiredTotal: this.#state.DesiredTotal + by }
  }

  #requestCanaries(
    requests: PlacementRequest[],
    names: NameIndex,
    living: readonly Allocation[],
    destructive: readonly Allocation[],
    wanted: number,
  ): void {
    this.#state = { ...this.#state, DesiredCanaries: wanted }
    if (this.#isPaused || this.#isFailed) return
    const missing = wanted - living.length
    this.#context.plan.count(this.#group.Name, 'Canary', missing)
    for (const name of names.nextCanaries(missing, living, destructive)) requests.push({ group: this.#group, name, isCanary: true })
  }

  get #isPaused(): boolean {
    const status = this.#deployment?.Status
    return status === 'paused' || status === 'pending' || status === 'initializing'
  }

  get #isFailed(): boolean {
    return this.#deployment?.Status === 'failed'
  }

  /** How many more may be replaced now. */
  #limit(kept: readonly Allocation[], destructive: readonly Allocation[], migrate: readonly Allocation[], isHeldBack: boolean): number {
    const update = this.#group.Update
    if (update === null || update.MaxParallel === 0 || destructive.length + migrate.length === 0) return this.#group.Count
    if (this.#deployment === undefined) return update.MaxParallel
    if (this.#isPaused || this.#isFailed || isHeldBack) return 0
    const own = kept.filter((allocation) => allocation.DeploymentID === this.#deployment!.ID)
    if (own.some((allocation) => allocation.DeploymentStatus?.Healthy === false)) return 0
    return Math.max(0, update.MaxParallel - own.filter((allocation) => allocation.DeploymentStatus?.Healthy !== true).length)
  }

  #computePlacements(
    kept: readonly Allocation[],
    migrate: readonly Allocation[],
    now: readonly Allocation[],
    lost: readonly Allocation[],
    names: NameIndex,
    isHeldBack: boolean,
  ): readonly PlacementRequest[] {
    const placements: PlacementRequest[] = inNameOrder(now).map((previous) => ({
      group: this.#group,
      name: previous.Name,
      previous,
      isReschedule: true,
      isCanary: isCanary(previous),
      ...downgradeOf(previous, isHeldBack),
    }))
    let existing = kept.length + migrate.length + now.length
    for (const previous of unreplaced(lost, kept)) {
      if (existing >= this.#group.Count) break
      existing++
      placements.push({
        group: this.#group,
        name: previous.Name,
        previous,
        isLost: true,
        isCanary: isCanary(previous),
        ...downgradeOf(previous, isHeldBack),
      })
    }
    const missing = Math.max(0, this.#group.Count - existing)
    // While canaries are tried, what is added beside them still runs the version that is proven.
    const downgrade = isHeldBack ? { downgradeFrom: 0 } : {}
    for (const name of names.next(missing)) placements.push({ group: this.#group, name, ...downgrade })
    return placements
  }

  /** Takes the placements that may go ahead now; gives back what remains of the limit. */
  #admit(
    requests: PlacementRequest[],
    placements: readonly PlacementRequest[],
    rescheduling: Rescheduling,
    isHeldBack: boolean,
    limit: number,
  ): number {
    const { plan } = this.#context
    const isReady = !this.#isPaused && !this.#isFailed && !isHeldBack
    if (isReady) {
      requests.push(...placements)
      plan.count(this.#group.Name, 'Place', placements.length)
      for (const previous of rescheduling.now)
        if (previous.ClientStatus !== 'unknown' && !rescheduling.disconnecting.has(previous.ID)) this.#stopReplaced(previous)
      return limit - Math.min(placements.length, limit)
    }
    for (const request of placements) {
      const isOwnFailure = request.isReschedule === true && this.#isFailed && request.previous?.DeploymentID === this.#deployment?.ID
      if (request.isLost !== true && (request.isReschedule !== true || isOwnFailure)) continue
      requests.push(request)
      plan.count(this.#group.Name, 'Place', 1)
      if (request.isReschedule === true && !rescheduling.disconnecting.has(request.previous!.ID)) this.#stopReplaced(request.previous!)
    }
    return limit
  }

  /** Without a description, as clients know it: that it has failed says why. */
  #stopReplaced(previous: Allocation): void {
    this.#context.plan.stop(previous, '', { RescheduleTracker: rescheduled(previous) })
    this.#context.plan.count(this.#group.Name, 'Stop', 1)
  }

  #admitDestructive(destructive: readonly Allocation[], isHeldBack: boolean, limit: number): readonly PlacementRequest[] {
    const { plan } = this.#context
    const isReady = !this.#isPaused && !this.#isFailed && !isHeldBack
    const admitted = isReady ? destructive.slice(0, limit) : []
    plan.count(this.#group.Name, 'DestructiveUpdate', admitted.length)
    plan.count(this.#group.Name, 'Ignore', destructive.length - admitted.length)
    return admitted.map((previous) => ({ group: this.#group, name: previous.Name, previous, replaces: previous }))
  }

  /** All at once: the pace is the drainer's. */
  #migrate(requests: PlacementRequest[], migrate: readonly Allocation[], isHeldBack: boolean): void {
    const { plan, isBatch } = this.#context
    plan.count(this.#group.Name, 'Migrate', migrate.length)
    for (const previous of inNameOrder(migrate)) {
      const isReschedule = isBatch && previous.DesiredTransition?.Reschedule === true
      plan.stop(previous, MIGRATING, isReschedule ? { RescheduleTracker: rescheduled(previous) } : {})
      if (isReschedule) plan.count(this.#group.Name, 'Place', 1)
      if (isBatch && previous.DesiredTransition?.MigrateDisablePlacement === true) continue
      requests.push({
        group: this.#group,
        name: previous.Name,
        previous,
        isCanary: isCanary(previous),
        isReschedule,
        ...downgradeOf(previous, isHeldBack),
      })
    }
  }

  #isProven(): boolean {
    const state = this.#deployment?.TaskGroups[this.#group.Name]
    if (state === undefined) return true
    return state.HealthyAllocs >= Math.max(state.DesiredTotal, state.DesiredCanaries) && (state.DesiredCanaries === 0 || state.Promoted)
  }

  /** What a new deployment would hold of the group; undefined when it would have nothing to watch. */
  #stateToStore(all: readonly Allocation[], updating: number): DeploymentState | undefined {
    if (this.#group.Update === null || this.#group.Update.MaxParallel === 0) return undefined
    if (this.#hadState) return this.#state
    const { isBatch } = this.#context
    const hasCurrent = all.some((allocation) => !isOutdated(allocation, this.#job) && (isBatch || !isServerTerminal(allocation)))
    return this.#state.DesiredTotal === 0 || (hasCurrent && updating === 0) ? undefined : this.#state
  }
}

/**
 * A promotion that came with more of a group leaves two of one name, and one of them is still to be replaced.
 * @param names of what is no canary, while canaries are tried: those have the names of what they will replace
 */
function withOwnNames(requests: readonly PlacementRequest[], names: NameIndex): readonly PlacementRequest[] {
  if (!names.hasDuplicates) return requests
  for (const { name, previous, isCanary } of requests) if (previous === undefined && isCanary !== true) names.take(name)
  return requests.map((request) => (request.isCanary === true ? request : { ...request, name: names.own(request.name) }))
}

/** What was out of sight may have been replaced before it was lost: then its name is taken, and it is not replaced again. */
function unreplaced(lost: readonly Allocation[], kept: readonly Allocation[]): readonly Allocation[] {
  const taken = new Set(kept.map(({ Name }) => Name))
  return lost.filter(({ Name }) => !taken.has(Name))
}

/** While canaries are tried, what replaces an ordinary allocation runs the version that is proven. */
function downgradeOf(previous: Allocation, isHeldBack: boolean): { readonly downgradeFrom?: number } {
  return isHeldBack && !isCanary(previous) ? { downgradeFrom: previous.JobVersion } : {}
}

function inNameOrder(allocations: readonly Allocation[]): readonly Allocation[] {
  return [...allocations].sort((a, b) => allocationNameIndex(a.Name) - allocationNameIndex(b.Name))
}

/** The history of what is being replaced, marked as done. */
function rescheduled(previous: Allocation): RescheduleTracker {
  return { Events: previous.RescheduleTracker?.Events ?? null, LastReschedule: 'ok' }
}
