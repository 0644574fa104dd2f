/** Whether a job is as the newest commit wants it, and well: what changes that depend on it wait for. */
import { type Allocation, type Deployment, isDeploymentActive, isServerTerminal, isTemplateJob, type Job } from '../../domain/index.js'
import { jobKey, type StateView, standingOf } from '../../state/index.js'

/** @param key of the job */
export function isHealthy(view: StateView, key: string): boolean {
  return healthProblem(view, key, key) === undefined
}

/**
 * @param name as it is told
 * @returns what is missing, in words; undefined: nothing
 */
export function healthProblem(view: StateView, key: string, name: string): string | undefined {
  const job = view.jobs.get(key)
  if (job === undefined) return `${name} is not there yet`
  if (job.Stop) return `${name} is stopped`
  const { setAside } = standingOf(view, job)
  if (setAside !== null) return `version ${setAside.version} of ${name} failed and was set aside`
  // Nothing of it runs itself.
  if (isTemplateJob(job)) return undefined
  const deployment = view.deployments.by('job', key).find((row) => isOf(row, job))
  if (deployment !== undefined && isDeploymentActive(deployment)) return `version ${job.Version} of ${name} is being rolled out`
  if (deployment?.Status === 'failed') return `the roll-out of version ${job.Version} of ${name} failed`
  return shortfall(view, job, name)
}

function shortfall(view: StateView, job: Job, name: string): string | undefined {
  const key = jobKey(job)
  // Only counted, for each job of every scrape of the metrics: in whatever order.
  const every = [...view.allocations.valuesBy('job', key)]
  const own = every.filter((row) => row.JobVersion === job.Version && row.JobCreateIndex === job.CreateIndex)
  if (job.Type === 'system' || job.Type === 'sysbatch') {
    const isOpen = view.evaluations.by('job', key).some(({ Status }) => Status === 'pending')
    return isOpen ? `${name} is about to be placed` : everywhere(job, own, name)
  }
  for (const { Name, Count } of job.TaskGroups) {
    const rows = own.filter((row) => row.TaskGroup === Name)
    const count = job.Type === 'batch' ? doneCount(rows) : rows.filter(isWell).length
    const what = job.Type === 'batch' ? 'done' : 'running'
    if (count < Count) return `of group ${Name} of ${name} ${count} of ${Count} ${count === 1 ? 'is' : 'are'} ${what}`
  }
  return undefined
}

/** Work that has one on every node which it may have. */
function everywhere(job: Job, rows: readonly Allocation[], name: string): string | undefined {
  const isBatch = job.Type === 'sysbatch'
  const wanted = rows.filter((row) => !isServerTerminal(row))
  const count = isBatch ? doneCount(wanted) : wanted.filter(isWell).length
  if (wanted.length > 0 && count === wanted.length) return undefined
  return `of ${name} ${count} of ${wanted.length} ${count === 1 ? 'is' : 'are'} ${isBatch ? 'done' : 'running'}`
}

function isWell(row: Allocation): boolean {
  return row.ClientStatus === 'running' && !isServerTerminal(row) && row.DeploymentStatus?.Healthy !== false
}

/** A system job has one of each name on every node. */
function doneCount(rows: readonly Allocation[]): number {
  return new Set(rows.filter(({ ClientStatus }) => ClientStatus === 'complete').map(({ Name, NodeID }) => `${Name} ${NodeID}`)).size
}

function isOf({ JobVersion, JobCreateIndex }: Deployment, job: Job): boolean {
  return JobVersion === job.Version && JobCreateIndex === job.CreateIndex
}
