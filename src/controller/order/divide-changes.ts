/** What of a commit is carried out at once, and what is put beside until nothing speaks against it any more. */
import { type Commit, type JobRef, type JobSource, namespacedKey, sourceIdOf, type WaitingChange } from '../../domain/index.js'
import { isSpecChanged } from '../../jobspec/index.js'
import { type CommandBody, jobKey, type StateView } from '../../state/index.js'
import type { DesiredChanges } from '../desired-state.js'
import { hooksByTarget } from './hooks.js'

export interface DividedChanges {
  readonly registrations: DesiredChanges['registrations']
  readonly removals: DesiredChanges['removals']
  /** Puts beside what may have to wait, and drops what is not wanted any more. */
  readonly commands: readonly CommandBody[]
}

export interface Circumstances {
  readonly sourceId: string
  readonly commit: Commit
  readonly nowMs: number
  /** False: something could not be read this time, so nothing is absent for sure. */
  readonly isComplete: boolean
  /** False: a cluster that begins again takes over what runs, in whatever order it was begun. */
  readonly mayWait: boolean
}

export function divideChanges(
  view: StateView,
  changes: DesiredChanges,
  { sourceId, commit, nowMs, isComplete, mayWait }: Circumstances,
): DividedChanges {
  const hooked = hooksByTarget([...view.jobSources.values(), ...changes.registrations.map(({ source }) => source)])
  const isOrdered = (source: JobSource) =>
    source.order !== undefined || view.namespaceOrders.get(source.namespace) !== undefined || hooked.has(keyOf(source))
  const isAsked = (source: JobSource | undefined): source is JobSource => mayWait && source !== undefined && isOrdered(source)
  const sourceOf = (job: { readonly Namespace: string; readonly ID: string }) => view.jobSources.get(jobKey(job))
  const removed = isComplete ? changes.removals : []
  const waiting = [
    ...changes.registrations.filter(({ source }) => isAsked(source)).map(({ job, source }) => ({ job, source })),
    ...removed.flatMap((job) => {
      const source = sourceOf(job)
      return isAsked(source) ? [{ job: null, source }] : []
    }),
  ].map(({ job, source }): WaitingChange => {
    const { namespace, jobId } = source
    return { namespace, jobId, bundle: source.order?.bundle ?? '', job, source, commit: commit.id, sinceMs: nowMs }
  })
  const news = waiting.flatMap((change): readonly CommandBody[] => {
    const row = carriedOn(view.waitingChanges.get(keyOf(change)), change)
    return row === undefined ? [] : [{ kind: 'change-wait', change: row }]
  })
  return {
    registrations: changes.registrations.filter(({ source }) => !isAsked(source)),
    removals: removed.filter((job) => !isAsked(sourceOf(job))),
    commands: [...news, ...(isComplete ? dropCommands(view, sourceId, waiting) : [])],
  }
}

/** What says the same as before goes on waiting; undefined where nothing of it is new. */
function carriedOn(known: WaitingChange | undefined, change: WaitingChange): WaitingChange | undefined {
  if (known === undefined || (known.job === null) !== (change.job === null)) return change
  if (known.job !== null && change.job !== null && isSpecChanged(known.job, change.job)) return change
  const { commit, sinceMs } = known
  const row = { ...change, commit, sinceMs, source: { ...change.source, commit: known.source.commit } }
  return JSON.stringify(row) === JSON.stringify(known) ? undefined : row
}

/**
 * Of jobs whose files say again what is registered, and of those that cannot be read any more: what an older commit wanted does not begin
 * while the newest one cannot be understood.
 */
function dropCommands(view: StateView, sourceId: string, waiting: readonly WaitingChange[]): readonly CommandBody[] {
  const kept = new Set(waiting.map(keyOf))
  const dropped = view.waitingChanges.all().filter((change) => sourceIdOf(change.source) === sourceId && !kept.has(keyOf(change)))
  if (dropped.length === 0) return []
  return [{ kind: 'changes-drop', changes: dropped.map(({ namespace, jobId }) => ({ namespace, jobId })) }]
}

function keyOf({ namespace, jobId }: JobRef): string {
  return namespacedKey(namespace, jobId)
}
