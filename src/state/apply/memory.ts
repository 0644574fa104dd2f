import type { LogIndex } from '../../domain/index.js'
import { jobVersionKey } from '../schema.js'
import type { State } from '../state.js'
import type { CommandOf } from './kind.js'

export function traceCommit(state: State, index: LogIndex, { trace, forgotten }: CommandOf<'commit-trace'>): void {
  for (const id of forgotten) state.commitTraces.delete(index, id)
  state.commitTraces.put(index, trace)
}

/** Kept as long as the version itself is, which may be gone by now. */
export function noteVersionTimes(state: State, index: LogIndex, { times }: CommandOf<'version-times'>): void {
  for (const one of times) {
    const { namespace, jobId, createIndex, version } = one
    if (state.versionSources.get(jobVersionKey(namespace, jobId, createIndex, version)) !== undefined) state.versionTimes.put(index, one)
  }
}
