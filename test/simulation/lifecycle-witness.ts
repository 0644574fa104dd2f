/**
 * What a cluster does by itself over time, watched as it becomes durable. It remembers what the state has forgotten by now.
 *
 * I22 What is dispatched once is made once, and a child stays what it was made as.
 * I23 A time of a periodic job is launched at most once: no child's id comes again.
 * I24 A periodic job that prohibits it never runs beside itself.
 * I25 Nothing new is placed on a host that is drained, closed, or out of sight. A drain closes its host.
 * I26 Batch work that has been done is not done again.
 * I27 What hosts ran that were lost at once is not replaced while that is paused.
 * I28 A roll-out that is paused updates nothing; while its canaries are tried, what has failed, is lost or moves keeps its version.
 * L8  A drain ends at its deadline, and goes on as soon as it may: no step waits for the slow timer.
 * L9  A time of a periodic job is launched, or passed over for a reason, soon after it has come.
 */
import {
  type Allocation,
  isDeploymentActive,
  isServerTerminal,
  isTimed,
  type Job,
  MILLISECOND,
  parseRfc3339Ms,
} from '../../src/domain/index.js'
import { nextLaunch } from '../../src/jobspec/index.js'
import { UPDATING } from '../../src/scheduler/descriptions.js'
import { type Command, jobKey, leftOnNode, ownerKey, type State } from '../../src/state/index.js'
import { Violation } from '../checkers.js'
import { LONE_JOB } from './workload.js'

/** A look every ten seconds, and then everything has to be carried out. */
const LATE_MS_MAX = 25_000
/** Less than the drainer's slow timer takes. */
const STEP_MS_MAX = 3_000

export class LifecycleWitness {
  readonly #state: State
  readonly #fail: (violation: Violation) => void
  readonly #children = new Set<string>()
  readonly #dispatched = new Set<string>()
  readonly #done = new Set<string>()
  /** Batch work that was done and is in the state no more. */
  readonly #forgotten: Allocation[] = []
  /** Since when something could be done about a drain, by node. */
  readonly #waitingSinceMs = new Map<string, number>()

  constructor(state: State, fail: (violation: Violation) => void) {
    this.#state = state
    this.#fail = fail
    state.jobs.observe((before, after) => {
      if (after === undefined || after.ParentID === '') return
      if (before === undefined) this.#checkNewChild(after)
      else if (after.Version !== 0 && !after.Stop)
        this.#fail(new Violation('I22', `${after.ID} was made as one thing and is version ${after.Version} now`))
    })
    state.nodes.observe((_before, after) => {
      if (after !== undefined && after.DrainStrategy !== null && after.SchedulingEligibility === 'eligible')
        this.#fail(new Violation('I25', `${after.Name} is drained and takes new work`))
    })
    state.allocations.observe((before, after) => {
      if (after === undefined) {
        if (before?.ClientStatus === 'complete' && !isServerTerminal(before)) this.#forgotten.push(before)
        return
      }
      if (before === undefined) {
        this.#checkPlaced(after)
        this.#checkTried(after)
        this.#checkHeld(after)
      } else this.#checkPaused(before, after)
      this.#checkDone(after, before === undefined)
    })
  }

  /** Call it before the Command is applied. */
  checkCommand(command: Command): void {
    const child = command.kind === 'periodic-launch' ? command.child : null
    if (child !== null && this.#state.jobs.get(jobKey(child)) !== undefined)
      throw new Violation('I23', `${child.ID} is launched for the second time`)
  }

  /** I26: a job that is to be done once needs what it has done as long as it is there. Call it between two Commands. */
  checkForgotten(): void {
    for (const { Name, JobCreateIndex, JobVersion, ...owner } of this.#forgotten.splice(0)) {
      const job = this.#state.jobs.get(ownerKey(owner))
      const isOwner = job?.CreateIndex === JobCreateIndex && job.Version === JobVersion && !job.Stop
      if (isOwner && job.Type === 'batch') throw new Violation('I26', `${Name} has been done, and the log has forgotten it`)
    }
  }

  /** @param wallMs of those who lead */
  checkTimes(wallMs: number): void {
    for (const { ID, Name, DrainStrategy } of this.#state.nodes.values()) {
      // What it runs is not lost yet, and its agent cannot say that it has ended.
      if (this.#state.heldLosses.get(ID) !== undefined) continue
      const deadlineMs = parseRfc3339Ms(DrainStrategy?.ForceDeadline) ?? wallMs
      const isOver = DrainStrategy !== null && (deadlineMs < wallMs - LATE_MS_MAX || DrainStrategy.Deadline < 0)
      if (isOver) throw new Violation('L8', `the drain of ${Name} was to end ${(wallMs - deadlineMs) / 1000} s ago`)
    }
    for (const job of this.#state.jobs.values()) if (isTimed(job)) this.#checkLaunched(job, wallMs)
  }

  /** Call it every second of a time in which nothing goes wrong. @param wallMs of those who lead */
  checkDrains(wallMs: number): void {
    for (const node of this.#state.nodes.values()) {
      const left = leftOnNode(this.#state, node, wallMs)
      const isDue = node.DrainStrategy !== null && (left.length === 0 || left.some(({ wait }) => wait === 'move-now'))
      if (!isDue) this.#waitingSinceMs.delete(node.ID)
      else if (!this.#waitingSinceMs.has(node.ID)) this.#waitingSinceMs.set(node.ID, wallMs)
      const waitedMs = wallMs - (this.#waitingSinceMs.get(node.ID) ?? wallMs)
      if (waitedMs > STEP_MS_MAX) throw new Violation('L8', `the drain of ${node.Name} could have gone on ${waitedMs / 1000} s ago`)
    }
  }

  #checkLaunched(job: Job & { readonly Periodic: NonNullable<Job['Periodic']> }, wallMs: number): void {
    const launchedMs = this.#state.periodicLaunches.get(jobKey(job))?.launchMs ?? 0
    const next = nextLaunch(job.Periodic, Math.max(launchedMs, job.SubmitTime / MILLISECOND))
    const dueMs = next.kind === 'at' ? (next.atMs ?? wallMs) : wallMs
    if (dueMs < wallMs - LATE_MS_MAX) throw new Violation('L9', `${job.ID} was to be launched ${(wallMs - dueMs) / 1000} s ago`)
  }

  #checkNewChild(child: Job): void {
    if (this.#children.has(child.ID)) this.#fail(new Violation('I23', `${child.ID} was made for the second time`))
    this.#children.add(child.ID)
    const serial = child.Meta?.['serial']
    if (serial !== undefined) {
      if (this.#dispatched.has(serial)) this.#fail(new Violation('I22', `dispatch ${serial} was made for the second time, as ${child.ID}`))
      this.#dispatched.add(serial)
    }
    for (const other of this.#state.jobs.values()) {
      const isOther = other.ParentID === child.ParentID && other.ID !== child.ID
      const token = child.DispatchIdempotencyToken
      if (isOther && token !== '' && other.DispatchIdempotencyToken === token)
        this.#fail(new Violation('I22', `${child.ID} was made under the token of ${other.ID}`))
      if (isOther && child.ParentID === LONE_JOB && other.Status !== 'dead')
        this.#fail(new Violation('I24', `${child.ID} was launched beside ${other.ID}, which is ${other.Status}`))
    }
  }

  #checkPlaced({ Name, NodeID }: Allocation): void {
    const node = this.#state.nodes.get(NodeID)
    const isOpen = node !== undefined && node.DrainStrategy === null && node.SchedulingEligibility === 'eligible' && node.Status === 'ready'
    if (!isOpen) this.#fail(new Violation('I25', `${Name} was placed on ${node?.Name ?? NodeID}, which takes nothing new`))
  }

  #checkHeld({ Name, PreviousAllocation, JobVersion }: Allocation): void {
    const previous = PreviousAllocation === undefined ? undefined : this.#state.allocations.get(PreviousAllocation)
    if (previous === undefined || previous.JobVersion !== JobVersion || this.#state.heldLosses.get(previous.NodeID) === undefined) return
    const isDrained = this.#state.nodes.get(previous.NodeID)?.DrainStrategy !== null || previous.DesiredTransition?.Migrate === true
    if (previous.ClientStatus !== 'failed' && !isDrained)
      this.#fail(new Violation('I27', `${Name} was placed again while ${previous.NodeName} was held`))
  }

  #checkTried({ Name, TaskGroup, DeploymentID, PreviousAllocation, JobVersion, DeploymentStatus }: Allocation): void {
    const deployment = DeploymentID === undefined ? undefined : this.#state.deployments.get(DeploymentID)
    const previous = PreviousAllocation === undefined ? undefined : this.#state.allocations.get(PreviousAllocation)
    const group = deployment?.TaskGroups[TaskGroup]
    const isTried = group !== undefined && group.DesiredCanaries > 0 && !group.Promoted && DeploymentStatus?.Canary !== true
    if (deployment?.Status === 'paused' && isTried && previous !== undefined && previous.JobVersion !== JobVersion)
      this.#fail(new Violation('I28', `${Name} replaces version ${previous.JobVersion} while its roll-out is paused`))
  }

  #checkPaused({ DesiredStatus }: Allocation, after: Allocation): void {
    if (DesiredStatus !== 'run' || after.DesiredStatus !== 'stop' || after.DesiredDescription !== UPDATING) return
    const [active] = this.#state.deployments.by('job', ownerKey(after)).filter(isDeploymentActive)
    if (active?.Status === 'paused') this.#fail(new Violation('I28', `${after.Name} is updated while its roll-out is paused`))
  }

  /** What was told to end has not been done. */
  #checkDone(allocation: Allocation, isNew: boolean): void {
    const { Namespace, JobID, JobCreateIndex, JobVersion, Name, ClientStatus } = allocation
    if (this.#state.jobs.get(ownerKey(allocation))?.Type !== 'batch') return
    const key = [Namespace, JobID, JobCreateIndex, JobVersion, Name].join(' ')
    if (isNew && this.#done.has(key)) this.#fail(new Violation('I26', `${Name} of version ${JobVersion} had been done`))
    if (ClientStatus === 'complete' && !isServerTerminal(allocation)) this.#done.add(key)
  }
}
