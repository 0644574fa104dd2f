/** The Commands that make a job what a commit wants it to be, with the evaluations that they ask for. */
import { isTemplateJob, type Job, type JobSource, type Random } from '../domain/index.js'
import { type CommandBody, jobKey, type StateView } from '../state/index.js'
import { newEvaluation } from './new-evaluation.js'
import { fileCounts, keepScaledCounts } from './owned-counts.js'

export function registerCommand(
  view: StateView,
  random: Random,
  { job: wanted, source: { version: _, ...source } }: { readonly job: Job; readonly source: JobSource },
): CommandBody {
  // Since the commit was compared, a roll-out that failed may have made a version of its own.
  const known = view.jobs.get(jobKey(wanted))
  const version = known === undefined ? wanted.Version : known.Version + 1
  const job = { ...keepScaledCounts(view, wanted), Version: version }
  const counts = fileCounts(wanted)
  const evaluations = isTemplateJob(job) ? [] : [newEvaluation(random.uuid(), job, 'job-register')]
  return { kind: 'job-register', job, source: { ...source, version, ...(counts === undefined ? {} : { counts }) }, evaluations }
}

export function deregisterCommand(random: Random, job: Job): CommandBody {
  const evaluations = isTemplateJob(job) ? [] : [newEvaluation(random.uuid(), job, 'job-deregister')]
  return { kind: 'job-deregister', namespace: job.Namespace, jobId: job.ID, purge: false, evaluations }
}
