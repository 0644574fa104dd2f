/** What registering one job would do, in the form of Nomad's plan (Nomad API docs, "Jobs", Create Job Plan). */
import { invariant, type Job, ZERO_TIME } from '../domain/index.js'
import { warningsText } from '../jobspec/index.js'
import { jobKey } from '../state/index.js'
import type { ReadDeps } from './blocking.js'
import { encodeJson, withMember } from './encode.js'
import { ApiError, requestFailed } from './errors.js'
import type { JobAnswer, JobRequest, JobRequests } from './job-requests.js'
import type { Planner } from './ports.js'
import { allocationStubView } from './views/allocation-view.js'

export interface JobPlanDeps extends Pick<ReadDeps, 'reader'> {
  readonly jobRequests: JobRequests
  readonly planner: Planner
}

export interface PlanWish {
  readonly job: Job
  readonly warnings: readonly string[]
  readonly isDiffWanted: boolean
  readonly isExplained: boolean
  /** Tells what it holds before and after, too, which Nomad does not. */
  readonly isUsageWanted: boolean
}

/** @returns the body, and the index that a registration would be checked against */
export async function planOfJob(deps: JobPlanDeps, wish: PlanWish): Promise<{ readonly json: Uint8Array; readonly index: number }> {
  const { warnings, isDiffWanted, isExplained, isUsageWanted } = wish
  const { result, reasons, index, job, usage } = await deps.planner.plan(wish.job, isExplained)
  const annotations = result.plan.Annotations ?? { DesiredTGUpdates: {}, PreemptedAllocs: null }
  const { known, preempted } = await deps.reader.read((view) => ({
    index: 0,
    known: view.jobs.get(jobKey(job)),
    preempted: annotations.PreemptedAllocs?.map((row) => allocationStubView(view, row)) ?? null,
  }))
  const plan = {
    Annotations: { ...annotations, PreemptedAllocs: preempted },
    FailedTGAllocs: result.evaluation.FailedTGAllocs ?? null,
    JobModifyIndex: index,
    CreatedEvals: result.created.length === 0 ? null : result.created,
    NextPeriodicLaunch: ZERO_TIME,
    Warnings: warningsText(warnings),
    Index: index,
    ...(isExplained ? { Reasons: reasons } : {}),
    ...(isUsageWanted ? { Usage: usage } : {}),
  }
  const diff = isDiffWanted ? await askForJson(deps, { kind: 'diff', known: known ?? null, job, annotations }) : NO_DIFF
  return { json: withMember(encodeJson(plan), 'Diff', diff), index }
}

const NO_DIFF = encodeJson(null)

/** @throws ApiError what the answer refuses with */
export async function askAboutJob(
  { jobRequests }: Pick<JobPlanDeps, 'jobRequests'>,
  request: JobRequest,
): Promise<Exclude<JobAnswer, { kind: 'refused' }>> {
  const answer = await jobRequests.answer(request)
  if (answer.kind === 'aborted') throw requestFailed(`the job could not be read: ${answer.reason}`)
  if (answer.kind === 'refused') throw new ApiError(answer.code, answer.message)
  return answer
}

export async function askForJson(deps: Pick<JobPlanDeps, 'jobRequests'>, request: JobRequest): Promise<Uint8Array> {
  const answer = await askAboutJob(deps, request)
  invariant(answer.kind === 'json', `${request.kind} is answered with JSON`)
  return answer.json
}
