/** Moving the count of a group that its file hands over to a scaler. Texts are Nomad's (Nomad API docs, "Jobs", Scale Task Group). */
import { type ActRequests, findTaskGroup, isDeploymentActive, isTemplateJob, namespacedKey, type TaskGroup } from '../../domain/index.js'
import { LIMITS } from '../../jobspec/index.js'
import { newEvaluation } from '../new-evaluation.js'
import { isScalable } from '../owned-counts.js'
import { type Act, decided, refused } from './act.js'

export const scaleGroup: Act<'job-scale'> = (view, request, { random }) => {
  const { namespace, jobId, group: name, count, message, isError, meta, overridesPolicy } = request
  const malformed = mistakeIn(request)
  if (malformed !== undefined) return refused(malformed, 'malformed')
  const key = namespacedKey(namespace, jobId)
  const job = view.jobs.get(key)
  if (job === undefined) return refused(`job "${jobId}" not found`, 'missing')
  const group = findTaskGroup(job, name)
  if (group === undefined) return refused(`task group "${name}" specified for scaling does not exist in job`, 'malformed')
  const command = { kind: 'job-scale', namespace, jobId, group: name, count, message, isError, meta } as const
  if (count === null) return decided([{ ...command, evaluations: [] }], { evaluationId: '', jobModifyIndex: job.JobModifyIndex })
  if (!isScalable(group) || job.Stop) {
    const path = view.jobSources.get(key)?.path ?? 'the file of the job'
    const why = job.Stop ? `job "${jobId}" is stopped` : `group "${name}" has no scaling block, so that its count is said in ${path}`
    return refused(`${why}; change the group's count there and commit`, 'desired')
  }
  const outside = overridesPolicy ? undefined : outsideBounds(group, count)
  if (outside !== undefined) return refused(outside, 'malformed')
  const isRollingOut = view.deployments.by('job', key).some((each) => each.JobCreateIndex === job.CreateIndex && isDeploymentActive(each))
  if (isRollingOut && !overridesPolicy) return refused('job scaling blocked due to active deployment', 'malformed')
  const isMoved = count !== group.Count
  const evaluations = isTemplateJob(job) ? [] : [newEvaluation(random.uuid(), job, 'job-scaling')]
  const jobModifyIndex = isMoved ? view.index + 1 : job.JobModifyIndex
  return decided([{ ...command, evaluations }], { evaluationId: evaluations[0]?.ID ?? '', jobModifyIndex })
}

function mistakeIn({ group, count, isError }: ActRequests['job-scale']): string | undefined {
  if (group === '') return 'missing task group name for scaling action'
  if (count === null) return undefined
  if (count < 0) return "scaling action count can't be negative"
  if (count > LIMITS.countMax) return `scaling action count is more than ${LIMITS.countMax}`
  return isError ? 'scaling action should not contain count if error is true' : undefined
}

function outsideBounds({ Scaling }: TaskGroup, count: number): string | undefined {
  const { Min, Max } = Scaling!
  if (count < Min) return `group count was less than scaling policy minimum: ${count} < ${Min}`
  return count > Max ? `group count was greater than scaling policy maximum: ${count} > ${Max}` : undefined
}
