/** What tasks ask for and what nodes have. CPU in MHz, memory and disk in MiB. Source: Nomad API docs, "JSON Job Specification" */
import type { Affinity, Constraint } from './task-group.js'

export interface Resources {
  readonly CPU: number
  readonly Cores: number
  readonly MemoryMB: number
  readonly MemoryMaxMB: number
  readonly DiskMB: number
  readonly IOPS: number
  readonly Networks: readonly NetworkResource[] | null
  readonly Devices: readonly RequestedDevice[] | null
  readonly NUMA: NUMA | null
  readonly SecretsMB: number
}

export const NO_RESOURCES: Resources = Object.freeze({
  CPU: 0,
  Cores: 0,
  MemoryMB: 0,
  MemoryMaxMB: 0,
  DiskMB: 0,
  IOPS: 0,
  Networks: null,
  Devices: null,
  NUMA: null,
  SecretsMB: 0,
})

export interface NUMA {
  readonly Affinity: string
  readonly Devices: readonly string[] | null
}

export interface NetworkResource {
  readonly Mode?: string
  readonly Device?: string
  readonly CIDR?: string
  readonly IP?: string
  readonly Hostname?: string
  readonly MBits?: number
  readonly DNS?: DNSConfig | null
  readonly ReservedPorts?: readonly Port[] | null
  readonly DynamicPorts?: readonly Port[] | null
  readonly CNI?: CNIConfig | null
}

export interface CNIConfig {
  readonly Args: Readonly<Record<string, string>> | null
}

export interface DNSConfig {
  readonly Servers: readonly string[] | null
  readonly Searches: readonly string[] | null
  readonly Options: readonly string[] | null
}

export interface Port {
  readonly Label: string
  readonly Value: number
  /** 0: same as the host port; -1: same as the dynamic value. */
  readonly To: number
  readonly HostNetwork: string
  readonly IgnoreCollision?: boolean
}

export interface RequestedDevice {
  readonly Name: string
  readonly Count: number
  readonly Constraints: readonly Constraint[] | null
  readonly Affinities: readonly Affinity[] | null
}

/** What an allocation holds on its node, the authoritative form. */
export interface AllocatedResources {
  readonly Tasks: Readonly<Record<string, AllocatedTaskResources>>
  readonly TaskLifecycles: Readonly<Record<string, { readonly Hook: string; readonly Sidecar: boolean } | null>> | null
  readonly Shared: AllocatedSharedResources
}

export interface AllocatedTaskResources {
  readonly Cpu: { readonly CpuShares: number; readonly ReservedCores: readonly number[] | null }
  readonly Memory: { readonly MemoryMB: number; readonly MemoryMaxMB: number }
  readonly Networks: readonly NetworkResource[] | null
  readonly Devices: readonly AllocatedDeviceResource[] | null
}

export interface AllocatedSharedResources {
  readonly Networks: readonly NetworkResource[] | null
  readonly DiskMB: number
  readonly Ports: readonly AllocatedPortMapping[] | null
}

export interface AllocatedPortMapping {
  readonly Label: string
  readonly Value: number
  readonly To: number
  readonly HostIP: string
  readonly IgnoreCollision?: boolean
}

export interface AllocatedDeviceResource {
  readonly Vendor: string
  readonly Type: string
  readonly Name: string
  readonly DeviceIDs: readonly string[] | null
}
