/** How two versions of a job differ: the answer of plans and versions, and what the dashboard shows. */
import type { Job, Task, TaskGroup } from '../domain/index.js'
import { fieldDiffs, flattenMembers } from './diff/fields.js'
import { GROUP_CHILDREN, JOB_CHILDREN, TASK_CHILDREN } from './diff/kinds.js'
import { type DiffType, type JobDiff, orNull, type Plain, type TaskDiff, type TaskGroupDiff, typeBetween } from './diff/model.js'
import { childDiffs, keyOf } from './diff/objects.js'
import { compareBytes } from './hcl/values.js'

export { annotateDiff } from './diff/annotate.js'
export type { DiffType, FieldDiff, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff } from './diff/model.js'

export interface DiffOptions {
  /** Objects that changed also list what did not change in them. */
  readonly contextual: boolean
}

/** Kept by the server, or compared as objects. */
const JOB_SKIPPED = [
  'ID',
  'Status',
  'StatusDescription',
  'Version',
  'Stable',
  'CreateIndex',
  'ModifyIndex',
  'JobModifyIndex',
  'Update',
  'SubmitTime',
  'NomadTokenID',
  'VaultToken',
  'ConsulToken',
  'VersionTag',
  ...JOB_CHILDREN.map(({ member }) => member),
]
const GROUP_SKIPPED = ['Name', 'MaxRunDuration', 'Scaling', ...GROUP_CHILDREN.map(({ member }) => member)]
const TASK_SKIPPED = ['Name', 'Lifecycle', 'RestartPolicy', 'CSIPluginConfig', ...TASK_CHILDREN.map(({ member }) => member)]

/** @throws RangeError when the two are not versions of one job */
export function diffJobs(old: Job | null, next: Job | null, options: DiffOptions): JobDiff {
  if (old !== null && next !== null && old.ID !== next.ID)
    throw new RangeError(`can not diff jobs with different IDs: "${old.ID}" and "${next.ID}"`)
  const before = old as unknown as Plain | null
  const after = next as unknown as Plain | null
  const fields = fieldDiffs(flattenMembers(before, { skip: JOB_SKIPPED }), flattenMembers(after, { skip: JOB_SKIPPED }), false)
  const objects = childDiffs(JOB_CHILDREN, before, after, options.contextual).filter((object) => object.Type !== 'None')
  const groups = groupDiffs(old?.TaskGroups ?? [], next?.TaskGroups ?? [], options)
  const isChanged = fields.length > 0 || objects.length > 0 || groups.some((group) => group.Type !== 'None')
  const between = typeBetween(old, next)
  const type: DiffType = between === 'Edited' && !isChanged ? 'None' : between
  return { Type: type, ID: next?.ID ?? old?.ID ?? '', Fields: orNull(fields), Objects: orNull(objects), TaskGroups: orNull(groups) }
}

function pairs<Item extends { readonly Name: string }>(
  old: readonly Item[],
  next: readonly Item[],
): (readonly [Item | null, Item | null])[] {
  const before = new Map(old.map((item) => [item.Name, item]))
  const after = new Map(next.map((item) => [item.Name, item]))
  return [...new Set([...before.keys(), ...after.keys()])].map((name) => [before.get(name) ?? null, after.get(name) ?? null])
}

function groupDiffs(old: readonly TaskGroup[], next: readonly TaskGroup[], options: DiffOptions): TaskGroupDiff[] {
  return pairs(old, next)
    .map(([before, after]) => groupDiff(before, after, options))
    .sort((left, right) => compareBytes(left.Name, right.Name))
}

/** Edited also when what differs is not listed: the two are simply not the same. */
function typeOfPair(old: unknown, next: unknown): DiffType {
  const between = typeBetween(old, next)
  return between === 'Edited' && keyOf(old) === keyOf(next) ? 'None' : between
}

function groupDiff(old: TaskGroup | null, next: TaskGroup | null, options: DiffOptions): TaskGroupDiff {
  const before = old as unknown as Plain | null
  const after = next as unknown as Plain | null
  // The delay of a group that comes or goes as a whole is not told, as in Nomad.
  const skip = old === null || next === null ? [...GROUP_SKIPPED, 'ShutdownDelay'] : GROUP_SKIPPED
  const fields = fieldDiffs(flattenMembers(before, { skip }), flattenMembers(after, { skip }), false)
  const objects = childDiffs(GROUP_CHILDREN, before, after, options.contextual).filter((object) => object.Type !== 'None')
  const tasks = pairs(old?.Tasks ?? [], next?.Tasks ?? [])
    .map(([oldTask, newTask]) => taskDiff(oldTask, newTask, options))
    .sort((left, right) => compareBytes(left.Name, right.Name))
  return {
    Type: typeOfPair(old, next),
    Name: next?.Name ?? old?.Name ?? '',
    Fields: orNull(fields),
    Objects: orNull(objects),
    Tasks: orNull(tasks),
    Updates: null,
  }
}

function taskDiff(old: Task | null, next: Task | null, options: DiffOptions): TaskDiff {
  const before = old as unknown as Plain | null
  const after = next as unknown as Plain | null
  const fields = fieldDiffs(flattenMembers(before, { skip: TASK_SKIPPED }), flattenMembers(after, { skip: TASK_SKIPPED }), false)
  const objects = childDiffs(TASK_CHILDREN, before, after, options.contextual).filter((object) => object.Type !== 'None')
  return {
    Type: typeOfPair(old, next),
    Name: next?.Name ?? old?.Name ?? '',
    Fields: orNull(fields),
    Objects: orNull(objects),
    Annotations: null,
  }
}
