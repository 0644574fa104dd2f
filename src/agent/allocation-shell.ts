/**
 * Runs one allocation's machine: feeds it one event at a time, writes down what it decided, then does it through the ports.
 * Whatever comes back from a port is the next event. What a later life of the agent could not find out by itself is on disk before it
 * is done; everything else goes on while it is being written.
 */
import type { Allocation, AllocationReport, Clock, Job, Logger, Node, Random, Task, VariableReader } from '../domain/index.js'
import { type AllocationAction, type AllocationInput, type AllocationRecord, asWritten, findGroup } from './allocation-record.js'
import type { AllocationRunner } from './allocation-runner.js'
import { CheckLoop, type CheckReading } from './checks/check-loop.js'
import { checksOf } from './checks/check-spec.js'
import type { AllocationNetwork, Driver, ExecRequest, ExecSession } from './driver.js'
import { DriverCalls } from './driver-calls.js'
import type { TemplateEngine } from './driver-config.js'
import { buildEnvironment, type EnvironmentInput, interpolate, type TaskEnvironment } from './environment.js'
import { HookWalk } from './hook-walk.js'
import type { HookContext, HookEnvironment, TemplateData } from './hooks/hook.js'
import { allocationKey, type LocalState } from './local-state.js'
import { dnsOf } from './network.js'
import type { Outbox } from './outbox.js'
import type { AllocationDirectories, HookPorts } from './ports.js'
import type { IdentityToken } from './protocol.js'
import { OfferedServices, type OwnedService, registrationsOf, type Whereabouts } from './services.js'
import { taskEvent } from './task-events.js'
import type { Now, TaskAction, TaskInput } from './task-record.js'

export interface ShellDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly local: LocalState
  readonly outbox: Outbox
  readonly directories: AllocationDirectories
  readonly drivers: ReadonlyMap<string, Driver>
  readonly templates: TemplateEngine
  readonly hookPorts: HookPorts
  /** Id of the allocation whose files this one is handed; undefined: it begins with none. */
  readonly predecessorOf: (allocation: Allocation) => string | undefined
  /** See `HookContext`. */
  readonly signIdentities: (allocationId: string, task: string, names: readonly string[]) => Promise<readonly IdentityToken[]>
  /** What templates may ask for in a namespace. */
  readonly dataOf: (reader: VariableReader) => TemplateData
  readonly region: string
  /** The node as declared. */
  readonly node: () => Node
  /** After each event that was written down and acted upon. */
  readonly onSettled: (shell: AllocationShell) => void
  /** Once, when nothing of it runs any more or will. */
  readonly onEnded: (shell: AllocationShell) => void
  /** A bug: nothing more may be decided. */
  readonly onFatal: (error: unknown) => void
}

const HOST_NETWORK: AllocationNetwork = { kind: 'host' }
/** What a task that has a root of its own sees. */
const OWN_FOLDERS: EnvironmentInput['folders'] = { shared: '/alloc', local: '/local', secrets: '/secrets' }

export class AllocationShell {
  readonly runner: AllocationRunner
  readonly #deps: ShellDeps
  readonly #inputs: AllocationInput[] = []
  /** What takes back the timers that are under way. */
  readonly #timers = new Set<() => void>()
  readonly #walks = new Map<string, HookWalk>()
  readonly #services = new OfferedServices()
  readonly #checks: CheckLoop
  readonly #calls: DriverCalls
  #isBusy = false
  #isClosed = false
  #isResting = false
  #told = ''
  #created: Promise<void> | undefined

  constructor(runner: AllocationRunner, deps: ShellDeps) {
    this.runner = runner
    this.#deps = deps
    this.#calls = this.#newCalls()
    this.#checks = this.#newChecks()
  }

  get id(): string {
    return this.runner.record.allocation.ID
  }

  /** What is under way of it is left alone from now on. */
  close(): void {
    this.#isClosed = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const walk of this.#walks.values()) walk.close()
    this.#calls.close()
    this.#checks.close()
  }

  /** Lays out its folders while what it replaces still ends. Where that cannot be done, the hook that needs them tries again and says why. */
  prepare(): void {
    if (!this.#inheritsFiles) this.#createFolders().catch(() => {})
  }

  post(input: AllocationInput): void {
    if (this.#isClosed) return
    if (input.kind === 'rest') this.#isResting = true
    this.#inputs.push(input)
    if (!this.#isBusy) void this.#drain()
  }

  /** For a new life of the agent: what the record says was told, or waits in the outbox, already. */
  rememberTold(): void {
    this.#told = JSON.stringify(this.#report())
  }

  async #drain(): Promise<void> {
    this.#isBusy = true
    try {
      while (this.#inputs.length > 0 && !this.#isClosed) {
        const hadEnded = this.runner.hasEnded
        const { record } = this.runner
        const actions = this.#inputs.splice(0).flatMap((input) => this.runner.handle(input, this.#now()))
        this.#save(record)
        // Never in the turn of whoever posted: an order that is being carried out is seen whole.
        await undefined
        if (this.#isClosed) return
        for (const [task, walk] of this.#walks) {
          const { record } = this.runner.task(task)!
          walk.follow(record)
          this.#calls.follow(task, record)
        }
        this.#checks.sync(checksOf(this.#servicesUp(), this.runner.record.allocation, this.#whereabouts))
        for (const action of actions) this.#perform(action).catch(this.#deps.onFatal)
        if (this.runner.hasEnded && !hadEnded) this.#deps.onEnded(this)
        this.#deps.onSettled(this)
      }
    } catch (error) {
      this.#deps.onFatal(error)
    } finally {
      this.#isBusy = false
    }
  }

  /** @throws OrchestratorError UNKNOWN_TASK, TASK_NOT_RUNNING, PROGRAM */
  exec(task: string, request: ExecRequest): Promise<ExecSession> {
    return this.#calls.exec(task, request)
  }

  get checks(): readonly CheckReading[] {
    return this.#checks.readings
  }

  /** What the machine tells, with the services that are offered now. */
  #report(): AllocationReport {
    const { allocation } = this.runner.record
    const { Datacenter } = this.#deps.node()
    const services = registrationsOf(this.#servicesUp(), { allocation, datacenter: Datacenter, whereabouts: this.#whereabouts })
    const { network } = this.#whereabouts
    return { ...this.runner.report(), ...(network === null ? {} : { NetworkStatus: network }), Services: services }
  }

  get #network(): AllocationNetwork {
    return this.#deps.hookPorts.network.find(this.id) ?? HOST_NETWORK
  }

  get #networkWithNames(): AllocationNetwork {
    const network = this.#network
    const dns = network.kind === 'host' ? dnsOf(this.runner.group, () => this.#groupEnvironment()) : undefined
    return dns === undefined ? network : { kind: 'host', dns }
  }

  get #whereabouts(): Whereabouts {
    const network = this.#network
    const nodeAddress = this.#deps.node().Attributes['unique.network.ip-address'] ?? ''
    return { nodeAddress, network: network.kind === 'namespace' ? network.status : null }
  }

  #servicesUp(): readonly OwnedService[] {
    const { isOffering, record } = this.runner
    return this.#services.up({
      group: findGroup(record),
      isGroupUp: isOffering,
      isUp: ({ Name }) => this.runner.task(Name)?.record.phase === 'running',
      basis: [record.allocation, record.job, this.#deps.node(), JSON.stringify(this.#whereabouts.network)],
      environmentOf: (task) => (task === undefined ? this.#groupEnvironment() : this.#environmentOf(task.Name, {})),
    })
  }

  #newCalls(): DriverCalls {
    return new DriverCalls({
      ...this.#deps,
      allocation: () => this.runner.record.allocation,
      job: () => this.runner.record.job as Job,
      task: (name) => this.runner.task(name),
      directories: (task) => this.#deps.directories.of(this.id, task),
      environment: (task) => this.#environmentOf(task, this.#walkOf(task).environment()),
      mounts: (task) => this.#walkOf(task).mounts(),
      devices: (task) => this.#walkOf(task).devices(),
      network: () => this.#networkWithNames,
      note: (task, event) => this.post({ kind: 'task', task, input: { kind: 'note', event } }),
      isClosed: () => this.#isClosed,
    })
  }

  #newChecks(): CheckLoop {
    const { clock, hookPorts } = this.#deps
    return new CheckLoop({
      clock,
      port: hookPorts.checks,
      run: (task, program) => this.#calls.run(task, program),
      stateOf: (task) => this.runner.task(task)?.record.state,
      taskNames: () => this.runner.tasks.map(({ Name }) => Name),
      event: (type, ...facts) => taskEvent(type, clock.wallMs(), facts),
      restart: (task, event) => this.post({ kind: 'task', task, input: { kind: 'restart', event, includesDead: false, isFailure: true } }),
      onChange: () => this.post({ kind: 'checks', checks: this.#checks.results }),
    })
  }

  #now(): Now {
    const { clock, random } = this.#deps
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs(), fraction: random.fraction() }
  }

  /** The record, where it is not `before`, and the report with it. */
  #save(before: AllocationRecord): void {
    const { local, outbox } = this.#deps
    const { record } = this.runner
    if (record !== before) void local.save({ [allocationKey(this.id)]: asWritten(record) })
    const report = this.#report()
    const text = JSON.stringify(report)
    // While the agent shuts down its tasks are only detached; the server must not see that as a change.
    if (text !== this.#told && !this.#isResting) {
      this.#told = text
      void outbox.put(report)
    }
  }

  async #perform(action: AllocationAction): Promise<void> {
    if (isWrittenFirst(action)) await this.#deps.local.written()
    if (this.#isClosed) return
    if (action.kind === 'task') return this.#performTask(action.task, action.action)
    const { timer, serial } = action
    this.#after(action.delayMs, () => this.post({ kind: 'timer', timer, serial }))
  }

  #after(delayMs: number, callback: () => void): void {
    const cancel = this.#deps.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      callback()
    })
    this.#timers.add(cancel)
  }

  #performTask(task: string, action: TaskAction): void {
    const post = (input: TaskInput) => this.post({ kind: 'task', task, input })
    switch (action.kind) {
      case 'timer':
        this.#after(action.delayMs, () => post({ kind: 'timer', serial: action.serial }))
        return
      case 'hook':
        return void this.#walkOf(task).prestart(action.hook).then(post)
      case 'start':
        return void this.#calls.start(task, action.attempt).then(post)
      case 'find':
        return void this.#calls.find(task, action.attempt).then(post)
      case 'attach':
        return void this.#calls.attach(task, action.handle).then(post)
      case 'wait':
        this.#walkOf(task).running()
        return void this.#calls.wait(task, action.handle).then((exit) => post({ kind: 'exited', attempt: action.attempt, exit }))
      case 'signal':
        return void this.#calls.attempt(task, 'signal', (driver) => driver.signal(action.handle, action.signal))
      case 'kill':
        return void this.#calls.attempt(task, 'kill', (driver) => driver.kill(action.handle))
      case 'clear':
        return void this.#calls
          .attempt(task, 'clear away', (driver) => driver.clear(action.handle))
          .then((isDone) => {
            if (isDone) post({ kind: 'cleared', attempt: action.attempt })
          })
    }
  }

  #walkOf(taskName: string): HookWalk {
    const known = this.#walks.get(taskName)
    if (known !== undefined) return known
    const walk = new HookWalk(this.#hookContext(taskName))
    this.#walks.set(taskName, walk)
    return walk
  }

  #hookContext(taskName: string): HookContext {
    const deps = this.#deps
    const directories = deps.directories.of(this.id, taskName)
    return {
      allocation: () => this.runner.record.allocation,
      job: () => this.runner.record.job,
      group: () => findGroup(this.runner.record),
      task: () => this.runner.task(taskName)!.task,
      node: deps.node,
      region: deps.region,
      state: () => this.runner.task(taskName)!.record.state,
      environment: () => this.#environmentOf(taskName, identityOf(this.#walkOf(taskName).environment())),
      hostPath: (path) => this.#hostPath(taskName, path),
      isolation: () => this.#calls.isolationOf(taskName),
      directories,
      createFolders: () => this.#createFolders(),
      groupEnvironment: () => this.#groupEnvironment(),
      ports: deps.hookPorts,
      data: deps.dataOf(readerOf(this.runner.record, taskName)),
      signIdentities: (names) => deps.signIdentities(this.id, taskName, names),
      clock: deps.clock,
      logger: deps.logger,
      fraction: () => deps.random.fraction(),
      post: (input) => this.post({ kind: 'task', task: taskName, input }),
      event: (type, ...facts) => taskEvent(type, deps.clock.wallMs(), facts),
      run: (program) => this.#calls.run(taskName, program),
    }
  }

  async #createFolders(): Promise<void> {
    this.#created ??= this.#newFolders()
    try {
      await this.#created
    } catch (error) {
      this.#created = undefined
      throw error
    }
  }

  /** Of the one that it replaces, which are only there once that has ended. */
  get #inheritsFiles(): boolean {
    const { Sticky, Migrate } = this.runner.group.EphemeralDisk
    return (Sticky || Migrate) && this.runner.record.allocation.PreviousAllocation !== undefined
  }

  async #newFolders(): Promise<void> {
    const { directories, predecessorOf } = this.#deps
    const { allocation } = this.runner.record
    const { Tasks } = this.runner.group
    const predecessor = this.#inheritsFiles ? predecessorOf(allocation) : undefined
    if (predecessor !== undefined) await directories.inherit(predecessor, allocation.ID, Tasks)
    await directories.create(allocation, Tasks, (task) => this.#calls.isolationOf(task))
  }

  #environmentOf(taskName: string, gains: HookEnvironment): TaskEnvironment {
    const folders = this.#calls.isolationOf(taskName) === 'none' ? this.#hostFolders(taskName) : OWN_FOLDERS
    return this.#environment(this.runner.task(taskName)!.task, folders, gains)
  }

  #hostFolders(taskName: string): EnvironmentInput['folders'] {
    const { shared, local, secrets } = this.#deps.directories.of(this.id, taskName)
    return { shared, local, secrets }
  }

  /** `/alloc/…` is the only path of a task's own root that does not lie in the task's folder. */
  #hostPath(taskName: string, path: string): string {
    const folders = this.#hostFolders(taskName)
    const filled = interpolate(path, this.#environment(this.runner.task(taskName)!.task, folders, {}))
    const { shared } = OWN_FOLDERS
    const isOwn = this.#calls.isolationOf(taskName) !== 'none' && (filled === shared || filled.startsWith(`${shared}/`))
    return isOwn ? `${folders.shared}${filled.slice(shared.length)}` : filled
  }

  /** What is known of the group without any of its tasks. */
  #groupEnvironment(): TaskEnvironment {
    const [first] = this.runner.tasks
    const nobody = { ...first!, Name: '', Env: null, Meta: null }
    return this.#environment(nobody, { shared: this.#deps.directories.of(this.id, '').shared, local: '', secrets: '' }, {})
  }

  #environment(
    task: Task,
    folders: EnvironmentInput['folders'],
    { identity, hook = {}, device = {}, template = {} }: HookEnvironment,
  ): TaskEnvironment {
    const { allocation, job } = this.runner.record
    return buildEnvironment({
      node: this.#deps.node(),
      job: job as Job,
      allocation,
      task,
      region: this.#deps.region,
      folders,
      ...(identity === undefined ? {} : { identity }),
      hookEnvironments: [hook],
      deviceEnvironment: device,
      templateEnvironment: template,
      networkStatus: this.#whereabouts.network,
    })
  }
}

/**
 * A start would be repeated, and what was made to end taken for a crash, by a life of the agent that knows nothing of it. Hooks are
 * carried out again in any case.
 */
function isWrittenFirst(action: AllocationAction): boolean {
  if (action.kind !== 'task') return false
  const { kind } = action.action
  return kind === 'start' || kind === 'signal' || kind === 'kill' || kind === 'clear'
}

function identityOf({ identity }: HookEnvironment): HookEnvironment {
  return identity === undefined ? {} : { identity }
}

/** What is launched or dispatched reads as the job that it was made from. */
function readerOf({ allocation, job }: AllocationRecord, task: string): VariableReader {
  const { ID, ParentID } = job as Job
  return { namespace: allocation.Namespace, jobId: ParentID || ID, group: allocation.TaskGroup, task }
}
