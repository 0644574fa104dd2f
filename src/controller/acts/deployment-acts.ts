/** Roll-outs in the hands of a person. Texts are Nomad's (Nomad API docs, "Deployments"). */
import { type ActRefusal, type Deployment, isDeploymentActive, type Job } from '../../domain/index.js'
import { type CommandBody, ownerKey, type StateView } from '../../state/index.js'
import { failDeployment } from '../deployment-failure.js'
import { healthyCanaryCount } from '../deployment-watcher.js'
import { newEvaluation } from '../new-evaluation.js'
import { type Act, decided, refused } from './act.js'

interface Found {
  readonly kind: 'found'
  readonly deployment: Deployment
  readonly job: Job
}

function findActive(view: StateView, id: string, verb: string): Found | ActRefusal {
  const deployment = view.deployments.get(id)
  if (deployment === undefined) return refused('deployment not found')
  if (!isDeploymentActive(deployment)) return refused(`can't ${verb} terminal deployment`)
  const job = view.jobs.get(ownerKey(deployment))
  return job === undefined ? refused('job not found') : { kind: 'found', deployment, job }
}

export const promoteDeployment: Act<'deployment-promote'> = (view, { deploymentId, groups }, { random }) => {
  const found = findActive(view, deploymentId, 'promote')
  if (found.kind === 'refused') return found
  const { deployment, job } = found
  const waiting = Object.entries(deployment.TaskGroups).filter(
    ([name, state]) => state.DesiredCanaries > 0 && !state.Promoted && (groups === null || groups.includes(name)),
  )
  const problems = waiting.flatMap(([name, state]) => {
    const healthy = healthyCanaryCount(view, deployment, name)
    return healthy >= state.DesiredCanaries ? [] : [`\t* Task group "${name}" has ${healthy}/${state.DesiredCanaries} healthy allocations`]
  })
  if (problems.length > 0) {
    return refused(`${problems.length} error${problems.length === 1 ? '' : 's'} occurred:\n${problems.join('\n')}\n\n`)
  }
  const evaluation = newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deployment.ID })
  return decided([{ kind: 'deployment-promote', deploymentId, groups: waiting.map(([name]) => name), evaluations: [evaluation] }], {
    evaluationId: evaluation.ID,
    revertedTo: null,
  })
}

export const failByHand: Act<'deployment-fail'> = (view, { deploymentId }, { random }) => {
  const found = findActive(view, deploymentId, 'fail')
  if (found.kind === 'refused') return found
  const { deployment, job } = found
  const isReverting = isCurrent(deployment, job) && Object.values(deployment.TaskGroups).some((group) => group.AutoRevert)
  const { commands, ...answer } = failDeployment(view, deployment, job, { reason: 'Deployment marked as failed', isReverting, random })
  return decided(commands, answer)
}

export const pauseDeployment: Act<'deployment-pause'> = (view, { deploymentId, isPaused }, { random }) => {
  const found = findActive(view, deploymentId, isPaused ? 'pause' : 'resume')
  if (found.kind === 'refused') return found
  const update = isPaused
    ? { DeploymentID: deploymentId, Status: 'paused' as const, StatusDescription: 'Deployment is paused' }
    : { DeploymentID: deploymentId, Status: 'running' as const, StatusDescription: 'Deployment is running' }
  const evaluations = isPaused ? [] : [newEvaluation(random.uuid(), found.job, 'deployment-watcher', { DeploymentID: deploymentId })]
  return decided([{ kind: 'deployment-update', updates: [update], evaluations }], {
    evaluationId: evaluations[0]?.ID ?? '',
    revertedTo: null,
  })
}

export const setHealth: Act<'deployment-health'> = (view, { deploymentId, healthy, unhealthy }, { random }) => {
  if (healthy.length + unhealthy.length === 0) return refused('must specify at least one healthy/unhealthy allocation ID')
  const found = findActive(view, deploymentId, 'set health of allocations for a')
  if (found.kind === 'refused') return found
  const { deployment, job } = found
  const stranger = [...healthy, ...unhealthy].find((id) => view.allocations.get(id)?.DeploymentID !== deploymentId)
  if (stranger !== undefined) return refused(`allocation "${stranger}" is not part of deployment "${deploymentId}"`)
  const mark = (evaluations: Extract<CommandBody, { kind: 'deployment-health' }>['evaluations']): CommandBody => ({
    kind: 'deployment-health',
    deploymentId,
    healthy,
    unhealthy,
    evaluations,
  })
  const isReverting = isCurrent(deployment, job) && unhealthy.some((id) => groupOf(view, deployment, id)?.AutoRevert === true)
  if (isReverting) {
    const reason = 'Failed due to unhealthy allocations'
    const { commands, ...answer } = failDeployment(view, deployment, job, { reason, isReverting, random })
    return decided([mark([]), ...commands], answer)
  }
  const evaluation = newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deploymentId })
  return decided([mark([evaluation])], { evaluationId: evaluation.ID, revertedTo: null })
}

/** Of a deployment that spans several regions something may wait; here nothing does. */
export const unblockDeployment: Act<'deployment-unblock'> = (view, { deploymentId }) =>
  view.deployments.get(deploymentId) === undefined ? refused('deployment not found') : decided([], { evaluationId: '', revertedTo: null })

function isCurrent(deployment: Deployment, job: Job): boolean {
  return job.CreateIndex === deployment.JobCreateIndex && job.Version === deployment.JobVersion
}

function groupOf(view: StateView, deployment: Deployment, allocationId: string) {
  return deployment.TaskGroups[view.allocations.get(allocationId)?.TaskGroup ?? '']
}
