/** How a roll-out that failed is ended: with what is said of it, and back to the newest stable version where its groups ask for that. */
import { type Deployment, isDeploymentActive, type Job, type Random } from '../domain/index.js'
import { isSpecChanged } from '../jobspec/index.js'
import { type CommandBody, jobKey, type StateView } from '../state/index.js'
import { newEvaluation } from './new-evaluation.js'
import { takenBackWith } from './order/bundle-partners.js'

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
  const revert = isReverting ? findRevert(view, job) : undefined
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
      ...(isReverting ? takenBackWith(view, job).flatMap((partner) => takeBack(view, partner, job, random)) : []),
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
function findRevert(view: StateView, job: Job): Revert {
  const stable = view.jobVersions
    .by('job', jobKey(job))
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

/** A partner of the bundle goes back, too, where it has something to go back to. */
function takeBack(view: StateView, partner: Job, failed: Job, random: Random): readonly CommandBody[] {
  const { command } = findRevert(view, partner)
  if (command === undefined || command.kind !== 'job-register') return []
  const StatusDescription = `the roll-out of ${failed.ID}, which is of the same bundle, failed`
  const updates = view.deployments
    .by('job', jobKey(partner))
    .filter((deployment) => isDeploymentActive(deployment) && deployment.JobVersion === partner.Version)
    .map(({ ID }) => ({ DeploymentID: ID, Status: 'failed' as const, StatusDescription }))
  return [
    ...(updates.length === 0 ? [] : [{ kind: 'deployment-update' as const, updates, evaluations: [] }]),
    { ...command, evaluations: [newEvaluation(random.uuid(), command.job, 'deployment-watcher')] },
  ]
}
