/**
 * A group of the kernel's for each run, from the v2 tree, also where controllers are still of v1: it counts and kills whatever a
 * task has started, however it has detached itself. Absent where the tree is not ours to write: then sessions must do. Runs that are to
 * be bounded join groups of the controllers, too, which are of v1 or of v2. Source: kernel docs, "Control Groups" of both versions.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type ControllerName = 'cpu' | 'memory' | 'pids' | 'cpuset'

/** What runs can be bounded by here. */
export interface Controllers {
  readonly version: '1' | '2'
  /** Of v1: the folder for this supervisor's groups, by controller. Of v2 it is the tree's own. */
  readonly folders: Readonly<Partial<Record<ControllerName, string>>>
}

const CONTROLLERS: readonly ControllerName[] = ['cpu', 'memory', 'pids', 'cpuset']

interface Mount {
  readonly path: string
  readonly type: string
  readonly options: readonly string[]
}

/** What tells of this process: where groups are mounted, and which it is in. */
const OWN_PROCESS = '/proc/self'

function readMounts(process: string): readonly Mount[] {
  return readFileSync(join(process, 'mountinfo'), 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .map((fields) => {
      const dash = fields.indexOf('-')
      return { path: fields[4] ?? '', type: fields[dash + 1] ?? '', options: (fields[dash + 3] ?? '').split(',') }
    })
    .filter(({ type }) => type === 'cgroup' || type === 'cgroup2')
}

/** Path of this process's group below the mount of a controller, or of v2. */
function ownGroup(controller: string, process: string): string | undefined {
  return readFileSync(join(process, 'cgroup'), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([number, names]) => (controller === '' ? number === '0' && names === '' : (names ?? '').split(',').includes(controller)))
    ?.slice(2)
    .join(':')
}

/** Where the groups of a supervisor would be, by controller; nothing is made. */
function findControllers(mounts: readonly Mount[], process: string): Controllers {
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.path
  const isPure = unified !== undefined && !mounts.some(({ type, options }) => type === 'cgroup' && options.includes('memory'))
  if (isPure) {
    const known = (readText(join(unified, 'cgroup.controllers')) ?? '').trim().split(' ')
    const folder = join(unified, SLICE)
    return { version: '2', folders: Object.fromEntries(CONTROLLERS.filter((name) => known.includes(name)).map((name) => [name, folder])) }
  }
  const folders = CONTROLLERS.flatMap((name) => {
    const path = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(name))?.path
    const own = ownGroup(name, process)
    return path === undefined || own === undefined ? [] : [[name, join(path, own)] as const]
  })
  return { version: '1', folders: Object.fromEntries(folders) }
}

/** Of v2: below the root, since a group that holds processes can have no bounded groups below it. */
const SLICE = 'drover.slice'

/** The controllers that a supervisor of this user could bound its runs by. */
export function usableControllers(process = OWN_PROCESS): { readonly version: '1' | '2'; readonly names: readonly ControllerName[] } {
  const { version, folders } = findControllers(readMounts(process), process)
  const canWrite = (path: string) => {
    try {
      accessSync(existsSync(path) ? path : dirname(path), constants.W_OK)
      return true
    } catch {
      return false
    }
  }
  return { version, names: CONTROLLERS.filter((name) => folders[name] !== undefined && canWrite(folders[name])) }
}

export interface GroupFolders {
  /** Of the v2 tree; undefined: no such groups here. */
  readonly tree: string | undefined
  readonly controllers: Controllers
}

/** Makes the folders for the groups of a supervisor. */
export function openGroups(name: string, process = OWN_PROCESS): GroupFolders {
  const mounts = readMounts(process)
  const { version, folders } = findControllers(mounts, process)
  if (version === '2') {
    const made = openBounded(Object.values(folders)[0], `drover-${name}`)
    if (made !== undefined) return { tree: made.folder, controllers: { version, folders: made.controllers } }
    return { tree: openTree(mounts, name, process), controllers: { version, folders: {} } }
  }
  const own = Object.entries(folders).flatMap(([controller, path]) => {
    const folder = join(path, `drover-${name}`)
    return tryMake(folder) ? [[controller, folder] as const] : []
  })
  const controllers = { version, folders: Object.fromEntries(own) } as const
  initializeCpuset(controllers.folders['cpuset'])
  return { tree: openTree(mounts, name, process), controllers }
}

function openTree(mounts: readonly Mount[], name: string, process: string): string | undefined {
  const mount = mounts.find(({ type }) => type === 'cgroup2')?.path
  const own = ownGroup('', process)
  if (mount === undefined || own === undefined) return undefined
  const folder = join(mount, own, `drover-${name}`)
  return tryMake(folder) && readText(join(folder, 'cgroup.procs')) !== undefined ? folder : undefined
}

/** A v2 folder whose groups have controllers, enabled all the way down. */
function openBounded(slice: string | undefined, name: string) {
  if (slice === undefined) return undefined
  const folder = join(slice, name)
  for (const path of [dirname(slice), slice, folder]) {
    if (!tryMake(path)) return undefined
    for (const controller of CONTROLLERS) tryWrite(join(path, 'cgroup.subtree_control'), `+${controller}`)
  }
  const enabled = (readText(join(folder, 'cgroup.subtree_control')) ?? '').trim().split(' ')
  const names = CONTROLLERS.filter((controller) => enabled.includes(controller))
  return names.length === 0 ? undefined : { folder, controllers: Object.fromEntries(names.map((controller) => [controller, folder])) }
}

/** Of v1: a new group has no cores and takes nobody. */
function initializeCpuset(folder: string | undefined): void {
  if (folder === undefined) return
  for (const file of ['cpuset.cpus', 'cpuset.mems']) tryWrite(join(folder, file), readText(join(dirname(folder), file))?.trim() ?? '')
}

/** All of them, each once. */
export function groupFolders({ tree, controllers }: GroupFolders): readonly string[] {
  return [...new Set([...(tree === undefined ? [] : [tree]), ...Object.values(controllers.folders)])]
}

/** Zero or empty: not bounded in that respect. */
export interface RunLimits {
  readonly memoryBytes: number
  /** What it is left with when memory is short. */
  readonly memoryKeptBytes: number
  readonly cpuShares: number
  /** `0-1,3` */
  readonly cpus: string
  readonly pids: number
}

/** Makes a run's groups and bounds them. @returns their folders, for the run to join @throws as `fs` does where a bound cannot be set */
export function createBounded(groups: GroupFolders, runId: string, limits: RunLimits): readonly string[] {
  const { version, folders } = groups.controllers
  const paths = [...new Set(Object.values(folders))].map((folder) => join(folder, runId))
  for (const path of paths) mkdirSync(path, { recursive: true })
  const set = (controller: ControllerName, file: string, value: string | number) => {
    if (folders[controller] !== undefined) writeFileSync(join(folders[controller], runId, file), String(value))
  }
  const trySet = (controller: ControllerName, file: string, value: string | number) => {
    if (folders[controller] !== undefined) tryWrite(join(folders[controller], runId, file), String(value))
  }
  const { memoryBytes, memoryKeptBytes, cpuShares, cpus, pids } = limits
  if (memoryBytes > 0) {
    set('memory', version === '1' ? 'memory.limit_in_bytes' : 'memory.max', memoryBytes)
    // Not every kernel accounts for swap.
    trySet('memory', version === '1' ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max', version === '1' ? memoryBytes : 0)
    if (version === '1') trySet('memory', 'memory.swappiness', 0)
  }
  if (memoryKeptBytes > 0) trySet('memory', version === '1' ? 'memory.soft_limit_in_bytes' : 'memory.low', memoryKeptBytes)
  if (cpuShares > 0)
    set('cpu', version === '1' ? 'cpu.shares' : 'cpu.weight', version === '1' ? Math.max(2, cpuShares) : weightOf(cpuShares))
  if (pids > 0) set('pids', 'pids.max', pids)
  if (version === '1' && folders.cpuset !== undefined)
    set('cpuset', 'cpuset.mems', readText(join(folders.cpuset, 'cpuset.mems'))?.trim() ?? '0')
  if (version === '1' && cpus === '' && folders.cpuset !== undefined)
    set('cpuset', 'cpuset.cpus', readText(join(folders.cpuset, 'cpuset.cpus'))?.trim() ?? '0')
  if (cpus !== '') set('cpuset', 'cpuset.cpus', cpus)
  return paths
}

/** Shares of v1, 2 to 262144, as a weight of v2, 1 to 10000. Source: runc, "cgroup v2". */
function weightOf(shares: number): number {
  return 1 + Math.floor(((Math.min(262_144, Math.max(2, shares)) - 2) * 9_999) / 262_142)
}

/** Whether the kernel has ended a process of these groups for want of memory. */
export function hasRunOutOfMemory(paths: readonly string[]): boolean {
  return paths.some((path) => {
    const text = readText(join(path, 'memory.oom_control')) ?? readText(join(path, 'memory.events')) ?? ''
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0) > 0
  })
}

function tryMake(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true })
    return true
  } catch {
    return false
  }
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch {
    // What could not be set is seen by whoever reads it back.
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A fresh group: one that was used before may still hold zombies. Undefined when it cannot be made. */
export function createCgroup(folder: string, runId: string): string | undefined {
  const path = join(folder, runId)
  try {
    mkdirSync(path)
    return path
  } catch {
    return undefined
  }
}

/** Groups of runs below the folder, whoever made them. */
export function listCgroups(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

export function cgroupPids(path: string): readonly number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** False: the kernel has no such file (before 5.14), or the group is gone. */
export function killCgroup(path: string): boolean {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1')
    return true
  } catch {
    return false
  }
}

/** False while a process of it is not gone altogether. */
export function removeCgroup(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}
