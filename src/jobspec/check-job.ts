/** All that keeps a job from being registered: Nomad's own checks, what its drivers take, and our limits. */
import type { Job } from '../domain/index.js'
import { driverConfigProblems } from './driver-configs.js'
import { LIMITS, type Limits } from './limits.js'
import type { Problem } from './validate/problem.js'
import { type Validation, validateJob } from './validate.js'

export function checkJob(job: Job, limits: Limits = LIMITS): Validation {
  const { problems, warnings } = validateJob(job)
  return { problems: [...limitProblems(job, limits), ...problems, ...driverConfigProblems(job)], warnings }
}

/** @param pools names of those that there are; undefined: not known here */
export function poolProblems({ ID, NodePool }: Job, pools: Pick<ReadonlySet<string>, 'has'> | undefined): readonly Problem[] {
  return pools === undefined || pools.has(NodePool) ? [] : [{ text: `job "${ID}" is in nonexistent node pool "${NodePool}"` }]
}

function limitProblems(job: Job, limits: Limits): readonly Problem[] {
  const groups = job.TaskGroups
  const tooMany =
    groups.length > limits.groupCountMax ? [{ text: `${groups.length} groups are too many; the limit is ${limits.groupCountMax}` }] : []
  const tooLarge = groups.filter((group) => group.Count > limits.countMax)
  return [
    ...tooMany,
    ...tooLarge.map(({ Name, Count }) => ({
      text: `Task group count ${Count} is too large; the limit is ${limits.countMax}`,
      group: Name,
    })),
  ]
}
