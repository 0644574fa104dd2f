import { type CommitTrace, sourceIdOf } from '../../domain/index.js'
import { type CommandBody, type StateView, sourcedKey } from '../../state/index.js'

/** Commits whose way here is remembered. */
const TRACES_KEPT = 1_000

export function traceCommand(view: StateView, trace: CommitTrace): CommandBody {
  const keyOf = (one: CommitTrace) => sourcedKey(sourceIdOf(one), one.commit.id)
  const kept = [...view.commitTraces.values()].filter((one) => keyOf(one) !== keyOf(trace))
  const surplus = kept.length - (TRACES_KEPT - 1)
  const oldest = surplus > 0 ? kept.sort((a, b) => a.appliedMs - b.appliedMs || (a.commit.id < b.commit.id ? -1 : 1)).slice(0, surplus) : []
  return { kind: 'commit-trace', trace, forgotten: oldest.map(keyOf) }
}
