/**
 * Acts that a commit asks for by trailer, once: `Drover-Promote: <jobs>`, `Drover-Evaluate: <jobs>`. A job is named by its id or as
 * `<namespace>/<id>`.
 */
import { type Commit, isDeploymentActive, type Job, type Random } from '../domain/index.js'
import { type CommandBody, jobKey, type StateView } from '../state/index.js'
import { promotableGroups } from './deployment-watcher.js'
import { newEvaluation } from './new-evaluation.js'

/** What the trailers come to now. Names that mean no job, or nothing to do, are told in `ignored`. */
export function oneShotActs(
  view: StateView,
  trailers: Commit['trailers'],
  random: Random,
): { readonly commands: readonly CommandBody[]; readonly ignored: readonly string[] } {
  const commands: CommandBody[] = []
  const ignored: string[] = []
  for (const { key, value } of trailers) {
    const act = ACTS[key]
    if (act === undefined) continue
    for (const name of value.split(/[\s,]+/).filter((word) => word !== '')) {
      const job = findJob(view, name)
      const command = job === undefined ? undefined : act(view, job, random)
      if (command === undefined) ignored.push(`${key}: ${name}`)
      else commands.push(command)
    }
  }
  return { commands, ignored }
}

const ACTS: Readonly<Record<string, (view: StateView, job: Job, random: Random) => CommandBody | undefined>> = {
  'Drover-Promote': (view, job, random) => {
    const deployment = view.deployments
      .by('job', jobKey(job))
      .find((candidate) => isDeploymentActive(candidate) && candidate.JobVersion === job.Version)
    const groups = deployment === undefined ? [] : promotableGroups(view, deployment)
    if (deployment === undefined || groups.length === 0) return undefined
    const evaluations = [newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deployment.ID })]
    return { kind: 'deployment-promote', deploymentId: deployment.ID, groups, evaluations }
  },
  'Drover-Evaluate': (_view, job, random) => ({
    kind: 'evaluation-update',
    evaluations: [newEvaluation(random.uuid(), job, 'job-register')],
  }),
}

function findJob(view: StateView, name: string): Job | undefined {
  for (const job of view.jobs.values()) if (!job.Stop && (job.ID === name || `${job.Namespace}/${job.ID}` === name)) return job
  return undefined
}
