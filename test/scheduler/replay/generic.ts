/**
 * Plays the plan of a service or batch job again, placement by placement, beside the reference. The order is the engine's: what is wanted
 * of every group comes first, then what is replaced, then what is added, group by group.
 */
import {
  type Allocation,
  type AllocMetric,
  allocationName,
  allocationNameIndex,
  type Evaluation,
  findTaskGroup,
  isReady,
  type Job,
  type Node,
  type Plan,
  type SchedulingResult,
  type TaskGroup,
} from '../../../src/domain/index.js'
import { UPDATING } from '../../../src/scheduler/descriptions.js'
import { ownerKey, type StateView } from '../../../src/state/index.js'
import { Moment } from '../reference/moment.js'
import { surveyNodes } from '../reference/survey.js'
import { agree, agreeOnChoice, agreeOnCounts, Disagreement, demand } from './agreement.js'
import { agreeOnInPlace, needsProcesses } from './in-place.js'
import { agreeOnNobodyToEnd, agreeOnVictims, isOpen } from './preemption.js'

type Phase = 'replace' | 'add'

/** `view` is the state before the plan. Throws where engine and reference disagree. */
export function replayGeneric(view: StateView, evaluation: Evaluation, result: SchedulingResult): void {
  new GenericReplay(view, evaluation, result).run()
}

class GenericReplay {
  readonly #view: StateView
  readonly #evaluation: Evaluation
  readonly #plan: Plan
  readonly #ended: Evaluation
  readonly #moment: Moment
  readonly #replaced: ReadonlySet<string>
  #at = 0

  constructor(view: StateView, evaluation: Evaluation, { plan, evaluation: ended }: SchedulingResult) {
    this.#view = view
    this.#evaluation = evaluation
    this.#plan = plan
    this.#ended = ended
    this.#moment = new Moment(view)
    this.#replaced = new Set(plan.Stops.filter((stop) => stop.DesiredDescription === UPDATING).map(({ ID }) => ID))
  }

  run(): void {
    const job = this.#view.jobs.get(ownerKey(this.#evaluation))
    const groups = job === undefined || job.Stop ? [] : job.TaskGroups
    this.#begin()
    for (const phase of ['replace', 'add'] as const) {
      for (const group of groups) {
        this.#playGroup(job!, group, phase)
        if (phase === 'add') for (const row of this.#retried(group)) this.#keep(row)
      }
    }
    agree('placements in the order of groups', this.#at, this.#plan.Placements.length)
    for (const group of groups) this.#checkQueue(group)
    if (job !== undefined) agreeOnInPlace(this.#view, job, this.#plan)
  }

  #begin(): void {
    for (const { ID } of this.#plan.Stops) if (!this.#replaced.has(ID)) this.#moment.stopped.add(ID)
    for (const row of this.#plan.Updates) if (!this.#isRetried(row)) this.#moment.updates.set(row.ID, row)
    // Written about before it was replaced.
    for (const { ID, FollowupEvalID } of this.#plan.Stops) {
      const row = this.#view.allocations.get(ID)!
      if (this.#replaced.has(ID) && FollowupEvalID !== undefined) this.#moment.updates.set(ID, { ...row, FollowupEvalID })
    }
    // Until its replacement is given up, such a row counts as stopped.
    for (const row of this.#plan.Updates) if (this.#isRetried(row) && row.ClientStatus !== 'unknown') this.#moment.stopped.add(row.ID)
  }

  /** Nothing else of the row is written anew. */
  #isRetried(row: Allocation): boolean {
    const { FollowupEvalID, JobVersion, ClientStatus } = this.#view.allocations.get(row.ID)!
    const isSame = row.FollowupEvalID === FollowupEvalID && row.JobVersion === JobVersion && row.ClientStatus === ClientStatus
    return isSame && row.RescheduleTracker?.LastReschedule === 'no placement'
  }

  #retried({ Name }: TaskGroup): readonly Allocation[] {
    return this.#plan.Updates.filter((row) => row.TaskGroup === Name && this.#isRetried(row))
  }

  #keep(row: Allocation): void {
    this.#moment.stopped.delete(row.ID)
    this.#moment.updates.set(row.ID, row)
  }

  #phaseOf({ PreviousAllocation = '' }: Allocation): Phase {
    return this.#replaced.has(PreviousAllocation) ? 'replace' : 'add'
  }

  #playGroup(job: Job, group: TaskGroup, phase: Phase): void {
    const from = this.#at
    for (;;) {
      const row = this.#plan.Placements[this.#at]
      if (row === undefined || row.TaskGroup !== group.Name || this.#phaseOf(row) !== phase) break
      this.#playPlacement(row)
      this.#at++
    }
    const metric = this.#ended.FailedTGAllocs?.[group.Name]
    if (metric === undefined) return
    const replacing = this.#ended.PlanAnnotations!.DesiredTGUpdates[group.Name]?.DestructiveUpdate ?? 0
    const placed = this.#plan.Placements.filter((row) => row.TaskGroup === group.Name && this.#phaseOf(row) === 'replace').length
    if (phase === (placed < replacing ? 'replace' : 'add')) this.#playFailure(job, group, phase, metric)
    demand(phase === 'replace' || placed === replacing || this.#at === from, `${group.Name} was given up and is placed`)
  }

  #playPlacement(row: Allocation): void {
    const moment = this.#moment
    const job = this.#view.findJobVersion(row.Namespace, row.JobID, row.JobCreateIndex, row.JobVersion)
    const group = job === undefined ? undefined : findTaskGroup(job, row.TaskGroup)
    if (job === undefined || group === undefined) throw new Disagreement(`${row.Name} is of no version of its job`)
    const previous = row.PreviousAllocation === undefined ? undefined : this.#view.allocations.get(row.PreviousAllocation)
    if (this.#phaseOf(row) === 'replace') moment.stopped.add(previous!.ID)
    const findings = surveyNodes(moment, job, group, row.Name, penalizedNodes(previous))
    agree(`the pool that ${row.Name} tells`, row.Metrics!.NodePool, job.NodePool)
    if ((row.PreemptedAllocations ?? []).length === 0) {
      agreeOnChoice(findings, row, this.#preferredNode(previous, group), this.#evaluation)
    } else {
      demand(this.#mayPreempt(job), `${row.Name} ends others, which its job must not`)
      agreeOnVictims({ moment, job, group, name: row.Name }, findings, row)
    }
    moment.placed.push(row)
  }

  #preferredNode(previous: Allocation | undefined, { EphemeralDisk }: TaskGroup): Node | undefined {
    if (previous === undefined || !(EphemeralDisk.Sticky || EphemeralDisk.Migrate)) return undefined
    const node = this.#view.nodes.get(previous.NodeID)
    return node !== undefined && isReady(node) ? node : undefined
  }

  #mayPreempt({ Type }: Job): boolean {
    const { BatchSchedulerEnabled, ServiceSchedulerEnabled } = this.#view.schedulerConfiguration.PreemptionConfig
    return Type === 'batch' ? BatchSchedulerEnabled : ServiceSchedulerEnabled
  }

  #playFailure(current: Job, { Name }: TaskGroup, phase: Phase, metric: AllocMetric): void {
    const replaced = phase === 'replace' ? this.#nextReplaced(current, Name) : undefined
    if (replaced !== undefined) this.#moment.stopped.add(replaced.ID)
    const versions = [current, ...this.#view.jobVersions.by('job', ownerKey({ ...current, JobID: current.ID }))]
    // A failure does not say which version and which name it was about.
    const mistakes = versions.flatMap((job) => {
      const group = findTaskGroup(job, Name)
      return group === undefined ? [] : this.#namesOf(job, group).map((name) => this.#mistakeOf(job, group, name, metric))
    })
    if (!mistakes.includes(undefined)) throw mistakes[0]
    if (replaced !== undefined) this.#moment.stopped.delete(replaced.ID)
  }

  /** Which place it is matters only for volumes of single allocations. */
  #namesOf(job: Job, group: TaskGroup): readonly string[] {
    // Canaries without one to replace are numbered beyond the count.
    const numbers = Math.max(1, group.Count + (group.Update?.Canary ?? 0))
    const names = Array.from({ length: numbers }, (_, at) => allocationName(job.ID, group.Name, at))
    const known = this.#view.allocations.by('job', ownerKey(this.#evaluation)).filter((row) => row.TaskGroup === group.Name)
    const isNumbered = Object.values(group.Volumes ?? {}).some((volume) => volume.PerAlloc)
    return isNumbered ? [...names, ...known.map((row) => row.Name)] : names.slice(0, 1)
  }

  #mistakeOf(job: Job, group: TaskGroup, name: string, metric: AllocMetric): unknown {
    const findings = surveyNodes(this.#moment, job, group, name, new Set())
    try {
      demand(!findings.some(isOpen), `${name} is not placed although there is room`)
      agreeOnCounts(findings, metric, name, true)
      agree(`scores of ${name}`, metric.ScoreMetaData, null)
      if (this.#mayPreempt(job)) agreeOnNobodyToEnd({ moment: this.#moment, job, group, name }, findings)
      return undefined
    } catch (mistake) {
      return mistake
    }
  }

  /** The first by name of those that a new version must replace and that are still there. */
  #nextReplaced(job: Job, group: string): Allocation | undefined {
    const isSettled = (row: Allocation) => row.JobVersion === job.Version || this.#isRetried(row)
    const written = new Set([...this.#plan.Stops, ...this.#plan.Updates.filter(isSettled)].map(({ ID }) => ID))
    return (
      this.#view.allocations
        .by('job', ownerKey(this.#evaluation))
        .filter((row) => row.TaskGroup === group && row.DesiredStatus === 'run' && !written.has(row.ID))
        // What is out of sight is not replaced a second time.
        .filter((row) => !['complete', 'lost', 'unknown'].includes(row.ClientStatus))
        // What has failed has nothing to carry; of a batch job it is history.
        .filter((row) => row.ClientStatus !== 'failed' || (job.Type !== 'batch' && needsProcesses(this.#view, job, row)))
        .filter((row) => row.JobVersion !== job.Version || row.JobCreateIndex !== job.CreateIndex)
        .sort((a, b) => allocationNameIndex(a.Name) - allocationNameIndex(b.Name))[0]
    )
  }

  #checkQueue({ Name }: TaskGroup): void {
    const failed = this.#ended.FailedTGAllocs?.[Name]
    agree(`queued of ${Name}`, this.#ended.QueuedAllocations?.[Name], failed === undefined ? 0 : failed.CoalescedFailures + 1)
  }
}

/** Where what is replaced, or one before it, has failed. */
function penalizedNodes(previous: Allocation | undefined): ReadonlySet<string> {
  const earlier = (previous?.RescheduleTracker?.Events ?? []).map(({ PrevNodeID }) => PrevNodeID)
  return new Set(previous?.ClientStatus === 'failed' ? [...earlier, previous.NodeID] : earlier)
}
