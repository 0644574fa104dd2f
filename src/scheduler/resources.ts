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
  const networks = grantNetworks(node, group, proposed, startAt)
  if (typeof networks === 'string') return { kind: 'exhausted', dimension: networks }
  const tasks = grantTasks(node, group, proposed, ask)
  if (typeof tasks === 'string') return { kind: 'exhausted', dimension: tasks }
  const own = Object.entries(networks.ofTasks).map(([name, network]) => [name, { ...tasks[name]!, Networks: [network] }])
  return {
    kind: 'granted',
    resources: { ...ask, Tasks: { ...tasks, ...Object.fromEntries(own) }, Shared: { ...ask.Shared, ...networks.shared } },
  }
}

/** The network of the group and those that tasks ask for themselves, the old way, whose ports are listed with the group's. */
export function askedNetworks(group: TaskGroup): readonly { readonly task?: string; readonly network: NetworkResource }[] {
  const [shared] = group.Networks ?? []
  const own = group.Tasks.flatMap(({ Name, Resources }) => {
    const [network] = Resources.Networks ?? []
    return network === undefined ? [] : [{ task: Name, network }]
  })
  return shared === undefined ? own : [{ network: shared }, ...own]
}

interface GrantedNetworks {
  readonly shared: Partial<Pick<AllocatedResources['Shared'], 'Networks' | 'Ports'>>
  readonly ofTasks: Readonly<Record<string, NetworkResource>>
}

function grantNetworks(node: Node, group: TaskGroup, proposed: readonly Allocation[], startAt: number): GrantedNetworks | string {
  const asked = askedNetworks(group)
  if (asked.length === 0) return { shared: {}, ofTasks: {} }
  const index = PortIndex.of(node, proposed)
  if (index.malformed !== undefined) return 'network: invalid node'
  if (index.collision !== undefined) return 'network: port collision'
  let shared: GrantedNetworks['shared'] = {}
  const ofTasks: Record<string, NetworkResource> = {}
  for (const { task, network } of asked) {
    const offer = index.assign(network, startAt)
    if (offer.kind === 'refused') return `network: ${offer.reason}`
    const granted = networkOf(node, network, offer.ports)
    if (task === undefined) shared = { Networks: [granted], Ports: offer.ports }
    else {
      ofTasks[task] = granted
      const statics = network.ReservedPorts?.length ?? 0
      shared = { ...shared, Ports: [...(shared.Ports ?? []), ...offer.ports.slice(statics), ...offer.ports.slice(0, statics)] }
    }
  }
  return { shared, ofTasks }
}

/** Whole cores, of all tasks. */
export function askedCores(group: TaskGroup): number {
  return group.Tasks.reduce((sum, task) => sum + task.Resources.Cores, 0)
}

/** Whether anything of the group must be chosen on the node rather than only counted. */
export function needsChoice(group: TaskGroup): boolean {
  return (
    askedNetworks(group).length > 0 || group.Tasks.some((task) => task.Resources.Cores > 0 || (task.Resources.Devices?.length ?? 0) > 0)
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
