/** What runs of a job, held against what the repository asks for: after a roll-out that failed the newest commit is not what runs. */
import type { Job, JobSource, SetAside, Standing } from '../domain/index.js'
import { jobKey, jobVersionKey } from './schema.js'
import type { StateView } from './state.js'

export function standingOf(view: StateView, job: Job): Standing {
  const source = view.jobSources.get(jobKey(job))
  const own = view.versionSources.get(jobVersionKey(job.Namespace, job.ID, job.CreateIndex, job.Version))
  return {
    version: job.Version,
    commit: own?.commit ?? (source?.version === job.Version ? source.commit : null),
    revertOf: own?.revertOf ?? null,
    setAside: source === undefined ? null : findSetAside(view, job, source),
  }
}

/** Jobs whose files ask for something that was set aside, in the order of their keys. */
export function listSetAside(view: StateView): readonly { readonly job: Job; readonly setAside: SetAside }[] {
  return view.jobSources.all().flatMap((source) => {
    const job = view.jobs.get(jobKey({ Namespace: source.namespace, ID: source.jobId }))
    const setAside = job === undefined ? null : findSetAside(view, job, source)
    return job === undefined || setAside === null ? [] : [{ job, setAside }]
  })
}

function findSetAside(view: StateView, job: Job, { version, commit, path }: JobSource): SetAside | null {
  if (job.Stop || version >= job.Version) return null
  const current = view.versionSources.get(jobVersionKey(job.Namespace, job.ID, job.CreateIndex, job.Version))
  if (current === undefined || current.revertOf === null) return null
  const rollOut = view.deployments
    .by('job', jobKey(job))
    .find((deployment) => deployment.JobCreateIndex === job.CreateIndex && deployment.JobVersion === version)
  const reason = rollOut?.Status === 'successful' ? 'another job of its bundle failed' : (rollOut?.StatusDescription ?? '')
  return { version, commit, path, reason }
}
