/** System and sysbatch jobs: one allocation of each group on every node that can take it (Nomad docs, "Placement"). */
import {
  type Allocation,
  type AllocMetric,
  allocationName,
  type Deployment,
  type Evaluation,
  isClientTerminal,
  isServerTerminal,
  isTerminal,
  type Job,
  type Node,
  type SchedulingResult,
  type TaskGroup,
} from '../../domain/index.js'
import { jobOfAllocation, type StateView } from '../../state/index.js'
import { beginEvaluation } from '../begin-evaluation.js'
import { IN_PLACE, NOT_NEEDED } from '../descriptions.js'
import { findCandidates } from '../feasible/candidates.js'
import type { ClusterIndex } from '../feasible/cluster-index.js'
import { concludeEvaluation } from '../outcome.js'
import type { PlanBuilder } from '../plan-builder.js'
import { Sites } from '../rank/sites.js'
import { stopCounted } from '../reconcile/lost.js'
import type { ScheduleEnv } from '../schedule-env.js'
import { LivingJudge } from './living-judge.js'
import { SystemPlacer, type Wanted } from './system-placer.js'
import { SystemRollOut } from './system-roll-out.js'

export function scheduleSystem(view: StateView, index: ClusterIndex, evaluation: Evaluation, env: ScheduleEnv): SchedulingResult {
  const begun = beginEvaluation(view, evaluation, env)
  if (begun.kind === 'ended') return begun.result
  const { job, plan, all, latest, current } = begun
  stopOrphans(view, plan, job, all)
  const sites = new Sites(view, index, plan)
  const scheduler = new SystemScheduler(sites, job, current, env)
  for (const group of job.TaskGroups) {
    const ofGroup = all.filter((allocation) => allocation.TaskGroup === group.Name)
    scheduler.reconcileGroup(group, ofGroup)
  }
  const { placer, rollOut } = scheduler
  const deployment = rollOut.settle(job, placer.hasPlaced, env.newId)
  if (deployment !== undefined) attach(plan, deployment)
  const lives = (group: string) => all.some((row) => row.TaskGroup === group && !isTerminal(row))
  const deploymentId = (plan.deployment ?? latest)?.ID
  const result = concludeEvaluation(plan, () => placer.eligibility, deploymentId, env.newId, placer.onlyExhaustedNode)
  return withFailures(result, placer.unplaceable(lives))
}

/** Groups and places that the job no longer has. */
function stopOrphans(view: StateView, plan: PlanBuilder, job: Job, all: readonly Allocation[]): void {
  const names = new Set(
    job.TaskGroups.flatMap(({ Name, Count }) => Array.from({ length: Count }, (_, at) => allocationName(job.ID, Name, at))),
  )
  for (const allocation of all) {
    const isNamed = names.has(allocation.Name) && job.TaskGroups.some(({ Name }) => Name === allocation.TaskGroup)
    if (!isTerminal(allocation) && !isNamed) stopCounted(view, plan, allocation, NOT_NEEDED)
  }
}

class SystemScheduler {
  readonly placer: SystemPlacer
  readonly rollOut: SystemRollOut
  readonly #judge: LivingJudge
  readonly #view: StateView
  readonly #sites: Sites
  readonly #plan: PlanBuilder
  readonly #job: Job
  readonly #isSysbatch: boolean
  readonly #candidates: readonly Node[]
  readonly #candidateIds: ReadonlySet<string>

  constructor(sites: Sites, job: Job, current: Deployment | undefined, env: ScheduleEnv) {
    const { view, plan } = sites
    this.#view = view
    this.#sites = sites
    this.#plan = plan
    this.#job = job
    this.#isSysbatch = plan.evaluation.Type === 'sysbatch'
    const { SysBatchSchedulerEnabled, SystemSchedulerEnabled } = view.schedulerConfiguration.PreemptionConfig
    this.placer = new SystemPlacer(sites, env, this.#isSysbatch ? SysBatchSchedulerEnabled : SystemSchedulerEnabled)
    this.rollOut = new SystemRollOut(plan, current, this.#isSysbatch)
    this.#judge = new LivingJudge(sites, env.nowMs)
    this.#candidates = findCandidates(view, job).nodes
    this.#candidateIds = new Set(this.#candidates.map(({ ID }) => ID))
  }

  reconcileGroup(group: TaskGroup, all: readonly Allocation[]): void {
    const job = this.#job
    const destructive: Wanted[] = []
    this.#plan.queued.set(group.Name, 0)
    for (const allocation of all) {
      if (this.#plan.stops.has(allocation.ID) || this.#judge.judge(job, group, allocation, this.#candidateIds) === 'kept') continue
      destructive.push({ node: this.#view.nodes.get(allocation.NodeID)!, replaces: allocation, previous: allocation })
    }
    const names = Array.from({ length: group.Count }, (_, at) => allocationName(job.ID, group.Name, at))
    const wanted = names.flatMap((name) => this.#missing(group, all, name))
    destructive.push(...wanted.filter((want) => want.replaces !== undefined))
    const added = wanted
      .filter((want) => want.replaces === undefined)
      .map((want) => ({ ...want, isCanary: want.previous !== undefined && this.rollOut.continuesTrial(want.previous) }))
    for (const want of [...this.rollOut.admit(group, destructive, all), ...added]) this.placer.place(job, group, want)
    const total = this.#sites.of(job, group).statics.rows.length - this.placer.exhaustedOf(group.Name)
    this.rollOut.note(job, group, { missing: added.length, destructive: destructive.length, total, all })
  }

  /** Candidates on which nothing of that name lives. What a sysbatch job has finished there is not done again. */
  #missing(group: TaskGroup, all: readonly Allocation[], name: string): readonly Wanted[] {
    const living = new Set<string>()
    const ended = new Map<string, Allocation>()
    for (const allocation of all) {
      if (allocation.Name !== name) continue
      const isGone = isTerminal(allocation) || (this.#plan.stops.has(allocation.ID) && isClientTerminal(allocation))
      if (!isGone) living.add(allocation.NodeID)
      else if ((ended.get(allocation.NodeID)?.CreateIndex ?? -1) < allocation.CreateIndex) ended.set(allocation.NodeID, allocation)
    }
    return this.#candidates.flatMap((node): Wanted[] => {
      if (living.has(node.ID)) return []
      const previous = ended.get(node.ID)
      if (previous === undefined) return [{ node }]
      if (!this.#isSysbatch) return [{ node, previous }]
      if (this.#modifyIndexOf(previous) !== this.#job.JobModifyIndex) return [{ node, previous, replaces: previous }]
      if (isServerTerminal(previous)) return [{ node, previous }]
      this.#plan.count(group.Name, 'Ignore', 1)
      return []
    })
  }

  /** Of the job as the allocation has it. */
  #modifyIndexOf(allocation: Allocation): number | undefined {
    return jobOfAllocation(this.#view, allocation)?.JobModifyIndex
  }
}

function attach(plan: PlanBuilder, deployment: Deployment): void {
  for (const [at, row] of plan.placements.entries()) plan.placements[at] = { ...row, DeploymentID: deployment.ID }
  for (const [id, row] of plan.updates) {
    if (row.DesiredDescription !== IN_PLACE || row.JobVersion !== deployment.JobVersion) continue
    const { DeploymentStatus: _, ...rest } = row
    plan.updates.set(id, { ...rest, DeploymentID: deployment.ID })
  }
}

function withFailures(result: SchedulingResult, failures: ReadonlyMap<string, AllocMetric>): SchedulingResult {
  if (failures.size === 0) return result
  const FailedTGAllocs = { ...result.evaluation.FailedTGAllocs, ...Object.fromEntries(failures) }
  return { ...result, evaluation: { ...result.evaluation, FailedTGAllocs } }
}
