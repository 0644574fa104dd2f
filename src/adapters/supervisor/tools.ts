/** Programs of the host that wrappers and roots are made with. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { RunError } from './protocol.js'

/** Absolute paths of what the wrapper calls. */
export interface Tools {
  readonly sh: string
  readonly mkfifo: string
  readonly setsid: string
  readonly env: string
  /** Undefined: tasks can only run as the supervisor's own user. */
  readonly setpriv: string | undefined
  /** Undefined: tasks can only run in the supervisor's own network. */
  readonly nsenter: string | undefined
}

export const TOOL_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin']

export function findTool(name: string): string | undefined {
  return TOOL_FOLDERS.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @throws RunError TOOL with the package that has what is missing */
export function findTools(): Tools {
  const demand = (name: string, from: string) => {
    const path = findTool(name)
    if (path === undefined) throw new RunError('TOOL', `${name} is not installed; it is part of ${from}`)
    return path
  }
  return {
    sh: demand('sh', 'every system'),
    mkfifo: demand('mkfifo', 'coreutils'),
    setsid: demand('setsid', 'util-linux'),
    env: demand('env', 'coreutils'),
    setpriv: findTool('setpriv'),
    nsenter: findTool('nsenter'),
  }
}
