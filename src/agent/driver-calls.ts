/**
 * What the machines of one allocation ask of the drivers of their tasks. Whatever comes of it is told as the machine's next event;
 * nothing here decides.
 */
import {
  type Allocation,
  type Clock,
  explainError,
  type Job,
  type Logger,
  OrchestratorError,
  type Task,
  type TaskEvent,
} from '../domain/index.js'
import type {
  AllocationNetwork,
  Driver,
  ExecRequest,
  ExecSession,
  TaskDirectories,
  TaskExit,
  TaskHandle,
  TaskMount,
  TaskPlace,
  TaskStart,
} from './driver.js'
import { configScope, evaluateConfig, type TemplateEngine } from './driver-config.js'
import type { TaskEnvironment } from './environment.js'
import type { ProgramResult, TaskProgram } from './ports.js'
import { type TaskFact, taskEvent } from './task-events.js'
import type { TaskInput, TaskRecord } from './task-record.js'

export interface DriverCallsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly drivers: ReadonlyMap<string, Driver>
  readonly templates: TemplateEngine
  readonly allocation: () => Allocation
  readonly job: () => Job
  readonly task: (name: string) => { readonly task: Task; readonly record: TaskRecord } | undefined
  readonly directories: (task: string) => TaskDirectories
  /** With all that hooks add. */
  readonly environment: (task: string) => TaskEnvironment
  readonly mounts: (task: string) => readonly TaskMount[]
  readonly devices: (task: string) => readonly string[]
  readonly network: () => AllocationNetwork
  readonly note: (task: string, event: TaskEvent) => void
  readonly isClosed: () => boolean
}

const ASK_AGAIN_MS = 1_000

export class DriverCalls {
  readonly #deps: DriverCallsDeps
  /** Starts under way, by task. */
  readonly #starts = new Map<string, { readonly attempt: number; readonly controller: AbortController }>()

  constructor(deps: DriverCallsDeps) {
    this.#deps = deps
  }

  /** How the task sees its folders; as the host does where there is no such driver. */
  isolationOf(taskName: string): Driver['isolation'] {
    return this.#deps.drivers.get(this.#deps.task(taskName)?.task.Driver ?? '')?.isolation ?? 'none'
  }

  async start(taskName: string, attempt: number): Promise<TaskInput> {
    const controller = new AbortController()
    this.#starts.set(taskName, { attempt, controller })
    try {
      const handle = await this.#driverOf(taskName).start(this.#startRequest(taskName, attempt, controller.signal))
      return { kind: 'started', attempt, handle }
    } catch (error) {
      const isConfig = error instanceof OrchestratorError && error.code === 'DRIVER_CONFIG'
      const event = isConfig
        ? this.#event('Failed Validation', { fact: 'validation_error', text: explainError(error) })
        : this.#event('Driver Failure', { fact: 'driver_error', text: explainError(error) })
      const isRecoverable = error instanceof OrchestratorError && error.facts['recoverable'] === true
      return { kind: 'start-failed', attempt, event, isRecoverable }
    } finally {
      if (this.#starts.get(taskName)?.controller === controller) this.#starts.delete(taskName)
    }
  }

  /** After each event: a start that the machine does not want any more is given up. */
  follow(taskName: string, { phase, attempt }: TaskRecord): void {
    const start = this.#starts.get(taskName)
    if (start !== undefined && (phase !== 'starting' || attempt !== start.attempt)) start.controller.abort()
  }

  close(): void {
    for (const { controller } of this.#starts.values()) controller.abort()
  }

  async find(taskName: string, attempt: number): Promise<TaskInput> {
    const handle = await this.#insist(taskName, (driver) => driver.find(this.#deps.allocation().ID, taskName, attempt))
    return handle === undefined ? { kind: 'lost' } : { kind: 'started', attempt, handle }
  }

  async attach(taskName: string, handle: TaskHandle): Promise<TaskInput> {
    return (await this.#insist(taskName, (driver) => driver.attach(handle))) ? { kind: 'attached' } : { kind: 'lost' }
  }

  async wait(taskName: string, handle: TaskHandle): Promise<TaskExit> {
    try {
      return await this.#driverOf(taskName).wait(handle)
    } catch (error) {
      return { exitCode: -1, signal: 0, isOutOfMemory: false, error: explainError(error) }
    }
  }

  /** False: the driver refused, which is logged. */
  async attempt(taskName: string, what: string, act: (driver: Driver) => Promise<void>): Promise<boolean> {
    try {
      await act(this.#driverOf(taskName))
      return true
    } catch (error) {
      this.#deps.logger.warn(
        { allocationId: this.#deps.allocation().ID, task: taskName, what, error: explainError(error) },
        'driver refused',
      )
      return false
    }
  }

  /** Beside a task that runs. @throws OrchestratorError TASK_NOT_RUNNING, PROGRAM */
  async run(taskName: string, program: TaskProgram): Promise<ProgramResult> {
    const { handle, task } = this.#running(taskName)
    return runToEnd(this.#driverOf(taskName), handle, this.#placeOf(taskName, task), program, this.#deps.clock)
  }

  /** As `run`; whoever asks for it talks to it. */
  async exec(taskName: string, request: ExecRequest): Promise<ExecSession> {
    const { handle, task } = this.#running(taskName)
    return this.#driverOf(taskName).exec(handle, this.#placeOf(taskName, task), request)
  }

  #running(taskName: string): { readonly handle: TaskHandle; readonly task: Task } {
    const known = this.#deps.task(taskName)
    if (known === undefined) throw new OrchestratorError('UNKNOWN_TASK', `there is no task ${JSON.stringify(taskName)}`, { task: taskName })
    const { task, record } = known
    if (record.phase === 'running' && record.handle !== null) return { handle: record.handle, task }
    throw new OrchestratorError('TASK_NOT_RUNNING', 'Task not running', { task: taskName })
  }

  #driverOf(taskName: string): Driver {
    const name = this.#deps.task(taskName)!.task.Driver
    const driver = this.#deps.drivers.get(name)
    if (driver !== undefined) return driver
    throw new OrchestratorError('DRIVER_START', `driver ${JSON.stringify(name)} is not on this host`, { recoverable: false })
  }

  #placeOf(taskName: string, task: Task): TaskPlace {
    const { environment, directories, network } = this.#deps
    return { task, environment: environment(taskName).variables, directories: directories(taskName), network: network() }
  }

  #startRequest(taskName: string, attempt: number, signal: AbortSignal): TaskStart {
    const { allocation, job, templates, environment, directories, mounts, devices, network, note } = this.#deps
    const { task } = this.#deps.task(taskName)!
    const known = environment(taskName)
    const config = evaluateConfig(task.Config ?? {}, configScope(known), templates)
    if (config.kind === 'problem')
      throw new OrchestratorError('DRIVER_CONFIG', `${config.summary}: ${config.detail}`, { recoverable: false })
    const resources = allocation().AllocatedResources.Tasks[taskName]
    if (resources === undefined)
      throw new OrchestratorError('DRIVER_START', `no resources are allocated to task ${taskName}`, { recoverable: false })
    return {
      allocation: allocation(),
      job: job(),
      task,
      attempt,
      environment: known.variables,
      config: config.value as TaskStart['config'],
      resources,
      directories: directories(taskName),
      mounts: mounts(taskName),
      devices: devices(taskName),
      network: network(),
      tell: ({ text, details }) => {
        const facts = Object.entries(details).map(([name, value]): TaskFact => ({ fact: 'detail', name, text: value }))
        note(taskName, this.#event('Driver', { fact: 'display_message', text }, ...facts))
      },
      signal,
    }
  }

  /** As long as the driver cannot say, nothing may be taken for gone: a second process would run beside the first. */
  async #insist<Answer>(taskName: string, ask: (driver: Driver) => Promise<Answer>): Promise<Answer | undefined> {
    const driver = this.#deps.drivers.get(this.#deps.task(taskName)!.task.Driver)
    while (driver !== undefined && !this.#deps.isClosed()) {
      try {
        return await ask(driver)
      } catch (error) {
        this.#deps.logger.warn(
          { allocationId: this.#deps.allocation().ID, task: taskName, error: explainError(error) },
          'task could not be looked for, trying again',
        )
        await new Promise<void>((resolve) => this.#deps.clock.after(ASK_AGAIN_MS, resolve))
      }
    }
    return undefined
  }

  #event(type: string, ...facts: readonly TaskFact[]): TaskEvent {
    return taskEvent(type, this.#deps.clock.wallMs(), facts)
  }
}

const OUTPUT_BYTES_MAX = 16 * 1024

/** @throws OrchestratorError PROGRAM when it cannot be started, or was ended because it took too long */
async function runToEnd(
  driver: Driver,
  handle: TaskHandle,
  place: TaskPlace,
  { command, args, timeoutMs }: TaskProgram,
  clock: Clock,
): Promise<ProgramResult> {
  const session = await driver.exec(handle, place, { command: [command, ...args] })
  session.endInput()
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    const error = new OrchestratorError('PROGRAM', `${command} took more than ${timeoutMs} ms`, { command })
    cancel = clock.after(timeoutMs, () => reject(error))
  })
  const whole = collect(session)
  // Whoever waits in vain hears of it by the other.
  whole.catch(() => {})
  try {
    return await Promise.race([whole, late])
  } finally {
    cancel()
    session.end()
  }
}

async function collect(session: ExecSession): Promise<ProgramResult> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const { data } of session.output) {
    if (size < OUTPUT_BYTES_MAX) pieces.push(data.subarray(0, OUTPUT_BYTES_MAX - size))
    size += data.length
  }
  return { exitCode: await session.exitCode, output: decode(pieces) }
}

function decode(pieces: readonly Uint8Array[]): string {
  const decoder = new TextDecoder()
  return `${pieces.map((piece) => decoder.decode(piece, { stream: true })).join('')}${decoder.decode()}`
}
