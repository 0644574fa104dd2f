/** Gives each wanted allocation its node, or notes why it has none (Nomad docs, "Placement"). */
import { type Allocation, type Deployment, isDeploymentActive, isReady, type Job, type Node, type TaskGroup } from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { newAllocation, UNJUDGED_CANARY } from './allocation-row.js'
import { UPDATING } from './descriptions.js'
import type { PlanBuilder } from './plan-builder.js'
import { addExhausted } from './rank/exhausted-resources.js'
import { type Choice, Selector } from './rank/selector.js'
import type { Sites } from './rank/sites.js'
import { policyOf, trackReplacement } from './reconcile/reschedule.js'
import type { PlacementRequest } from './reconcile/types.js'

export interface PlacerDeps {
  readonly sites: Sites
  readonly job: Job
  readonly nowMs: number
  readonly newId: () => string
}

/** What is to be placed: a group of one version of the job, and the deployment that it belongs to. */
interface Target {
  readonly job: Job
  readonly group: TaskGroup
  readonly deploymentId: string | undefined
}

export class Placer {
  readonly #deps: PlacerDeps
  readonly #plan: PlanBuilder
  readonly #view: StateView
  readonly #selectors = new Map<TaskGroup, Selector>()
  /** How many of each group are asked for. */
  readonly #wanted = new Map<string, number>()
  /** The active deployment that new allocations belong to. */
  #deploymentId: string | undefined

  constructor(deps: PlacerDeps) {
    this.#deps = deps
    this.#plan = deps.sites.plan
    this.#view = deps.sites.view
  }

  /** Destructive updates first: what they free may be what others need. */
  placeAll(requests: readonly PlacementRequest[], deployment: Deployment | undefined): void {
    this.#deploymentId = deployment !== undefined && isDeploymentActive(deployment) ? deployment.ID : undefined
    for (const { group } of requests) this.#wanted.set(group.Name, (this.#wanted.get(group.Name) ?? 0) + 1)
    for (const request of requests) if (request.replaces !== undefined) this.#placeOne(request)
    for (const request of requests) if (request.replaces === undefined) this.#placeOne(request)
  }

  #selectorFor(job: Job, group: TaskGroup): Selector {
    const { sites } = this.#deps
    let selector = this.#selectors.get(group)
    if (selector === undefined) {
      selector = new Selector({ sites, site: sites.of(job, group), wanted: this.#wanted.get(group.Name) ?? 1 })
      this.#selectors.set(group, selector)
    }
    return selector
  }

  #placeOne(request: PlacementRequest): void {
    const plan = this.#plan
    const failed = plan.failed.get(request.group.Name)
    if (failed !== undefined) {
      plan.failed.set(request.group.Name, addExhausted({ ...failed, CoalescedFailures: failed.CoalescedFailures + 1 }, request.group))
      this.#giveUp(request)
      return
    }
    const target = this.#targetOf(request)
    const { job, group } = target
    if (request.replaces !== undefined) plan.stop(request.replaces, UPDATING)
    const selection = this.#selectorFor(job, group).select({
      name: request.name,
      preferred: this.#preferredNode(request),
      penalized: penalizedNodes(request.previous),
      mayPreempt: this.#mayPreempt(job),
    })
    if (selection.kind === 'chosen') return this.#accept(request, target, selection.choice)
    plan.failed.set(request.group.Name, addExhausted(selection.metric, request.group))
    this.#giveUp(request)
  }

  #giveUp(request: PlacementRequest): void {
    const plan = this.#plan
    plan.queued.set(request.group.Name, (plan.queued.get(request.group.Name) ?? 0) + 1)
    if (request.replaces !== undefined) plan.unstop(request.replaces)
    // What failed and could not be placed again stays there to be counted, and is tried when there is room.
    if (request.isReschedule === true && request.previous !== undefined && !plan.updates.has(request.previous.ID)) {
      plan.unstop(request.previous)
      const tracker = { Events: request.previous.RescheduleTracker?.Events ?? null, LastReschedule: 'no placement' }
      plan.update({ ...request.previous, RescheduleTracker: tracker })
    }
  }

  #accept(request: PlacementRequest, { job, group, deploymentId }: Target, choice: Choice): void {
    const { nowMs, newId } = this.#deps
    const plan = this.#plan
    const id = newId()
    for (const victim of choice.victims) plan.preempt(victim, id)
    if (choice.victims.length > 0) plan.count(group.Name, 'Preemptions', choice.victims.length)
    const { previous } = request
    const row = newAllocation({ id, name: request.name, evaluationId: plan.evaluation.ID, job, group, choice, nowMs })
    if (deploymentId !== undefined) row.DeploymentID = deploymentId
    if (previous !== undefined) row.PreviousAllocation = previous.ID
    if (request.isCanary === true) row.DeploymentStatus = UNJUDGED_CANARY
    if (request.isReschedule === true && previous !== undefined)
      row.RescheduleTracker = trackReplacement(previous, policyOf(job, group.Name), nowMs)
    plan.place(row)
  }

  #mayPreempt(job: Job): boolean {
    const config = this.#view.schedulerConfiguration.PreemptionConfig
    return job.Type === 'batch' ? config.BatchSchedulerEnabled : config.ServiceSchedulerEnabled
  }

  /** The node whose ephemeral disk is to be kept. */
  #preferredNode({ previous, group }: PlacementRequest): Node | undefined {
    if (previous === undefined || !(group.EphemeralDisk.Sticky || group.EphemeralDisk.Migrate)) return undefined
    const node = this.#view.nodes.get(previous.NodeID)
    return node !== undefined && isReady(node) ? node : undefined
  }

  /** While canaries are tried everything else runs the version that is proven. */
  #targetOf(request: PlacementRequest): Target {
    const current = { job: this.#deps.job, group: request.group, deploymentId: this.#deploymentId }
    return request.downgradeFrom === undefined ? current : (this.#provenSince(request.downgradeFrom, request.group) ?? current)
  }

  #provenSince(downgradeFrom: number, { Name: name }: TaskGroup): Target | undefined {
    const { job } = this.#deps
    const view = this.#view
    const key = ownerKey({ Namespace: job.Namespace, JobID: job.ID })
    const proven = [...view.deployments.by('job', key)]
      .filter(
        (candidate) =>
          candidate.JobCreateIndex === job.CreateIndex && candidate.JobVersion >= downgradeFrom && candidate.JobVersion < job.Version,
      )
      .filter((candidate) => {
        const state = candidate.TaskGroups[name]
        return state !== undefined && (state.Promoted || state.DesiredCanaries === 0)
      })
      .sort((a, b) => b.JobVersion - a.JobVersion)[0]
    const version = proven?.JobVersion ?? downgradeFrom
    const older = view.findJobVersion(job.Namespace, job.ID, job.CreateIndex, version)
    const group = older?.TaskGroups.find((candidate) => candidate.Name === name)
    if (older === undefined || group === undefined) return undefined
    return { job: older, group, deploymentId: proven?.ID }
  }
}

const NONE: ReadonlySet<string> = new Set()

function penalizedNodes(previous: Allocation | undefined): ReadonlySet<string> {
  if (previous === undefined || (previous.RescheduleTracker === undefined && previous.ClientStatus !== 'failed')) return NONE
  const nodes = new Set((previous.RescheduleTracker?.Events ?? []).map((event) => event.PrevNodeID))
  if (previous.ClientStatus === 'failed') nodes.add(previous.NodeID)
  return nodes
}
