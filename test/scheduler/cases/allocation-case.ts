/** What runs, or has run, on a random cluster: of the job itself, and of others. */
import fc from 'fast-check'
import {
  type AllocatedResources,
  type Allocation,
  allocationName,
  type ClientStatus,
  isClientTerminal,
  type Job,
  MINUTE,
  type Node,
  type TaskGroup,
} from '../../../src/domain/index.js'
import { assignDevices, deviceKey } from '../../../src/scheduler/feasible/devices.js'
import { PortIndex } from '../../../src/scheduler/feasible/ports.js'
import { allocation, FIXTURE_MS, FIXTURE_TIME, job, task, taskGroup, uuid } from '../../fixtures.js'
import { coresHeld, coresOf } from '../reference/amounts.js'
import type { Feature } from './feature.js'

const STATUSES: readonly ClientStatus[] = ['running', 'running', 'running', 'pending', 'complete', 'failed', 'lost', 'unknown']

export function ownCase(features: readonly Feature[], nodeCount: number) {
  const only = <T>(feature: Feature, values: readonly T[]) =>
    features.includes(feature) ? fc.constantFrom(...values) : fc.constant(values[0]!)
  return fc.record({
    on: fc.nat(nodeCount - 1),
    group: fc.nat(1),
    version: features.includes('history')
      ? fc.constantFrom('current', 'current', 'old', 'old', 'purged')
      : fc.constantFrom('current' as const),
    client: fc.constantFrom(...STATUSES),
    isWanted: fc.constantFrom(true, true, true, false),
    isMigrating: only('history', [false, false, false, true]),
    isHealthy: only('history', [true, undefined, false]),
    isDeployed: only('history', [false, true]),
    events: only('history', [0, 0, 1, 3]),
    agoMs: only('history', [600_000, 10_000, 0]),
  })
}

export type OwnCase = ReturnType<typeof ownCase> extends fc.Arbitrary<infer T> ? T : never

export function otherCase(features: readonly Feature[], nodeCount: number) {
  const holds = (value: boolean) => (features.includes('holdings') ? fc.boolean() : fc.constant(value))
  return fc.record({
    on: fc.nat(nodeCount - 1),
    priority: fc.constantFrom(...OTHER_PRIORITIES),
    cpu: fc.constantFrom(100, 500, 900),
    memory: fc.constantFrom(64, 256, 700),
    client: fc.constantFrom(...STATUSES),
    isWanted: fc.constantFrom(true, true, true, false),
    hasPort: holds(false),
    hasCore: holds(false),
    hasDevice: holds(false),
    hasVolume: holds(false),
  })
}

export type OtherCase = ReturnType<typeof otherCase> extends fc.Arbitrary<infer T> ? T : never

export const OTHER_PRIORITIES = [10, 35, 41, 60, 90]
const SINGLE_WRITER = 35

/** One more job for each priority, with and without a volume; one of them writes to it alone. */
export function makeOtherJob(priority: number, hasVolume: boolean): Job {
  const Volumes = {
    data: {
      Name: 'data',
      Type: 'host',
      Source: 'data',
      ReadOnly: true,
      AccessMode: priority === SINGLE_WRITER ? 'single-node-single-writer' : '',
      AttachmentMode: '',
      MountOptions: null,
      PerAlloc: false,
      Sticky: false,
    },
  }
  return job({
    ID: otherId(priority, hasVolume),
    Priority: priority,
    TaskGroups: [taskGroup(hasVolume ? { Volumes } : {})],
    CreateIndex: 1,
    ModifyIndex: 1,
    JobModifyIndex: 1,
  })
}

function otherId(priority: number, hasVolume: boolean): string {
  return `other-${priority}${hasVolume ? '-data' : ''}`
}

/** Gives ports, cores and devices that are still free, as a scheduler before would have; what is not free is not held. */
export function holdOn(node: Node, group: TaskGroup, rows: readonly Allocation[]): AllocatedResources {
  const here = rows.filter((row) => row.NodeID === node.ID && !isClientTerminal(row))
  const network = group.Networks?.[0]
  const offer = network === undefined ? undefined : PortIndex.of(node, here).assign(network, 0)
  const cores = coresOf(node).filter((core) => !coresHeld(here).includes(core))
  const held = here.flatMap((row) => Object.values(row.AllocatedResources.Tasks).flatMap((each) => each.Devices ?? []))
  const taken = new Set(held.flatMap((device) => (device.DeviceIDs ?? []).map((id) => deviceKey(device, id))))
  const perCore = Math.floor(node.NodeResources.Cpu.CpuShares / node.NodeResources.Cpu.TotalCpuCores)
  const tasks = group.Tasks.map(({ Name, Resources }) => {
    const ReservedCores = cores.splice(0, Resources.Cores)
    const hasCores = Resources.Cores > 0 && ReservedCores.length === Resources.Cores
    const devices = assignDevices(node, Resources.Devices ?? [], taken)?.devices ?? []
    for (const device of devices) for (const id of device.DeviceIDs ?? []) taken.add(deviceKey(device, id))
    const Cpu = hasCores ? { CpuShares: perCore * Resources.Cores, ReservedCores } : { CpuShares: Resources.CPU, ReservedCores: null }
    return [Name, { Cpu, Memory: { MemoryMB: Resources.MemoryMB, MemoryMaxMB: 0 }, Networks: null, Devices: devices }] as const
  })
  return {
    Tasks: Object.fromEntries(tasks),
    TaskLifecycles: Object.fromEntries(group.Tasks.map(({ Name, Lifecycle }) => [Name, Lifecycle])),
    Shared: { Networks: null, DiskMB: group.EphemeralDisk.SizeMB, Ports: offer?.kind === 'ports' ? offer.ports : null },
  }
}

export function makeOther(given: OtherCase, at: number, node: Node, rows: readonly Allocation[]): Allocation {
  const group = taskGroup({
    Networks: given.hasPort
      ? [{ Mode: 'host', ReservedPorts: [{ Label: 'p', Value: at % 2 === 0 ? 8080 : 20_000, To: 0, HostNetwork: 'default' }] }]
      : null,
    Tasks: [
      task({
        Resources: {
          ...task().Resources,
          CPU: given.cpu,
          MemoryMB: given.memory,
          Cores: given.hasCore ? 1 : 0,
          Devices: given.hasDevice ? [{ Name: 'gpu', Count: 1, Constraints: null, Affinities: null }] : null,
        },
      }),
    ],
  })
  return allocation({
    ID: uuid(at, 3),
    Name: allocationName(otherId(given.priority, given.hasVolume), 'group', at),
    JobID: otherId(given.priority, given.hasVolume),
    JobCreateIndex: 1,
    NodeID: node.ID,
    NodeName: node.Name,
    ClientStatus: given.client,
    DesiredStatus: given.isWanted ? 'run' : 'stop',
    AllocatedResources: holdOn(node, group, rows),
  })
}

export interface OwnPlace {
  readonly at: number
  readonly node: Node
  readonly group: TaskGroup
  readonly nameIndex: number
  readonly jobCreateIndex: number
  readonly jobVersion: number
  readonly deploymentId: string | undefined
  readonly rows: readonly Allocation[]
}

export function makeOwn(given: OwnCase, place: OwnPlace, jobId: string): Allocation {
  const { node, group, rows } = place
  const time = (FIXTURE_MS - given.agoMs) * 1e6
  const events = Array.from({ length: given.events }, (_, at) => ({
    RescheduleTime: FIXTURE_TIME - (given.events - at) * 15 * MINUTE,
    PrevAllocID: uuid(at, 5),
    PrevNodeID: node.ID,
    Delay: 5e9,
  }))
  return allocation({
    ID: uuid(place.at, 2),
    JobID: jobId,
    Name: allocationName(jobId, group.Name, place.nameIndex),
    JobCreateIndex: place.jobCreateIndex,
    JobVersion: place.jobVersion,
    TaskGroup: group.Name,
    NodeID: node.ID,
    NodeName: node.Name,
    ClientStatus: given.client,
    DesiredStatus: given.isWanted ? 'run' : 'stop',
    AllocatedResources: holdOn(node, group, rows),
    ...(given.isMigrating ? { DesiredTransition: { Migrate: true } } : {}),
    ...(events.length === 0 ? {} : { RescheduleTracker: { Events: events } }),
    ...(place.deploymentId === undefined ? {} : { DeploymentID: place.deploymentId }),
    ...(given.isHealthy === undefined
      ? {}
      : { DeploymentStatus: { Healthy: given.isHealthy, Timestamp: '2026-01-02T03:00:00Z', Canary: false, ModifyIndex: 1 } }),
    CreateIndex: 1 + place.at,
    ModifyTime: time,
  })
}
