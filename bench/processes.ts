/** Processes of this machine, seen from outside, and what they take. */
import { readdirSync, readFileSync } from 'node:fs'

export type Process = { readonly pid: string; readonly line: string }

export function processes(isWanted: (line: string) => boolean): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, line: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ line }) => isWanted(line))
}

export function pssOf(all: readonly Process[]): number {
  return all.reduce((sum, { pid }) => sum + 1024 * Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0)
}

/** Its variables, one after the other. */
export function environmentOf({ pid }: Process): string {
  return read(`/proc/${pid}/environ`)
}

/** Of a job, whoever runs it. */
export function isTask(one: Process): boolean {
  return environmentOf(one).includes('NOMAD_ALLOC_ID=')
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
