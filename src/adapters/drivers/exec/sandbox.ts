/**
 * The root of its own that a task sees, built by bubblewrap: parts of the host read-only, the folders of the task, namespaces for
 * processes, mounts, IPC and names. Inside, setpriv makes it an unprivileged user without capabilities.
 */
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { TaskMount, TaskPlace } from '../../../agent/index.js'
import type { RunSandbox } from '../../supervisor/protocol.js'
import { findTool } from '../../supervisor/tools.js'
import { isRoot, type TaskUser } from '../../task-user.js'
import { startError } from '../driver-errors.js'
import type { ExecOptions } from './options.js'

export interface SandboxTools {
  readonly bwrap: string
  readonly nsenter: string
  readonly inside: Readonly<Record<keyof typeof INSIDE, string>>
}

export interface Sandbox {
  readonly directories: TaskPlace['directories']
  readonly mounts: readonly TaskMount[]
  readonly devices: readonly string[]
  readonly user: TaskUser
  readonly capabilities: readonly string[]
  readonly sharesProcesses: boolean
  readonly sharesIpc: boolean
  /** As the task sees it. */
  readonly workFolder: string
  /** Absent: that of the host. */
  readonly hostname: string | undefined
}

/** Where what begins a task is inside. */
const INSIDE = { sh: '/.drover/sh', setsid: '/.drover/setsid', env: '/.drover/env', setpriv: '/.drover/setpriv' } as const
/** Of the folder of a task, what is put into its root in its own way, or not at all. */
const OWN_NAMES = new Set(['alloc', 'local', 'secrets', 'tmp', 'private', 'dev', 'proc', 'sys'])

/** @throws Error with the package that has what is missing */
export function findSandboxTools(): SandboxTools {
  if (!isRoot()) throw new Error('tasks of their own root need an agent that runs as root')
  const demand = (name: string, from: string) => {
    const path = findTool(name)
    if (path === undefined) throw new Error(`${name} is not installed; it is part of ${from}`)
    return path
  }
  const [sh, env] = [demand('sh', 'every system'), demand('env', 'coreutils')]
  const inside = { sh, setsid: demand('setsid', 'util-linux'), env, setpriv: demand('setpriv', 'util-linux') }
  return { bwrap: demand('bwrap', 'bubblewrap'), nsenter: demand('nsenter', 'util-linux'), inside }
}

/** The root, in which a shell holds the task. What the task itself begins with is `identityWords`. */
export function sandboxOf(tools: SandboxTools, options: ExecOptions, sandbox: Sandbox): RunSandbox {
  return {
    words: [tools.bwrap, ...sandboxArguments(tools, options, sandbox)],
    tools: INSIDE,
    hasOwnProcesses: !sandbox.sharesProcesses,
  }
}

function sandboxArguments(tools: SandboxTools, options: ExecOptions, sandbox: Sandbox): readonly string[] {
  const { directories, mounts, devices, sharesProcesses, sharesIpc, workFolder, hostname } = sandbox
  const bind = (source: string, target: string) => ['--bind', source, target]
  const volumes = mounts.map((mount) => ({ ...mount, target: followed(inside(mount.target), options) }))
  return [
    '--unshare-uts',
    ...(hostname === undefined ? [] : ['--hostname', hostname]),
    ...(sharesProcesses ? [] : ['--unshare-pid', '--as-pid-1']),
    ...(sharesIpc ? [] : ['--unshare-ipc']),
    ...Object.entries(options.chroot).flatMap(([source, target]) => ['--ro-bind-try', source, target]),
    ...['--proc', '/proc', '--dev', '/dev', '--ro-bind', '/sys', '/sys'],
    ...bind(directories.shared, '/alloc'),
    ...bind(directories.local, '/local'),
    ...bind(directories.secrets, '/secrets'),
    ...bind(join(directories.task, 'tmp'), '/tmp'),
    ...otherNames(directories.task, options).flatMap((name) => bind(join(directories.task, name), `/${name}`)),
    ...waysTo([...devices, ...volumes.map(({ target }) => target)]),
    ...devices.flatMap((path) => ['--dev-bind', path, path]),
    ...volumes.flatMap(({ source, target, isReadOnly }) => [isReadOnly ? '--ro-bind' : '--bind', source, target]),
    ...Object.entries(tools.inside).flatMap(([name, path]) => ['--ro-bind', path, INSIDE[name as keyof typeof INSIDE]]),
    ...['--chdir', workFolder],
    ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', ...sandbox.capabilities.map((name) => `CAP_${name.toUpperCase()}`)].flatMap((name) => [
      '--cap-add',
      name,
    ]),
    '--',
  ]
}

/** The folders above: bubblewrap makes what is not there for root alone, and tasks are somebody else. */
function waysTo(paths: readonly string[]): readonly string[] {
  const folders = new Set(paths.flatMap(foldersAbove))
  return [...folders].flatMap((path) => ['--perms', '0755', '--dir', path])
}

/** From the outermost on, the root left out. */
function foldersAbove(path: string): readonly string[] {
  const above = dirname(path)
  return above === '/' || above === path ? [] : [...foldersAbove(above), above]
}

/** Of a program of the root, which the task becomes. */
export function identityWords(sandbox: Pick<Sandbox, 'user' | 'capabilities'>): readonly string[] {
  return [INSIDE.setpriv, ...identityArguments(sandbox), '--']
}

/** Words that run `command` beside a task that is in it already. */
export function besideArguments(
  pid: number,
  sandbox: Pick<Sandbox, 'user' | 'capabilities'>,
  command: readonly string[],
  hasTerminal: boolean,
): readonly string[] {
  return [
    ...['--target', String(pid), '--mount', '--uts', '--ipc', '--pid', '--net', '--root', '--wd', '--'],
    // The one that has the terminal so far is no process of these namespaces: a shell could not give it back.
    ...(hasTerminal ? [INSIDE.setsid, '--ctty', '--wait'] : []),
    INSIDE.setpriv,
    ...identityArguments(sandbox),
    '--no-new-privs',
    '--',
    ...command,
  ]
}

function identityArguments({ user, capabilities }: Pick<Sandbox, 'user' | 'capabilities'>): readonly string[] {
  const held = ['-all', ...capabilities.map((name) => `+${name}`)].join(',')
  const ambient = capabilities.length === 0 ? [] : [`--ambient-caps=${held}`]
  return [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', `--inh-caps=${held}`, ...ambient, `--bounding-set=${held}`]
}

/** What hooks have put beside the known folders. A name of the root itself is not given away. */
function otherNames(taskFolder: string, { chroot }: ExecOptions): readonly string[] {
  const taken = new Set(Object.values(chroot).map((path) => path.split('/')[1] ?? ''))
  return readdirSync(taskFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .map(({ name }) => name)
    .filter((name) => !OWN_NAMES.has(name) && !taken.has(name) && !name.startsWith('.'))
}

/** A link of the host's leads to where its file is in the task's root, and nothing is mounted over a link. */
function followed(target: string, { chroot }: ExecOptions): string {
  const isOfHost = Object.entries(chroot).some(([source, inRoot]) => source === inRoot && target.startsWith(`${inRoot}/`))
  return isOfHost && existsSync(target) ? realpathSync(target) : target
}

function inside(target: string): string {
  return isAbsolute(target) ? target : `/${target}`
}

/**
 * The path of a command as the task sees it: as given, below its folders, or in its PATH.
 * @throws OrchestratorError DRIVER_START
 */
export function findInside(command: string, path: string, directories: TaskPlace['directories'], options: ExecOptions): string {
  const candidates = isAbsolute(command)
    ? [command]
    : [`/local/${command}`, `/${command}`, ...(command.includes('/') ? [] : path.split(':').map((folder) => join(folder, command)))]
  const found = candidates.find((candidate) => isExecutable(onHost(candidate, directories, options)))
  if (found !== undefined) return found
  throw startError(`failed to launch command: file ${command} not found under path ${directories.task}`)
}

/** Where a path of the task's root lies on the host. */
function onHost(path: string, { shared, local, secrets, task }: TaskPlace['directories'], { chroot }: ExecOptions): string {
  const folders: readonly (readonly [inside: string, host: string])[] = [
    ['/alloc', shared],
    ['/local', local],
    ['/secrets', secrets],
    ...Object.entries(chroot).map(([host, target]) => [target, host] as const),
  ]
  const found = folders.filter(([target]) => path === target || path.startsWith(`${target}/`)).sort(([a], [b]) => b.length - a.length)[0]
  return found === undefined ? join(task, path) : `${found[1]}${path.slice(found[0].length)}`
}

function isExecutable(path: string): boolean {
  try {
    if (!existsSync(path)) return false
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
