/** Plays the plan of a system or sysbatch job again: every node that can take a group gets one, group by group and node by node. */
import {
  type Allocation,
  type AllocMetric,
  type Evaluation,
  isServerTerminal,
  isTerminal,
  type Job,
  type Node,
  type Plan,
  type SchedulingResult,
  type TaskGroup,
} from '../../../src/domain/index.js'
import { UPDATING } from '../../../src/scheduler/descriptions.js'
import { ownerKey, type StateView } from '../../../src/state/index.js'
import { isCandidate } from '../reference/feasible.js'
import { Moment } from '../reference/moment.js'
import { fitOf } from '../reference/scores.js'
import { type Finding, surveyNodes } from '../reference/survey.js'
import { agree, agreeOnNumbers, demand } from './agreement.js'
import { agreeOnInPlace } from './in-place.js'
import { agreeOnNobodyToEnd, agreeOnVictims, isOpen } from './preemption.js'

/** `view` is the state before the plan. Throws where engine and reference disagree. */
export function replaySystem(view: StateView, evaluation: Evaluation, result: SchedulingResult): void {
  const job = view.jobs.get(ownerKey(evaluation))
  if (job === undefined || job.Stop) agree('placements of a stopped job', result.plan.Placements, [])
  else new SystemReplay(view, job, result).run()
}

class SystemReplay {
  readonly #view: StateView
  readonly #job: Job
  readonly #plan: Plan
  readonly #ended: Evaluation
  readonly #moment: Moment
  readonly #rows: readonly Allocation[]
  #at = 0

  constructor(view: StateView, job: Job, { plan, evaluation: ended }: SchedulingResult) {
    this.#view = view
    this.#job = job
    this.#plan = plan
    this.#ended = ended
    this.#moment = new Moment(view)
    this.#rows = view.allocations.by('job', ownerKey({ Namespace: job.Namespace, JobID: job.ID }))
  }

  run(): void {
    const groups = this.#job.TaskGroups
    for (const { ID } of this.#plan.Stops) {
      const group = groups.find(({ Name }) => Name === this.#view.allocations.get(ID)!.TaskGroup)
      if (group === undefined || group.Count === 0) this.#moment.stopped.add(ID)
    }
    for (const group of groups) this.#playGroup(group)
    agree('placements in the order of groups and nodes', this.#at, this.#plan.Placements.length)
    agreeOnInPlace(this.#view, this.#job, this.#plan)
  }

  #playGroup(group: TaskGroup): void {
    const ofGroup = (id: string) => this.#view.allocations.get(id)!.TaskGroup === group.Name
    const stops = this.#plan.Stops.filter(({ ID }) => ofGroup(ID))
    for (const { ID, DesiredDescription } of stops) if (DesiredDescription !== UPDATING) this.#moment.stopped.add(ID)
    for (const row of this.#plan.Updates) if (row.TaskGroup === group.Name) this.#moment.updates.set(row.ID, row)
    for (const { ID, DesiredDescription } of stops) if (DesiredDescription === UPDATING) this.#playReplaced(group, ID)
    const full = group.Count === 0 ? [] : this.#missingOn(group).flatMap((node) => this.#playNode(group, node) ?? [])
    this.#checkFailure(group, full)
  }

  /** What never fits its node again is stopped all the same; what finds it full stays. */
  #playReplaced(group: TaskGroup, id: string): void {
    this.#moment.stopped.add(id)
    const replaced = this.#view.allocations.get(id)!
    const finding = this.#findingOn(group, replaced.NodeID)
    if (this.#next?.PreviousAllocation === id) this.#playPlacement(group, finding)
    else
      demand(finding === undefined || finding.kind === 'filtered', `${replaced.Name} is stopped and not replaced on ${replaced.NodeName}`)
  }

  get #next(): Allocation | undefined {
    return this.#plan.Placements[this.#at]
  }

  /** Candidates without the group. What a sysbatch job has done there is not done again, and not by the way. */
  #missingOn(group: TaskGroup): readonly Node[] {
    return this.#view.nodes.all().filter((node) => {
      const here = this.#rows.filter((row) => row.NodeID === node.ID && row.TaskGroup === group.Name)
      if (!isCandidate(node, this.#job) || here.some((row) => !isTerminal(row))) return false
      const last = [...here].sort((a, b) => b.CreateIndex - a.CreateIndex)[0]
      return last === undefined || this.#job.Type === 'system' || (isServerTerminal(last) && !this.#isOld(last))
    })
  }

  #isOld(row: Allocation): boolean {
    const owner = this.#view.findJobVersion(row.Namespace, row.JobID, row.JobCreateIndex, row.JobVersion)
    return owner?.JobModifyIndex !== this.#job.JobModifyIndex
  }

  #findingOn(group: TaskGroup, nodeId: string): Finding | undefined {
    const name = `${this.#job.ID}.${group.Name}[0]`
    return surveyNodes(this.#moment, this.#job, group, name, new Set()).find(({ node }) => node.ID === nodeId)
  }

  /** Gives what was found where the node is full. */
  #playNode(group: TaskGroup, { ID }: Node): Finding | undefined {
    const finding = this.#findingOn(group, ID)!
    if (this.#next?.NodeID === ID && this.#next.TaskGroup === group.Name) {
      this.#playPlacement(group, finding)
      return undefined
    }
    demand(!isOpen(finding), `${group.Name} is not placed on ${finding.node.Name}, which can take it`)
    if (finding.kind === 'filtered') return undefined
    if (this.#mayPreempt) agreeOnNobodyToEnd(this.#placeOf(group), [finding])
    return finding
  }

  get #mayPreempt(): boolean {
    const config = this.#view.schedulerConfiguration.PreemptionConfig
    return this.#job.Type === 'system' ? config.SystemSchedulerEnabled : config.SysBatchSchedulerEnabled
  }

  #placeOf(group: TaskGroup) {
    return { moment: this.#moment, job: this.#job, group, name: `${this.#job.ID}.${group.Name}[0]` }
  }

  #playPlacement(group: TaskGroup, finding: Finding | undefined): void {
    const row = this.#next!
    const told = row.Metrics!.ScoreMetaData!
    agree(
      `nodes told of ${row.Name}`,
      told.map(({ NodeID }) => NodeID),
      [row.NodeID],
    )
    if ((row.PreemptedAllocations ?? []).length > 0) {
      demand(this.#mayPreempt, `${row.Name} ends others, which its job must not`)
      agreeOnVictims(this.#placeOf(group), finding === undefined ? [] : [finding], row)
    } else {
      demand(finding !== undefined && isOpen(finding), `${row.Name} is placed on ${row.NodeName}: ${finding?.reason}`)
      const binpack = fitOf(this.#moment, finding!.node, this.#job, group)
      const { Scores, NormScore } = told[0]!
      agreeOnNumbers(`scores of ${row.Name}`, { ...Scores, NormScore }, { binpack, NormScore: binpack })
    }
    const { NodesEvaluated, NodesFiltered, NodesExhausted } = row.Metrics!
    agree(`counts of ${row.Name}`, [NodesEvaluated, NodesFiltered, NodesExhausted], [1, 0, 0])
    this.#moment.placed.push(row)
    this.#at++
  }

  /** Full nodes are waited for. Of an old version only some are replaced, and how many of them are full is not told. */
  #checkFailure({ Name }: TaskGroup, full: readonly Finding[]): void {
    const metric: AllocMetric | undefined = this.#ended.FailedTGAllocs?.[Name]
    if (this.#rows.some((row) => row.TaskGroup === Name && this.#isOld(row))) return
    const [first] = full
    agree(`queued of ${Name}`, this.#ended.QueuedAllocations?.[Name], full.length)
    if (first === undefined) return agree(`full nodes of ${Name}`, metric?.NodesExhausted ?? 0, 0)
    agree(`full nodes of ${Name}`, metric === undefined ? 0 : metric.CoalescedFailures + 1, full.length)
    const reason = first.reason ?? `network: ${first.portReason}`
    agree(`what ${Name} is short of`, [metric?.DimensionExhausted, metric?.NodesExhausted], [{ [reason]: 1 }, 1])
  }
}
