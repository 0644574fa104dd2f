/** Evaluations as stories record them, and which of them must be there. */
import type { StoryCluster } from './cluster.js'

type Fields = Readonly<Record<string, unknown>>

export interface SeenEvaluation {
  readonly ID: string
  readonly JobID: string
  readonly Type: string
  readonly TriggeredBy: string
  readonly Priority: number
  readonly Status: string
  readonly StatusDescription: string
  readonly NodeID?: string
  readonly DeploymentID?: string
  readonly QueuedAllocations?: Readonly<Record<string, number>> | null
  readonly FailedTGAllocs?: Fields | null
  readonly NextEval?: string
  readonly PreviousEval?: string
  readonly BlockedEval?: string
  readonly WaitUntil?: string | null
}

export function describeEvaluation(world: StoryCluster, evaluation: SeenEvaluation): Fields {
  return {
    job: world.names.job(evaluation.JobID),
    type: evaluation.Type,
    triggered_by: evaluation.TriggeredBy,
    priority: evaluation.Priority,
    status: evaluation.Status,
    status_description: evaluation.StatusDescription,
    has_node: isThere(evaluation.NodeID),
    queued: evaluation.QueuedAllocations ?? undefined,
    failed_groups: Object.keys(evaluation.FailedTGAllocs ?? {}),
  }
}

function isThere(id: string | undefined): boolean {
  return id !== undefined && id !== ''
}
