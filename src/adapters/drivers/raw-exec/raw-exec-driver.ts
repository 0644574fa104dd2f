/**
 * `raw_exec`: a program of the host, run as it is, without isolation. Configuration: `command`, `args`, `work_dir`. The command is
 * looked up as given, below the task's folder, then in the PATH of the task.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { ExecRequest, ExecSession, TaskHandle, TaskPlace, TaskStart } from '../../../agent/index.js'
import { startProgram } from '../../programs.js'
import { type RunLimits, usableControllers } from '../../supervisor/cgroup.js'
import type { SupervisorClient } from '../../supervisor/client.js'
import type { RunStart } from '../../supervisor/protocol.js'
import { findTools } from '../../supervisor/tools.js'
import { findTaskUser, isRoot, type TaskUser } from '../../task-user.js'
import { configOf, NO_CPUSET, startError } from '../driver-errors.js'
import { DEFAULT_PATH, namespaceOf, SupervisedDriver } from '../supervised-driver.js'

/** Of the host's environment, what a program can hardly do without. */
const HOST_VARIABLES = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TZ'] as const

export class RawExecDriver extends SupervisedDriver {
  readonly name = 'raw_exec'
  readonly isolation = 'none'
  readonly #hostEnvironment: Readonly<Record<string, string>>

  /** @param environment the agent's own, of which a few variables are handed on */
  constructor(supervisor: SupervisorClient, environment: Readonly<Record<string, string | undefined>>) {
    super(supervisor)
    const kept = HOST_VARIABLES.map((name) => [name, environment[name]]).filter(([, value]) => value !== undefined)
    this.#hostEnvironment = { PATH: DEFAULT_PATH, ...Object.fromEntries(kept) }
  }

  protected async describe() {
    findTools()
    return {}
  }

  protected runOf({ task, directories, resources, ...request }: TaskStart) {
    const config = configOf('raw_exec', request.config)
    const environment = { ...this.#hostEnvironment, ...request.environment }
    return {
      command: findCommand(config.command, directories.task, environment['PATH'] ?? DEFAULT_PATH),
      args: config.args ?? [],
      environment,
      workFolder: config.work_dir ? workFolder(config.work_dir, directories.task) : directories.task,
      user: findUser(task.User, directories.task),
      ...coresOf(resources),
    }
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
}

function entering(namespace: string, user: TaskUser | null, words: readonly string[]) {
  const change = user === null ? [] : [`--setuid=${user.uid}`, `--setgid=${user.gid}`]
  return { command: findTools().nsenter!, args: [`--net=${namespace}`, ...change, '--', ...words] }
}

/** The only bound there is without isolation. @throws OrchestratorError DRIVER_START */
function coresOf({ Cpu }: TaskStart['resources']): { readonly limits?: RunLimits } {
  const cores = Cpu?.ReservedCores ?? []
  if (cores.length === 0) return {}
  if (!usableControllers().names.includes('cpuset')) throw startError(NO_CPUSET)
  return { limits: { memoryBytes: 0, memoryKeptBytes: 0, cpuShares: 0, cpus: cores.join(','), pids: 0 } }
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
