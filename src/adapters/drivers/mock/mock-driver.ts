/**
 * A driver whose processes are only told of: `mock_driver` for tests and drills, and the processes of the simulation. They live
 * in a `MockHost`, which stays when the agent that started them is gone.
 *
 * Configuration: `run_for` (a duration; empty: until it is ended), `exit_code`, `exit_signal`, `exit_err_msg`, `start_error`,
 * `start_error_recoverable`, `start_block_for`, `kill_after` (how long it takes to end when asked to), `signal_error`.
 */
import type { Driver, ExecSession, TaskExit, TaskHandle, TaskStart, TaskUsage } from '../../../agent/index.js'
import { type Clock, OrchestratorError } from '../../../domain/index.js'
import type { DriverConfigOf } from '../../../jobspec/index.js'
import { configOf, startError } from '../driver-errors.js'

export interface MockProcess {
  readonly runId: string
  readonly pid: number
  readonly allocationId: string
  readonly taskName: string
  readonly attempt: number
  readonly config: DriverConfigOf<'mock_driver'>
  readonly environment: Readonly<Record<string, string>>
  readonly startedMs: number
  /** Names of the signals it got, in order. */
  readonly signals: string[]
  exit: TaskExit | undefined
}

/** The machine below the agents: what runs on it goes on whatever becomes of them. */
export class MockHost {
  readonly clock: Clock
  readonly processes = new Map<string, MockProcess>()
  /** Of every program that is run beside a task. */
  programExitCode = 0
  /** Whether starts are carried out; a dead supervisor delays them and harms nothing that runs. */
  #hasSupervisor = true
  #bootCount = 0
  #pidCount = 1000
  readonly #ended = new Map<string, Set<(exit: TaskExit) => void>>()
  readonly #supervised = new Set<() => void>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  get bootId(): string {
    return `boot-${this.#bootCount}`
  }

  /** What really runs now. */
  running(): readonly MockProcess[] {
    return [...this.processes.values()].filter(({ exit }) => exit === undefined)
  }

  killSupervisor(): void {
    this.#hasSupervisor = false
  }

  startSupervisor(): void {
    this.#hasSupervisor = true
    for (const wake of [...this.#supervised]) wake()
    this.#supervised.clear()
  }

  /** Power loss: everything that ran is gone without a trace. */
  reboot(): void {
    this.#bootCount++
    this.processes.clear()
    this.#ended.clear()
  }

  async supervised(): Promise<void> {
    while (!this.#hasSupervisor) await new Promise<void>((resolve) => this.#supervised.add(resolve))
  }

  start(start: Omit<MockProcess, 'pid' | 'startedMs' | 'signals' | 'exit'>): MockProcess {
    const process: MockProcess = { ...start, pid: ++this.#pidCount, startedMs: this.clock.monotonicMs(), signals: [], exit: undefined }
    this.processes.set(process.runId, process)
    const { run_for = 0, exit_code = 0, exit_signal = 0, exit_err_msg = '' } = process.config
    const exit = { exitCode: exit_code, signal: exit_signal, isOutOfMemory: false, ...(exit_err_msg === '' ? {} : { error: exit_err_msg }) }
    if (run_for > 0) this.clock.after(run_for, () => this.end(process, exit))
    return process
  }

  end(process: MockProcess, exit: TaskExit): void {
    if (this.processes.get(process.runId) !== process || process.exit !== undefined) return
    process.exit = exit
    for (const tell of this.#ended.get(process.runId) ?? []) tell(exit)
    this.#ended.delete(process.runId)
  }

  whenEnded(process: MockProcess, tell: (exit: TaskExit) => void): void {
    if (process.exit !== undefined) return tell(process.exit)
    const waiting = this.#ended.get(process.runId) ?? new Set()
    this.#ended.set(process.runId, waiting.add(tell))
  }
}

export interface MockDriverOptions {
  readonly name?: string
  /** False once the agent that holds this driver is dead: nothing it still asks for happens. */
  readonly isAlive?: () => boolean
}

export class MockDriver implements Driver {
  readonly name: string
  readonly isolation = 'none'
  readonly #host: MockHost
  readonly #isAlive: () => boolean

  constructor(host: MockHost, options: MockDriverOptions = {}) {
    this.name = options.name ?? 'mock_driver'
    this.#host = host
    this.#isAlive = options.isAlive ?? (() => true)
  }

  async fingerprint() {
    const name = `driver.${this.name}`
    const description = {
      Attributes: { [name]: 'true' },
      Detected: true,
      Healthy: true,
      HealthDescription: 'Healthy',
      UpdateTime: '0001-01-01T00:00:00Z',
    }
    return { ...description, nodeAttributes: { [name]: '1' } }
  }

  async exec(): Promise<ExecSession> {
    return {
      output: (async function* () {})(),
      exitCode: Promise.resolve(this.#host.programExitCode),
      write: async () => {},
      endInput: () => {},
      resize: async () => {},
      end: () => {},
    }
  }

  async start(request: TaskStart): Promise<TaskHandle> {
    const config = configOf('mock_driver', request.config)
    await this.#lives()
    await this.#host.supervised()
    if (config.start_block_for !== undefined) await this.#block(config.start_block_for, request.signal)
    await this.#lives()
    if (config.start_error) throw startError(config.start_error, config.start_error_recoverable === true)
    const { attempt, task, allocation } = request
    const runId = runIdOf(allocation.ID, task.Name, attempt)
    const living = this.#host.running().find((one) => one.allocationId === allocation.ID && one.taskName === task.Name)
    const process =
      this.#host.processes.get(runId) ??
      living ??
      this.#host.start({ runId, allocationId: allocation.ID, taskName: task.Name, attempt, config, environment: request.environment })
    return this.#handleOf(process)
  }

  async find(allocationId: string, taskName: string, attempt: number): Promise<TaskHandle | undefined> {
    await this.#lives()
    const process = this.#host.processes.get(runIdOf(allocationId, taskName, attempt))
    return process === undefined ? undefined : this.#handleOf(process)
  }

  async attach(handle: TaskHandle): Promise<boolean> {
    await this.#lives()
    return handle['bootId'] === this.#host.bootId && this.#find(handle) !== undefined
  }

  async wait(handle: TaskHandle): Promise<TaskExit> {
    await this.#lives()
    const process = this.#find(handle)
    if (process === undefined) return { exitCode: -1, signal: 0, isOutOfMemory: false, error: 'process is gone' }
    const exit = await new Promise<TaskExit>((resolve) => this.#host.whenEnded(process, resolve))
    await this.#lives()
    return exit
  }

  async signal(handle: TaskHandle, name: string): Promise<void> {
    await this.#lives()
    const process = this.#find(handle)
    if (process === undefined || process.exit !== undefined) return
    process.signals.push(name)
    if (process.config.signal_error) throw new OrchestratorError('DRIVER_SIGNAL', process.config.signal_error)
    if (!ENDING_SIGNALS.has(name)) return
    const end = () => this.#host.end(process, { exitCode: 0, signal: 0, isOutOfMemory: false })
    if (process.config.kill_after) this.#host.clock.after(process.config.kill_after, end)
    else end()
  }

  async kill(handle: TaskHandle): Promise<void> {
    await this.#lives()
    const process = this.#find(handle)
    if (process !== undefined) this.#host.end(process, { exitCode: 137, signal: 9, isOutOfMemory: false })
  }

  async clear(handle: TaskHandle): Promise<void> {
    await this.kill(handle)
    this.#host.processes.delete(handle['runId'] as string)
  }

  close(): void {}

  async endUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number> {
    const unclaimed = [...this.#host.processes.values()].filter(({ allocationId }) => !isClaimed(allocationId))
    for (const process of unclaimed) {
      this.#host.end(process, { exitCode: 137, signal: 9, isOutOfMemory: false })
      this.#host.processes.delete(process.runId)
    }
    return unclaimed.length
  }

  async stats(handle: TaskHandle): Promise<TaskUsage> {
    const process = this.#find(handle)
    return { memoryBytes: 0, userTimeMs: 0, systemTimeMs: 0, pids: process === undefined ? [] : [process.pid] }
  }

  async #block(durationMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#host.clock.after(durationMs, resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (signal.aborted) throw startError('the start was given up')
  }

  #handleOf(process: MockProcess): TaskHandle {
    return { runId: process.runId, pid: process.pid, bootId: this.#host.bootId }
  }

  #find(handle: TaskHandle): MockProcess | undefined {
    return this.#host.processes.get(handle['runId'] as string)
  }

  /** A dead agent's questions are never answered and have no effect. */
  #lives(): Promise<void> {
    return this.#isAlive() ? Promise.resolve() : new Promise(() => {})
  }
}

const ENDING_SIGNALS = new Set(['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGKILL'])

function runIdOf(allocationId: string, taskName: string, attempt: number): string {
  return `${allocationId}/${taskName}/${attempt}`
}
