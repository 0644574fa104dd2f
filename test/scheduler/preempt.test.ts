import { expect, test } from 'vitest'
import type { Allocation, NetworkResource, Node, NodeDeviceResource, Resources } from '../../src/domain/index.js'
import { allocatedResources, allocation, job, node, task, taskGroup, uuid } from '../fixtures.js'
import { decide, PREEMPTION_ON } from './decide.js'

const capacity = (over: Partial<Node['NodeResources']>) => node({ NodeResources: { ...node().NodeResources, ...over } })
const mhz = (CpuShares: number) => ({ ...node().NodeResources.Cpu, CpuShares })

/** Somebody of this priority who holds so much of the node. */
function holder(priority: number, at: number, cpu: number, shared: Parameters<typeof allocatedResources>[1] = {}): Allocation {
  const base = allocatedResources('main', shared)
  const Tasks = { main: { ...base.Tasks['main']!, Cpu: { CpuShares: cpu, ReservedCores: null } } }
  return allocation({
    ID: uuid(at, 0xb0),
    JobID: `p${priority}`,
    Name: `p${priority}.group[${at}]`,
    ClientStatus: 'running',
    AllocatedResources: { ...base, Tasks },
  })
}

const others = [10, 20, 90].map((Priority) => job({ ID: `p${Priority}`, Priority }))

function victimsOf(
  host: Node,
  ask: { readonly resources?: Partial<Resources>; readonly network?: NetworkResource },
  rows: readonly Allocation[],
) {
  const main = task({ Resources: { ...task().Resources, ...ask.resources } })
  const group = taskGroup({ Tasks: [main], Networks: ask.network === undefined ? null : [ask.network] })
  const web = job({ Priority: 50, TaskGroups: [group] })
  const { plan } = decide({ nodes: [host], jobs: [web, ...others], allocations: rows, configuration: PREEMPTION_ON })
  return { placed: plan.Placements.length, victims: plan.Preemptions.map(({ ID }) => ID) }
}

test('nobody ends in vain: a small one chosen first stays when a greater one is enough', () => {
  const rows = [holder(10, 1, 100), holder(20, 2, 900)]
  expect(victimsOf(capacity({ Cpu: mhz(1_000) }), { resources: { CPU: 900 } }, rows)).toEqual({ placed: 1, victims: [rows[1]!.ID] })
})

test('whole cores need their MHz: who ends for a port must free these too', () => {
  const port = { Label: 'http', Value: 8080, To: 0, HostNetwork: 'default' }
  const Ports = [{ Label: 'http', Value: 8080, To: 0, HostIP: '127.0.0.1' }]
  const rows = [holder(10, 1, 100, { Ports }), holder(90, 2, 3_800)]
  const ask = { resources: { Cores: 1, CPU: 0 }, network: { Mode: 'host', ReservedPorts: [port], DynamicPorts: null } }
  expect(victimsOf(capacity({}), ask, rows)).toEqual({ placed: 0, victims: [] })
  const second = holder(20, 3, 900)
  expect(victimsOf(capacity({}), ask, [rows[0]!, holder(90, 2, 2_800), second])).toEqual({ placed: 1, victims: [rows[0]!.ID, second.ID] })
})

test('a node with more allocations than it may have takes none in exchange for one', () => {
  const host = { ...capacity({ Cpu: mhz(1_000) }), NodeMaxAllocs: 1 }
  expect(victimsOf(host, { resources: { CPU: 500 } }, [holder(10, 1, 500), holder(90, 2, 400)])).toEqual({ placed: 0, victims: [] })
})

const instance = (ID: string) => ({ ID, Healthy: true, HealthDescription: '', Locality: null })
const device = (Name: string): NodeDeviceResource => ({ Vendor: 'acme', Type: 'gpu', Name, Instances: [instance(Name)], Attributes: null })

function deviceHolder(at: number, Name: string): Allocation {
  const row = holder(10, at, 100)
  const main = { ...row.AllocatedResources.Tasks['main']!, Devices: [{ Vendor: 'acme', Type: 'gpu', Name, DeviceIDs: [Name] }] }
  return { ...row, AllocatedResources: { ...row.AllocatedResources, Tasks: { main } } }
}

test('two asks for devices are two: what is freed for the first is not there for the second', () => {
  const rows = ['g1', 'g2'].map((Name, at) => deviceHolder(at + 1, Name))
  const Devices = ['acme/gpu/g1', 'gpu'].map((Name) => ({ Name, Count: 1, Constraints: null, Affinities: null }))
  const { placed, victims } = victimsOf(capacity({ Devices: [device('g1'), device('g2')] }), { resources: { Devices } }, rows)
  expect([placed, new Set(victims)]).toEqual([1, new Set(rows.map(({ ID }) => ID))])
})

test('a device that two hold, one of them about to end, is free when both have gone', () => {
  const rows = [{ ...deviceHolder(1, 'g1'), DesiredStatus: 'stop' as const }, deviceHolder(2, 'g1')]
  const Devices = [{ Name: 'gpu', Count: 1, Constraints: null, Affinities: null }]
  const { placed, victims } = victimsOf(capacity({ Devices: [device('g1')] }), { resources: { Devices } }, rows)
  expect([placed, new Set(victims)]).toEqual([1, new Set(rows.map(({ ID }) => ID))])
})

test('who holds the port on another address is neither in the way nor ended', () => {
  const [main] = node().NodeResources.NodeNetworks!
  const outside = { ...main!, Addresses: [{ ...main!.Addresses![0]!, Alias: 'public', Address: '10.0.0.1' }] }
  const host = capacity({ Cpu: mhz(1_000), NodeNetworks: [main!, outside] })
  const port = { Label: 'http', Value: 8080, To: 0, HostNetwork: 'public' }
  const inside = { Ports: [{ Label: 'http', Value: 8080, To: 0, HostIP: '127.0.0.1' }] }
  const ask = { resources: { CPU: 500 }, network: { Mode: 'host', ReservedPorts: [port], DynamicPorts: null } }
  const rows = [holder(90, 1, 400, inside), holder(10, 2, 500)]
  expect(victimsOf(host, ask, rows)).toEqual({ placed: 1, victims: [rows[1]!.ID] })
})

test('who shares a port is in the way of somebody who does not', () => {
  const port = { Label: 'http', Value: 8080, To: 0, HostNetwork: 'default' }
  const held = { Label: 'http', Value: 8080, To: 0, HostIP: '127.0.0.1' }
  const network = { Mode: 'host', ReservedPorts: [port], DynamicPorts: null }
  const rows = (priority: number) => [
    holder(priority, 1, 100, { Ports: [{ ...held, IgnoreCollision: true }] }),
    holder(10, 2, 100, { Ports: [held] }),
  ]
  expect(victimsOf(node(), { network }, rows(90))).toEqual({ placed: 0, victims: [] })
  const { placed, victims } = victimsOf(node(), { network }, rows(10))
  expect([placed, new Set(victims)]).toEqual([1, new Set(rows(10).map(({ ID }) => ID))])
})

test('of those that are alike the same one ends, in whatever order they were stored', () => {
  const rows = [holder(10, 1, 2_000), holder(10, 2, 2_000)]
  const ask = { resources: { CPU: 1_000 } }
  expect(victimsOf(node(), ask, rows)).toEqual(victimsOf(node(), ask, [...rows].reverse()))
})
