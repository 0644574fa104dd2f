/** What drivers of processes of the host have in common: their runs are kept by the supervisor, whatever becomes of the agent. */
import { createHash } from 'node:crypto'
import type {
  Driver,
  DriverFingerprint,
  ExecRequest,
  ExecSession,
  TaskExit,
  TaskHandle,
  TaskPlace,
  TaskStart,
  TaskUsage,
} from '../../agent/index.js'
import { explainError, MEBIBYTE_BYTES, ZERO_TIME } from '../../domain/index.js'
import type { SupervisorClient } from '../supervisor/client.js'
import { readProcess } from '../supervisor/process-table.js'
import type { RunInfo, RunStart } from '../supervisor/protocol.js'
import { findTools } from '../supervisor/tools.js'
import { startError } from './driver-errors.js'

/** What a task is given to find its programs by, when its own environment says nothing of it. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Of a UUID: what a run's id begins with. */
const ALLOCATION_ID_LENGTH = 36
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

export abstract class SupervisedDriver implements Driver {
  abstract readonly name: string
  abstract readonly isolation: Driver['isolation']
  protected readonly supervisor: SupervisorClient

  constructor(supervisor: SupervisorClient) {
    this.supervisor = supervisor
  }

  /** What the host has of it, as attributes. @throws with what is missing */
  protected abstract describe(): Promise<Readonly<Record<string, string>>>
  /** How the run begins. @throws OrchestratorError DRIVER_START, DRIVER_CONFIG */
  protected abstract runOf(request: TaskStart): Omit<RunStart, 'runId' | 'taskId' | 'logs' | 'networkNamespace'>
  abstract exec(handle: TaskHandle, place: TaskPlace, request: ExecRequest): Promise<ExecSession>

  async fingerprint(): Promise<DriverFingerprint> {
    const attribute = `driver.${this.name}`
    const common = { UpdateTime: ZERO_TIME, Detected: true }
    try {
      const attributes = await this.describe()
      return {
        ...common,
        Attributes: { ...attributes, [attribute]: 'true' },
        Healthy: true,
        HealthDescription: 'Healthy',
        nodeAttributes: { ...attributes, [attribute]: '1' },
      }
    } catch (error) {
      return { ...common, Attributes: {}, Detected: false, Healthy: false, HealthDescription: explainError(error), nodeAttributes: {} }
    }
  }

  async start(request: TaskStart): Promise<TaskHandle> {
    const { allocation, task, attempt, directories } = request
    const start: RunStart = {
      ...this.runOf(request),
      runId: runIdOf(allocation.ID, task.Name, attempt),
      taskId: taskIdOf(allocation.ID, task.Name),
      logs: {
        folder: directories.logs,
        task: task.Name,
        filesMax: task.LogConfig.MaxFiles,
        fileBytesMax: task.LogConfig.MaxFileSizeMB * MEBIBYTE_BYTES,
        isDisabled: task.LogConfig.Disabled,
      },
      networkNamespace: namespaceOf(request),
    }
    return handleOf(await this.supervisor.ask('start', start))
  }

  async find(allocationId: string, taskName: string, attempt: number): Promise<TaskHandle | undefined> {
    const info = await this.supervisor.ask('find', { runId: runIdOf(allocationId, taskName, attempt) })
    return info === null ? undefined : handleOf(info)
  }

  async attach(handle: TaskHandle): Promise<boolean> {
    const info = await this.supervisor.ask('find', { runId: runIn(handle) })
    return info !== null && !info.isLost
  }

  wait(handle: TaskHandle): Promise<TaskExit> {
    return this.supervisor.ask('wait', { runId: runIn(handle) })
  }

  async signal(handle: TaskHandle, name: string): Promise<void> {
    await this.supervisor.ask('signal', { runId: runIn(handle), signal: knownSignal(name) })
  }

  async kill(handle: TaskHandle): Promise<void> {
    await this.supervisor.ask('kill', { runId: runIn(handle) })
  }

  async clear(handle: TaskHandle): Promise<void> {
    await this.supervisor.ask('destroy', { runId: runIn(handle) })
  }

  close(): void {}

  async endUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number> {
    const runIds = await this.supervisor.ask('list', {})
    const unclaimed = runIds.filter((runId) => !isClaimed(runId.slice(0, ALLOCATION_ID_LENGTH)))
    for (const runId of unclaimed) await this.supervisor.ask('destroy', { runId })
    return unclaimed.length
  }

  async stats(handle: TaskHandle): Promise<TaskUsage> {
    const pids = await this.supervisor.ask('pids', { runId: runIn(handle) })
    const found = pids.map(readProcess).filter((stat) => stat !== undefined)
    const sum = (of: (stat: (typeof found)[number]) => number) => found.reduce((total, stat) => total + of(stat), 0)
    return {
      pids,
      memoryBytes: sum(({ residentPages }) => residentPages) * PAGE_BYTES,
      userTimeMs: (sum(({ userTicks }) => userTicks) * 1000) / TICKS_PER_SECOND,
      systemTimeMs: (sum(({ systemTicks }) => systemTicks) * 1000) / TICKS_PER_SECOND,
    }
  }
}

/** @throws OrchestratorError DRIVER_START */
export function namespaceOf({ network }: TaskPlace): string | null {
  if (network.kind === 'host') return null
  if (findTools().nsenter === undefined) throw startError('a network of its own needs nsenter, part of util-linux')
  return network.path
}

function handleOf({ runId, pid, startTime, bootId }: RunInfo): TaskHandle {
  return { runId, pid, startTime, bootId }
}

export function runIn(handle: TaskHandle): string {
  return String(handle['runId'])
}

/** A folder's name, whatever the task is called. */
function runIdOf(allocationId: string, taskName: string, attempt: number): string {
  return `${taskIdOf(allocationId, taskName)}-${attempt}`
}

function taskIdOf(allocationId: string, taskName: string): string {
  return `${allocationId}-${createHash('sha256').update(taskName).digest('hex').slice(0, 8)}`
}

const SIGNALS = new Set(
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
    .split(' ')
    .map((name) => `SIG${name}`),
)

/** A name that nobody knows stands for an interrupt, as in Nomad. */
function knownSignal(name: string): string {
  return SIGNALS.has(name) ? name : 'SIGINT'
}
