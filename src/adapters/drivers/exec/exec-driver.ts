/**
 * `exec`: a program of the host in a root of its own, as an unprivileged user, within its share of the host. Configuration: `command`,
 * `args`, `work_dir`, `pid_mode`, `ipc_mode`, `cap_add`, `cap_drop`.
 */

import type { ExecRequest, ExecSession, TaskHandle, TaskPlace, TaskStart } from '../../../agent/index.js'
import { MEBIBYTE_BYTES, OrchestratorError } from '../../../domain/index.js'
import type { DriverConfigOf } from '../../../jobspec/index.js'
import { startProgram } from '../../programs.js'
import { type RunLimits, usableControllers } from '../../supervisor/cgroup.js'
import type { SupervisorClient } from '../../supervisor/client.js'
import { quote } from '../../supervisor/wrapper.js'
import { findTaskUser, type TaskUser } from '../../task-user.js'
import { configOf, NO_CPUSET, startError } from '../driver-errors.js'
import { nameMounts } from '../name-files.js'
import { DEFAULT_PATH, runIn, SupervisedDriver } from '../supervised-driver.js'
import type { ExecOptions } from './options.js'
import { besideArguments, findInside, findSandboxTools, identityWords, type Sandbox, sandboxOf } from './sandbox.js'

/** Of the host's environment: the rest is another user's. */
const HOST_VARIABLES = ['PATH', 'LANG', 'TZ'] as const
const DEFAULT_USER = 'nobody'

type Isolation = Pick<DriverConfigOf<'exec'>, 'pid_mode' | 'ipc_mode' | 'cap_add' | 'cap_drop' | 'work_dir'>

export class ExecDriver extends SupervisedDriver {
  readonly name: string = 'exec'
  readonly isolation = 'chroot'
  protected readonly options: ExecOptions
  readonly #hostEnvironment: Readonly<Record<string, string>>

  /** @param environment the agent's own, of which a few variables are handed on */
  constructor(supervisor: SupervisorClient, options: ExecOptions, environment: Readonly<Record<string, string | undefined>>) {
    super(supervisor)
    this.options = options
    const kept = HOST_VARIABLES.map((name) => [name, environment[name]]).filter(([, value]) => value !== undefined)
    this.#hostEnvironment = { PATH: DEFAULT_PATH, ...Object.fromEntries(kept) }
  }

  protected async describe(): Promise<Readonly<Record<string, string>>> {
    findSandboxTools()
    // What a task cannot be bounded by here is not in the list.
    return { [`driver.${this.name}.limits`]: usableControllers().names.join(',') }
  }

  protected runOf(request: TaskStart) {
    const config = configOf('exec', request.config)
    return this.sandboxed(request, config, config.command, config.args ?? [])
  }

  protected sandboxed(request: TaskStart, config: Isolation, program: string, args: readonly string[]) {
    const { task, directories, network } = request
    const environment = { ...this.#hostEnvironment, ...request.environment }
    const sandbox: Sandbox = {
      directories,
      mounts: [...nameMounts(request), ...request.mounts],
      devices: request.devices,
      hostname: network.kind === 'namespace' ? network.hostname : undefined,
      user: this.userOf(task.User),
      capabilities: this.#capabilities(config),
      sharesProcesses: config.pid_mode === 'host',
      sharesIpc: config.ipc_mode === 'host',
      workFolder: config.work_dir || '/',
    }
    const command = findInside(program, environment['PATH'] ?? DEFAULT_PATH, directories, this.options)
    const [begin, ...words] = [...identityWords(sandbox), command, ...args]
    return {
      command: begin!,
      args: words,
      environment,
      workFolder: '/',
      user: null,
      limits: this.#limitsOf(request),
      sandbox: sandboxOf(findSandboxTools(), this.options, sandbox),
    }
  }

  async exec(handle: TaskHandle, { task, environment }: TaskPlace, { command, terminal }: ExecRequest): Promise<ExecSession> {
    const place = await this.supervisor.ask('place', { runId: runIn(handle) })
    if (place === null) throw new OrchestratorError('PROGRAM', `${command[0]} cannot be run: the task does not run`)
    const { nsenter } = findSandboxTools()
    const identity = { user: this.userOf(task.User), capabilities: [] }
    const words = [nsenter, ...besideArguments(place.pid, identity, command, terminal !== undefined)]
    const joins = place.groups.map((group) => `echo 0 >${quote(`${group}/cgroup.procs`)}`)
    return startProgram({
      command: '/bin/sh',
      args: ['-c', [...joins, `exec ${words.map(quote).join(' ')}`].join('\n')],
      environment: { ...this.#hostEnvironment, ...environment },
      folder: '/',
      user: null,
      ...(terminal === undefined ? {} : { terminal }),
    })
  }

  protected userOf(named: string): TaskUser {
    const name = named === '' ? DEFAULT_USER : named
    const user = findTaskUser(name)
    if (user === undefined) throw startError(`user ${JSON.stringify(name)} is not known on this host`)
    const denied = this.options.denied_users.find((one) => one === name || findTaskUser(one)?.uid === user.uid)
    if (denied !== undefined) throw startError(`running as user ${JSON.stringify(denied)} is disallowed`)
    return user
  }

  #capabilities({ cap_add = [], cap_drop = [] }: Isolation): readonly string[] {
    const plain = (name: string) => name.toLowerCase().replace(/^cap_/, '')
    const allowed = new Set(this.options.allow_caps.map(plain))
    const denied = cap_add.map(plain).filter((name) => !allowed.has(name))
    if (denied.length > 0) throw startError(`driver does not allow the following capabilities: ${denied.sort().join(', ')}`)
    const dropped = new Set(cap_drop.map(plain))
    return dropped.has('all') ? [] : [...new Set(cap_add.map(plain))].filter((name) => !dropped.has(name))
  }

  #limitsOf({ resources }: TaskStart): RunLimits {
    const { MemoryMB, MemoryMaxMB } = resources.Memory
    const usable = usableControllers().names
    const cores = resources.Cpu.ReservedCores ?? []
    if (cores.length > 0 && !usable.includes('cpuset')) throw startError(NO_CPUSET)
    return {
      memoryBytes: Math.max(MemoryMB, MemoryMaxMB) * MEBIBYTE_BYTES,
      memoryKeptBytes: MemoryMaxMB > MemoryMB ? MemoryMB * MEBIBYTE_BYTES : 0,
      cpuShares: resources.Cpu.CpuShares,
      cpus: cores.join(','),
      pids: this.options.pids_limit,
    }
  }
}
