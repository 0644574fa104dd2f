import { type Evaluation, type LogIndex, namespacedKey, unixNanoseconds } from '../../domain/index.js'
import { ownerKey } from '../schema.js'
import type { State } from '../state.js'
import { refreshJobStatus, setQueued } from './job-status.js'

/** Stores evaluations under this index; a new one (CreateIndex 0) gets its creation from it too. */
export function putEvaluations(state: State, index: LogIndex, evaluations: readonly Evaluation[]): void {
  for (const evaluation of evaluations) putEvaluation(state, index, evaluation)
  for (const key of new Set(evaluations.map(ownerKey))) refreshJobStatus(state, index, key)
}

/** As `putEvaluations`, for those that a registration or deregistration at this index makes. */
export function putJobEvaluations(state: State, index: LogIndex, evaluations: readonly Evaluation[]): void {
  putEvaluations(
    state,
    index,
    evaluations.map((evaluation) => ({ ...evaluation, JobModifyIndex: index })),
  )
}

function putEvaluation(state: State, index: LogIndex, evaluation: Evaluation): void {
  const known = state.evaluations.get(evaluation.ID)
  const now = unixNanoseconds(state.atMs)
  // Not a spread: V8 would give each of these rows a hidden class of its own once it is frozen, half a kilobyte a row.
  const row: Evaluation = Object.assign({}, evaluation, {
    CreateIndex: known?.CreateIndex ?? index,
    CreateTime: known?.CreateTime ?? now,
    ModifyIndex: index,
    ModifyTime: now,
  })
  state.evaluations.put(index, row)
  if (evaluation.QueuedAllocations !== undefined) {
    setQueued(state, index, namespacedKey(evaluation.Namespace, evaluation.JobID), evaluation.QueuedAllocations)
  }
}
