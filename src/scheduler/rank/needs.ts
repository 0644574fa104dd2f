/** What one allocation of a group needs of a node, read off the group once: groups of stored jobs never change. */
import type { AllocatedResources, RequestedDevice, TaskGroup, VolumeRequest } from '../../domain/index.js'
import { claimsOf } from '../feasible/claims.js'
import { askedDevices } from '../feasible/devices.js'
import { perAllocationVolumes } from '../feasible/node-checks.js'
import { askedCores, askedNetworks, askOf, needsChoice } from '../resources.js'

export interface Needs {
  /** Before ports, cores and devices are chosen. */
  readonly ask: AllocatedResources
  /** MHz; cpu without whole cores, which are worth something else on each node. */
  readonly cpu: number
  readonly cores: number
  readonly memoryMb: number
  readonly diskMb: number
  /** Those that keep others away. */
  readonly staticPorts: readonly number[]
  readonly devices: readonly RequestedDevice[]
  readonly hasDeviceAffinities: boolean
  readonly ownVolumes: readonly VolumeRequest[]
  readonly hostVolumes: readonly VolumeRequest[]
  /** Ports, cores or devices must be chosen on the node, not only counted. */
  readonly hasChoice: boolean
}

const known = { plain: new WeakMap<TaskGroup, Needs>(), oversubscribed: new WeakMap<TaskGroup, Needs>() }

export function needsOf(group: TaskGroup, hasOversubscription: boolean): Needs {
  const kept = hasOversubscription ? known.oversubscribed : known.plain
  let needs = kept.get(group)
  if (needs === undefined) {
    needs = readNeeds(group, hasOversubscription)
    kept.set(group, needs)
  }
  return needs
}

function readNeeds(group: TaskGroup, hasOversubscription: boolean): Needs {
  const ask = askOf(group, hasOversubscription)
  const claims = claimsOf(ask)
  const devices = askedDevices(group)
  return {
    ask,
    cpu: claims.cpuShares,
    cores: askedCores(group),
    memoryMb: claims.memoryMb,
    diskMb: claims.diskMb,
    staticPorts: askedNetworks(group)
      .flatMap(({ network }) => network.ReservedPorts ?? [])
      .filter((port) => port.IgnoreCollision !== true)
      .map((port) => port.Value),
    devices,
    hasDeviceAffinities: devices.some((device) => (device.Affinities ?? []).length > 0),
    ownVolumes: perAllocationVolumes(group),
    hostVolumes: Object.values(group.Volumes ?? {}).filter((volume) => volume.Type === 'host'),
    hasChoice: needsChoice(group),
  }
}
