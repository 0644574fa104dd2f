/** Processes as the kernel tells of them. A pid alone names nobody for long; with its start time and the boot it does. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { INSIDE_NAME, WRAPPER_NAME } from './wrapper.js'

export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

export interface ProcessStat {
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly userTicks: number
  readonly systemTicks: number
  /** Clock ticks since boot, as text: only ever compared. */
  readonly startTime: string
  readonly residentPages: number
}

/** Undefined: there is no such process, or only its zombie. */
export function readProcess(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name in brackets may hold spaces and brackets itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => fields[number - 3]!
  const state = field(3)
  if (state === 'Z' || state === 'X') return undefined
  return {
    state,
    parent: Number(field(4)),
    group: Number(field(5)),
    session: Number(field(6)),
    userTicks: Number(field(14)),
    systemTicks: Number(field(15)),
    startTime: field(22),
    residentPages: Number(field(24)),
  }
}

export function isSameProcess(pid: number, startTime: string): boolean {
  return readProcess(pid)?.startTime === startTime
}

/** Pids of all processes of one session. */
export function findSession(session: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProcess(pid)?.session === session)
}

/**
 * Wrappers whose working folder is below `parent`, with that folder; it may be gone, and the wrapper still be there. Those in a sandbox see
 * other folders, and are told theirs.
 */
export function findWrappers(parent: string): readonly { readonly pid: number; readonly folder: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const words = argumentsOf(name)
      const inside = words.indexOf(INSIDE_NAME)
      if (inside < 0 && !words.includes(WRAPPER_NAME)) return []
      const folder = inside < 0 ? workFolderOf(name)?.replace(/ \(deleted\)$/, '') : words[inside + 1]
      return folder?.startsWith(`${parent}/`) === true ? [{ pid: Number(name), folder }] : []
    })
}

/** Pids of what the process has started itself. */
export function findChildren(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProcess(pid)?.parent === parent)
}

/** Undefined: it has none. */
export function oldestChild(parent: number): number | undefined {
  const age = (pid: number) => Number(readProcess(pid)?.startTime ?? Number.POSITIVE_INFINITY)
  return childrenOf(parent)
    .filter((pid) => readProcess(pid) !== undefined)
    .sort((a, b) => age(a) - age(b) || a - b)[0]
}

function childrenOf(parent: number): readonly number[] {
  try {
    return readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    // Not every kernel has that file.
    return findChildren(parent)
  }
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // It ended while we looked.
    return []
  }
}

function workFolderOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    // It ended while we looked, or is somebody else's.
    return undefined
  }
}

/** Without effect on a process that has ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
