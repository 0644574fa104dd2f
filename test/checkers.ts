/**
 * What must hold after every step, and what must come true once the faults stop. Each names its invariant
 * (docs/state-machine.md). The world hands in the truth: what is durable, what processes run, what outsiders were shown.
 */
import {
  type Allocation,
  type ClientStatus,
  type Deployment,
  type Evaluation,
  isClientTerminal,
  isDeploymentActive,
  isEvaluationTerminal,
  isServerTerminal,
  isTerminal,
  type Job,
  MILLISECOND,
  parseRfc3339Ms,
} from '../src/domain/index.js'
import { createScheduler, fitsNode } from '../src/scheduler/index.js'
import { jobKey, type State, type StateView, textInNameOrder } from '../src/state/index.js'
import { tablesOf } from '../src/state/snapshot.js'

export class Violation extends Error {
  readonly invariant: string

  constructor(invariant: string, message: string) {
    super(`${invariant} ${message}`)
    this.invariant = invariant
  }
}

/** I1: epochs of committed records never decrease, and one epoch belongs to one process. */
export function checkEpochs(records: readonly { readonly epoch: number; readonly writer: string }[]): void {
  const writers = new Map<number, string>()
  let newest = 0
  for (const { epoch, writer } of records) {
    if (epoch < newest) throw new Violation('I1', `epoch ${epoch} was committed after epoch ${newest}`)
    newest = epoch
    const owner = writers.get(epoch) ?? writer
    writers.set(epoch, owner)
    if (owner !== writer) throw new Violation('I1', `epoch ${epoch} was committed by ${owner} and by ${writer}`)
  }
}

/** I2: the fold of the log is the state of the leader, index for index. */
export function checkReplay(folded: State, live: State): void {
  if (folded.index !== live.index) return
  const [ours, theirs] = [tablesOf(folded), tablesOf(live)]
  const areSame = countersText(folded) === countersText(live) && ours.every(([, table], at) => areSameRows(table, theirs[at]![1]))
  if (!areSame) throw new Violation('I2', `the fold of the log differs from the leader's state at index ${live.index}`)
}

function countersText({ atMs, epoch, clusterId, schedulerConfiguration }: State): string {
  return textInNameOrder([atMs, epoch, clusterId, schedulerConfiguration])
}

/** For rows of the one the row of the other that was found to be equal: both are frozen to the bottom where states are compared. */
const equalRows = new WeakMap<object, object>()

type Rows = ReturnType<typeof tablesOf>[number][1]

function areSameRows(ours: Rows, theirs: Rows): boolean {
  const others = theirs.all()
  const rows = ours.all()
  return ours.index === theirs.index && rows.length === others.length && rows.every((row, at) => isSameRow(row, others[at]!))
}

function isSameRow(ours: object, theirs: object): boolean {
  if (equalRows.get(ours) === theirs) return true
  if (textInNameOrder(ours) !== textInNameOrder(theirs)) return false
  equalRows.set(ours, theirs)
  return true
}

/**
 * I3, I6: a name is wanted once among the allocations of a job that shall run. Canaries have the names of those that they will replace,
 * also once they are promoted and those are not told yet.
 * @param canaries by default those of the deployments that the state still knows
 */
export function checkNames(state: StateView, canaries: ReadonlySet<string> = placedCanaries(state)): void {
  const names = new Set<string>()
  for (const allocation of state.allocations.values()) {
    if (isTerminal(allocation) || canaries.has(allocation.ID) || isOutOfSight(allocation)) continue
    // A system job has every name once on each node.
    const isPerNode = jobTypeOf(state, allocation) === 'system' || jobTypeOf(state, allocation) === 'sysbatch'
    const name = `${allocation.Namespace}/${allocation.Name}${isPerNode ? ` on ${allocation.NodeID}` : ''}`
    if (names.has(name)) throw new Violation('I3', `two allocations want to be ${name}`)
    names.add(name)
  }
}

function placedCanaries(state: StateView): ReadonlySet<string> {
  return new Set([...state.deployments.values()].flatMap(canariesOf))
}

export function canariesOf(deployment: Deployment): readonly string[] {
  return Object.values(deployment.TaskGroups).flatMap(({ PlacedCanaries }) => PlacedCanaries ?? [])
}

/** Also when it has just come back, and nobody has decided yet which of the two stays. */
function isOutOfSight({ ClientStatus, AllocStates }: Allocation): boolean {
  return ClientStatus === 'unknown' || AllocStates?.at(-1)?.Value === 'unknown'
}

function jobTypeOf(state: StateView, allocation: Allocation): string | undefined {
  return state.findJobVersion(allocation.Namespace, allocation.JobID, allocation.JobCreateIndex, allocation.JobVersion)?.Type
}

/** I7: what is promised on a node never exceeds it. What is told to stop may overlap with what takes its place. */
export function checkCapacity(state: StateView): void {
  for (const node of state.nodes.values()) {
    const promised = state.allocations.by('node', node.ID).filter((allocation) => !isTerminal(allocation))
    const verdict = fitsNode(node, promised)
    if (!verdict.fits) throw new Violation('I7', `node ${node.Name} is promised more than it has: ${verdict.dimension}`)
  }
}

const NEXT: Readonly<Record<ClientStatus, readonly ClientStatus[]>> = {
  pending: ['pending', 'running', 'complete', 'failed', 'lost', 'unknown'],
  running: ['running', 'complete', 'failed', 'lost', 'unknown', 'pending'],
  unknown: ['unknown', 'running', 'complete', 'failed', 'lost', 'pending'],
  complete: ['complete'],
  failed: ['failed'],
  lost: ['lost'],
}

/** I8: a client status moves only along the allowed graph; what has ended stays ended. */
export function checkTransition(before: Allocation | undefined, after: Allocation | undefined): void {
  if (before === undefined || after === undefined) return
  if (!NEXT[before.ClientStatus].includes(after.ClientStatus)) {
    throw new Violation('I8', `allocation ${after.ID} went from ${before.ClientStatus} to ${after.ClientStatus}`)
  }
}

/** I10: of one job at most one evaluation waits to be worked on. Delayed ones wait for their time. */
export function checkEvaluations(state: StateView, nowMs: number): void {
  const waiting = new Map<string, number>()
  for (const evaluation of state.evaluations.by('status', 'blocked')) {
    const key = `${evaluation.Namespace}/${evaluation.JobID}/${evaluation.NodeID ?? ''}`
    waiting.set(key, (waiting.get(key) ?? 0) + 1)
    if (waiting.get(key)! > 1) throw new Violation('I10', `job ${evaluation.JobID} has two blocked evaluations at ${nowMs}`)
  }
}

/** I15: counters of a deployment never exceed each other. */
export function checkDeployments(state: StateView): void {
  for (const deployment of state.deployments.values()) {
    for (const [group, counts] of Object.entries(deployment.TaskGroups)) {
      if (counts.HealthyAllocs + counts.UnhealthyAllocs > counts.PlacedAllocs) {
        throw new Violation('I15', `deployment of ${deployment.JobID} group ${group} judged more allocations than it placed`)
      }
    }
  }
}

const COUNTERS = {
  pending: 'Starting',
  running: 'Running',
  unknown: 'Unknown',
  complete: 'Complete',
  failed: 'Failed',
  lost: 'Lost',
} as const

const ENDED: ReadonlySet<string> = new Set(['complete', 'failed', 'lost'])

/** I17: the summary of each job equals a count of its allocations; what has ended stays counted when it is collected. */
export function checkSummaries(state: StateView, isCollected = false): void {
  for (const job of state.jobs.values()) {
    const groups = Object.values(state.jobSummaries.get(jobKey(job))?.Summary ?? {})
    const allocations = [...state.allocations.valuesBy('job', jobKey(job))]
    for (const [status, counter] of Object.entries(COUNTERS)) {
      const counted = groups.reduce((sum, group) => sum + group[counter], 0)
      const there = allocations.filter((allocation) => allocation.ClientStatus === status).length
      const isMore = isCollected && ENDED.has(status) && counted > there
      if (counted !== there && !isMore) throw new Violation('I17', `summary of ${job.ID} counts ${counted} ${status}, there are ${there}`)
    }
  }
}

/** What the world knows after the faults have stopped and everything had its time. */
export interface Converged {
  readonly state: StateView
  readonly headCommit: string
  /** Ids of the jobs that the head's files define. */
  readonly wantedJobs: ReadonlySet<string>
  /** Allocation ids whose processes run, by node id. */
  readonly running: ReadonlyMap<string, ReadonlySet<string>>
  /** Nodes whose hosts are alive. */
  readonly livingNodes: ReadonlySet<string>
  /** The class that the head declares, by node id. */
  readonly declared: ReadonlyMap<string, string>
}

/** L5, L1, L4 and what makes them true. */
export function checkConverged(world: Converged): void {
  const { state } = world
  const source = state.sources.get('default')
  if (source?.held === null && source.commit?.id !== world.headCommit) {
    throw new Violation('L5', `commit ${source.commit?.id} is applied, ${world.headCommit} is the head`)
  }
  const frozen = state.frozenFiles.all()[0]
  if (frozen !== undefined) throw new Violation('L5', `${frozen.path} is sound and frozen: ${frozen.mistakes[0]?.summary}`)
  checkNoneWaits(state)
  checkJobs(world)
  checkNodes(world)
  checkProcesses(world)
  checkCounts(world)
  for (const deployment of state.deployments.values()) {
    const job = state.jobs.get(`${deployment.Namespace}\u0000${deployment.JobID}`)
    const isOutdated = job === undefined || job.Stop || job.Version !== deployment.JobVersion
    if (isDeploymentActive(deployment) && isOutdated)
      throw new Violation('L2', `deployment of ${deployment.JobID} version ${deployment.JobVersion} is still ${deployment.Status}`)
  }
}

/** L4: exactly the jobs of the head's files are wanted. */
function checkJobs({ state, wantedJobs }: Converged): void {
  const living = [...state.jobs.values()].filter((job) => !job.Stop)
  const wanted = new Set(living.filter((job) => job.ParentID === '').map((job) => job.ID))
  for (const id of wanted) if (!wantedJobs.has(id)) throw new Violation('L4', `job ${id} is wanted and its file is gone`)
  for (const id of wantedJobs) if (!wanted.has(id)) throw new Violation('L4', `job ${id} has a file and is not wanted`)
}

/** L6: a host that is gone is known to be gone, and one that lives is ready and what the head says of it. */
function checkNodes({ state, livingNodes, declared }: Converged): void {
  for (const node of state.nodes.values()) {
    const isAlive = livingNodes.has(node.ID)
    if (isAlive !== (node.Status === 'ready'))
      throw new Violation('L6', `node ${node.Name} is ${node.Status} and its host ${isAlive ? 'lives' : 'is gone'}`)
    if (isAlive && (declared.get(node.ID) ?? '') !== node.NodeClass)
      throw new Violation('L6', `node ${node.Name} is of class "${node.NodeClass}", declared is "${declared.get(node.ID) ?? ''}"`)
    if (isAlive && node.SchedulingEligibility !== 'eligible')
      throw new Violation('L6', `node ${node.Name} may not be used, declared it may`)
  }
}

const WALL_JUMP_MS_MAX = 30_000

/** L1: no evaluation is left to work on, and a blocked one waits only for what is not there. */
function checkNoneWaits(state: StateView): void {
  for (const evaluation of state.evaluations.values()) {
    // The wall clock of this world jumps by minutes; a wait that is over by more has been forgotten.
    const isDelayed = (parseRfc3339Ms(evaluation.WaitUntil) ?? 0) > state.atMs - WALL_JUMP_MS_MAX
    if (!isEvaluationTerminal(evaluation) && evaluation.Status !== 'blocked' && !isDelayed) {
      throw new Violation('L1', `evaluation ${evaluation.ID} of ${evaluation.JobID} is still ${evaluation.Status}`)
    }
    if (evaluation.Status === 'failed')
      throw new Violation('L1', `evaluation of ${evaluation.JobID} failed: ${evaluation.StatusDescription}`)
    if (evaluation.Status === 'blocked' && findsRoom(state, evaluation))
      throw new Violation('L1', `${evaluation.JobID} waits for room, and there is some`)
  }
}

/** Asked anew: whoever waits should have been woken. */
function findsRoom(state: StateView, evaluation: Evaluation): boolean {
  let ids = 0
  const { plan } = createScheduler(state).schedule(evaluation, { nowMs: state.atMs, newId: () => `id-${ids++}` })
  return plan.Placements.length > 0
}

/** L4, one way: what runs is wanted and known to run; the other way: what is wanted on a living node runs. */
function checkProcesses({ state, running, livingNodes }: Converged): void {
  for (const [nodeId, ids] of running) {
    for (const id of ids) {
      const allocation = state.allocations.get(id)
      if (allocation === undefined || isServerTerminal(allocation)) throw new Violation('L4', `${id} runs on ${nodeId} and is not wanted`)
      if (isClientTerminal(allocation)) throw new Violation('L4', `${allocation.Name} runs, the state says ${allocation.ClientStatus}`)
      if (allocation.ClientStatus !== 'running')
        throw new Violation('L4', `${allocation.Name} runs, the state says ${allocation.ClientStatus}`)
    }
  }
  for (const allocation of state.allocations.values()) {
    if (isTerminal(allocation) || !livingNodes.has(allocation.NodeID)) continue
    if (running.get(allocation.NodeID)?.has(allocation.ID) !== true && allocation.ClientStatus === 'running') {
      throw new Violation('L4', `${allocation.Name} is said to run and does not`)
    }
  }
}

/** A roll-out that failed changes nothing any more; one that has just begun, as when an earlier one was given up, is on its way. */
function isHeldUp(state: StateView, job: Job, deployment: Deployment): boolean {
  if (deployment.JobVersion !== job.Version) return false
  const isNew = deployment.CreateTime / MILLISECOND > state.atMs - ROLL_OUT_MS
  return deployment.Status === 'failed' || (isDeploymentActive(deployment) && isNew)
}

const ROLL_OUT_MS = 15_000

/** L4: every service job runs its count in its newest version, unless an evaluation of it is blocked for want of room. */
function checkCounts({ state, running }: Converged): void {
  const runningIds = new Set([...running.values()].flatMap((ids) => [...ids]))
  for (const job of state.jobs.values()) {
    if (job.Type !== 'service') continue
    const mine = state.allocations.by('job', jobKey(job)).filter((allocation) => runningIds.has(allocation.ID))
    const isBlocked = state.evaluations.by('job', jobKey(job)).some((evaluation) => evaluation.Status === 'blocked')
    for (const group of job.TaskGroups) {
      const wanted = job.Stop ? 0 : group.Count
      // Canaries stand beside the count until they are promoted.
      const found = mine.filter((allocation) => allocation.TaskGroup === group.Name && allocation.DeploymentStatus?.Canary !== true)
      if (state.deployments.by('job', jobKey(job)).some((deployment) => isHeldUp(state, job, deployment))) continue
      if (found.length > wanted) throw new Violation('L4', `${job.ID} runs ${found.length} of ${wanted}`)
      if (found.length < wanted && !isBlocked)
        throw new Violation('L4', `${job.ID} runs ${found.length} of ${wanted} and waits for nothing`)
      const old = found.filter((allocation) => allocation.JobVersion !== job.Version)
      if (old.length > 0 && !isBlocked) throw new Violation('L4', `${job.ID} still runs version ${old[0]!.JobVersion} of ${job.Version}`)
    }
  }
}
