/**
 * A group of the kernel's for each run, from the v2 tree, also where controllers are still of v1: it counts and kills whatever a
 * task has started, however it has detached itself. Absent where the tree is not ours to write: then sessions must do.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder for this supervisor's groups; undefined: no such groups here. */
export function openCgroups(name: string): string | undefined {
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find((fields) => fields[fields.indexOf('-') + 1] === 'cgroup2')?.[4]
  const own = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('0::'))
    ?.slice(3)
  if (mount === undefined || own === undefined) return undefined
  try {
    const folder = join(mount, own, `drover-${name}`)
    mkdirSync(folder, { recursive: true })
    readFileSync(join(folder, 'cgroup.procs'))
    return folder
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
