/** Users that tasks run as: `user`, `uid` or `uid:gid`, looked up on this host. */
import { readFileSync } from 'node:fs'

export interface TaskUser {
  readonly uid: number
  readonly gid: number
}

/** What tasks' folders belong to where nobody in particular is named, as in Nomad. */
export const NOBODY: TaskUser = { uid: 65_534, gid: 65_534 }

/** Undefined: this host knows no such user. */
export function findTaskUser(name: string): TaskUser | undefined {
  const numbers = /^(\d+)(?::(\d+))?$/.exec(name)
  if (numbers !== null) return { uid: Number(numbers[1]), gid: Number(numbers[2] ?? numbers[1]) }
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([known]) => known === name)
  return entry === undefined ? undefined : { uid: Number(entry[2]), gid: Number(entry[3]) }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}
