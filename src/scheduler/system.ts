/** System and sysbatch jobs: one allocation of each group on every node that can take it (`reference/scheduler.md` §2.9). */
import {
  type Allocation,
  type AllocMetric,
  allocationName,
  type Deployment,
  type DeploymentState,
  type Evaluation,
  isClientTerminal,
  isReady,
  isServerTerminal,
  isTerminal,
  type Job,
  type Node,
  rfc3339,
  type SchedulingResult,
  type TaskGroup,
  unixNanoseconds,
} from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { IN_PLACE, LOST, NOT_NEEDED, TAINTED, UPDATING } from './descriptions.js'
import { findCandidates } from './feasible/candidates.js'
import type { ClusterIndex } from './feasible/cluster-index.js'
import { orNull } from './feasible/static-feasibility.js'
import { concludeEvaluation, type Eligibility, NOTHING_LOOKED_AT } from './outcome.js'
import { PlanBuilder } from './plan-builder.js'
import { selectOnly } from './rank/single-node.js'
import { Sites } from './rank/sites.js'
import { disconnectOf, lastUnknownMs, needsReconnect, taintOf } from './reconcile/classify.js'
import { latestDeployment, newDeployment, seedDeploymentState, sortDeployments } from './reconcile/deployments.js'
import { judgeUpdate } from './reconcile/update.js'
import type { ScheduleEnv } from './schedule-env.js'

type Wanted = { readonly node: Node; readonly previous?: Allocation; readonly replaces?: Allocation }

export function scheduleSystem(view: StateView, index: ClusterIndex, evaluation: Evaluation, env: ScheduleEnv): SchedulingResult {
  return new SystemScheduler(view, index, evaluation, env).run()
}

class SystemScheduler {
  readonly #view: StateView
  readonly #sites: Sites
  readonly #env: ScheduleEnv
  readonly #plan: PlanBuilder
  readonly #job: Job | undefined
  readonly #isSysbatch: boolean
  readonly #states = new Map<string, DeploymentState>()
  #current: Deployment | undefined
  #hasStarted = false
  /** Some group still has allocations to replace. */
  #isRolling = false
  /** Full nodes, and how many of them each group met. */
  readonly #exhaustedNodes = new Set<Node>()
  readonly #exhausted = new Map<string, number>()
  readonly #filtered = new Map<string, AllocMetric>()
  readonly #unplaceable = new Map<string, AllocMetric>()

  constructor(view: StateView, index: ClusterIndex, evaluation: Evaluation, env: ScheduleEnv) {
    this.#view = view
    this.#env = env
    this.#plan = new PlanBuilder(view, evaluation)
    this.#sites = new Sites(view, index, this.#plan)
    this.#job = env.job ?? view.jobs.get(ownerKey(evaluation))
    this.#isSysbatch = evaluation.Type === 'sysbatch'
  }

  run(): SchedulingResult {
    const plan = this.#plan
    const all = this.#view.allocations.by('job', ownerKey(plan.evaluation))
    const latest = this.#isSysbatch ? undefined : latestDeployment(this.#view, plan.evaluation)
    this.#current = sortDeployments(plan, latest, this.#job).current
    this.#stageLost(all)
    const job = this.#job
    if (job === undefined || job.Stop) {
      for (const allocation of all) if (!isTerminal(allocation)) this.#stop(allocation, this.#isLost(allocation) ? LOST : NOT_NEEDED)
      for (const group of job?.TaskGroups ?? []) plan.queued.set(group.Name, 0)
      return concludeEvaluation(plan, () => NOTHING_LOOKED_AT, latest?.ID, this.#env.newId)
    }
    this.#stopOrphans(job, all)
    for (const group of job.TaskGroups)
      this.#reconcileGroup(
        job,
        group,
        all.filter((allocation) => allocation.TaskGroup === group.Name),
      )
    const deployment = this.#settleDeployment(job)
    if (deployment !== undefined) this.#attach(deployment)
    this.#tellUnplaceable(job)
    const result = concludeEvaluation(
      plan,
      () => this.#eligibility(),
      (plan.deployment ?? latest)?.ID,
      this.#env.newId,
      this.#onlyExhaustedNode(),
    )
    return this.#unplaceable.size === 0 ? result : withFailures(result, this.#unplaceable)
  }

  /** One full node is waited for by itself; of several, the first to have room is. */
  #onlyExhaustedNode(): Node | undefined {
    const [first] = this.#exhaustedNodes
    return this.#exhaustedNodes.size === 1 ? first : undefined
  }

  #eligibility(): Eligibility {
    return { classes: Object.fromEntries([...this.#exhaustedNodes].map((node) => [node.ComputedClass, true])), hasEscaped: false }
  }

  #isLost(allocation: Allocation): boolean {
    const taint = taintOf(this.#view, allocation.NodeID)
    return taint === null || taint?.Status === 'down'
  }

  #stageLost(all: readonly Allocation[]): void {
    for (const allocation of all) {
      if (isServerTerminal(allocation) && !isClientTerminal(allocation) && this.#isLost(allocation)) {
        this.#plan.stop(allocation, LOST, { ClientStatus: 'lost', DesiredStatus: allocation.DesiredStatus as 'stop' | 'evict' })
      }
    }
  }

  #stop(allocation: Allocation, description: string): void {
    this.#plan.stop(allocation, description, this.#isLost(allocation) ? { ClientStatus: 'lost' } : {})
    this.#plan.count(allocation.TaskGroup, 'Stop', 1)
  }

  /** Groups and places that the job no longer has. */
  #stopOrphans(job: Job, all: readonly Allocation[]): void {
    for (const allocation of all) {
      if (isTerminal(allocation)) continue
      const group = job.TaskGroups.find((candidate) => candidate.Name === allocation.TaskGroup)
      const isNamed =
        group !== undefined &&
        Array.from({ length: group.Count }, (_, at) => allocationName(job.ID, group.Name, at)).includes(allocation.Name)
      if (!isNamed) this.#stop(allocation, NOT_NEEDED)
    }
  }

  #reconcileGroup(job: Job, group: TaskGroup, all: readonly Allocation[]): void {
    const candidates = findCandidates(this.#view, job).nodes
    const wanted: Wanted[] = []
    const destructive: Wanted[] = []
    this.#plan.queued.set(group.Name, 0)
    for (const allocation of all) {
      if (this.#plan.stops.has(allocation.ID)) continue
      const verdict = this.#judge(job, group, allocation, candidates)
      if (verdict === 'replace')
        destructive.push({ node: this.#view.nodes.get(allocation.NodeID)!, replaces: allocation, previous: allocation })
    }
    for (let at = 0; at < group.Count; at++)
      wanted.push(...this.#missing(job, group, all, candidates, allocationName(job.ID, group.Name, at)))
    destructive.push(...wanted.filter((want) => want.replaces !== undefined))
    const added = wanted.filter((want) => want.replaces === undefined)
    const admitted = this.#admitDestructive(group, destructive, all)
    for (const want of [...admitted, ...added]) this.#placeOne(job, group, want)
    this.#noteState(job, group, added.length, destructive.length, all)
  }

  /** What becomes of a living allocation; first match wins. */
  #judge(job: Job, group: TaskGroup, allocation: Allocation, candidates: readonly Node[]): 'kept' | 'replace' {
    const plan = this.#plan
    const keep = () => {
      plan.count(group.Name, 'Ignore', 1)
      return 'kept' as const
    }
    if (isTerminal(allocation)) return 'kept'
    if (allocation.DesiredTransition?.Migrate === true) {
      plan.stop(allocation, TAINTED, this.#isLost(allocation) ? { ClientStatus: 'lost' } : {})
      plan.count(group.Name, 'Migrate', 1)
      return 'kept'
    }
    const taint = taintOf(this.#view, allocation.NodeID)
    if (this.#isExpired(allocation)) {
      plan.stop(allocation, LOST, { ClientStatus: 'lost' })
      return 'kept'
    }
    if (allocation.ClientStatus === 'unknown') return keep()
    if (taint === undefined && needsReconnect(allocation)) return this.#reconnect(group, allocation)
    if (taint !== undefined) return this.#judgeTainted(group, allocation, taint, keep)
    const node = this.#view.nodes.get(allocation.NodeID)!
    if (!isReady(node)) return allocation.JobVersion === job.Version ? keep() : this.#stopNotNeeded(allocation)
    if (!candidates.some((candidate) => candidate.ID === node.ID)) return this.#stopNotNeeded(allocation)
    return this.#judgeUpdate(job, group, allocation, keep)
  }

  #stopNotNeeded(allocation: Allocation): 'kept' {
    this.#stop(allocation, NOT_NEEDED)
    return 'kept'
  }

  #judgeTainted(group: TaskGroup, allocation: Allocation, taint: Node | null, keep: () => 'kept'): 'kept' {
    if (taint === null || taint.Status === 'down') {
      this.#plan.stop(allocation, LOST, { ClientStatus: 'lost' })
      return 'kept'
    }
    if (taint.Status === 'disconnected' && allocation.ClientStatus === 'running') return this.#disconnect(group, allocation)
    return keep()
  }

  #isExpired(allocation: Allocation): boolean {
    const rules = disconnectOf(allocation, this.#jobOf(allocation))
    const sinceMs = lastUnknownMs(allocation)
    return (
      allocation.ClientStatus === 'unknown' &&
      rules !== undefined &&
      rules.lostAfterMs > 0 &&
      sinceMs !== undefined &&
      this.#env.nowMs >= sinceMs + rules.lostAfterMs
    )
  }

  /** Nobody takes its place elsewhere, so there is nothing to wait for but the node. */
  #disconnect(group: TaskGroup, allocation: Allocation): 'kept' {
    this.#plan.count(group.Name, 'Disconnect', 1)
    this.#plan.update({
      ...allocation,
      ClientStatus: 'unknown',
      AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: 'unknown', Time: rfc3339(this.#env.nowMs) }],
    })
    return 'kept'
  }

  #reconnect(group: TaskGroup, allocation: Allocation): 'kept' {
    this.#plan.count(group.Name, 'Reconnect', 1)
    this.#plan.count(group.Name, 'InPlaceUpdate', 1)
    this.#plan.update({
      ...allocation,
      AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: allocation.ClientStatus, Time: rfc3339(this.#env.nowMs) }],
    })
    return 'kept'
  }

  #judgeUpdate(job: Job, group: TaskGroup, allocation: Allocation, keep: () => 'kept'): 'kept' | 'replace' {
    const fitInPlace = (row: Allocation, of: TaskGroup): Allocation | undefined => {
      const node = this.#view.nodes.get(row.NodeID)
      const resources = node === undefined ? undefined : this.#sites.fitInPlace(job, of, row, node)
      return resources === undefined
        ? undefined
        : {
            ...row,
            JobVersion: job.Version,
            JobCreateIndex: job.CreateIndex,
            AllocatedResources: resources,
            DesiredDescription: IN_PLACE,
          }
    }
    const verdict = judgeUpdate({ job, view: this.#view, jobOf: (row) => this.#jobOf(row), fitInPlace }, group, allocation)
    if (verdict === 'ignore') return keep()
    if (verdict === 'destructive') return 'replace'
    this.#plan.update(verdict)
    this.#plan.count(group.Name, 'InPlaceUpdate', 1)
    return 'kept'
  }

  #jobOf(allocation: Allocation): Job | undefined {
    return this.#view.findJobVersion(allocation.Namespace, allocation.JobID, allocation.JobCreateIndex, allocation.JobVersion)
  }

  /** Candidates on which nothing of that name lives. What a sysbatch job has finished there is not done again. */
  #missing(job: Job, group: TaskGroup, all: readonly Allocation[], candidates: readonly Node[], name: string): readonly Wanted[] {
    const living = new Set<string>()
    const ended = new Map<string, Allocation>()
    for (const allocation of all) {
      if (allocation.Name !== name) continue
      const isGone = isTerminal(allocation) || (this.#plan.stops.has(allocation.ID) && isClientTerminal(allocation))
      if (!isGone) living.add(allocation.NodeID)
      else if ((ended.get(allocation.NodeID)?.CreateIndex ?? -1) < allocation.CreateIndex) ended.set(allocation.NodeID, allocation)
    }
    return candidates.flatMap((node): Wanted[] => {
      if (living.has(node.ID)) return []
      const previous = ended.get(node.ID)
      if (previous === undefined) return [{ node }]
      if (!this.#isSysbatch) return [{ node, previous }]
      if (this.#jobOf(previous)?.JobModifyIndex !== job.JobModifyIndex) return [{ node, previous, replaces: previous }]
      if (isServerTerminal(previous)) return [{ node, previous }]
      this.#plan.count(group.Name, 'Ignore', 1)
      return []
    })
  }

  /** As many at once as the update block lets, counting those that have not proved themselves yet. */
  #admitDestructive(group: TaskGroup, destructive: readonly Wanted[], all: readonly Allocation[]): readonly Wanted[] {
    const update = group.Update
    const plan = this.#plan
    this.#isRolling ||= destructive.length > 0
    if (update === null || update.MaxParallel === 0 || this.#isSysbatch) {
      plan.count(group.Name, 'DestructiveUpdate', destructive.length)
      return destructive
    }
    const state = this.#current?.TaskGroups[group.Name]
    const isCanarying = update.Canary > 0 && destructive.length > 0 && state?.Promoted !== true
    const unproven =
      this.#current === undefined
        ? 0
        : all.filter(
            (allocation) =>
              !isTerminal(allocation) && allocation.DeploymentID === this.#current!.ID && allocation.DeploymentStatus?.Healthy !== true,
          ).length
    const canaries = isCanarying
      ? Math.max(
          0,
          Math.min(update.MaxParallel, Math.ceil((update.Canary / 100) * destructive.length)) - (state?.PlacedCanaries?.length ?? 0),
        )
      : undefined
    const admitted = destructive.slice(0, canaries ?? Math.max(0, update.MaxParallel - unproven))
    plan.count(group.Name, 'DestructiveUpdate', destructive.length)
    if (isCanarying) {
      plan.count(group.Name, 'Canary', admitted.length)
      plan.queued.set(group.Name, destructive.length - admitted.length)
    }
    return isCanarying ? admitted.map((want) => ({ ...want, isCanary: true })) : admitted
  }

  /** What the deployment has to watch of the group. */
  #noteState(job: Job, group: TaskGroup, missing: number, destructive: number, all: readonly Allocation[]): void {
    if (this.#isSysbatch || group.Update === null || group.Update.MaxParallel === 0) return
    const living = all.filter((allocation) => !isTerminal(allocation) && !this.#plan.stops.has(allocation.ID))
    const hasCurrent = living.some((allocation) => allocation.JobVersion === job.Version && allocation.JobCreateIndex === job.CreateIndex)
    const hasUpdates =
      destructive > 0 || [...this.#plan.updates.values()].some((row) => row.TaskGroup === group.Name && row.DesiredDescription === IN_PLACE)
    const known = this.#current?.TaskGroups[group.Name]
    if (known === undefined && hasCurrent && !hasUpdates) return
    if (known === undefined && missing + destructive === 0 && !hasUpdates) return
    // Full nodes are waited for, but not by the deployment.
    const total = this.#sites.of(job, group).statics.rows.length - (this.#exhausted.get(group.Name) ?? 0)
    if (total <= 0) return
    const canaries =
      group.Update.Canary > 0 && destructive > 0 && known?.Promoted !== true
        ? Math.min(group.Update.MaxParallel, Math.ceil((group.Update.Canary / 100) * destructive))
        : 0
    this.#states.set(group.Name, {
      ...(known ?? seedDeploymentState(group)),
      DesiredTotal: total,
      DesiredCanaries: Math.max(known?.DesiredCanaries ?? 0, canaries),
    })
  }

  #placeOne(job: Job, group: TaskGroup, want: Wanted & { readonly isCanary?: boolean }): void {
    const plan = this.#plan
    if (want.replaces !== undefined) plan.stop(want.replaces, UPDATING)
    const config = this.#view.schedulerConfiguration.PreemptionConfig
    const mayPreempt = this.#isSysbatch ? config.SysBatchSchedulerEnabled : config.SystemSchedulerEnabled
    const selection = selectOnly(this.#sites, this.#sites.of(job, group), want.node, mayPreempt)
    if (selection.kind === 'none') return this.#giveUp(group, want, selection.metric)
    const id = this.#env.newId()
    for (const victim of selection.choice.victims) plan.preempt(victim, id)
    if (want.replaces === undefined) plan.count(group.Name, 'Place', 1)
    const now = unixNanoseconds(this.#env.nowMs)
    plan.place({
      ID: id,
      Namespace: job.Namespace,
      EvalID: plan.evaluation.ID,
      Name: want.replaces?.Name ?? allocationName(job.ID, group.Name, 0),
      NodeID: want.node.ID,
      NodeName: want.node.Name,
      JobID: job.ID,
      JobCreateIndex: job.CreateIndex,
      JobVersion: job.Version,
      TaskGroup: group.Name,
      AllocatedResources: selection.choice.resources,
      Metrics: selection.choice.metric,
      DesiredStatus: 'run',
      ClientStatus: 'pending',
      ...(want.previous === undefined ? {} : { PreviousAllocation: want.previous.ID }),
      ...(want.isCanary === true
        ? { DeploymentStatus: { Healthy: null, Timestamp: '0001-01-01T00:00:00Z', Canary: true, ModifyIndex: 0 } }
        : {}),
      ...(selection.choice.victims.length > 0 ? { PreemptedAllocations: selection.choice.victims.map((victim) => victim.ID) } : {}),
      CreateIndex: 0,
      ModifyIndex: 0,
      AllocModifyIndex: 0,
      CreateTime: now,
      ModifyTime: now,
    })
    this.#hasStarted = true
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
    plan.failed.set(group.Name, known === undefined ? metric : { ...known, CoalescedFailures: known.CoalescedFailures + 1 })
    plan.queued.set(group.Name, (plan.queued.get(group.Name) ?? 0) + 1)
    this.#exhausted.set(group.Name, (this.#exhausted.get(group.Name) ?? 0) + 1)
    this.#exhaustedNodes.add(want.node)
  }

  #noteFiltered(group: TaskGroup, metric: AllocMetric): void {
    const known = this.#filtered.get(group.Name)
    this.#filtered.set(group.Name, known === undefined ? metric : mergeFiltered(known, metric))
  }

  /** That nowhere at all a group may run is told, though nothing is waited for. */
  #tellUnplaceable(job: Job): void {
    const plan = this.#plan
    for (const [name, metric] of this.#filtered) {
      const isSomewhere = plan.placements.some((row) => row.TaskGroup === name) || this.#countLiving(job, name) > 0
      if (!isSomewhere && !plan.failed.has(name)) this.#unplaceable.set(name, metric)
    }
  }

  #countLiving(job: Job, group: string): number {
    const key = ownerKey({ Namespace: job.Namespace, JobID: job.ID })
    return this.#view.allocations.by('job', key).filter((row) => row.TaskGroup === group && !isTerminal(row)).length
  }

  #settleDeployment(job: Job): Deployment | undefined {
    const current = this.#current
    if (this.#states.size === 0) return current
    if (current === undefined) {
      const { Priority } = this.#plan.evaluation
      this.#plan.deployment = newDeployment(job, Object.fromEntries(this.#states), this.#env.newId(), Priority)
      return this.#plan.deployment
    }
    const groups = { ...current.TaskGroups, ...Object.fromEntries(this.#states) }
    const isProven = Object.values(groups).every(
      (state) => state.HealthyAllocs >= state.DesiredTotal && (state.DesiredCanaries === 0 || state.Promoted),
    )
    if (isProven && !this.#hasStarted) {
      this.#plan.deploymentUpdates.push({
        DeploymentID: current.ID,
        Status: 'successful',
        StatusDescription: 'Deployment completed successfully',
      })
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

  #attach(deployment: Deployment): void {
    for (const [at, row] of this.#plan.placements.entries()) this.#plan.placements[at] = { ...row, DeploymentID: deployment.ID }
    for (const [id, row] of this.#plan.updates) {
      if (row.DesiredDescription !== IN_PLACE || row.JobVersion !== deployment.JobVersion) continue
      const { DeploymentStatus: _, ...rest } = row
      this.#plan.updates.set(id, { ...rest, DeploymentID: deployment.ID })
    }
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

function withFailures(result: SchedulingResult, failures: ReadonlyMap<string, AllocMetric>): SchedulingResult {
  const FailedTGAllocs = { ...result.evaluation.FailedTGAllocs, ...Object.fromEntries(failures) }
  return { ...result, evaluation: { ...result.evaluation, FailedTGAllocs } }
}
