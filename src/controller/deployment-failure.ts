/** How a roll-out that failed is ended: with what is said of it, and back to the newest stable version where its groups ask for that. */
import type { Deployment, Job, Random } from '../domain/index.js'
import { isSpecChanged } from '../jobspec/index.js'
import { type CommandBody, ownerKey, type StateView } from '../state/index.js'
import { newEvaluation } from './new-evaluation.js'

export interface DeploymentFailure {
  readonly commands: readonly CommandBody[]
  readonly evaluationId: string
  /** Null: the job stays as it is. */
  readonly revertedTo: number | null
}

export function failDeployment(
  view: StateView,
  deployment: Deployment,
  job: Job,
  { reason, isReverting, random }: { readonly reason: string; readonly isReverting: boolean; readonly random: Random },
): DeploymentFailure {
  const revert = isReverting ? findRevert(view, deployment, job) : undefined
  const evaluation = newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deployment.ID })
  const StatusDescription = revert === undefined ? reason : `${reason} - ${revert.description}`
  return {
    commands: [
      {
        kind: 'deployment-update',
        updates: [{ DeploymentID: deployment.ID, Status: 'failed', StatusDescription }],
        evaluations: [evaluation],
      },
      ...(revert?.command === undefined ? [] : [revert.command]),
    ],
    evaluationId: evaluation.ID,
    revertedTo: revert?.version ?? null,
  }
}

interface Revert {
  readonly description: string
  readonly command?: CommandBody
  readonly version?: number
}

/** The newest stable version other than this one becomes a new version; its content is what git had before. */
function findRevert(view: StateView, deployment: Deployment, job: Job): Revert {
  const stable = view.jobVersions
    .by('job', ownerKey(deployment))
    .filter((version) => version.Stable && version.CreateIndex === job.CreateIndex && version.Version !== job.Version)
    .sort((a, b) => b.Version - a.Version)[0]
  if (stable === undefined) return { description: 'no stable job version to auto revert to' }
  if (!isSpecChanged(job, stable)) {
    return { description: `not rolling back to stable job version ${stable.Version} as current job has same specification` }
  }
  const reverted: Job = { ...stable, Version: job.Version + 1, Stable: false }
  return {
    description: `rolling back to job version ${stable.Version}`,
    command: { kind: 'job-register', job: reverted, source: null, evaluations: [], revertOf: stable.Version },
    version: stable.Version,
  }
}
