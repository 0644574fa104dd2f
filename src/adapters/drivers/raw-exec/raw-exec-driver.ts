/**
 * `raw_exec`: a program of the host, run as it is, without isolation. Configuration: `command`, `args`, `work_dir`. The command is
 * looked up as given, below the task's folder, then in the PATH of the task.
 */
import { createHash } from 'node:crypto'
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Driver, ExecRequest, ExecSession, TaskExit, TaskHandle, TaskPlace, TaskStart, TaskUsage } from '../../../agent/index.js'
import { explainError, MEBIBYTE_BYTES, ZERO_TIME } from '../../../domain/index.js'
import { startProgram } from '../../programs.js'
import type { SupervisorClient } from '../../supervisor/client.js'
import { readProcess } from '../../supervisor/process-table.js'
import type { RunInfo, RunStart } from '../../supervisor/protocol.js'
import { findTools } from '../../supervisor/supervisor.js'
import { findTaskUser, isRoot, type TaskUser } from '../../task-user.js'
import { configOf, startError } from '../driver-errors.js'

/** What a task is given to find its programs by, when its own environment says nothing of it. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Of the host's environment, what a program can hardly do without. */
const HOST_VARIABLES = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TZ'] as const
/** Of a UUID: what a run's id begins with. */
const ALLOCATION_ID_LENGTH = 36
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

export class RawExecDriver implements Driver {
  readonly name = 'raw_exec'
  readonly isolation = 'none'
  readonly #supervisor: SupervisorClient
  readonly #hostEnvironment: Readonly<Record<string, string>>

  /** @param environment the agent's own, of which a few variables are handed on */
  constructor(supervisor: SupervisorClient, environment: Readonly<Record<string, string | undefined>>) {
    this.#supervisor = supervisor
    const kept = HOST_VARIABLES.map((name) => [name, environment[name]]).filter(([, value]) => value !== undefined)
    this.#hostEnvironment = { PATH: DEFAULT_PATH, ...Object.fromEntries(kept) }
  }

  async fingerprint() {
    const attribute = `driver.${this.name}`
    const common = { Detected: true, UpdateTime: ZERO_TIME }
    try {
      findTools()
    } catch (error) {
      return { ...common, Attributes: null, Healthy: false, HealthDescription: explainError(error), nodeAttributes: {} }
    }
    return {
      ...common,
      Attributes: { [attribute]: 'true' },
      Healthy: true,
      HealthDescription: 'Healthy',
      nodeAttributes: { [attribute]: '1' },
    }
  }

  async start(request: TaskStart): Promise<TaskHandle> {
    const { allocation, task, attempt, directories } = request
    const config = configOf('raw_exec', request.config)
    const environment = { ...this.#hostEnvironment, ...request.environment }
    const start: RunStart = {
      runId: runIdOf(allocation.ID, task.Name, attempt),
      taskId: taskIdOf(allocation.ID, task.Name),
      command: findCommand(config.command, directories.task, environment['PATH'] ?? DEFAULT_PATH),
      args: config.args ?? [],
      environment,
      workFolder: config.work_dir ? workFolder(config.work_dir, directories.task) : directories.task,
      user: findUser(task.User, directories.task),
      networkNamespace: namespaceOf(request),
      logs: {
        folder: directories.logs,
        task: task.Name,
        filesMax: task.LogConfig.MaxFiles,
        fileBytesMax: task.LogConfig.MaxFileSizeMB * MEBIBYTE_BYTES,
        isDisabled: task.LogConfig.Disabled,
      },
    }
    return handleOf(await this.#supervisor.ask('start', start))
  }

  async exec(_: TaskHandle, place: TaskPlace, { command: words, terminal }: ExecRequest): Promise<ExecSession> {
    const { task, directories } = place
    const environment = { ...this.#hostEnvironment, ...place.environment }
    const [program = '', ...args] = words
    const command = findCommand(program, directories.task, environment['PATH'] ?? DEFAULT_PATH)
    const user = findUser(task.User, directories.task)
    const namespace = namespaceOf(place)
    return startProgram({
      // Only root may enter a namespace: the change of user follows.
      ...(namespace === null ? { command, args, user } : { ...entering(namespace, user, [command, ...args]), user: null }),
      environment,
      folder: directories.task,
      ...(terminal === undefined ? {} : { terminal }),
    })
  }

  async find(allocationId: string, taskName: string, attempt: number): Promise<TaskHandle | undefined> {
    const info = await this.#supervisor.ask('find', { runId: runIdOf(allocationId, taskName, attempt) })
    return info === null ? undefined : handleOf(info)
  }

  async attach(handle: TaskHandle): Promise<boolean> {
    const info = await this.#supervisor.ask('find', { runId: runIn(handle) })
    return info !== null && !info.isLost
  }

  wait(handle: TaskHandle): Promise<TaskExit> {
    return this.#supervisor.ask('wait', { runId: runIn(handle) })
  }

  async signal(handle: TaskHandle, name: string): Promise<void> {
    await this.#supervisor.ask('signal', { runId: runIn(handle), signal: knownSignal(name) })
  }

  async kill(handle: TaskHandle): Promise<void> {
    await this.#supervisor.ask('kill', { runId: runIn(handle) })
  }

  async clear(handle: TaskHandle): Promise<void> {
    await this.#supervisor.ask('destroy', { runId: runIn(handle) })
  }

  close(): void {}

  async endUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number> {
    const runIds = await this.#supervisor.ask('list', {})
    const unclaimed = runIds.filter((runId) => !isClaimed(runId.slice(0, ALLOCATION_ID_LENGTH)))
    for (const runId of unclaimed) await this.#supervisor.ask('destroy', { runId })
    return unclaimed.length
  }

  async stats(handle: TaskHandle): Promise<TaskUsage> {
    const pids = await this.#supervisor.ask('pids', { runId: runIn(handle) })
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
function namespaceOf({ network }: TaskPlace): string | null {
  if (network.kind === 'host') return null
  if (findTools().nsenter === undefined) throw startError('a network of its own needs nsenter, part of util-linux')
  return network.path
}

function entering(namespace: string, user: TaskUser | null, words: readonly string[]) {
  const change = user === null ? [] : [`--setuid=${user.uid}`, `--setgid=${user.gid}`]
  return { command: findTools().nsenter!, args: [`--net=${namespace}`, ...change, '--', ...words] }
}

function handleOf({ runId, pid, startTime, bootId }: RunInfo): TaskHandle {
  return { runId, pid, startTime, bootId }
}

function runIn(handle: TaskHandle): string {
  return String(handle['runId'])
}

/** A folder's name, whatever the task is called. */
function runIdOf(allocationId: string, taskName: string, attempt: number): string {
  return `${taskIdOf(allocationId, taskName)}-${attempt}`
}

function taskIdOf(allocationId: string, taskName: string): string {
  return `${allocationId}-${createHash('sha256').update(taskName).digest('hex').slice(0, 8)}`
}

function findCommand(command: string, taskFolder: string, path: string): string {
  const candidates = isAbsolute(command)
    ? [command]
    : [
        join(taskFolder, 'local', command),
        join(taskFolder, command),
        ...(command.includes('/') ? [] : path.split(':').map((folder) => join(folder, command))),
      ]
  const found = candidates.find(isExecutable)
  if (found !== undefined) return found
  throw startError(`failed to launch command: binary ${JSON.stringify(command)} could not be found`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function workFolder(folder: string, taskFolder: string): string {
  const path = isAbsolute(folder) ? folder : join(taskFolder, folder)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path
  throw startError(`work_dir ${path} is no folder`)
}

/** As the agent when none is named. */
function findUser(name: string, taskFolder: string): RunStart['user'] {
  if (name === '') return null
  const user = findTaskUser(name)
  if (user === undefined) throw startError(`user ${JSON.stringify(name)} is not known on this host`)
  if (process.getuid?.() === user.uid) return null
  if (!isRoot()) throw startError(`running as user ${name} needs an agent that runs as root`)
  if (findTools().setpriv === undefined) throw startError('running as another user needs setpriv, part of util-linux')
  const barred = findBarredFolder(taskFolder, user)
  if (barred === undefined) return user
  throw startError(
    `user ${name} cannot reach ${taskFolder}: ${barred} lets nobody through; chmod o+x ${barred}, or move the agent's data_dir`,
  )
}

/** The first folder on the way that the user may not pass. One with rights for a group may have a list of users besides: it passes. */
function findBarredFolder(path: string, user: TaskUser): string | undefined {
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    const { mode, uid } = statSync(folder)
    const mayPass = uid === user.uid ? mode & 0o100 : mode & 0o011
    if (mayPass === 0) return folder
  }
  return undefined
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
