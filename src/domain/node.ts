/** A host that runs allocations. Source: Nomad API docs, "Nodes" */
import type { NetworkResource } from './resources.js'
import type { Nanoseconds } from './units.js'

export type NodeStatus = 'initializing' | 'ready' | 'down' | 'disconnected'
export type SchedulingEligibility = 'eligible' | 'ineligible'

export interface Node {
  readonly ID: string
  readonly Datacenter: string
  readonly Name: string
  readonly NodePool: string
  readonly NodeClass: string
  /** `v1:<number>`: nodes of one class are the same to every constraint that does not name a unique attribute. */
  readonly ComputedClass: string
  readonly HTTPAddr: string
  readonly TLSEnabled: boolean
  readonly CgroupParent: string
  readonly Attributes: Readonly<Record<string, string>>
  readonly Meta: Readonly<Record<string, string>>
  readonly Links: Readonly<Record<string, string>> | null
  readonly NodeResources: NodeResources
  readonly ReservedResources: NodeReservedResources
  readonly Drivers: Readonly<Record<string, DriverInfo>>
  readonly HostVolumes: Readonly<Record<string, HostVolume>> | null
  readonly HostNetworks: Readonly<Record<string, HostNetwork>> | null
  readonly DrainStrategy: DrainStrategy | null
  readonly SchedulingEligibility: SchedulingEligibility
  readonly Status: NodeStatus
  readonly StatusDescription: string
  /** Seconds since the epoch. */
  readonly StatusUpdatedAt: number
  /** The last ten. */
  readonly Events: readonly NodeEvent[]
  readonly LastDrain: DrainMetadata | null
  readonly LastMissedHeartbeatIndex: number
  readonly LastAllocUpdateIndex: number
  readonly NodeMaxAllocs: number
  readonly GCVolumesOnNodeGC: boolean
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

export interface NodeResources {
  readonly Cpu: { readonly CpuShares: number; readonly TotalCpuCores: number; readonly ReservableCpuCores: readonly number[] | null }
  readonly Memory: { readonly MemoryMB: number }
  readonly Disk: { readonly DiskMB: number }
  readonly Networks: readonly NetworkResource[] | null
  readonly NodeNetworks: readonly NodeNetworkResource[] | null
  readonly Devices: readonly NodeDeviceResource[] | null
  readonly MinDynamicPort: number
  readonly MaxDynamicPort: number
  readonly Processors?: { readonly Topology: Readonly<Record<string, unknown>> | null }
}

export interface NodeReservedResources {
  readonly Cpu: { readonly CpuShares: number; readonly ReservedCpuCores: readonly number[] | null }
  readonly Memory: { readonly MemoryMB: number }
  readonly Disk: { readonly DiskMB: number }
  readonly Networks: { readonly ReservedHostPorts: string }
}

export interface NodeNetworkResource {
  readonly Mode: string
  readonly Device: string
  readonly MacAddress: string
  readonly Speed: number
  readonly Addresses: readonly NodeNetworkAddress[] | null
}

export interface NodeNetworkAddress {
  readonly Family: string
  readonly Alias: string
  readonly Address: string
  readonly ReservedPorts: string
  readonly Gateway: string
}

export interface NodeDeviceResource {
  readonly Vendor: string
  readonly Type: string
  readonly Name: string
  readonly Instances: readonly NodeDevice[] | null
  readonly Attributes: Readonly<Record<string, DeviceAttribute>> | null
}

export interface NodeDevice {
  readonly ID: string
  readonly Healthy: boolean
  readonly HealthDescription: string
  readonly Locality: { readonly PciBusID: string } | null
}

export interface DeviceAttribute {
  readonly Int?: number | null
  readonly Float?: number | null
  readonly String?: string | null
  readonly Bool?: boolean | null
  readonly Unit?: string
}

export interface DriverInfo {
  readonly Attributes: Readonly<Record<string, string>> | null
  readonly Detected: boolean
  readonly Healthy: boolean
  readonly HealthDescription: string
  readonly UpdateTime: string
}

export interface HostVolume {
  readonly Name: string
  readonly Path: string
  readonly ReadOnly: boolean
  /** Set when the volume was created rather than configured; the rest says what it may be used for. */
  readonly ID?: string
  readonly State?: string
  readonly Capabilities?: readonly { readonly AttachmentMode: string; readonly AccessMode: string }[]
}

export interface HostNetwork {
  readonly Name: string
  readonly CIDR: string
  readonly Interface: string
  readonly ReservedPorts: string
}

export interface DrainStrategy {
  /** 0: no deadline; negative: force now. */
  readonly Deadline: Nanoseconds
  readonly IgnoreSystemJobs: boolean
  readonly ForceDeadline: string
  readonly StartedAt: string
}

export interface DrainMetadata {
  readonly StartedAt: string
  readonly UpdatedAt: string
  readonly Status: 'draining' | 'complete' | 'canceled'
  readonly AccessorID: string
  readonly Meta: Readonly<Record<string, string>> | null
}

export interface NodeEvent {
  readonly Message: string
  readonly Subsystem: string
  readonly Details: Readonly<Record<string, string>> | null
  readonly Timestamp: string
  readonly CreateIndex: number
}

/** May receive new allocations: ready, eligible and not draining. */
export function isReady(node: Pick<Node, 'Status' | 'SchedulingEligibility' | 'DrainStrategy'>): boolean {
  return node.Status === 'ready' && node.SchedulingEligibility === 'eligible' && node.DrainStrategy === null
}

/** Its attributes, with how much of its processors is left for work. */
export function withUsableCompute(attributes: Node['Attributes'], reservedMhz: number): Node['Attributes'] {
  const total = attributes['cpu.totalcompute']
  return total === undefined ? attributes : { ...attributes, 'cpu.usablecompute': String(Math.max(0, Number(total) - reservedMhz)) }
}
