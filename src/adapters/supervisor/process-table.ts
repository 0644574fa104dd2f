/** Processes as the kernel tells of them. A pid alone names nobody for long; with its start time and the boot it does. */
import { readdirSync, readFileSync } from 'node:fs'

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

/** The process whose command line holds `argument`: for a wrapper whose pid was not written down in time. */
export function findByArgument(argument: string): number | undefined {
  return findByArgumentStart(argument).find((found) => found.argument === argument)?.pid
}

/** Pids of processes that have an argument which begins so, with that argument. */
export function findByArgumentStart(start: string): readonly { readonly pid: number; readonly argument: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const argument = argumentsOf(name).find((word) => word.startsWith(start))
      return argument === undefined ? [] : [{ pid: Number(name), argument }]
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

/** Without effect on a process that has ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
