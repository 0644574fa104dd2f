/** Constraints that the server adds because of what a group uses. */
import type { Constraint, Consul, Job, Service, Task, TaskGroup } from '../domain/index.js'
import type { ApiObject } from './decode/api-job.js'
import { wantsVaultToken } from './vault-token.js'

const CONSUL: Constraint = { LTarget: '${attr.consul.version}', RTarget: '>= 1.8.0', Operand: 'semver' }
const CNI_PLUGINS = ['bridge', 'firewall', 'host-local', 'loopback', 'portmap']

export function addImpliedConstraints(job: Job): Job {
  // Providers of secrets bind every group of the job, as in Nomad.
  const providers = secretProviders(job)
  const groups = job.TaskGroups.map((group) => ({ ...group, Tasks: group.Tasks.map(withConsul) }))
  return { ...job, TaskGroups: groups.map((group) => withImplied(group, allOfName(groups, group), providers)) }
}

function withImplied(group: TaskGroup, asking: TaskGroup, providers: readonly string[]): TaskGroup {
  const own = group.Constraints ?? []
  const implied = [...partitionOf(group.Consul), ...impliedOf(asking, providers)]
  const added = implied.filter((one) => !own.some((constraint) => isSame(constraint, one)))
  return added.length === 0 ? group : { ...group, Constraints: [...own, ...added] }
}

/** Nomad looks by name at what groups use: two of one name, which is refused, are told the same mistakes. */
function allOfName(groups: readonly TaskGroup[], group: TaskGroup): TaskGroup {
  const same = groups.filter(({ Name }) => Name === group.Name)
  if (same.length === 1) return group
  const Services = same.flatMap((one) => one.Services ?? [])
  return { ...group, Tasks: same.flatMap(({ Tasks }) => Tasks), Services, Networks: same.flatMap((one) => one.Networks ?? []) }
}

function isSame(left: Constraint, right: Constraint): boolean {
  return left.LTarget === right.LTarget && left.RTarget === right.RTarget && left.Operand === right.Operand
}

function constraint(target: string, operand: string, value: string): Constraint {
  return { LTarget: target, RTarget: value, Operand: operand }
}

/** A partition of Consul's binds the task alone. */
function withConsul(task: Task): Task {
  const implied = [...partitionOf(task.Consul), ...((task.Services ?? []).some(isOfMesh) ? [CONSUL] : [])]
  const own = task.Constraints ?? []
  const added = implied.filter((one) => !own.some((other) => isSame(one, other)))
  return added.length === 0 ? task : { ...task, Constraints: [...own, ...added] }
}

function partitionOf(consul: Consul | null): Constraint[] {
  return consul === null || consul.Partition === '' ? [] : [constraint('${attr.consul.partition}', '=', consul.Partition)]
}

/** Services of Consul's are registered with the server's own catalogue: only its mesh needs a Consul on the host. */
function isOfMesh(service: Service): boolean {
  return service.Provider === 'consul' && service.Connect !== null && !service.Connect.Native
}

/** In the order in which Nomad looks. */
function impliedOf(group: TaskGroup, providers: readonly string[]): Constraint[] {
  const implied: Constraint[] = []
  const services = [...(group.Services ?? []), ...group.Tasks.flatMap((task) => task.Services ?? [])]
  const signals = signalsOf(group)
  if (group.Tasks.some((task) => wantsVaultToken(task as unknown as ApiObject)))
    implied.push(constraint('${attr.vault.version}', 'semver', '>= 0.6.1'))
  for (const provider of providers) implied.push(constraint(`\${attr.plugins.secrets.${provider}.version}`, 'is_set', ''))
  if (signals.length > 0) implied.push(constraint('${attr.os.signals}', 'set_contains', signals.join(',')))
  if (services.some((service) => service.Provider === 'nomad')) implied.push(constraint('${attr.nomad.service_discovery}', '=', 'true'))
  if (services.some((service) => service.Provider === 'nomad' && (service.Checks ?? []).length > 0))
    implied.push(constraint('${attr.nomad.version}', 'semver', '>= 1.4.0'))
  if ((group.Services ?? []).some(isOfMesh)) implied.push(CONSUL)
  if ((group.Networks ?? []).some((network) => network.Mode === 'bridge')) {
    for (const plugin of CNI_PLUGINS) implied.push(constraint(`\${attr.plugins.cni.version.${plugin}}`, 'semver', '>= 0.4.0'))
  }
  if (usesTransparentProxy(group)) {
    implied.push(constraint('${attr.plugins.cni.version.consul-cni}', 'semver', '>= 1.4.2'))
    implied.push(constraint('${attr.nomad.version}', 'semver', '>= 1.8.0-dev'))
  }
  if (usesNamedIdentities(group, services)) implied.push(constraint('${attr.nomad.version}', 'semver', '>= 1.7.0-a'))
  return implied
}

/** Signals that tasks may be sent, sorted; those of identities are not asked for, as in Nomad. */
function signalsOf(group: TaskGroup): readonly string[] {
  // By name, as Nomad has them: of tasks of one name, which are refused, the last counts.
  const ofTasks = new Map(group.Tasks.map((task) => [task.Name, signalsOfTask(task)] as const).filter(([, signals]) => signals.length > 0))
  return [...new Set([...ofTasks.values()].flat())].sort()
}

function signalsOfTask(task: Task): readonly string[] {
  const templates = (task.Templates ?? []).filter(({ ChangeMode }) => ChangeMode === 'signal').map(({ ChangeSignal }) => ChangeSignal)
  return [
    ...(task.KillSignal === '' ? [] : [task.KillSignal]),
    ...(task.Vault?.ChangeMode === 'signal' ? [task.Vault.ChangeSignal] : []),
    ...templates,
  ]
}

function usesNamedIdentities(group: TaskGroup, services: readonly Service[]): boolean {
  return group.Tasks.some((task) => (task.Identities ?? []).length > 0) || services.some((service) => service.Identity !== null)
}

function usesTransparentProxy(group: TaskGroup): boolean {
  return (group.Services ?? []).some((service) => {
    const proxy = service.Connect?.SidecarService?.['Proxy'] as { readonly TransparentProxy?: object | null } | null | undefined
    return proxy?.TransparentProxy != null
  })
}

/** In the order in which they are met. */
function secretProviders(job: Job): readonly string[] {
  const tasks = job.TaskGroups.flatMap((group) => group.Tasks)
  const providers = tasks.flatMap((task) => task.Secrets ?? []).map((secret) => secret.Provider)
  return [...new Set(providers)].filter((provider) => provider !== '')
}
