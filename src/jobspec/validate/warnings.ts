/** What is allowed and looks like a mistake. */
import type { Job, Service, Task, TaskGroup } from '../../domain/index.js'
import { identityWarnings } from './identities.js'
import { listText, quote, wrapTexts } from './problem.js'

export function warningsOf(job: Job): string[] {
  const groups = job.TaskGroups ?? []
  const warnings = groups.flatMap((group) => wrapTexts(`Group ${quote(group.Name)} has warnings: `, groupWarnings(group)))
  warnings.push(...groups.flatMap(shutdownWarnings))
  if (isPromotionMixed(groups)) warnings.push('auto_promote must be true for all groups to enable automatic promotion')
  if (job.Periodic !== null && job.Periodic.Spec !== '')
    warnings.push('cron is deprecated and may be removed in a future release. Use crons instead')
  return [...warnings, ...groups.flatMap(vaultIdentityWarnings), ...groups.flatMap(memoryWarnings)].map((warning) => warning.trim())
}

/** Oversubscription is off unless the scheduler's configuration says otherwise, which a job's file does not know. */
function memoryWarnings(group: TaskGroup): string[] {
  return (group.Tasks ?? [])
    .filter((task) => task.Resources.MemoryMaxMB !== 0)
    .map(
      (task) =>
        `Memory oversubscription is not enabled; Task "${group.Name}.${task.Name}" memory_max value will be ignored. Update the Scheduler Configuration to allow oversubscription.`,
    )
}

/** Some groups promote themselves, and others have canaries that do not. */
function isPromotionMixed(groups: readonly TaskGroup[]): boolean {
  const waits = ({ Update }: TaskGroup): boolean => Update !== null && Update.Canary !== 0 && !Update.AutoPromote
  return groups.some((group) => group.Update?.AutoPromote === true) && groups.some(waits)
}

function groupWarnings(group: TaskGroup): string[] {
  const warnings: string[] = []
  const { Update, Count } = group
  if (Update !== null && Update.MaxParallel > Count && Count > 1) {
    warnings.push(
      `Update max parallel count is greater than task group count (${Update.MaxParallel} > ${Count}). A destructive change would result in the simultaneous replacement of all allocations.`,
    )
  }
  if ((group.Networks?.[0]?.MBits ?? 0) > 0)
    warnings.push('mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block')
  for (const service of group.Services ?? []) warnings.push(...serviceWarnings(service))
  for (const task of group.Tasks ?? []) warnings.push(...wrapTexts(`Task ${quote(task.Name)} has warnings: `, taskWarnings(task)))
  return warnings
}

function serviceWarnings({ Name, Identity }: Service): string[] {
  return Identity === null ? [] : identityWarnings(`Service ${quote(Name)}:`, Identity)
}

function taskWarnings(task: Task): string[] {
  const warnings: string[] = []
  const { Resources } = task
  if (Resources.IOPS !== 0) warnings.push('IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.')
  if ((Resources.Networks ?? []).length > 0) {
    warnings.push('task network resources have been deprecated as of Nomad 0.12.0. Please configure networking via group network block.')
  }
  for (const [at, template] of (task.Templates ?? []).entries()) {
    if (template.VaultGrace !== 0)
      warnings.push(
        `Template[${at}] VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5. Please remove VaultGrace / vault_grace from template block.`,
      )
  }
  for (const service of task.Services ?? []) warnings.push(...serviceWarnings(service))
  for (const identity of task.Identities ?? []) {
    const texts = identityWarnings(`Identity[${identity.Name}]`, identity)
    if (texts.length > 0) warnings.push(listText(texts))
  }
  return warnings
}

/** Without a delay, clients are sent to an instance that is already going down. */
function shutdownWarnings(group: TaskGroup): string[] {
  const tasks = group.Tasks ?? []
  const services = group.Services ?? []
  const named = new Set(services.map(({ TaskName }) => TaskName).filter((name) => name !== ''))
  const warnings: string[] = []
  for (const task of tasks) {
    if (named.has(task.Name) && task.ShutdownDelay === 0)
      warnings.push(
        `group ${quote(group.Name)} references task ${quote(task.Name)} in a service definition, but the task has no shutdown_delay set`,
      )
    if ((task.Services ?? []).length > 0 && task.ShutdownDelay <= 0)
      warnings.push(`task ${quote(task.Name)} in group ${quote(group.Name)} defines services, but has no shutdown_delay set`)
  }
  const isCovered = (group.ShutdownDelay ?? 0) > 0 || tasks.some((task) => task.ShutdownDelay > 0)
  if (services.some((service) => service.TaskName === '' && service.Connect?.SidecarTask == null) && !isCovered)
    warnings.push(`group ${quote(group.Name)} defines services, but neither the group nor any of its tasks have shutdown_delay set`)
  return warnings
}

/** An identity for Vault in a task that does not use it. */
function vaultIdentityWarnings(group: TaskGroup): string[] {
  return (group.Tasks ?? [])
    .filter((task) => task.Vault === null)
    .flatMap((task) => (task.Identities ?? []).map(({ Name }) => [task, Name] as const))
    .filter(([, name]) => name.startsWith('vault_'))
    .map(([task, name]) => `Task ${task.Name} has an identity called ${name} but no vault block`)
}
