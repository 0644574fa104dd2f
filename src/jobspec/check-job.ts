/** All that keeps a job from being registered: Nomad's own checks, what its drivers take, and our limits. */
import type { Job } from '../domain/index.js'
import { driverConfigProblems } from './drivers/table.js'
import { LIMITS, type Limits } from './limits.js'
import type { Problem } from './validate/problem.js'
import { type Validation, validateJob } from './validate.js'

/** What is too large is not looked at any further: everything below may rely on the limits. */
export function checkJob(job: Job, limits: Limits = LIMITS): Validation {
  const beyond = sizeProblems(job, limits)
  if (beyond.length > 0) return { problems: beyond, warnings: [] }
  const { problems, warnings } = validateJob(job)
  return { problems: [...countProblems(job, limits), ...problems, ...driverConfigProblems(job)], warnings }
}

/** @param pools names of those that there are; undefined: not known here */
export function poolProblems(
  { ID, NodePool }: Pick<Job, 'ID' | 'NodePool'>,
  pools: Pick<ReadonlySet<string>, 'has'> | undefined,
): readonly Problem[] {
  return pools === undefined || pools.has(NodePool) ? [] : [{ text: `job "${ID}" is in nonexistent node pool "${NodePool}"` }]
}

function sizeProblems(job: Job, { groupCountMax, jobBytesMax }: Limits): readonly Problem[] {
  const { length } = job.TaskGroups
  if (length > groupCountMax) return [{ text: tooManyGroupsText(length, groupCountMax) }]
  const bytes = sizeOfText(JSON.stringify(job), jobBytesMax)
  if (bytes <= jobBytesMax) return []
  const remedy = 'move data into files that the job fetches, or split the job'
  return [{ text: `The job takes ${bytes} bytes as it is stored; the limit is ${jobBytesMax}: ${remedy}` }]
}

export function tooManyGroupsText(count: number, max: number): string {
  return `${count} groups are too many; the limit is ${max}`
}

/** In UTF-8; only exact where it matters. */
function sizeOfText(text: string, bytesMax: number): number {
  return text.length * 3 <= bytesMax ? text.length : new TextEncoder().encode(text).length
}

function countProblems(job: Job, { countMax }: Limits): readonly Problem[] {
  return job.TaskGroups.filter(({ Count }) => Count > countMax).map(({ Name, Count }) => ({
    text: `Task group count ${Count} is too large; the limit is ${countMax}`,
    group: Name,
  }))
}
