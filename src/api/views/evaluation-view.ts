/** How evaluations look on the wire: the stored row, and as a related one the members that matter. */
import type { Evaluation } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { encodeJson, FragmentCache, withMember } from '../encode.js'

export const evaluationJson = new FragmentCache<Evaluation>((evaluation) => ({ SnapshotIndex: 0, ...evaluation }))

/** With every evaluation that led to it or came of it. */
export function evaluationWithRelatedJson(view: StateView, evaluation: Evaluation): Uint8Array {
  return withMember(evaluationJson.of(evaluation), 'RelatedEvals', encodeJson(relatedTo(view, evaluation).map(evaluationStub)))
}

function relatedTo(view: StateView, evaluation: Evaluation): readonly Evaluation[] {
  const known = new Map<string, Evaluation>([[evaluation.ID, evaluation]])
  const open = [evaluation]
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    for (const id of [current.PreviousEval, current.NextEval, current.BlockedEval]) {
      const related = id === undefined || known.has(id) ? undefined : view.evaluations.get(id)
      if (related === undefined) continue
      known.set(related.ID, related)
      open.push(related)
    }
  }
  known.delete(evaluation.ID)
  return [...known.values()]
}

function evaluationStub(evaluation: Evaluation): Readonly<Record<string, unknown>> {
  return {
    ID: evaluation.ID,
    Namespace: evaluation.Namespace,
    Priority: evaluation.Priority,
    Type: evaluation.Type,
    TriggeredBy: evaluation.TriggeredBy,
    JobID: evaluation.JobID,
    NodeID: evaluation.NodeID ?? '',
    DeploymentID: evaluation.DeploymentID ?? '',
    Status: evaluation.Status,
    StatusDescription: evaluation.StatusDescription ?? '',
    WaitUntil: evaluation.WaitUntil ?? null,
    NextEval: evaluation.NextEval ?? '',
    PreviousEval: evaluation.PreviousEval ?? '',
    BlockedEval: evaluation.BlockedEval ?? '',
    CreateIndex: evaluation.CreateIndex,
    ModifyIndex: evaluation.ModifyIndex,
    CreateTime: evaluation.CreateTime,
    ModifyTime: evaluation.ModifyTime,
  }
}
