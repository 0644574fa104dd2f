/** Nodes of a random cluster, told by a few small choices each; the first of every choice is the plainest. */
import fc from 'fast-check'
import type { Node, NodeDeviceResource } from '../../../src/domain/index.js'
import { computeNodeClass } from '../../../src/scheduler/index.js'
import { node, uuid } from '../../fixtures.js'
import type { Feature } from './feature.js'

function often<const T>(value: T, times: number): readonly T[] {
  return new Array<T>(times).fill(value)
}

const STATES = [...often('ready', 15), 'ineligible', 'draining', 'down', 'disconnected', 'initializing'] as const
const DRIVERS = [...often('healthy', 12), 'by attribute', 'unhealthy', 'undetected', 'missing'] as const
const NETWORKS = ['plain', 'plain', 'narrow', 'reserving', 'bridge', 'public'] as const
const DEVICES = ['none', 'one', 'sick', 'two kinds'] as const
const VOLUMES = ['none', 'data', 'read-only', 'numbered', 'created'] as const

/** Values that conditions ask for, some of them not what a parser expects. */
const VERSIONS = ['1.2.3', '1.10', 'v2.0.0-beta1', 'nonsense', undefined] as const
const CORES = ['2', '10', '2.5', 'many', undefined] as const
const TAGS = ['a,b', 'b, c', '', undefined] as const

export function nodeCase(features: readonly Feature[]) {
  const has = (feature: Feature) => features.includes(feature)
  const only = <T>(feature: Feature, values: readonly T[]) => (has(feature) ? fc.constantFrom(...values) : fc.constant(values[0]!))
  return fc.record({
    cpu: fc.constantFrom(2_000, 4_000, 3_000, 1_000),
    memory: fc.constantFrom(2_048, 4_096, 3_072, 1_024),
    disk: fc.constantFrom(10_000, 10_000, 10_000, 700),
    isReserving: fc.boolean(),
    datacenter: fc.constantFrom('dc1', 'dc1', 'dc2', 'eu-dc1'),
    pool: fc.constantFrom(...often('default', 7), 'gpu'),
    class: fc.constantFrom('', 'small', 'large'),
    rack: fc.constantFrom('r1', 'r2', 'r3', undefined),
    state: fc.constantFrom(...STATES),
    driver: fc.constantFrom(...DRIVERS),
    allocationsMax: fc.constantFrom(...often(0, 7), 3),
    version: only('conditions', VERSIONS),
    cores: only('conditions', CORES),
    tags: only('conditions', TAGS),
    network: only('holdings', NETWORKS),
    devices: only('holdings', DEVICES),
    volume: only('holdings', VOLUMES),
    hasCores: has('holdings') ? fc.boolean() : fc.constant(true),
  })
}

export type NodeCase = ReturnType<typeof nodeCase> extends fc.Arbitrary<infer T> ? T : never

export function nodeId(at: number): string {
  return uuid(at, 1)
}

export function makeNode(given: NodeCase, at: number): Node {
  const base = node()
  const attributes = { 'os.version': given.version, cores: given.cores, tags: given.tags, 'unique.hostname': `n${at}` }
  const made: Node = {
    ...base,
    ID: nodeId(at),
    Name: `n${at}`,
    Datacenter: given.datacenter,
    NodePool: given.pool,
    NodeClass: given.class,
    Attributes: present({ 'kernel.name': 'linux', ...attributes, 'driver.mock': given.driver === 'missing' ? undefined : '1' }),
    Meta: present({ rack: given.rack, 'unique.label': `l${at}` }),
    Drivers: driversOf(given),
    NodeResources: {
      ...base.NodeResources,
      Cpu: { CpuShares: given.cpu, TotalCpuCores: 4, ReservableCpuCores: given.hasCores ? [0, 1, 2, 3] : null },
      Memory: { MemoryMB: given.memory },
      Disk: { DiskMB: given.disk },
      Devices: devicesOf(given),
      ...networksOf(given),
    },
    ReservedResources: {
      Cpu: { CpuShares: given.isReserving ? 100 : 0, ReservedCpuCores: given.isReserving ? [0] : null },
      Memory: { MemoryMB: given.isReserving ? 64 : 0 },
      Disk: { DiskMB: given.isReserving ? 50 : 0 },
      Networks: { ReservedHostPorts: given.network === 'reserving' ? '22,8080,20000-20010' : '' },
    },
    HostVolumes: volumesOf(given),
    SchedulingEligibility: given.state === 'ineligible' || given.state === 'draining' ? 'ineligible' : 'eligible',
    DrainStrategy:
      given.state === 'draining' ? { Deadline: 0, IgnoreSystemJobs: false, ForceDeadline: '', StartedAt: '2026-01-02T03:00:00Z' } : null,
    Status: given.state === 'ineligible' || given.state === 'draining' ? 'ready' : given.state,
    NodeMaxAllocs: given.allocationsMax,
  }
  return { ...made, ComputedClass: computeNodeClass(made) }
}

function present(values: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}

function driversOf({ driver }: NodeCase): Node['Drivers'] {
  if (driver === 'missing' || driver === 'by attribute') return {}
  return { mock: { ...node().Drivers['mock']!, Detected: driver !== 'undetected', Healthy: driver !== 'unhealthy' } }
}

function devicesOf({ devices }: NodeCase): readonly NodeDeviceResource[] | null {
  const device = (Name: string, healthy: readonly boolean[], memory: number): NodeDeviceResource => ({
    Vendor: 'acme',
    Type: 'gpu',
    Name,
    Instances: healthy.map((Healthy, at) => ({ ID: `${Name}-${at}`, Healthy, HealthDescription: '', Locality: null })),
    Attributes: { memory: { Int: memory, Unit: 'GiB' } },
  })
  if (devices === 'none') return null
  if (devices === 'one') return [device('g1', [true], 8)]
  return devices === 'sick' ? [device('g1', [true, false], 8)] : [device('g1', [true], 8), device('g2', [true, true], 16)]
}

/** The narrow one has two dynamic ports. */
function networksOf({ network }: NodeCase): Partial<Node['NodeResources']> {
  const [main] = node().NodeResources.NodeNetworks!
  const named = (Mode: string, Alias: string, Address: string) => ({
    ...main!,
    Mode,
    Addresses: [{ ...main!.Addresses![0]!, Alias, Address }],
  })
  if (network === 'narrow') return { MinDynamicPort: 20_000, MaxDynamicPort: 20_001 }
  if (network === 'bridge') return { NodeNetworks: [main!, named('bridge', 'default', '127.0.0.1')] }
  return network === 'public' ? { NodeNetworks: [main!, named('host', 'public', '10.0.0.1')] } : {}
}

function volumesOf({ volume }: NodeCase): Node['HostVolumes'] {
  const named = (Name: string, ReadOnly = false) => ({ Name, Path: `/${Name}`, ReadOnly })
  switch (volume) {
    case 'none':
      return null
    case 'numbered':
      return { 'data[0]': named('data[0]'), 'data[1]': named('data[1]', true), data: named('data') }
    case 'created': {
      const Capabilities = [{ AttachmentMode: 'file-system', AccessMode: 'single-node-single-writer' }]
      return { data: { ...named('data'), ID: 'v1', State: 'ready', Capabilities } }
    }
    default:
      return { data: named('data', volume === 'read-only') }
  }
}
