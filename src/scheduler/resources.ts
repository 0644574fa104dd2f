/** From what a group asks to what an allocation of it holds. */
import type { AllocatedResources, AllocatedTaskResources, Allocation, NetworkResource, Node, TaskGroup } from '../domain/index.js'
import { capacityOf, claimsOf } from './feasible/claims.js'
import { assignDevices, deviceKey, devicesInUse } from './feasible/devices.js'
import { sharesPerCore } from './feasible/node-table.js'
import { PortIndex } from './feasible/ports.js'

export type Grant =
  | { readonly kind: 'granted'; readonly resources: AllocatedResources }
  | { readonly kind: 'exhausted'; readonly dimension: string }

/** What the group asks, before ports, cores and devices are chosen: enough to see whether it fits by amount. */
export function askOf(group: TaskGroup, hasOversubscription: boolean): AllocatedResources {
  const tasks = group.Tasks.map((task): readonly [string, AllocatedTaskResources] => [
    task.Name,
    {
      // Whole cores are worth something else on each node.
      Cpu: { CpuShares: task.Resources.Cores > 0 ? 0 : task.Resources.CPU, ReservedCores: null },
      Memory: { MemoryMB: task.Resources.MemoryMB, MemoryMaxMB: hasOversubscription ? task.Resources.MemoryMaxMB : 0 },
      Networks: null,
      Devices: null,
    },
  ])
  return {
    Tasks: Object.fromEntries(tasks),
    TaskLifecycles: Object.fromEntries(group.Tasks.map((task) => [task.Name, task.Lifecycle])),
    Shared: { Networks: null, DiskMB: group.EphemeralDisk.SizeMB, Ports: null },
  }
}

/** Chooses ports, cores and devices on the node beside `proposed`. Amounts are checked by the caller. */
export function grant(node: Node, group: TaskGroup, proposed: readonly Allocation[], ask: AllocatedResources, startAt: number): Grant {
  const network = group.Networks?.[0]
  let shared = ask.Shared
  if (network !== undefined) {
    const index = PortIndex.of(node, proposed)
    if (index.malformed !== undefined) return { kind: 'exhausted', dimension: 'network: invalid node' }
    if (index.collision !== undefined) return { kind: 'exhausted', dimension: 'network: port collision' }
    const offer = index.assign(network, startAt)
    if (offer.kind === 'refused') return { kind: 'exhausted', dimension: `network: ${offer.reason}` }
    shared = { ...shared, Networks: [networkOf(node, network, offer.ports)], Ports: offer.ports }
  }
  const tasks = grantTasks(node, group, proposed, ask)
  return typeof tasks === 'string'
    ? { kind: 'exhausted', dimension: tasks }
    : { kind: 'granted', resources: { ...ask, Tasks: tasks, Shared: shared } }
}

/** Whole cores, of all tasks. */
export function askedCores(group: TaskGroup): number {
  return group.Tasks.reduce((sum, task) => sum + task.Resources.Cores, 0)
}

/** Whether anything of the group must be chosen on the node rather than only counted. */
export function needsChoice(group: TaskGroup): boolean {
  return (
    (group.Networks?.length ?? 0) > 0 || group.Tasks.some((task) => task.Resources.Cores > 0 || (task.Resources.Devices?.length ?? 0) > 0)
  )
}

function grantTasks(
  node: Node,
  group: TaskGroup,
  proposed: readonly Allocation[],
  ask: AllocatedResources,
): Readonly<Record<string, AllocatedTaskResources>> | string {
  const usedCores = new Set(proposed.flatMap(({ AllocatedResources }) => claimsOf(AllocatedResources).cores))
  const taken = new Set(devicesInUse(proposed))
  const shares = sharesPerCore(node)
  const tasks: Record<string, AllocatedTaskResources> = {}
  for (const task of group.Tasks) {
    let granted = ask.Tasks[task.Name]!
    if (task.Resources.Cores > 0) {
      const cores = capacityOf(node)
        .cores.filter((core) => !usedCores.has(core))
        .slice(0, task.Resources.Cores)
      if (cores.length < task.Resources.Cores) return 'cores'
      for (const core of cores) usedCores.add(core)
      granted = { ...granted, Cpu: { CpuShares: shares * cores.length, ReservedCores: cores } }
    }
    const asks = task.Resources.Devices ?? []
    if (asks.length > 0) {
      const assigned = assignDevices(node, asks, taken)
      if (assigned === undefined) return 'devices: no devices match request'
      for (const device of assigned.devices) for (const id of device.DeviceIDs ?? []) taken.add(deviceKey(device, id))
      granted = { ...granted, Devices: assigned.devices }
    }
    tasks[task.Name] = granted
  }
  return tasks
}

/** The group's network with its ports filled in, as older clients read it. */
function networkOf(
  node: Node,
  ask: NetworkResource,
  ports: readonly { readonly Label: string; readonly Value: number; readonly To: number; readonly HostIP: string }[],
): NetworkResource {
  const valued = (asked: NetworkResource['ReservedPorts']) =>
    asked?.map((port) => {
      const granted = ports.find(({ Label }) => Label === port.Label)
      return granted === undefined ? port : { ...port, Value: granted.Value, To: granted.To }
    }) ?? []
  const main = (node.NodeResources.Networks ?? []).find((network) => (network.Mode || 'host') === (ask.Mode || 'host'))
  return {
    ...ask,
    ReservedPorts: valued(ask.ReservedPorts),
    DynamicPorts: valued(ask.DynamicPorts),
    Device: main?.Device ?? '',
    IP: ports[0]?.HostIP ?? main?.IP ?? '',
  }
}
