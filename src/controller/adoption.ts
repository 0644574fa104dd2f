/**
 * Beginning again without history: a server that lost its state takes over what its hosts run, as far as the repository still wants it. Until
 * the newest commit was read nobody may join, and nothing is placed before every declared host has said what it runs, or had its time to.
 */
import { type Allocation, type AllocationReport, type Clock, isClientTerminal, type Job, type Logger } from '../domain/index.js'
import { type CommandBody, jobKey, ownerKey, type StateView } from '../state/index.js'

/** What a host says of one allocation when it joins. */
export interface HeldAllocation {
  readonly allocation: Allocation
  readonly report: AllocationReport
}

export interface AdoptionDeps {
  readonly view: StateView
  readonly clock: Clock
  readonly logger: Logger
  /** False: this server goes on where it was, and adopts nothing. */
  readonly isBeginning: boolean
  /** From the first commit that is applied on; hosts that are away do not keep the others waiting for ever. */
  readonly waitMsMax: number
  /** Nothing is waited for any more. */
  readonly onOver: () => void
}

export class Adoption {
  readonly #deps: AdoptionDeps
  #isOver: boolean
  #cancel = () => {}

  constructor(deps: AdoptionDeps) {
    this.#deps = deps
    this.#isOver = !deps.isBeginning
    if (this.#isOver) return
    if (this.#isSourceRead) this.#arm()
    else deps.view.sources.observe(() => this.#arm())
    deps.view.nodes.observe(() => this.#endWhenAllAreHere())
  }

  /** Nothing is to be placed yet. */
  get isHearing(): boolean {
    return !this.#isOver
  }

  /** Who joined earlier would be told to stop what the repository has not asked for yet. */
  get mayJoin(): boolean {
    return this.#isOver || this.#isSourceRead
  }

  /** What of it becomes this cluster's own. */
  adopt(nodeId: string, held: readonly HeldAllocation[]): readonly CommandBody[] {
    if (this.#isOver) return []
    const allocations = adoptable(this.#deps.view, nodeId, held)
    this.#deps.logger.info({ nodeId, held: held.length, adopted: allocations.length }, 'taking over what a host runs')
    return allocations.length === 0 ? [] : [{ kind: 'allocation-adopt', nodeId, allocations }]
  }

  stop(): void {
    this.#cancel()
  }

  get #isSourceRead(): boolean {
    return this.#deps.view.sources.count > 0
  }

  #arm(): void {
    this.#cancel()
    this.#cancel = this.#deps.clock.after(this.#deps.waitMsMax, () => this.#end())
    this.#endWhenAllAreHere()
  }

  #endWhenAllAreHere(): void {
    if (this.#isOver || !this.#isSourceRead) return
    const { nodeDeclarations, nodes } = this.#deps.view
    const here = new Set([...nodes.values()].map(({ Name }) => Name))
    if ([...nodeDeclarations.keys()].every((name) => here.has(name))) this.#end()
  }

  #end(): void {
    this.#cancel()
    if (this.#isOver) return
    this.#isOver = true
    this.#deps.logger.info({ hosts: this.#deps.view.nodes.count, allocations: this.#deps.view.allocations.count }, 'took over what runs')
    this.#deps.onOver()
  }
}

/**
 * Each once: what runs and is to run, of a job that is wanted and has such a group, under a name that is free. It counts as the version of now;
 * what was placed with other resources than that asks for is left to be replaced.
 */
export function adoptable(view: StateView, nodeId: string, held: readonly HeldAllocation[]): readonly Allocation[] {
  const taken = new Set<string>()
  const adopted: Allocation[] = []
  for (const { allocation, report } of held) {
    const job = view.jobs.get(ownerKey(allocation))
    if (job === undefined || job.Stop || allocation.NodeID !== nodeId || allocation.DesiredStatus !== 'run') continue
    if (isClientTerminal(report) || view.allocations.get(allocation.ID) !== undefined) continue
    const name = `${ownerKey(allocation)} ${allocation.Name}`
    if (taken.has(name) || isNameTaken(view, allocation, job) || !isAsAsked(allocation, job)) continue
    taken.add(name)
    adopted.push(asOwn(allocation, report, job))
  }
  return adopted
}

/** A system job has one of each name on every node. */
function isNameTaken(view: StateView, { Name, NodeID }: Allocation, job: Job): boolean {
  const isSystem = job.Type === 'system' || job.Type === 'sysbatch'
  return view.allocations
    .by('job', jobKey(job))
    .some((other) => other.Name === Name && !isClientTerminal(other) && (!isSystem || other.NodeID === NodeID))
}

function isAsAsked({ TaskGroup, AllocatedResources }: Allocation, job: Job): boolean {
  const group = job.TaskGroups.find(({ Name }) => Name === TaskGroup)
  if (group === undefined || group.Tasks.length !== Object.keys(AllocatedResources.Tasks).length) return false
  return group.Tasks.every(({ Name, Resources }) => {
    const given = AllocatedResources.Tasks[Name]
    return given?.Cpu.CpuShares === Resources.CPU && given.Memory.MemoryMB === Resources.MemoryMB
  })
}

/** Without what only the lost history could explain: evaluations, deployments, predecessors. */
function asOwn(allocation: Allocation, report: AllocationReport, job: Job): Allocation {
  const {
    DeploymentID: _deployment,
    DeploymentStatus: _health,
    PreviousAllocation: _previous,
    NextAllocation: _next,
    FollowupEvalID: _followup,
    DesiredTransition: _transition,
    ...rest
  } = allocation
  return {
    ...rest,
    JobVersion: job.Version,
    JobCreateIndex: job.CreateIndex,
    ClientStatus: report.ClientStatus,
    ClientDescription: report.ClientDescription,
    TaskStates: report.TaskStates,
  }
}
