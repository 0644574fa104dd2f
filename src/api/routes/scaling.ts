/** Scaling policies, as the jobs hold them: `/v1/scaling/policies`, `/v1/scaling/policy/:id`. */
import { compareText, type Job, type ScalingPolicy } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { notFound } from '../errors.js'
import type { Call, Route } from '../router.js'
import { atLeastOne, inNamespace, reading } from './reading.js'

export function scalingRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/scaling/policies', methods: { GET: reading(deps, listPolicies) } },
    { pattern: '/v1/scaling/policy/:id', methods: { GET: reading(deps, readPolicy) } },
  ]
}

/** The policies of the groups of a job that is not stopped (those of tasks are not listed), with the indexes of the job where they have none of their own. */
export function policiesOf(job: Job): readonly ScalingPolicy[] {
  if (job.Stop) return []
  return job.TaskGroups.flatMap(({ Scaling: policy }) =>
    policy === null
      ? []
      : [{ ...policy, CreateIndex: policy.CreateIndex || job.CreateIndex, ModifyIndex: policy.ModifyIndex || job.JobModifyIndex }],
  )
}

function listPolicies(view: StateView, call: Call): Reading {
  const { parameters } = call
  const [jobId, type, prefix] = [parameters.text('job'), parameters.text('type'), parameters.text('prefix').toLowerCase()]
  const isHere = inNamespace(call)
  const policies = view.jobs
    .all()
    .filter((job) => isHere(job) && (jobId === '' || job.ID === jobId))
    .flatMap(policiesOf)
    .filter((policy) => policy.ID.startsWith(prefix) && (type === '' || policy.Type === type))
    .sort((a, b) => compareText(a.ID, b.ID))
    .map(({ ID, Enabled, Type, Target, CreateIndex, ModifyIndex }) => ({ ID, Enabled, Type, Target, CreateIndex, ModifyIndex }))
  return { index: atLeastOne(view.jobs.index), watch: [{ table: 'jobs' }], body: encodeJson(policies) }
}

function readPolicy(view: StateView, call: Call): Reading {
  const policy = view.jobs
    .all()
    .flatMap(policiesOf)
    .find((candidate) => candidate.ID === call.id)
  return {
    index: policy?.ModifyIndex ?? view.jobs.index,
    watch: [{ table: 'jobs' }],
    body: policy === undefined ? notFound('policy not found') : encodeJson(policy),
  }
}
