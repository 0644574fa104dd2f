/** What a plan adds to a diff: how many allocations each change concerns, and what a changed member forces. */
import type { DesiredUpdates, PlanAnnotations } from '../../domain/index.js'
import type { FieldDiff, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff } from './model.js'

const UPDATE_NAMES: readonly (readonly [keyof DesiredUpdates, string])[] = [
  ['Ignore', 'ignore'],
  ['Place', 'create'],
  ['Stop', 'destroy'],
  ['Migrate', 'migrate'],
  ['Canary', 'canary'],
  ['InPlaceUpdate', 'in-place update'],
  ['DestructiveUpdate', 'create/destroy update'],
]
const FORCES_CREATE = 'forces create'
const FORCES_DESTROY = 'forces destroy'
const FORCES_IN_PLACE = 'forces in-place update'
const FORCES_REPLACEMENT = 'forces create/destroy update'
/** Changes of these reach a running task as it is. */
const IN_PLACE_FIELDS: ReadonlySet<string> = new Set(['KillTimeout'])
const IN_PLACE_OBJECTS: ReadonlySet<string> = new Set(['Service', 'Constraint', 'Affinity'])

export function annotateDiff(diff: JobDiff, annotations: PlanAnnotations): JobDiff {
  return { ...diff, TaskGroups: diff.TaskGroups?.map((group) => annotateGroup(group, annotations)) ?? null }
}

function annotateGroup(group: TaskGroupDiff, annotations: PlanAnnotations): TaskGroupDiff {
  const updates = Object.hasOwn(annotations.DesiredTGUpdates ?? {}, group.Name) ? annotations.DesiredTGUpdates[group.Name] : undefined
  return {
    ...group,
    Updates: updates === undefined ? group.Updates : updateCounts(updates),
    Fields: group.Fields?.map(annotateCount) ?? null,
    Tasks: group.Tasks?.map((task) => annotateTask(group, task)) ?? null,
  }
}

function updateCounts(updates: Partial<DesiredUpdates>): Readonly<Record<string, number>> {
  return Object.fromEntries(UPDATE_NAMES.flatMap(([member, name]) => ((updates[member] ?? 0) > 0 ? [[name, updates[member] ?? 0]] : [])))
}

function annotateCount(field: FieldDiff): FieldDiff {
  if (field.Name !== 'Count' || field.Type === 'None') return field
  const more = Number(field.New) - Number(field.Old)
  return more === 0 ? field : { ...field, Annotations: [more > 0 ? FORCES_CREATE : FORCES_DESTROY] }
}

function annotateTask(group: TaskGroupDiff, task: TaskDiff): TaskDiff {
  if (task.Type === 'None') return task
  if (group.Type === 'Added' || group.Type === 'None') return { ...task, Annotations: [FORCES_CREATE] }
  if (group.Type === 'Deleted') return { ...task, Annotations: [FORCES_DESTROY] }
  const replaces = task.Type !== 'Edited' || (task.Fields ?? []).some(replacesField) || (task.Objects ?? []).some(replacesObject)
  return { ...task, Annotations: [replaces ? FORCES_REPLACEMENT : FORCES_IN_PLACE] }
}

function replacesField(field: FieldDiff): boolean {
  return field.Type !== 'None' && !IN_PLACE_FIELDS.has(field.Name)
}

function replacesObject(object: ObjectDiff): boolean {
  return object.Type !== 'None' && !IN_PLACE_OBJECTS.has(object.Name)
}
