/** How far one version of a job has come: read off the tables, so that nothing has to be remembered while it is under way. */
import { isDeploymentActive, isServerTerminal, isTemplateJob, type Job, MILLISECOND, type VersionOutcome } from '../../domain/index.js'
import { jobKey, type StateView, standingOf } from '../../state/index.js'
import { healthProblem } from '../order/job-health.js'

export interface VersionProgress {
  readonly plannedMs: number | null
  readonly placedMs: number | null
  /** Null: it is under way. */
  readonly outcome: VersionOutcome | null
  /** What is missing while it is under way. */
  readonly missing: string
}

/** @param version of `job`'s life since it was created */
export function versionProgress(view: StateView, job: Job, version: number): VersionProgress {
  const key = jobKey(job)
  const asked = view.findJobVersion(job.Namespace, job.ID, job.CreateIndex, version)?.JobModifyIndex ?? Number.POSITIVE_INFINITY
  const evaluated = view.evaluations
    .by('job', key)
    .filter((row) => (row.JobModifyIndex ?? row.CreateIndex) >= asked && row.Status !== 'pending')
  const plannedMs = earliestMs(evaluated.map(({ ModifyTime }) => ModifyTime))
  const own = view.allocations.by('job', key).filter((row) => row.JobVersion === version && row.JobCreateIndex === job.CreateIndex)
  const createdMs = earliestMs(own.filter(({ CreateIndex }) => CreateIndex >= asked).map(({ CreateTime }) => CreateTime))
  // Those that only changed in place were there before.
  const placedMs = createdMs ?? (own.some((row) => !isServerTerminal(row)) ? plannedMs : null)
  return { plannedMs, placedMs, ...endOf(view, job, version) }
}

function endOf(view: StateView, job: Job, version: number): Pick<VersionProgress, 'outcome' | 'missing'> {
  const key = jobKey(job)
  const ended = (outcome: VersionOutcome) => ({ outcome, missing: '' })
  if (standingOf(view, job).setAside?.version === version) return ended('failed')
  if (job.Version !== version) return ended(job.Stop && job.Version === version + 1 ? 'stopped' : 'superseded')
  const deployment = view.deployments.by('job', key).find((row) => row.JobVersion === version && row.JobCreateIndex === job.CreateIndex)
  if (deployment?.Status === 'failed') return ended('failed')
  const missing = healthProblem(view, key, job.ID)
  if (missing === undefined) return ended('healthy')
  const isOver = job.Status === 'dead' && !isTemplateJob(job) && (deployment === undefined || !isDeploymentActive(deployment))
  return isOver ? ended('failed') : { outcome: null, missing }
}

function earliestMs(instants: readonly number[]): number | null {
  return instants.length === 0 ? null : wholeMs(Math.min(...instants))
}

/** Instants are beyond what a number tells apart: their last digits are not those that were written. */
export function wholeMs(nanoseconds: number): number {
  return Math.round(nanoseconds / MILLISECOND)
}
