/**
 * `qemu`: a virtual machine. What emulates it runs in the root of its own that `exec` gives; the guest's memory is bounded by the machine
 * itself. Source: Nomad docs, "QEMU Driver".
 */
import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import type { ExecSession, TaskHandle, TaskMount, TaskPlace, TaskStart } from '../../../agent/index.js'
import { explainError, OrchestratorError } from '../../../domain/index.js'
import type { SupervisorClient } from '../../supervisor/client.js'
import { findTool, TOOL_FOLDERS } from '../../supervisor/tools.js'
import { giveToTask } from '../../task-files.js'
import type { TaskUser } from '../../task-user.js'
import { configOf, startError } from '../driver-errors.js'
import { ExecDriver } from '../exec/exec-driver.js'
import { runIn } from '../supervised-driver.js'
import { KVM, MONITOR, machineWords } from './machine.js'
import { powerDown } from './monitor.js'
import type { QemuOptions } from './options.js'

const run = promisify(execFile)
const VERSION_WITHIN_MS = 10_000
const PREFIX = 'qemu-system-'
const DEFAULT_EMULATOR = 'x86_64'
const KVM_DEVICE = '/dev/kvm'
/** Of what a task of `exec` may ask for, nothing. */
const PLAIN = { pid_mode: undefined, ipc_mode: undefined, cap_add: undefined, cap_drop: undefined, work_dir: undefined }

export class QemuDriver extends ExecDriver {
  override readonly name = 'qemu'
  readonly takesNoSignals = "QEMU driver can't signal commands"
  readonly #imagePaths: readonly string[]

  constructor(supervisor: SupervisorClient, options: QemuOptions, environment: Readonly<Record<string, string | undefined>>) {
    super(supervisor, { ...options, allow_caps: [] }, environment)
    this.#imagePaths = options.image_paths
  }

  protected override async describe(): Promise<Readonly<Record<string, string>>> {
    const common = await super.describe()
    const emulators = [...new Set(TOOL_FOLDERS.flatMap(emulatorsIn))].sort()
    const [first] = emulators.includes(DEFAULT_EMULATOR) ? [DEFAULT_EMULATOR] : emulators
    if (first === undefined) throw new Error('qemu is not installed; it is part of qemu-system-x86')
    const { stdout } = await run(findTool(PREFIX + first)!, ['--version'], { timeout: VERSION_WITHIN_MS })
    return {
      ...common,
      'driver.qemu.version': /version (\d[\d.]*\d)/.exec(stdout)?.[1] ?? '',
      'driver.qemu.emulators': emulators.join(','),
    }
  }

  /** What the agent has put there for the task is the task's to write to: a guest writes to its disk. */
  override async start(request: TaskStart): Promise<TaskHandle> {
    const { image_path } = configOf('qemu', request.config)
    const own = ownImage(image_path, request)
    if (own !== undefined)
      await giveToTask({ root: request.directories.task, path: own, user: this.userOf(request.task.User) }).catch((error: unknown) => {
        throw startError(`image_path ${JSON.stringify(image_path)}: ${explainError(error)}`)
      })
    return super.start(request)
  }

  protected override runOf(request: TaskStart) {
    const config = configOf('qemu', request.config)
    const user = this.userOf(request.task.User)
    const path = insidePath(config.image_path)
    const mounts = ownImage(config.image_path, request) === undefined ? [this.#imageOfHost(config.image_path)] : []
    const devices = config.accelerator === KVM ? [KVM_DEVICE] : []
    if (config.accelerator === KVM) demandKvm(user)
    const run = this.sandboxed(
      { ...request, mounts: [...request.mounts, ...mounts], devices: [...request.devices, ...devices] },
      PLAIN,
      PREFIX + (config.emulator || DEFAULT_EMULATOR),
      machineWords(request, config, path),
    )
    return { ...run, limits: { ...run.limits, memoryBytes: 0, memoryKeptBytes: 0 } }
  }

  #imageOfHost(path: string): TaskMount {
    const real = isAbsolute(path) && existsSync(path) ? realpathSync(path) : undefined
    if (real === undefined) throw startError(`image_path ${JSON.stringify(path)} does not exist`)
    const isAllowed = this.#imagePaths.some((folder) => real.startsWith(`${existsSync(folder) ? realpathSync(folder) : folder}/`))
    if (!isAllowed || !statSync(real).isFile()) throw startError('image_path is not in the allowed paths')
    return { source: real, target: normalize(path), isReadOnly: false, propagation: 'private' }
  }

  /** The power button where the machine has one; what emulates it ends at once by a signal. */
  override async signal(handle: TaskHandle, name: string): Promise<void> {
    const place = await this.supervisor.ask('place', { runId: runIn(handle) })
    if (place !== null && (await powerDown(`/proc/${place.pid}/root${MONITOR}`))) return
    await super.signal(handle, name)
  }

  override async exec(_: TaskHandle, __: TaskPlace): Promise<ExecSession> {
    throw new OrchestratorError('PROGRAM', 'task driver does not support exec')
  }
}

function emulatorsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => name.slice(PREFIX.length))
  } catch {
    return []
  }
}

function insidePath(path: string): string {
  return normalize(isAbsolute(path) ? path : `/${path}`)
}

/** Below the task's folder, or beside it: `../alloc/…`. Undefined: it is none of the allocation's files. */
function ownImage(path: string, { directories: { task } }: TaskPlace): string | undefined {
  const own = insidePath(path).slice(1)
  const below = own.startsWith('alloc/') ? `../${own}` : own
  return lstatSync(join(task, below), { throwIfNoEntry: false }) === undefined ? undefined : below
}

/** @throws OrchestratorError DRIVER_START */
function demandKvm({ uid, gid }: TaskUser): void {
  const device = statSync(KVM_DEVICE, { throwIfNoEntry: false })
  if (device === undefined) throw startError(`accelerator "kvm": there is no ${KVM_DEVICE} on this host`)
  const rights = device.uid === uid ? device.mode >> 6 : device.gid === gid ? device.mode >> 3 : device.mode
  if ((rights & 0o6) !== 0o6)
    throw startError(`accelerator "kvm": the task's user ${uid}:${gid} may not open ${KVM_DEVICE}; name a user and group that may as user`)
}
