/** What is allowed and looks like a mistake. */
import type { Job, Task, TaskGroup, WorkloadIdentity } from '../../domain/index.js'
import { listText, quote, wrapTexts } from './problem.js'

export function warningsOf(job: Job): string[] {
  const groups = job.TaskGroups ?? []
  const warnings = groups.flatMap((group) => wrapTexts(`Group ${quote(group.Name)} has warnings: `, groupWarnings(group)))
  if (isPromotionMixed(groups)) warnings.push('auto_promote must be true for all groups to enable automatic promotion')
  if (job.Periodic !== null && job.Periodic.Spec !== '')
    warnings.push('cron is deprecated and may be removed in a future release. Use crons instead')
  return [...warnings, ...groups.flatMap(shutdownWarnings)]
}

/** Some groups with canaries promote themselves, and some do not. */
function isPromotionMixed(groups: readonly TaskGroup[]): boolean {
  const withCanaries = groups.filter((group) => (group.Update?.Canary ?? 0) > 0)
  return (
    withCanaries.some((group) => group.Update?.AutoPromote === true) && withCanaries.some((group) => group.Update?.AutoPromote === false)
  )
}

function groupWarnings(group: TaskGroup): string[] {
  const warnings: string[] = []
  if ((group.Networks ?? []).some((network) => (network.MBits ?? 0) > 0))
    warnings.push('mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block')
  for (const task of group.Tasks ?? []) warnings.push(...wrapTexts(`Task ${quote(task.Name)} has warnings: `, taskWarnings(task)))
  return warnings
}

function taskWarnings(task: Task): string[] {
  const warnings: string[] = []
  const { Resources } = task
  if ((Resources.Networks ?? []).length > 0) {
    warnings.push('task network resources have been deprecated as of Nomad 0.12.0. Please configure networking via group network block.')
  }
  if (Resources.IOPS !== 0) warnings.push('IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.')
  for (const [at, template] of (task.Templates ?? []).entries()) {
    if (template.VaultGrace !== 0)
      warnings.push(
        `Template ${at + 1} has warnings: VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5. Please remove VaultGrace / vault_grace from template block.`,
      )
  }
  for (const identity of task.Identities ?? []) {
    const texts = identityWarnings(identity)
    if (texts.length > 0) warnings.push(listText(texts))
  }
  return warnings
}

function identityWarnings(identity: WorkloadIdentity): string[] {
  const warnings: string[] = []
  if ((identity.Audience ?? []).length === 0) warnings.push(`Identity[${identity.Name}] identities without an audience are insecure`)
  if (identity.TTL === 0) warnings.push(`Identity[${identity.Name}] identities without an expiration are insecure`)
  return warnings
}

/** Without a delay, clients are sent to an instance that is already going down. */
function shutdownWarnings(group: TaskGroup): string[] {
  const warnings: string[] = []
  const hasDelay = (group.ShutdownDelay ?? 0) > 0
  const tasks = group.Tasks ?? []
  if (hasDelay) return []
  const services = group.Services ?? []
  // A sidecar stands between a service and its clients.
  const bare = services.filter((service) => service.TaskName === '' && service.Connect?.SidecarService == null)
  const named = services.filter((service) => service.TaskName !== '')
  for (const service of named) {
    const task = tasks.find(({ Name }) => Name === service.TaskName)
    if (task !== undefined && task.ShutdownDelay === 0)
      warnings.push(
        `group ${quote(group.Name)} references task ${quote(task.Name)} in a service definition, but the task has no shutdown_delay set`,
      )
  }
  if (bare.length > 0 && tasks.every((task) => task.ShutdownDelay === 0)) {
    warnings.push(`group ${quote(group.Name)} defines services, but neither the group nor any of its tasks have shutdown_delay set`)
  }
  for (const task of tasks) {
    if ((task.Services ?? []).length > 0 && task.ShutdownDelay === 0)
      warnings.push(`task ${quote(task.Name)} in group ${quote(group.Name)} defines services, but has no shutdown_delay set`)
  }
  return warnings
}
