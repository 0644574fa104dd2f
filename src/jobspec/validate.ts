/** Everything that Nomad refuses or warns of when a job is registered, in its order and words. */
import type { Job, Service, Task, TaskGroup } from '../domain/index.js'
import type { ApiObject } from './decode/api-job.js'
import { exposeTexts, meshTexts } from './validate/connect.js'
import { affinityTexts, constraintTexts, spreadTexts } from './validate/constraints.js'
import { groupTexts } from './validate/groups.js'
import { periodicProblem } from './validate/periodic.js'
import { listText, type Problem, quote, warningsText, wrapTexts } from './validate/problem.js'
import { warningsOf } from './validate/warnings.js'
import { wantsVaultToken } from './vault-token.js'

export interface Validation {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

export { listText as validationErrorText, warningsText }

const JOB_TYPES: ReadonlySet<string> = new Set(['service', 'batch', 'system', 'sysbatch'])
const PRIORITY_MAX = 100
const UI_DESCRIPTION_MAX = 1000

/** `job` is canonical. No problems means that it may be registered as far as the job alone can tell. */
export function validateJob(job: Job): Validation {
  const admission = [...meshTexts(job), ...exposeTexts(job)].map((text) => ({ text }))
  const connections = [...vaultTexts(job), ...consulTexts(job)].map((text) => ({ text, isOfEdition: true as const }))
  return { problems: [...admission, ...connections, ...jobProblems(job), ...featureProblems(job)], warnings: warningsOf(job) }
}

/** What tells jobs apart that cannot become one another. */
export interface JobKind {
  readonly Type: string
  readonly Periodic: object | null
  readonly ParameterizedJob: object | null
}

/** What registering `next` over `existing` refuses besides: changes of kind. In Nomad's words. */
export function transitionProblem(existing: JobKind, next: JobKind): string | undefined {
  if (existing.Type !== next.Type) return `cannot update job from type ${quote(existing.Type)} to ${quote(next.Type)}`
  if (existing.Periodic !== null && next.Periodic === null) return 'cannot update periodic job to being non-periodic'
  if (existing.Periodic === null && next.Periodic !== null) return 'cannot update non-periodic job to being periodic'
  if (existing.ParameterizedJob !== null && next.ParameterizedJob === null)
    return 'cannot update parameterized job to being non-parameterized'
  if (existing.ParameterizedJob === null && next.ParameterizedJob !== null)
    return 'cannot update non-parameterized job to being parameterized'
  return undefined
}

function jobProblems(job: Job): Problem[] {
  const texts: string[] = []
  const isSystem = job.Type === 'system'
  if (job.Region === '') texts.push('Missing job region')
  if (job.ID === '') texts.push('Missing job ID')
  else if (job.ID.includes(' ')) texts.push('Job ID contains a space')
  else if (job.ID.includes('\0')) texts.push('Job ID contains a null character')
  if (job.Name === '') texts.push('Missing job name')
  else if (job.Name.includes('\0')) texts.push('Job Name contains a null character')
  if (job.Namespace === '') texts.push('Job must be in a namespace')
  if (!JOB_TYPES.has(job.Type) && (job.Type as string) !== '_core')
    texts.push(job.Type === ('' as string) ? 'Missing job type' : `Invalid job type: ${quote(job.Type)}`)
  if (job.Datacenters.length === 0) texts.push('Missing job datacenters')
  if (job.Datacenters.includes('')) texts.push('Job datacenter must be non-empty string')
  const groups = job.TaskGroups ?? []
  if (groups.length === 0) texts.push('Missing job task groups')
  texts.push(...constraintTexts(job.Constraints))
  texts.push(...(isSystem ? unwanted(job.Affinities, 'System jobs may not have an affinity block') : affinityTexts(job.Affinities)))
  texts.push(...(isSystem ? unwanted(job.Spreads, 'System jobs may not have a spread block') : spreadTexts(job.Spreads)))
  texts.push(...uiTexts(job))
  texts.push(...groupNameTexts(job))
  const problems: Problem[] = texts.map((text) => ({ text }))
  for (const group of groups) {
    for (const text of wrapTexts(`Task group ${group.Name} validation failed: `, groupTexts(job, group))) problems.push({ text })
  }
  return [...problems, ...[...periodicTexts(job), ...parameterizedTexts(job)].map((text) => ({ text }))]
}

function unwanted(list: readonly unknown[] | null, text: string): string[] {
  return (list ?? []).length > 0 ? [text] : []
}

function uiTexts({ UI }: Job): string[] {
  const bytes = new TextEncoder().encode(UI?.Description ?? '').length
  return bytes > UI_DESCRIPTION_MAX ? [`UI description must be under ${UI_DESCRIPTION_MAX} characters, currently ${bytes}`] : []
}

function groupNameTexts(job: Job): string[] {
  const texts: string[] = []
  const seen = new Map<string, number>()
  for (const [at, group] of (job.TaskGroups ?? []).entries()) {
    const other = seen.get(group.Name)
    if (group.Name === '') texts.push(`Job task group ${at + 1} missing name`)
    else if (other !== undefined) texts.push(`Job task group ${at + 1} redefines '${group.Name}' from group ${other}`)
    else seen.set(group.Name, at + 1)
    if (group.ShutdownDelay !== null && group.ShutdownDelay < 0) texts.push('ShutdownDelay must be a positive value')
    if (job.Type === 'system' && group.Count > 1)
      texts.push(`Job task group ${group.Name} has count ${group.Count}. Count cannot exceed 1 with system scheduler`)
  }
  return texts
}

const DISPATCHED_TYPES: ReadonlySet<string> = new Set(['batch', 'sysbatch'])

function periodicTexts({ Type, Periodic }: Job): string[] {
  if (Periodic === null || !Periodic.Enabled) return []
  const misplaced = DISPATCHED_TYPES.has(Type) ? [] : ['Periodic can only be used with "batch" or "sysbatch" scheduler']
  const text = periodicProblem(Periodic)
  return text === undefined ? misplaced : [...misplaced, text]
}

function parameterizedTexts(job: Job): string[] {
  const { ParameterizedJob } = job
  if (ParameterizedJob === null) return []
  const misplaced = DISPATCHED_TYPES.has(job.Type) ? [] : ['Parameterized job can only be used with "batch" or "sysbatch" scheduler']
  const texts: string[] = []
  const { Payload, MetaOptional, MetaRequired } = ParameterizedJob
  if (!['optional', 'required', 'forbidden'].includes(Payload)) texts.push(`Unknown payload requirement: ${quote(Payload)}`)
  const both = [...new Set(MetaRequired ?? [])].filter((key) => (MetaOptional ?? []).includes(key))
  if (both.length > 0) texts.push(`Required and optional meta keys should be disjoint. Following keys exist in both: [${both.join(' ')}]`)
  return texts.length === 0 ? misplaced : [...misplaced, listText(texts)]
}

/** Drover gives out no Vault tokens: a job that needs one would wait for it for ever. Secrets that templates read are variables. */
function vaultTexts(job: Job): string[] {
  const [first] = tasksWithVault(job)
    .flatMap(({ Vault }) => Vault?.Cluster ?? [])
    .sort()
  return first === undefined ? [] : [`Vault ${quote(first)} not enabled but used in the job`]
}

function tasksWithVault(job: Job): Task[] {
  return job.TaskGroups.flatMap((group) => group.Tasks).filter((task) => wantsVaultToken(task as unknown as ApiObject))
}

/** Only Vault's default cluster is asked without an identity for it. */
function vaultIdentityTexts(job: Job): string[] {
  return tasksWithVault(job).flatMap(({ Name, Vault, Identities }) => {
    const cluster = Vault?.Cluster ?? 'default'
    if (cluster === 'default' || (Identities ?? []).some((identity) => identity.Name === `vault_${cluster}`)) return []
    return [
      `Task ${Name} uses Vault cluster ${cluster} but does not have an identity named vault_${cluster} and no default identity is provided in agent configuration`,
    ]
  })
}

function consulTexts(job: Job): string[] {
  return job.TaskGroups.flatMap((group) => {
    const blocks = [group.Consul, ...group.Tasks.map((task) => task.Consul)]
    const services = [...(group.Services ?? []), ...group.Tasks.flatMap((task) => task.Services ?? [])]
    const clusters = [
      ...blocks.map((block) => block?.Cluster ?? ''),
      ...services.filter(({ Provider }) => Provider === 'consul').map(({ Cluster }) => Cluster),
    ]
    const other = clusters.find((cluster) => cluster !== '' && cluster !== 'default')
    return other === undefined ? partitionTexts(group) : ['non-default Consul cluster requires Nomad Enterprise']
  })
}

function partitionTexts(group: TaskGroup): string[] {
  const own = group.Consul?.Partition ?? ''
  const other = group.Tasks.map((task) => task.Consul?.Partition ?? '').find((partition) => partition !== '' && partition !== own)
  if (own === '' || other === undefined) return []
  return [`task.consul.partition ${quote(other)} must match group.consul.partition ${quote(own)} if both are set`]
}

/** What the server refuses although the job is sound. */
function featureProblems(job: Job): Problem[] {
  const texts: string[] = []
  if ((job.Type as string) === '_core') texts.push('job type cannot be core')
  if (job.Payload !== null) texts.push("job can't be submitted with a payload, only dispatched")
  if (job.Priority < 1 || job.Priority > PRIORITY_MAX) texts.push(`job priority must be between [1, ${PRIORITY_MAX}]`)
  texts.push(...unnamedIdentityTexts(job))
  return [
    ...texts.map((text) => ({ text })),
    ...[...vaultIdentityTexts(job), ...editionTexts(job)].map((text) => ({ text, isOfEdition: true as const })),
  ]
}

function editionTexts(job: Job): string[] {
  const texts: string[] = []
  if ((job.Multiregion?.Regions ?? []).length > 0) texts.push('Multiregion jobs are unlicensed.')
  const tasks = (job.TaskGroups ?? []).flatMap((group) => group.Tasks ?? [])
  if (tasks.some((task) => task.Resources.NUMA !== null && task.Resources.NUMA.Affinity !== 'none'))
    texts.push('numa scheduling requires Nomad Enterprise')
  if (tasks.some((task) => task.Schedule?.Cron != null)) texts.push('task schedules requires Nomad Enterprise')
  return texts
}

/** Identities of services are Consul's to know; one of Nomad's own service has no name. */
function unnamedIdentityTexts(job: Job): string[] {
  const isUnnamed = (service: Service): boolean => service.Identity !== null && service.Identity.Name === ''
  return job.TaskGroups.flatMap((group) => [
    ...(group.Services ?? [])
      .filter(isUnnamed)
      .map(({ Name }) => `Service ${Name} in task group ${group.Name} has an identity with an empty name`),
    ...group.Tasks.flatMap((task) =>
      (task.Services ?? []).filter(isUnnamed).map(({ Name }) => `Service ${Name} in task ${task.Name} has an identity with an empty name`),
    ),
  ])
}
