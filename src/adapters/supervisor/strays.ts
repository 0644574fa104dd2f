/**
 * What runs under a supervisor's name and belongs to no run that it knows of: its books were lost, or it was killed between making a
 * group and writing that down. Nobody asks for it any more and nobody else would ever end it.
 */
import { cgroupPids, type GroupFolders, groupFolders, killCgroup, listCgroups, removeCgroup } from './cgroup.js'
import { findChildren, findSession, findWrappers, sendSignal } from './process-table.js'

export interface Strays {
  /** Groups of the kernel's for the runs of this supervisor. */
  readonly groups: GroupFolders
  readonly runsFolder: string
  readonly isKnown: (runId: string) => boolean
}

/** Asks the kernel to end them. @returns the ids of runs of which something was left */
export function endStrays({ groups, runsFolder, isKnown }: Strays): readonly string[] {
  const ended = new Set<string>()
  for (const folder of groupFolders(groups)) {
    for (const runId of listCgroups(folder)) {
      if (isKnown(runId)) continue
      const path = `${folder}/${runId}`
      const pids = cgroupPids(path)
      if (pids.length > 0) ended.add(runId)
      if (pids.length > 0 && !killCgroup(path)) for (const pid of pids) sendSignal(pid, 'SIGKILL')
      removeCgroup(path)
    }
  }
  // Where there are no groups the wrapper leads to what it has started.
  for (const { pid, folder } of findWrappers(runsFolder)) {
    const runId = folder.slice(runsFolder.length + 1)
    if (isKnown(runId)) continue
    ended.add(runId)
    for (const child of findChildren(pid)) for (const member of findSession(child)) sendSignal(member, 'SIGKILL')
    sendSignal(pid, 'SIGKILL')
  }
  return [...ended]
}
