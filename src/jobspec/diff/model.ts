/** What differs between two jobs, as the API answers it. Source: Nomad API docs, "Jobs" */
export type DiffType = 'None' | 'Added' | 'Deleted' | 'Edited'

export interface FieldDiff {
  readonly Type: DiffType
  readonly Name: string
  readonly Old: string
  readonly New: string
  readonly Annotations: readonly string[] | null
}

export interface ObjectDiff {
  readonly Type: DiffType
  readonly Name: string
  readonly Fields: readonly FieldDiff[] | null
  readonly Objects: readonly ObjectDiff[] | null
}

export interface TaskDiff extends ObjectDiff {
  readonly Annotations: readonly string[] | null
}

export interface TaskGroupDiff extends ObjectDiff {
  readonly Tasks: readonly TaskDiff[] | null
  readonly Updates: Readonly<Record<string, number>> | null
}

export interface JobDiff {
  readonly Type: DiffType
  readonly ID: string
  readonly Fields: readonly FieldDiff[] | null
  readonly Objects: readonly ObjectDiff[] | null
  readonly TaskGroups: readonly TaskGroupDiff[] | null
}

export type Plain = Readonly<Record<string, unknown>>

export function orNull<Item>(list: readonly Item[]): readonly Item[] | null {
  return list.length === 0 ? null : list
}

/** From nothing, to nothing, or both there. */
export function typeBetween(old: unknown, next: unknown): DiffType {
  if (old == null) return next == null ? 'None' : 'Added'
  return next == null ? 'Deleted' : 'Edited'
}
