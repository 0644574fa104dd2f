/** Where Drover answers otherwise on purpose, or Nomad answers by chance: each with its reason. */
import { type ApiObject, objectsIn } from '../../src/jobspec/decode/api-job.js'
import { NO_ANSWER } from './reference.js'

interface ExpectedDifference {
  readonly reason: string
  /** Is a case of this kind not compared? `answer`: of the reference. */
  readonly holds: (jobs: readonly ApiObject[], answer: string) => boolean
}

/** Sentences of releases after the one that Drover is held to. */
const NEWER = /must have at least one main task|unsupported attribute|is missing a closing brace/

const EXPECTED: readonly ExpectedDifference[] = [
  { reason: 'Nomad breaks the request off', holds: (_, answer) => answer === NO_ANSWER },
  { reason: 'rules that Nomad has only since 2.0.6', holds: (_, answer) => NEWER.test(answer) },
  { reason: 'an empty region or namespace is taken for the one asked, which only a client names', holds: (jobs) => jobs.some(isUnplaced) },
  { reason: 'several regions are a matter of the edition', holds: (jobs) => jobs.some((job) => job['Multiregion'] != null) },
  {
    reason: 'Nomad looks at several volumes of a group in an order of chance',
    holds: (_, answer) => answer.split('Task group volume validation for').length > 2,
  },
  {
    reason: 'a service of Consul is registered with the server itself, and asks for no Consul on its host',
    holds: (_, answer) => answer.includes('${attr.consul.version}'),
  },
  {
    reason: 'a vault block is taken where templates read secrets, which are variables here',
    holds: (jobs, answer) => answer.includes('not enabled but used in the job') && jobs.some(hasTemplatesWithVault),
  },
  {
    reason: 'what Nomad answers with an error of its own about services in the mesh is a mistake of the job',
    holds: (_, answer) => /^error in job mutator (connect|expose-check)/.test(answer),
  },
]

export function isExpected(jobs: readonly ApiObject[], answer: string): boolean {
  return EXPECTED.some(({ holds }) => holds(jobs, answer))
}

function isUnplaced(job: ApiObject): boolean {
  return job['Region'] === '' || job['Namespace'] === ''
}

function hasTemplatesWithVault(job: ApiObject): boolean {
  const tasks = objectsIn(job, 'TaskGroups').flatMap((group) => objectsIn(group, 'Tasks'))
  return tasks.some((task) => task['Vault'] != null && objectsIn(task, 'Templates').length > 0)
}
