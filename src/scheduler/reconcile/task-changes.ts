/** Whether a new version of a group needs new processes (Nomad docs, "Placement"). */
import { findTaskGroup, type Job, type NetworkResource, type Service, type Task, type TaskGroup } from '../../domain/index.js'

/** True when some difference cannot be carried into a running allocation. */
export function needsReplacement(oldJob: Job, newJob: Job, groupName: string): boolean {
  const before = findTaskGroup(oldJob, groupName)
  const after = findTaskGroup(newJob, groupName)
  if (before === undefined || after === undefined) return true
  return !same(groupEssence(before), groupEssence(after)) || connectChanged(before, after) || tasksChanged(oldJob, before, newJob, after)
}

/** What of a group a running allocation is bound to. */
function groupEssence(group: TaskGroup): unknown {
  return [
    group.Tasks.length,
    group.EphemeralDisk,
    (group.Networks ?? []).map(networkEssence),
    group.Volumes ?? {},
    group.Consul ?? { Namespace: '', Cluster: '', Partition: '' },
    group.RestartPolicy?.RenderTemplates ?? false,
  ]
}

function networkEssence(network: NetworkResource): unknown {
  const { Mode, MBits, Hostname, DNS, CNI, ReservedPorts, DynamicPorts } = network
  return [
    Mode || 'host',
    MBits ?? 0,
    Hostname ?? '',
    DNS ?? null,
    CNI ?? null,
    (ReservedPorts ?? []).map(({ Label, Value, To, HostNetwork }) => [Label, Value, To, HostNetwork]),
    // The assigned value of a dynamic port belongs to the allocation, not to the job.
    (DynamicPorts ?? []).map(({ Label, To, HostNetwork }) => [Label, To, HostNetwork]),
  ]
}

/** Adding a mesh sidecar to a service of the same name, or changing one, needs new processes; taking it away does not. */
function connectChanged(before: TaskGroup, after: TaskGroup): boolean {
  const old = new Map((before.Services ?? []).map((service) => [service.Name, service]))
  return (after.Services ?? []).some((service) => {
    const previous = old.get(service.Name)
    return service.Connect !== null && previous !== undefined && !same(connectEssence(previous), connectEssence(service))
  })
}

/** What of the mesh is decided when the allocation starts; upstreams and the like follow later. */
function connectEssence({ PortLabel, Cluster, Connect }: Service): unknown {
  if (Connect === null) return null
  return [
    PortLabel,
    Cluster,
    Connect.Native,
    Connect.Gateway,
    Connect.SidecarTask,
    Connect.SidecarService?.['Port'] ?? '',
    Connect.SidecarService === null,
  ]
}

function tasksChanged(oldJob: Job, before: TaskGroup, newJob: Job, after: TaskGroup): boolean {
  return after.Tasks.some((task) => {
    const previous = before.Tasks.find((candidate) => candidate.Name === task.Name)
    return previous === undefined || !same(taskEssence(oldJob, before, previous), taskEssence(newJob, after, task))
  })
}

function taskEssence(job: Job, group: TaskGroup, task: Task): unknown {
  const { Resources: resources } = task
  return [
    task.Driver,
    task.User,
    task.Config ?? {},
    task.Env ?? {},
    task.Artifacts ?? [],
    task.Vault,
    task.Consul,
    task.Secrets ?? [],
    task.Templates ?? [],
    task.CSIPluginConfig,
    task.VolumeMounts ?? [],
    { ...job.Meta, ...group.Meta, ...task.Meta },
    task.Identity,
    task.Identities ?? [],
    task.LogConfig.Disabled,
    task.RestartPolicy.RenderTemplates,
    [resources.CPU, resources.Cores, resources.MemoryMB, resources.MemoryMaxMB, resources.SecretsMB],
    [resources.Devices ?? [], resources.NUMA, (resources.Networks ?? []).map(networkEssence)],
  ]
}

/** Equal as JSON values, whatever the order of members. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? null) === (b ?? null)
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => same(item, b[at]))
  }
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
}
