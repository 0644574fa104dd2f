/** Gives each wanted allocation its node, or notes why it has none (`reference/scheduler.md` §2.8). */
import {
  type Allocation,
  type AllocMetric,
  type Deployment,
  isDeploymentActive,
  isReady,
  type Job,
  type Node,
  type TaskGroup,
  unixNanoseconds,
} from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { UPDATING } from './descriptions.js'
import type { NodeTable } from './feasible/node-table.js'
import type { Eligibility } from './outcome.js'
import type { PlanBuilder } from './plan-builder.js'
import { type Choice, Selector } from './rank/selector.js'
import { policyOf, trackReplacement } from './reconcile/reschedule.js'
import type { PlacementRequest } from './reconcile/types.js'

export interface PlacerDeps {
  readonly view: StateView
  readonly table: NodeTable
  readonly plan: PlanBuilder
  readonly job: Job
  readonly nowMs: number
  readonly newId: () => string
}

export class Placer {
  readonly #deps: PlacerDeps
  readonly #selectors = new Map<string, Selector>()

  constructor(deps: PlacerDeps) {
    this.#deps = deps
  }

  /** Destructive updates first: what they free may be what others need. */
  placeAll(requests: readonly PlacementRequest[], deployment: Deployment | undefined): void {
    for (const request of [...requests].sort((a, b) => Number(b.replaces !== undefined) - Number(a.replaces !== undefined)))
      this.#placeOne(request, deployment)
  }

  /** For every group looked at: which classes of nodes may ever take one of them. */
  get eligibility(): Eligibility {
    const classes: Record<string, boolean> = {}
    let hasEscaped = false
    for (const { statics } of this.#selectors.values()) {
      for (const [name, isEligible] of Object.entries(statics.classEligibility)) classes[name] = (classes[name] ?? false) || isEligible
      hasEscaped ||= statics.hasEscaped
    }
    return { classes, hasEscaped }
  }

  selectorFor(job: Job, group: TaskGroup): Selector {
    const key = `${group.Name} ${job.Version}`
    let selector = this.#selectors.get(key)
    if (selector === undefined) {
      const { view, table, plan } = this.#deps
      const pool = view.nodePools.get(job.NodePool)?.SchedulerConfiguration
      const { schedulerConfiguration } = view
      selector = new Selector({
        view,
        table,
        plan,
        job,
        group,
        algorithm: (pool?.SchedulerAlgorithm ||
          schedulerConfiguration.SchedulerAlgorithm) as typeof schedulerConfiguration.SchedulerAlgorithm,
        hasOversubscription: pool?.MemoryOversubscriptionEnabled ?? schedulerConfiguration.MemoryOversubscriptionEnabled,
      })
      this.#selectors.set(key, selector)
    }
    return selector
  }

  #placeOne(request: PlacementRequest, deployment: Deployment | undefined): void {
    const { plan } = this.#deps
    const { job, group, deploymentId } = this.#versionFor(request, deployment)
    const failed = plan.failed.get(request.group.Name)
    if (failed !== undefined) {
      plan.failed.set(request.group.Name, { ...failed, CoalescedFailures: failed.CoalescedFailures + 1 })
      this.#queue(request)
      return
    }
    const selector = this.selectorFor(job, group)
    if (request.replaces !== undefined) {
      plan.stop(request.replaces, UPDATING)
      this.#touch(request.replaces.NodeID)
      selector.countSpread(request.replaces.NodeID, -1)
    }
    const selection = selector.select({
      preferred: this.#preferredNode(request),
      penalized: penalizedNodes(request.previous),
      mayPreempt: this.#mayPreempt(job),
    })
    if (selection.kind === 'none') return this.#giveUp(request, selector, selection.metric)
    this.#accept(request, job, group, deploymentId, selection.choice, selector)
  }

  #giveUp(request: PlacementRequest, selector: Selector, metric: AllocMetric): void {
    const { plan } = this.#deps
    plan.failed.set(request.group.Name, metric)
    this.#queue(request)
    if (request.replaces !== undefined) {
      plan.unstop(request.replaces)
      this.#touch(request.replaces.NodeID)
      selector.countSpread(request.replaces.NodeID, 1)
    }
    // What failed and could not be placed again stays there to be counted, and is tried when there is room.
    if (request.isReschedule === true && request.previous !== undefined && !plan.updates.has(request.previous.ID)) {
      plan.unstop(request.previous)
      const tracker = { Events: request.previous.RescheduleTracker?.Events ?? null, LastReschedule: 'no placement' }
      plan.update({ ...request.previous, RescheduleTracker: tracker })
    }
  }

  #queue(request: PlacementRequest): void {
    this.#deps.plan.queued.set(request.group.Name, (this.#deps.plan.queued.get(request.group.Name) ?? 0) + 1)
  }

  #accept(
    request: PlacementRequest,
    job: Job,
    group: TaskGroup,
    deploymentId: string | undefined,
    choice: Choice,
    selector: Selector,
  ): void {
    const { plan, nowMs, newId } = this.#deps
    const id = newId()
    for (const victim of choice.victims) {
      plan.preempt(victim, id)
      this.#touch(victim.NodeID)
    }
    if (choice.victims.length > 0) plan.count(group.Name, 'Preemptions', choice.victims.length)
    const { previous } = request
    plan.place({
      ID: id,
      Namespace: job.Namespace,
      EvalID: plan.evaluation.ID,
      Name: request.name,
      NodeID: choice.node.ID,
      NodeName: choice.node.Name,
      JobID: job.ID,
      JobCreateIndex: job.CreateIndex,
      JobVersion: job.Version,
      TaskGroup: group.Name,
      AllocatedResources: choice.resources,
      Metrics: choice.metric,
      DesiredStatus: 'run',
      ClientStatus: 'pending',
      ...(previous === undefined ? {} : { PreviousAllocation: previous.ID }),
      ...(deploymentId === undefined ? {} : { DeploymentID: deploymentId }),
      ...(request.isCanary === true
        ? { DeploymentStatus: { Healthy: null, Timestamp: '0001-01-01T00:00:00Z', Canary: true, ModifyIndex: 0 } }
        : {}),
      ...(request.isReschedule === true && previous !== undefined
        ? { RescheduleTracker: trackReplacement(previous, policyOf(job, group.Name), nowMs) }
        : {}),
      ...(choice.victims.length > 0 ? { PreemptedAllocations: choice.victims.map((victim) => victim.ID) } : {}),
      CreateIndex: 0,
      ModifyIndex: 0,
      AllocModifyIndex: 0,
      CreateTime: unixNanoseconds(nowMs),
      ModifyTime: unixNanoseconds(nowMs),
    })
    this.#touch(choice.node.ID)
    selector.countSpread(choice.node.ID, 1)
  }

  #touch(nodeId: string): void {
    for (const selector of this.#selectors.values()) selector.touch(nodeId)
  }

  #mayPreempt(job: Job): boolean {
    const config = this.#deps.view.schedulerConfiguration.PreemptionConfig
    return job.Type === 'batch' ? config.BatchSchedulerEnabled : config.ServiceSchedulerEnabled
  }

  /** The node whose ephemeral disk is to be kept. */
  #preferredNode({ previous, group }: PlacementRequest): Node | undefined {
    if (previous === undefined || !(group.EphemeralDisk.Sticky || group.EphemeralDisk.Migrate)) return undefined
    const node = this.#deps.view.nodes.get(previous.NodeID)
    return node !== undefined && isReady(node) ? node : undefined
  }

  /** While canaries are tried everything else runs the version that is proven. */
  #versionFor(
    request: PlacementRequest,
    deployment: Deployment | undefined,
  ): { readonly job: Job; readonly group: TaskGroup; readonly deploymentId: string | undefined } {
    const { job, view } = this.#deps
    const current = {
      job,
      group: request.group,
      deploymentId: deployment !== undefined && isDeploymentActive(deployment) ? deployment.ID : undefined,
    }
    if (request.downgradeFrom === undefined) return current
    const { downgradeFrom } = request
    const key = ownerKey({ Namespace: job.Namespace, JobID: job.ID })
    const proven = [...view.deployments.by('job', key)]
      .filter(
        (candidate) =>
          candidate.JobCreateIndex === job.CreateIndex && candidate.JobVersion >= downgradeFrom && candidate.JobVersion < job.Version,
      )
      .filter((candidate) => {
        const state = candidate.TaskGroups[request.group.Name]
        return state !== undefined && (state.Promoted || state.DesiredCanaries === 0)
      })
      .sort((a, b) => b.JobVersion - a.JobVersion)[0]
    const version = proven?.JobVersion ?? downgradeFrom
    const older = view.findJobVersion(job.Namespace, job.ID, job.CreateIndex, version)
    const group = older?.TaskGroups.find((candidate) => candidate.Name === request.group.Name)
    if (older === undefined || group === undefined) return current
    return { job: older, group, deploymentId: proven?.ID }
  }
}

function penalizedNodes(previous: Allocation | undefined): ReadonlySet<string> {
  if (previous === undefined) return new Set()
  const nodes = new Set((previous.RescheduleTracker?.Events ?? []).map((event) => event.PrevNodeID))
  if (previous.ClientStatus === 'failed') nodes.add(previous.NodeID)
  return nodes
}
