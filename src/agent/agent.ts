/**
 * The agent of one host: makes what runs here equal to the set that the server wants of it, and tells what became of it.
 * Knows the world only through the ports it is given, so the simulation runs this very class.
 */
import { type Allocation, explainError, invariant, type Node, OrchestratorError } from '../domain/index.js'
import type { AgentDeps, StopOptions } from './agent-deps.js'
import type { AllocationRecord } from './allocation-record.js'
import { AllocationRunner } from './allocation-runner.js'
import { AllocationShell } from './allocation-shell.js'
import { BrokerWatch } from './broker-watch.js'
import { computeAdmissible } from './claims.js'
import { DataWatch } from './data-watch.js'
import { computeOrders, type Held, type Order, type WholeSet } from './desired-set.js'
import { DiskWatch, withoutRoom } from './disk-watch.js'
import type { Driver } from './driver.js'
import { DroppedMessages } from './dropped-messages.js'
import { EndedAllocations } from './ended-allocations.js'
import { FingerprintWatch } from './fingerprint-watch.js'
import { fingerprintHost, withDeclared } from './host-node.js'
import { HostSeals } from './host-seals.js'
import { allocationKey, LocalState } from './local-state.js'
import { Outbox } from './outbox.js'
import { Quarantine } from './quarantine.js'
import { RpcServer } from './rpc-server.js'
import { ServerLink } from './server-link.js'
import { SilenceWatch } from './silence-watch.js'
import { Strays } from './strays.js'
import type { Now } from './task-record.js'

const KILL_GRACE_MS = 5_000
/** What is not on disk by then will not get there: the next life asks the server. */
const LAST_WRITE_WITHIN_MS = 3_000
const NANOSECONDS_PER_MS = 1e6

export class Agent {
  readonly #deps: AgentDeps
  readonly #local: LocalState
  readonly #outbox: Outbox
  readonly #quarantine: Quarantine
  readonly #drivers: ReadonlyMap<string, Driver>
  readonly #shells = new Map<string, AllocationShell>()
  /** Ids of the newest set that was acted upon. */
  #wanted: ReadonlySet<string> = new Set()
  #heldVersion = 0
  #hasHeardServer = false
  #isStopped = false
  readonly #disk: DiskWatch
  /** Monotonic. */
  #undeclaredSinceMs: number | undefined
  /** As this host found itself. */
  #found: Node | undefined
  /** The same, as it is declared. */
  #node: Node | undefined
  #link: ServerLink | undefined
  #rpc: RpcServer | undefined
  readonly #broker: BrokerWatch
  readonly #watch: FingerprintWatch
  readonly #data: DataWatch
  readonly #silence: SilenceWatch
  readonly #ended: EndedAllocations
  readonly #strays: Strays
  readonly #settled = new Set<() => void>()

  constructor(deps: AgentDeps) {
    this.#deps = deps
    this.#disk = new DiskWatch({ ...deps, look: deps.diskProblem, onChange: (problem) => void this.#onDisk(problem).catch(deps.onFatal) })
    this.#watch = new FingerprintWatch({
      ...deps,
      look: () => fingerprintHost(deps.fingerprint, deps.drivers),
      found: () => this.#found,
      onChange: (node) => this.#onFound(node),
    })
    this.#broker = new BrokerWatch({ ...deps, onChange: deps.onBroker })
    this.#silence = new SilenceWatch({
      ...deps,
      shells: () => this.#shells.values(),
      lastHeardMs: () => this.#link?.lastHeardMs ?? deps.clock.monotonicMs(),
    })
    this.#ended = new EndedAllocations({
      ...deps,
      rules: deps.options.collection,
      shells: () => this.#shells.values(),
      isHeld: (id) => this.#wanted.has(id) || this.#outbox.holds(id),
      forget: (shell) => this.#forget(shell),
      askForgotten: async (ids) => this.#linked().askForgotten(ids),
    })
    this.#strays = new Strays({
      ...deps,
      network: deps.hookPorts.network,
      isKnown: (id) => this.#shells.has(id),
      isLiving: (id) => this.#shells.get(id)?.runner.hasEnded === false,
      also: () => void this.#quarantine.end(),
    })
    this.#local = new LocalState(deps.store, deps.clock, deps.logger)
    this.#outbox = new Outbox(this.#local, () => this.#link?.send())
    this.#quarantine = new Quarantine({ ...deps, local: this.#local, outbox: this.#outbox, network: deps.hookPorts.network })
    this.#drivers = new Map(deps.drivers.map((driver) => [driver.name, driver]))
    this.#data = new DataWatch({
      ...deps,
      opener: deps.hookPorts.values,
      ask: async (questions) => this.#linked().askData(questions),
    })
  }

  /** Finds again what ran, and begins to talk with the server. Resolves without waiting for it. */
  async start(): Promise<void> {
    const deps = this.#deps
    const { nodeId } = deps
    const messages = {
      dropped: new DroppedMessages(deps.clock, deps.logger),
      seals: new HostSeals({ ...deps, local: this.#local, messageBytesMax: () => deps.bus.messageBytesMax() }),
    }
    this.#link = new ServerLink({
      ...deps,
      ...messages,
      local: this.#local,
      outbox: this.#outbox,
      region: deps.options.region,
      requestTimeoutMs: deps.options.requestTimeoutMs,
      describe: () => ({ node: this.#described(), holds: this.#holds() }),
      heldVersion: () => this.#heldVersion,
      onSet: (set) => this.#obey(set),
      onJoined: (declared, reconnected) => {
        this.#undeclaredSinceMs = undefined
        this.#node = withDeclared(this.#found!, declared)
        for (const id of reconnected) this.#shells.get(id)?.post({ kind: 'reconnected' })
        deps.onJoined?.(this.#node)
      },
      onRefused: (reason, remedy) => deps.onRefused?.(reason, remedy),
      onUndeclared: (stopTasksAfterMs) => this.#onUndeclared(stopTasksAfterMs),
    })
    this.#link.announce()
    const node = await fingerprintHost(deps.fingerprint, deps.drivers)
    if (this.#isStopped) return
    invariant(node.ID === nodeId, `the host found the id ${node.ID}, its key says ${nodeId}`)
    this.#found = node
    this.#node = this.#asDeclared(node)
    const { values, unreadable } = this.#local.allocations()
    for (const { id, reason } of unreadable) this.#quarantine.add(id, reason)
    for (const record of values) this.#restore(record)
    void this.#quarantine.end()
    this.#rpc = new RpcServer({
      ...deps,
      ...messages,
      region: deps.options.region,
      drivers: this.#drivers,
      findShell: (id) => this.#shells.get(id),
      collect: (id) => this.#ended.collectNow(id),
    })
    this.#disk.start()
    this.#watch.start()
    this.#link.start()
    this.#silence.start()
    this.#ended.start()
  }

  async stop(options: StopOptions): Promise<void> {
    if (this.#isStopped) return
    if (options.tasks === 'end') await this.#endTasks()
    this.#isStopped = true
    this.#broker.close()
    this.#disk.close()
    this.#watch.close()
    this.#silence.close()
    this.#ended.close()
    this.#strays.close()
    this.#link?.close()
    this.#rpc?.close()
    this.#data.close()
    for (const shell of this.#shells.values()) shell.close()
    for (const driver of this.#deps.drivers) driver.close()
    if (options.tasks === 'end') for (const id of this.#shells.keys()) await this.#clearAway(id)
    await this.#saveLast()
    await this.#deps.store.close()
  }

  /** A disk that takes nothing must not keep the process from ending. */
  async #saveLast(): Promise<void> {
    let giveUp = () => {}
    const late = new Promise<void>((resolve) => {
      giveUp = this.#deps.clock.after(LAST_WRITE_WITHIN_MS, resolve)
    })
    await Promise.race([this.#local.written(), late])
    giveUp()
  }

  get nodeId(): string | undefined {
    return this.#node?.ID
  }

  get isJoined(): boolean {
    return this.#link?.isJoined === true
  }

  #restore(record: AllocationRecord): void {
    const { ID } = record.allocation
    if (record.endedMs === null && this.#deps.hookPorts.network.unreadable.has(ID))
      this.#quarantine.add(ID, 'what was written of its network is damaged')
    if (this.#quarantine.has(ID)) return
    let runner: AllocationRunner
    try {
      runner = new AllocationRunner(record, this.#deps.options)
    } catch (error) {
      this.#quarantine.add(ID, explainError(error))
      return
    }
    const shell = this.#newShell(runner)
    shell.rememberTold()
    shell.post({ kind: 'restore' })
  }

  #newShell(runner: AllocationRunner): AllocationShell {
    const deps = this.#deps
    const shell = new AllocationShell(runner, {
      ...deps,
      local: this.#local,
      outbox: this.#outbox,
      drivers: this.#drivers,
      region: deps.options.region,
      node: () => this.#node!,
      dataOf: (reader) => this.#data.of(reader),
      predecessorOf: (allocation) => this.#predecessorOf(allocation),
      signIdentities: async (allocationId, task, identities) => this.#linked().askIdentities({ allocationId, task, identities }),
      onSettled: ({ runner }) => this.#onSettled(runner.hasEnded),
      onEnded: (ended) => void this.#clearAway(ended.id),
    })
    this.#shells.set(shell.id, shell)
    return shell
  }

  /** What the server must know of when it meets this host: whatever may run here, and whatever it was not told the end of. */
  #holds() {
    return [...this.#shells.values()]
      .filter(({ id, runner }) => !runner.hasEnded || this.#outbox.holds(id))
      .map(({ runner }) => ({ allocation: runner.record.allocation, report: runner.report() }))
  }

  #obey(set: WholeSet): void {
    const { agent } = this.#local
    if (this.#isStopped) return
    if (set.epoch === agent.versionEpoch && set.version < agent.version) return
    if (set.epoch === agent.versionEpoch && set.version === agent.version && set.version === this.#heldVersion) return
    void this.#local.saveAgent({ version: set.version, versionEpoch: set.epoch })
    this.#wanted = new Set(set.entries.map(([id]) => id))
    this.#repeatEnds(set)
    this.#quarantine.follow(new Map(set.entries.map(([id, , want]) => [id, want])))
    const held = new Map([...this.#shells].map(([id, { runner }]): [string, Held] => [id, runner.record]))
    const { orders, isWhole } = computeOrders({ ...set, entries: set.entries.filter(([id]) => !this.#quarantine.has(id)) }, held)
    for (const order of orders) this.#carryOut(order, set.clusterId)
    if (!isWhole) return this.#link?.pull()
    this.#heldVersion = set.version
    if (!this.#hasHeardServer) this.#hearServer()
    this.#admit()
    this.#ended.collect()
  }

  /** Who names what has ended here, and was told so, has forgotten it: its state was put back to an earlier one. */
  #repeatEnds(set: WholeSet): void {
    for (const [id] of set.entries) {
      const runner = this.#shells.get(id)?.runner
      if (runner?.hasEnded === true && !this.#outbox.holds(id)) void this.#outbox.put(runner.report())
    }
  }

  #carryOut(order: Order, clusterId: string): void {
    const shell = this.#shells.get(order.id)
    if (order.kind === 'absent') {
      if (shell?.runner.hasEnded === false) shell.post({ kind: 'absent' })
      return
    }
    const { allocation, job, want } = order
    try {
      const target = shell ?? this.#newShell(AllocationRunner.create({ allocation, job, clusterId, want }, this.#deps.options, this.#now()))
      if (shell === undefined && want === 'run' && this.#disk.problem === null) target.prepare()
      target.post({ kind: 'desired', allocation, job, clusterId, want })
      target.post({ kind: 'server-heard' })
    } catch (error) {
      // A contradiction inside one allocation must not keep the others from being obeyed.
      this.#deps.logger.error({ allocationId: order.id, error: explainError(error) }, 'allocation cannot be run')
    }
  }

  /** Whose files an allocation is handed: those of the one that it replaces, once that has ended here. */
  #predecessorOf({ PreviousAllocation, Namespace, JobID, TaskGroup }: Allocation): string | undefined {
    const previous = this.#shells.get(PreviousAllocation ?? '')?.runner
    if (previous?.hasEnded !== true) return undefined
    const { allocation } = previous.record
    const isSame = allocation.Namespace === Namespace && allocation.JobID === JobID && allocation.TaskGroup === TaskGroup
    return isSame ? allocation.ID : undefined
  }

  /** @throws OrchestratorError NOT_JOINED */
  #linked(): ServerLink {
    if (this.#link !== undefined) return this.#link
    throw new OrchestratorError('NOT_JOINED', 'the agent has not begun')
  }

  #now(): Now {
    const { clock, random } = this.#deps
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs(), fraction: random.fraction() }
  }

  /** What waited to hear whether it is still wanted may start. */
  #hearServer(): void {
    this.#hasHeardServer = true
    for (const shell of this.#shells.values()) shell.post({ kind: 'server-heard' })
    this.#strays.start()
  }

  /** What took the place of this host's tasks runs elsewhere by now. */
  #onUndeclared(stopTasksAfterMs: number): void {
    const { clock, logger, onRefused } = this.#deps
    this.#undeclaredSinceMs ??= clock.monotonicMs()
    if (clock.monotonicMs() - this.#undeclaredSinceMs < stopTasksAfterMs) return
    const living = [...this.#shells.values()].filter(({ runner }) => !runner.hasEnded && runner.record.want === 'run')
    void this.#strays.endUnclaimed((id) => this.#shells.has(id))
    if (living.length === 0) return
    const reason = `this host has not been declared for ${Math.round(stopTasksAfterMs / 1_000)} s: its tasks are stopped`
    logger.warn({ allocations: living.length }, 'tasks of a host that is not declared any more are stopped')
    onRefused?.(reason, 'commit its file again to let it run tasks')
    for (const shell of living) shell.post({ kind: 'absent' })
  }

  /** Without room nothing is killed and nothing is begun; the server learns of it by what this host's drivers say of themselves. */
  async #onDisk(problem: string | null): Promise<void> {
    this.#deps.onDiskProblem?.(problem)
    // What was found out of a full disk is not what this host has now.
    if (problem === null) this.#found = await fingerprintHost(this.#deps.fingerprint, this.#deps.drivers)
    if (this.#isStopped) return
    this.#link?.join()
    if (this.#hasHeardServer) this.#admit()
  }

  /** The server is told, and hears of the declared part as before. */
  #onFound(node: Node): void {
    this.#found = node
    this.#node = this.#asDeclared(node)
    this.#link?.join()
    if (this.#hasHeardServer) this.#admit()
  }

  #asDeclared(node: Node): Node {
    const declared = this.#local.agent.node
    return declared === null ? node : withDeclared(node, declared)
  }

  #described(): Node {
    return this.#disk.problem === null ? this.#found! : withoutRoom(this.#found!, this.#disk.problem)
  }

  #admit(): void {
    if (this.#node === undefined || this.#disk.problem !== null) return
    const claimants = [...this.#shells.values()]
      .filter(({ runner }) => !runner.hasEnded)
      .map(({ runner: { record } }) => ({ allocation: record.allocation, holds: record.isAdmitted, isEnding: record.want === 'stop' }))
    for (const id of computeAdmissible(this.#node, claimants)) this.#shells.get(id)!.post({ kind: 'admit' })
  }

  /** @param hasEnded what settled has given its share back, for which others may wait */
  #onSettled(hasEnded: boolean): void {
    if (this.#isStopped) return
    if (this.#hasHeardServer && hasEnded) this.#admit()
    for (const look of this.#settled) look()
  }

  /** What an allocation that has ended has no use for any more. Its files are kept for people to look at. */
  async #clearAway(allocationId: string): Promise<void> {
    await Promise.all([this.#forgetSecrets(allocationId), this.#deps.hookPorts.network.release(allocationId)])
  }

  async #forgetSecrets(allocationId: string): Promise<void> {
    try {
      await this.#deps.directories.forgetSecrets(allocationId)
    } catch (error) {
      this.#deps.logger.warn({ allocationId, error: explainError(error) }, 'secrets could not be taken away')
    }
  }

  async #forget(shell: AllocationShell): Promise<void> {
    this.#shells.delete(shell.id)
    shell.close()
    try {
      await this.#deps.directories.remove(shell.id)
      await this.#local.save({ [allocationKey(shell.id)]: undefined })
    } catch (error) {
      this.#deps.logger.warn({ allocationId: shell.id, error: explainError(error) }, 'folders could not be removed')
    }
  }

  async #endTasks(): Promise<void> {
    const shells = [...this.#shells.values()].filter(({ runner }) => !runner.hasEnded || runner.isHeld)
    this.#link?.close()
    for (const shell of shells) if (!shell.runner.hasEnded) shell.post({ kind: 'rest' })
    const boundMs =
      Math.max(0, ...shells.flatMap(({ runner }) => runner.tasks.map((task) => this.#killTimeoutMs(task.KillTimeout)))) + KILL_GRACE_MS
    await new Promise<void>((resolve) => {
      const giveUp = this.#deps.clock.after(boundMs, resolve)
      const look = () => {
        if (shells.some(({ runner }) => runner.isHeld)) return
        this.#settled.delete(look)
        giveUp()
        resolve()
      }
      this.#settled.add(look)
      look()
    })
  }

  #killTimeoutMs(timeout: number): number {
    return Math.min(timeout / NANOSECONDS_PER_MS, this.#deps.options.killTimeoutMsMax)
  }
}
