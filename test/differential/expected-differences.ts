/** Where Drover answers otherwise on purpose, or Nomad answers by chance: each with its reason. */
import type { ApiObject } from '../../src/jobspec/decode/api-job.js'

interface ExpectedDifference {
  readonly reason: string
  /** Is a case of this kind not compared? `answer`: of the reference. */
  readonly holds: (jobs: readonly ApiObject[], answer: string) => boolean
}

/** Sentences of releases after the one that Drover is held to. */
const NEWER = /must have at least one main task|unsupported attribute|is missing a closing brace/

const EXPECTED: readonly ExpectedDifference[] = [
  { reason: 'rules that Nomad has only since 2.0.6', holds: (_, answer) => NEWER.test(answer) },
  { reason: 'an empty region or namespace is taken for the one asked, which only a client names', holds: (jobs) => jobs.some(isUnplaced) },
  { reason: 'several regions are a matter of the edition', holds: (jobs) => jobs.some((job) => job['Multiregion'] != null) },
  {
    reason: 'Nomad looks at several volumes of a group in an order of chance',
    holds: (_, answer) => answer.split('Task group volume validation for').length > 2,
  },
]

export function isExpected(jobs: readonly ApiObject[], answer: string): boolean {
  return EXPECTED.some(({ holds }) => holds(jobs, answer))
}

function isUnplaced(job: ApiObject): boolean {
  return job['Region'] === '' || job['Namespace'] === ''
}
