/** Networks that allocations have for themselves: what a group asks for, and who makes it. Source: Nomad docs, "network block". */
import type { AllocatedPortMapping, Allocation, DNSConfig, TaskGroup } from '../domain/index.js'
import type { AllocationNetwork } from './driver.js'
import { interpolate, type TaskEnvironment } from './environment.js'

export type OwnNetwork = Extract<AllocationNetwork, { kind: 'namespace' }>

export interface NetworkWant {
  readonly allocationId: string
  /** `none`: nothing but a loopback. `cni/<name>`: as the host's configuration of that name says. */
  readonly mode: 'bridge' | 'none' | `cni/${string}`
  readonly hostname: string
  readonly dns: DNSConfig | null
  readonly ports: readonly AllocatedPortMapping[]
  /** Of the group's tasks: all of them are to join it. */
  readonly drivers: readonly string[]
  /** Handed to the plugins as they are. */
  readonly args: Readonly<Record<string, string>>
}

export interface NetworkPort {
  /** Makes what is wanted, or finds it made already. @throws OrchestratorError NETWORK */
  prepare(want: NetworkWant): Promise<OwnNetwork>
  /** What `prepare` has made, also for an earlier life of the agent. */
  find(allocationId: string): OwnNetwork | undefined
  /** Allocations whose network is not known any more, though they had one. */
  readonly unreadable: ReadonlySet<string>
  /** Gives back addresses, ports and namespace. Without effect where there are none; what fails is tried again by `releaseUnclaimed`. */
  release(allocationId: string): Promise<void>
  /** @returns how many there were */
  releaseUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number>
}

/** Whether the group's tasks have another network than their host's. */
export function hasOwnNetwork(group: TaskGroup): boolean {
  return modeOf(group) !== undefined
}

/** @param environment of the group */
export function networkWantOf(allocation: Allocation, group: TaskGroup, environment: TaskEnvironment): NetworkWant | undefined {
  const mode = modeOf(group)
  const network = group.Networks?.[0]
  if (mode === undefined || network === undefined) return undefined
  const fill = (text: string) => interpolate(text, environment)
  return {
    allocationId: allocation.ID,
    mode,
    hostname: fill(network.Hostname ?? '') || allocation.ID.slice(0, 8),
    dns: dnsOf(group, () => environment) ?? null,
    ports: allocation.AllocatedResources.Shared.Ports ?? [],
    drivers: [...new Set(group.Tasks.map(({ Driver }) => Driver))].sort(),
    args: Object.fromEntries(Object.entries(network.CNI?.Args ?? {}).map(([name, value]) => [name, fill(value)])),
  }
}

/** The name servers that a group asks for. @param environmentOf of the group, asked for only where there are any */
export function dnsOf(group: TaskGroup, environmentOf: () => TaskEnvironment): DNSConfig | undefined {
  const dns = group.Networks?.[0]?.DNS
  if (dns === null || dns === undefined) return undefined
  const environment = environmentOf()
  const fillAll = (texts: readonly string[] | null) => texts?.map((text) => interpolate(text, environment)) ?? null
  return { Servers: fillAll(dns.Servers), Searches: fillAll(dns.Searches), Options: fillAll(dns.Options) }
}

function modeOf(group: TaskGroup): NetworkWant['mode'] | undefined {
  const mode = group.Networks?.[0]?.Mode ?? ''
  if (mode === 'bridge' || mode === 'none') return mode
  return mode.startsWith('cni/') ? (mode as `cni/${string}`) : undefined
}
