/** Who goes back together: a bundle changes as a whole, so what failed of it takes along what began with it. Pure. */
import { type Job, type JobSource, MILLISECOND, namespacedKey, sourceIdOf } from '../../domain/index.js'
import { jobKey, type StateView, sourcedKey } from '../../state/index.js'

/**
 * The other jobs of the bundle whose present versions began with the version of `failed`: since its commit was seen, which is long enough for
 * those that had waited for each other. None for a version that no commit made, such as one that goes back itself.
 */
export function takenBackWith(view: StateView, failed: Job): readonly Job[] {
  const own = view.jobSources.get(jobKey(failed))
  const bundle = own?.order?.bundle ?? ''
  if (own === undefined || bundle === '' || own.version !== failed.Version) return []
  const sinceMs = view.commitTraces.get(sourcedKey(sourceIdOf(own), own.commit.id))?.detectedMs ?? failed.SubmitTime / MILLISECOND
  return partnersOf(view, own, bundle).flatMap((source) => {
    const job = view.jobs.get(namespacedKey(source.namespace, source.jobId))
    if (job === undefined || job.Stop || job.Version !== source.version) return []
    const isOfSameCommit = source.commit.id === own.commit.id
    return isOfSameCommit || job.SubmitTime / MILLISECOND >= sinceMs ? [job] : []
  })
}

function partnersOf(view: StateView, own: JobSource, bundle: string): readonly JobSource[] {
  return [...view.jobSources.valuesBy('source', sourceIdOf(own))].filter(
    ({ namespace, jobId, order }) => namespace === own.namespace && jobId !== own.jobId && order?.bundle === bundle,
  )
}
