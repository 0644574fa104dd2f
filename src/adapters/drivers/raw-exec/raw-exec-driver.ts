/** `raw_exec`: a plain process of the host, run under the supervisor. No isolation: for hosts that trust their repository. */
import { readFileSync } from 'node:fs'
import type { Driver, TaskExit, TaskHandle, TaskStart, TaskUsage } from '../../../agent/index.js'
import { OrchestratorError, rfc3339 } from '../../../domain/index.js'
import type { RunStart } from '../../supervisor/protocol.js'
import type { SupervisorClient } from './supervisor-client.js'

const MEBIBYTE_BYTES = 1024 * 1024
const CLOCK_TICK_MS = 10
const PAGE_BYTES = 4096
const WAIT_RETRY_MS = 200

export class RawExecDriver implements Driver {
  readonly name = 'raw_exec'
  readonly #supervisor: SupervisorClient
  readonly #wallMs: () => number

  constructor(supervisor: SupervisorClient, wallMs: () => number) {
    this.#supervisor = supervisor
    this.#wallMs = wallMs
  }

  async fingerprint() {
    const nodeAttributes = { 'driver.raw_exec': '1' }
    return {
      Attributes: nodeAttributes,
      Detected: true,
      Healthy: true,
      HealthDescription: 'Healthy',
      UpdateTime: rfc3339(this.#wallMs()),
      nodeAttributes,
    }
  }

  async start(request: TaskStart): Promise<TaskHandle> {
    const runId = runIdOf(request.allocation.ID, request.task.Name, request.attempt)
    const info = await this.#supervisor.ask('start', runStart(runId, request))
    return { ...info }
  }

  async find(allocationId: string, taskName: string, attempt: number): Promise<TaskHandle | undefined> {
    const info = await this.#supervisor.ask('find', { runId: runIdOf(allocationId, taskName, attempt) })
    return info === null ? undefined : { ...info }
  }

  async attach(handle: TaskHandle): Promise<boolean> {
    return (await this.#supervisor.ask('find', { runId: runIdIn(handle) })) !== null
  }

  /** Over deaths of the supervisor, which finds its runs again. */
  async wait(handle: TaskHandle): Promise<TaskExit> {
    for (;;) {
      try {
        return await this.#supervisor.ask('wait', { runId: runIdIn(handle) })
      } catch (error) {
        if (!(error instanceof OrchestratorError) || error.code !== 'SUPERVISOR') throw error
        await new Promise((resolve) => setTimeout(resolve, WAIT_RETRY_MS))
      }
    }
  }

  async signal(handle: TaskHandle, signal: string): Promise<void> {
    await this.#supervisor.ask('signal', { runId: runIdIn(handle), signal })
  }

  async kill(handle: TaskHandle): Promise<void> {
    await this.#supervisor.ask('kill', { runId: runIdIn(handle) })
  }

  async destroy(handle: TaskHandle): Promise<void> {
    await this.#supervisor.ask('destroy', { runId: runIdIn(handle) })
  }

  async usage(handle: TaskHandle): Promise<TaskUsage> {
    const pids = await this.#supervisor.ask('pids', { runId: runIdIn(handle) })
    const usage = { memoryBytes: 0, userTimeMs: 0, systemTimeMs: 0 }
    for (const pid of pids) addUsage(usage, pid)
    return { ...usage, pids }
  }
}

function runIdOf(allocationId: string, taskName: string, attempt: number): string {
  return `${allocationId}.${encodeURIComponent(taskName)}.${attempt}`
}

function runIdIn(handle: TaskHandle): string {
  return String(handle['runId'])
}

function runStart(runId: string, { task, config, environment, directories }: TaskStart): RunStart {
  const { command, args } = config
  if (typeof command !== 'string' || command === '') throw wrongConfig('command must be a text: the program to run')
  if (args !== undefined && args !== null && !(Array.isArray(args) && args.every((word) => typeof word === 'string')))
    throw wrongConfig('args must be a list of texts')
  return {
    runId,
    command,
    args: (args as readonly string[] | null | undefined) ?? [],
    environment: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...environment },
    workFolder: typeof config['work_dir'] === 'string' ? config['work_dir'] : directories.task,
    user: null,
    logs: {
      folder: directories.logs,
      task: task.Name,
      filesMax: task.LogConfig.MaxFiles,
      fileBytesMax: task.LogConfig.MaxFileSizeMB * MEBIBYTE_BYTES,
      isDisabled: task.LogConfig.Disabled,
    },
  }
}

function wrongConfig(message: string): OrchestratorError {
  return new OrchestratorError('DRIVER_CONFIG', `raw_exec: ${message}`, { recoverable: false })
}

function addUsage(usage: { memoryBytes: number; userTimeMs: number; systemTimeMs: number }, pid: number): void {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    usage.userTimeMs += Number(fields[11]) * CLOCK_TICK_MS
    usage.systemTimeMs += Number(fields[12]) * CLOCK_TICK_MS
    usage.memoryBytes += Number(fields[21]) * PAGE_BYTES
  } catch {
    // It has ended since its pid was told.
  }
}
