/**
 * Carries roll-outs to their end (Nomad docs, "update block"): asks for the next step when an allocation became healthy,
 * promotes canaries that may be, fails what cannot succeed, and goes back to the newest stable version where the job says so.
 * Whether all is done only the scheduler knows: it ends the deployment with the step that finds nothing left to do.
 *
 * L2 Every deployment ends: each state has a finite deadline, also that in which nothing was ever placed.
 */
import {
  type Allocation,
  type Deployment,
  type DeploymentState,
  isDeploymentActive,
  isServerTerminal,
  isTerminal,
  type Job,
  MILLISECOND,
  parseRfc3339Ms,
} from '../domain/index.js'
import { hasRescheduleAttemptsLeft } from '../scheduler/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import { failDeployment } from './deployment-failure.js'
import { newEvaluation } from './new-evaluation.js'
import type { ReconcilerDeps } from './reconciler-deps.js'

export type DeploymentWatcherDeps = Omit<ReconcilerDeps, 'logger'>

/** Where nothing was ever placed there is no RequireProgressBy, yet the deployment must end. */
const UNPLACED_DEADLINE_MIN_MS = 60_000

export class DeploymentWatcher {
  readonly #deps: DeploymentWatcherDeps
  readonly #due = new Set<string>()
  readonly #timers = new Map<string, () => void>()
  /** Health index of each deployment up to which evaluations were asked for. */
  readonly #seen = new Map<string, number>()

  constructor(deps: DeploymentWatcherDeps) {
    this.#deps = deps
    const { view } = deps
    for (const deployment of view.deployments.values()) this.#mark(deployment.ID)
    view.deployments.observe((before, after, id) => (after === undefined ? this.#forget(id) : before === after || this.#mark(id)))
    view.allocations.observe((before, after) => {
      if (after?.DeploymentID === undefined) return
      if (before?.DeploymentStatus !== after.DeploymentStatus || before?.ClientStatus !== after.ClientStatus) this.#mark(after.DeploymentID)
    })
  }

  /** Looks at every deployment that something happened to. */
  reconcile(): void {
    for (const id of [...this.#due].sort()) {
      this.#due.delete(id)
      const deployment = this.#deps.view.deployments.get(id)
      if (deployment === undefined || !isDeploymentActive(deployment)) this.#forget(id)
      else this.#look(deployment)
    }
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #mark(id: string): void {
    this.#due.add(id)
    this.#deps.onDue()
  }

  #forget(id: string): void {
    this.#timers.get(id)?.()
    this.#timers.delete(id)
    this.#seen.delete(id)
    this.#due.delete(id)
  }

  #look(deployment: Deployment): void {
    const { view } = this.#deps
    const job = view.jobs.get(ownerKey(deployment))
    if (job === undefined || job.Stop || job.CreateIndex !== deployment.JobCreateIndex || job.Version !== deployment.JobVersion) return
    if (deployment.Status === 'paused') return
    const allocations = view.allocations.by('deployment', deployment.ID)
    const failure = this.#findFailure(deployment, job, allocations)
    if (failure !== undefined) return this.#fail(deployment, job, failure)
    if (canAutoPromote(deployment, allocations)) return this.#promote(deployment, job)
    this.#askForNextStep(deployment, job, allocations)
    this.#armDeadline(deployment)
  }

  #findFailure(deployment: Deployment, job: Job, allocations: readonly Allocation[]): string | undefined {
    for (const allocation of allocations) {
      if (allocation.DeploymentStatus?.Healthy !== false) continue
      const state = deployment.TaskGroups[allocation.TaskGroup]
      if (state === undefined) continue
      if (state.ProgressDeadline === 0 || !hasRescheduleAttemptsLeft(allocation, job, this.#nowMs()))
        return 'Failed due to unhealthy allocations'
    }
    return this.#deadlineMs(deployment) <= this.#nowMs() ? 'Failed due to progress deadline' : undefined
  }

  #fail(deployment: Deployment, job: Job, reason: string): void {
    const { view, random, propose } = this.#deps
    const isReverting = Object.values(deployment.TaskGroups).some((state) => state.AutoRevert && !isGroupDone(state))
    propose(failDeployment(view, deployment, job, { reason, isReverting, random }).commands)
  }

  #promote(deployment: Deployment, job: Job): void {
    const { random, propose, view } = this.#deps
    const evaluation = newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deployment.ID })
    propose([
      { kind: 'deployment-promote', deploymentId: deployment.ID, groups: promotableGroups(view, deployment), evaluations: [evaluation] },
    ])
  }

  /** One evaluation for each health index at which something became healthy or unhealthy, and for what may be replaced now. */
  #askForNextStep(deployment: Deployment, job: Job, allocations: readonly Allocation[]): void {
    const newest = allocations.reduce((max, allocation) => Math.max(max, allocation.DeploymentStatus?.ModifyIndex ?? 0), 0)
    const seen = this.#seen.get(deployment.ID) ?? 0
    const replaceable = allocations.filter(awaitsReplacement)
    if (newest <= seen && replaceable.length === 0) return
    this.#seen.set(deployment.ID, newest)
    const { random, propose } = this.#deps
    const evaluation = newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deployment.ID })
    if (replaceable.length === 0) return propose([{ kind: 'evaluation-update', evaluations: [evaluation] }])
    const transitions = Object.fromEntries(replaceable.map((allocation) => [allocation.ID, { Reschedule: true }]))
    propose([{ kind: 'allocation-transition', transitions, evaluations: [evaluation] }])
  }

  #armDeadline(deployment: Deployment): void {
    this.#timers.get(deployment.ID)?.()
    const waitMs = this.#deadlineMs(deployment) - this.#nowMs()
    if (!Number.isFinite(waitMs)) return
    this.#timers.set(
      deployment.ID,
      this.#deps.clock.after(Math.min(Math.max(waitMs, 1), LOOK_AGAIN_MS), () => this.#mark(deployment.ID)),
    )
  }

  /** The earliest instant by which some unfinished group must have made progress. */
  #deadlineMs(deployment: Deployment): number {
    const deadlines = Object.values(deployment.TaskGroups)
      .filter((state) => !isGroupDone(state) && state.ProgressDeadline !== 0)
      .map((state) => parseRfc3339Ms(state.RequireProgressBy) ?? unplacedDeadlineMs(deployment, state))
    return Math.min(Number.POSITIVE_INFINITY, ...deadlines)
  }

  #nowMs(): number {
    return this.#deps.clock.wallMs()
  }
}

/** Timers are looked at again at least this often, so that a jump of the wall clock does no lasting harm. */
const LOOK_AGAIN_MS = 30_000

function unplacedDeadlineMs(deployment: Deployment, state: DeploymentState): number {
  return deployment.CreateTime / MILLISECOND + Math.max(UNPLACED_DEADLINE_MIN_MS, state.ProgressDeadline / MILLISECOND)
}

/** Nothing more is awaited of the group by itself: all healthy, or its canaries are and a person must decide. */
function isGroupDone(state: DeploymentState): boolean {
  if (state.DesiredCanaries > 0 && !state.Promoted) return state.HealthyAllocs >= state.DesiredCanaries
  return state.HealthyAllocs >= state.DesiredTotal
}

/**
 * The scheduler leaves what a roll-out has placed alone until it is told that it may replace it: what did not become healthy, and
 * what failed after it had been.
 */
function awaitsReplacement(allocation: Allocation): boolean {
  const hasFailed = allocation.DeploymentStatus?.Healthy === false || allocation.ClientStatus === 'failed'
  return hasFailed && !isServerTerminal(allocation) && allocation.DesiredTransition?.Reschedule !== true
}

function canAutoPromote(deployment: Deployment, allocations: readonly Allocation[]): boolean {
  const waiting = Object.entries(deployment.TaskGroups).filter(([, state]) => state.DesiredCanaries > 0 && !state.Promoted)
  return (
    waiting.length > 0 &&
    waiting.every(([name, state]) => state.AutoPromote && healthyCanaries(state, name, allocations).length >= state.DesiredCanaries)
  )
}

function healthyCanaries(state: DeploymentState, group: string, allocations: readonly Allocation[]): readonly Allocation[] {
  const placed = new Set(state.PlacedCanaries ?? [])
  return allocations.filter(
    (allocation) =>
      allocation.TaskGroup === group &&
      placed.has(allocation.ID) &&
      allocation.DeploymentStatus?.Healthy === true &&
      !isTerminal(allocation),
  )
}

export function healthyCanaryCount(view: StateView, deployment: Deployment, group: string): number {
  const state = deployment.TaskGroups[group]
  return state === undefined ? 0 : healthyCanaries(state, group, view.allocations.by('deployment', deployment.ID)).length
}

/** The groups whose canaries are all healthy and not promoted yet. */
export function promotableGroups(view: StateView, deployment: Deployment): readonly string[] {
  const allocations = view.allocations.by('deployment', deployment.ID)
  return Object.entries(deployment.TaskGroups)
    .filter(
      ([name, state]) =>
        state.DesiredCanaries > 0 && !state.Promoted && healthyCanaries(state, name, allocations).length >= state.DesiredCanaries,
    )
    .map(([name]) => name)
}
