/**
 * Whose the count of a group is: the file's, but for groups with a `scaling` block. Once a scaler has moved the count of one, it is the scaler's,
 * within the bounds that the file says; what the file says of it is where it begins.
 */
import type { Job, JobSource, TaskGroup } from '../domain/index.js'
import { jobKey, type StateView } from '../state/index.js'

export function isScalable({ Scaling }: TaskGroup): boolean {
  return Scaling?.Enabled === true
}

/** What a file says of groups that a scaler may move; undefined: of none. */
export function fileCounts(job: Job): JobSource['counts'] {
  const groups = job.TaskGroups.filter(isScalable)
  return groups.length === 0 ? undefined : Object.fromEntries(groups.map(({ Name, Count }) => [Name, Count]))
}

/** A version as its file asked for it: scalers move counts of what is registered. */
export function asAsked(version: Job, counts: JobSource['counts']): Job {
  if (counts === undefined) return version
  const TaskGroups = version.TaskGroups.map((group) => ({ ...group, Count: counts[group.Name] ?? group.Count }))
  return { ...version, TaskGroups }
}

/** What a commit wants, with the counts that scalers have moved, as far as the bounds allow. */
export function keepScaledCounts(view: StateView, wanted: Job): Job {
  const known = view.jobs.get(jobKey(wanted))
  const counts = view.jobSources.get(jobKey(wanted))?.counts
  if (known === undefined || known.Stop || counts === undefined) return wanted
  const live = new Map(known.TaskGroups.filter(isScalable).map(({ Name, Count }) => [Name, Count]))
  const TaskGroups = wanted.TaskGroups.map((group) => {
    const count = live.get(group.Name)
    if (!isScalable(group) || count === undefined || counts[group.Name] === undefined || count === counts[group.Name]) return group
    return { ...group, Count: Math.min(Math.max(count, group.Scaling!.Min), group.Scaling!.Max) }
  })
  return { ...wanted, TaskGroups }
}
