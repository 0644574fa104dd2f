import { findTaskGroup, invariant, type LogIndex, namespacedKey, type ScalingEvent, unixNanoseconds } from '../../domain/index.js'
import { jobVersionKey } from '../schema.js'
import type { State } from '../state.js'
import { registerJob } from './jobs.js'
import type { CommandOf } from './kind.js'

/** Of one group (Nomad API docs, "Jobs", Read Job Scale Status). */
const EVENTS_KEPT = 20

/** The count of one group moves, as a version of its own that is the same commit's; what was thought is kept, the newest first. */
export function scaleJob(state: State, index: LogIndex, command: CommandOf<'job-scale'>): void {
  const { namespace, jobId, group: name, count, message, isError, meta, evaluations, atMs } = command
  const key = namespacedKey(namespace, jobId)
  const known = state.jobs.get(key)
  const group = known && findTaskGroup(known, name)
  invariant(known !== undefined && group !== undefined, `group ${name} of job ${jobId} was to be scaled and is not there`)
  if (count !== null) {
    const isMoved = count !== group.Count
    const TaskGroups = known.TaskGroups.map((each) => (each === group ? { ...each, Count: count } : each))
    const job = { ...known, TaskGroups, Version: isMoved ? known.Version + 1 : known.Version }
    const source = state.versionSources.get(jobVersionKey(namespace, jobId, known.CreateIndex, known.Version))
    registerJob(state, index, { kind: 'job-register', job: isMoved ? job : known, source: null, evaluations, atMs })
    if (isMoved && source !== undefined) state.versionSources.put(index, { ...source, version: job.Version, isScaled: true })
  }
  const event: ScalingEvent = {
    Time: unixNanoseconds(atMs),
    Count: count,
    PreviousCount: group.Count,
    Message: message,
    Error: isError,
    Meta: meta,
    EvalID: evaluations[0]?.ID ?? null,
    CreateIndex: index,
  }
  const Groups = state.scalingEvents.get(key)?.Groups ?? {}
  const events = [event, ...(Groups[name] ?? [])].slice(0, EVENTS_KEPT)
  state.scalingEvents.put(index, { Namespace: namespace, JobID: jobId, Groups: { ...Groups, [name]: events }, ModifyIndex: index })
}
