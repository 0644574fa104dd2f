/** Devices of nodes against what tasks ask for (Nomad docs, "Placement"). */
import type {
  AllocatedDeviceResource,
  Allocation,
  DeviceAttribute,
  Node,
  NodeDeviceResource,
  RequestedDevice,
  TaskGroup,
} from '../../domain/index.js'
import { compare } from './constraints.js'

/** Whether healthy instances suffice for the ask, whoever may hold them now. */
export function hasDevice(node: Node, ask: RequestedDevice): boolean {
  const count = matchingDevices(node, ask).reduce(
    (sum, device) => sum + (device.Instances ?? []).filter((instance) => instance.Healthy).length,
    0,
  )
  return count >= ask.Count
}

export interface Assignment {
  readonly devices: readonly AllocatedDeviceResource[]
  /** Weight of the affinities that the chosen devices meet, and of all there are. */
  readonly matchedWeight: number
  readonly totalWeight: number
}

/** Instances for each ask of one task, or undefined when some ask cannot be met. `taken` holds ids in use. */
export function assignDevices(node: Node, asks: readonly RequestedDevice[], taken: ReadonlySet<string>): Assignment | undefined {
  const devices: AllocatedDeviceResource[] = []
  const used = new Set(taken)
  let matchedWeight = 0
  let totalWeight = 0
  for (const ask of asks) {
    const best = matchingDevices(node, ask)
      .map((device) => ({ device, free: freeInstances(device, used) }))
      .filter(({ free }) => free.length >= ask.Count)
      .sort((a, b) => affinityWeight(b.device, ask) - affinityWeight(a.device, ask))[0]
    if (best === undefined) return undefined
    const ids = best.free.slice(0, ask.Count)
    for (const id of ids) used.add(deviceKey(best.device, id))
    devices.push({ Vendor: best.device.Vendor, Type: best.device.Type, Name: best.device.Name, DeviceIDs: ids })
    matchedWeight += affinityWeight(best.device, ask)
    totalWeight += (ask.Affinities ?? []).reduce((sum, affinity) => sum + Math.abs(affinity.Weight), 0)
  }
  return { devices, matchedWeight, totalWeight }
}

/** Everything the tasks of a group ask for. */
export function askedDevices(group: TaskGroup): readonly RequestedDevice[] {
  return group.Tasks.flatMap((task) => task.Resources.Devices ?? [])
}

export function devicesInUse(allocations: readonly Pick<Allocation, 'AllocatedResources'>[]): ReadonlySet<string> {
  const used = new Set<string>()
  for (const { AllocatedResources } of allocations) {
    for (const task of Object.values(AllocatedResources.Tasks)) {
      for (const device of task.Devices ?? []) for (const id of device.DeviceIDs ?? []) used.add(deviceKey(device, id))
    }
  }
  return used
}

function freeInstances(device: NodeDeviceResource, used: ReadonlySet<string>): readonly string[] {
  return (device.Instances ?? []).filter((instance) => instance.Healthy && !used.has(deviceKey(device, instance.ID))).map(({ ID }) => ID)
}

export function deviceKey(device: { readonly Vendor: string; readonly Type: string; readonly Name: string }, id: string): string {
  return `${device.Vendor}/${device.Type}/${device.Name}/${id}`
}

export function matchingDevices(node: Node, ask: RequestedDevice): readonly NodeDeviceResource[] {
  return (node.NodeResources.Devices ?? []).filter(
    (device) => hasName(device, ask.Name) && (ask.Constraints ?? []).every((condition) => holdsFor(device, condition)),
  )
}

/** `type`, `vendor/type` or `vendor/type/name`. */
function hasName(device: NodeDeviceResource, name: string): boolean {
  const parts = name.split('/')
  if (parts.length === 1) return device.Type === parts[0]
  if (parts.length === 2) return device.Vendor === parts[0] && device.Type === parts[1]
  return device.Vendor === parts[0] && device.Type === parts[1] && device.Name === parts.slice(2).join('/')
}

function holdsFor(
  device: NodeDeviceResource,
  condition: { readonly LTarget: string; readonly RTarget: string; readonly Operand: string },
): boolean {
  const left = resolve(device, condition.LTarget)
  const right = resolve(device, condition.RTarget)
  if (condition.Operand === '!=' || condition.Operand === 'not') return !(left === undefined && right === undefined) && left !== right
  const [leftQuantity, rightQuantity] = [quantity(left), quantity(right)]
  if (leftQuantity !== undefined && rightQuantity !== undefined && leftQuantity.family === rightQuantity.family) {
    return compare(condition.Operand, String(leftQuantity.value), String(rightQuantity.value))
  }
  return compare(condition.Operand, left, right)
}

function affinityWeight(device: NodeDeviceResource, ask: RequestedDevice): number {
  return (ask.Affinities ?? []).reduce((sum, affinity) => sum + (holdsFor(device, affinity) ? affinity.Weight : 0), 0)
}

function resolve(device: NodeDeviceResource, target: string): string | undefined {
  if (!target.startsWith('${')) return target
  const name = target.slice(2, -1)
  if (name === 'device.model') return device.Name
  if (name === 'device.vendor') return device.Vendor
  if (name === 'device.type') return device.Type
  if (name === 'device.ids') return (device.Instances ?? []).map(({ ID }) => ID).join(',')
  return name.startsWith('device.attr.') ? attributeText(device.Attributes?.[name.slice(12)]) : undefined
}

function attributeText(attribute: DeviceAttribute | undefined): string | undefined {
  const value = attribute?.String ?? attribute?.Int ?? attribute?.Float ?? attribute?.Bool
  return value === undefined || value === null ? undefined : `${value}${attribute?.Unit ? ` ${attribute.Unit}` : ''}`
}

const UNITS: Readonly<Record<string, readonly [family: string, factor: number]>> = {
  B: ['byte', 1],
  kB: ['byte', 1e3],
  MB: ['byte', 1e6],
  GB: ['byte', 1e9],
  TB: ['byte', 1e12],
  KiB: ['byte', 1024],
  MiB: ['byte', 1024 ** 2],
  GiB: ['byte', 1024 ** 3],
  TiB: ['byte', 1024 ** 4],
  'B/s': ['rate', 1],
  'kB/s': ['rate', 1e3],
  'MB/s': ['rate', 1e6],
  'GB/s': ['rate', 1e9],
  'KiB/s': ['rate', 1024],
  'MiB/s': ['rate', 1024 ** 2],
  'GiB/s': ['rate', 1024 ** 3],
  Hz: ['frequency', 1],
  kHz: ['frequency', 1e3],
  MHz: ['frequency', 1e6],
  GHz: ['frequency', 1e9],
  mW: ['power', 1e-3],
  W: ['power', 1],
  kW: ['power', 1e3],
  MW: ['power', 1e6],
}

function quantity(text: string | undefined): { readonly family: string; readonly value: number } | undefined {
  const match = text === undefined ? null : /^\s*([+-]?\d+(?:\.\d+)?)\s*(\S+)\s*$/.exec(text)
  const unit = match === null ? undefined : UNITS[match[2]!]
  return unit === undefined ? undefined : { family: unit[0], value: Number(match![1]) * unit[1] }
}
