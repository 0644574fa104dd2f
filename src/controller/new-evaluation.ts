/** How reconcilers ask for a job to be looked at again. Indexes and times are set when it is applied. */
import type { Evaluation, EvaluationTrigger, Job } from '../domain/index.js'

export type EvaluationDetails = Partial<
  Pick<Evaluation, 'NodeID' | 'NodeModifyIndex' | 'DeploymentID' | 'WaitUntil' | 'PreviousEval' | 'Status' | 'StatusDescription'>
>

export function newEvaluation(
  id: string,
  job: Pick<Job, 'Namespace' | 'ID' | 'Type' | 'Priority' | 'JobModifyIndex'>,
  trigger: EvaluationTrigger,
  details: EvaluationDetails = {},
): Evaluation {
  return {
    ID: id,
    Namespace: job.Namespace,
    Priority: job.Priority,
    Type: job.Type,
    TriggeredBy: trigger,
    JobID: job.ID,
    JobModifyIndex: job.JobModifyIndex,
    Status: 'pending',
    CreateIndex: 0,
    ModifyIndex: 0,
    CreateTime: 0,
    ModifyTime: 0,
    ...details,
  }
}
