/**
 * Which CNI plugins make a network, with which configuration: the built-in list for bridges, and the host's own lists. Pure.
 * Source: the CNI specification 1.0.0, "Network configuration format" and "Execution of Network Configurations".
 */

import { isIPv6 } from 'node:net'
import type { NetworkWant } from '../../agent/index.js'
import { type AllocNetworkStatus, type DNSConfig, OrchestratorError } from '../../domain/index.js'

export interface CniList {
  readonly cniVersion: string
  readonly name: string
  readonly plugins: readonly CniPlugin[]
}

export interface CniPlugin {
  readonly type: string
  readonly capabilities?: Readonly<Record<string, boolean>>
  readonly [member: string]: unknown
}

export interface BridgeOptions {
  readonly name: string
  readonly subnet: string
  readonly isHairpin: boolean
}

/** Where the rules of an administrator go, before those of the allocations. */
const ADMIN_CHAIN = 'DROVER-ADMIN'

const LOOPBACK: CniPlugin = { type: 'loopback' }

export function bridgeList({ name, subnet, isHairpin }: BridgeOptions): CniList {
  return {
    cniVersion: '0.4.0',
    name,
    plugins: [
      LOOPBACK,
      {
        type: 'bridge',
        bridge: name,
        ipMasq: true,
        isGateway: true,
        forceAddress: true,
        hairpinMode: isHairpin,
        ipam: { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'firewall', backend: 'iptables', iptablesAdminChainName: ADMIN_CHAIN },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  }
}

export const LOOPBACK_LIST: CniList = { cniVersion: '0.4.0', name: 'loopback', plugins: [LOOPBACK] }

/**
 * A file of the host: a list (`.conflist`), or one plugin alone (`.conf`, `.json`).
 * @throws OrchestratorError NETWORK
 */
export function parseList(path: string, text: string): CniList {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new OrchestratorError('NETWORK', `${path} is no JSON`, { path }, cause)
  }
  const { plugins, name, cniVersion = '0.4.0', ...rest } = value as Partial<CniList> & { readonly type?: unknown }
  const list = Array.isArray(plugins) ? plugins : [{ ...rest }]
  const isSound = typeof name === 'string' && list.length > 0 && list.every((plugin: Partial<CniPlugin>) => typeof plugin.type === 'string')
  if (!isSound) throw new OrchestratorError('NETWORK', `${path} needs a name, and plugins that each have a type`, { path })
  return { cniVersion, name, plugins: list as readonly CniPlugin[] }
}

/** What one plugin of a list reads from its standard input. */
export function pluginInput(list: CniList, plugin: CniPlugin, want: NetworkWant, previous: unknown): object {
  const runtime = plugin.capabilities?.['portMappings'] === true ? { portMappings: portMappingsOf(want) } : undefined
  return {
    ...plugin,
    cniVersion: list.cniVersion,
    name: list.name,
    ...(runtime === undefined ? {} : { runtimeConfig: runtime }),
    ...(Object.keys(want.args).length === 0 ? {} : { args: { cni: want.args } }),
    ...(previous === undefined ? {} : { prevResult: previous }),
  }
}

function portMappingsOf({ ports }: NetworkWant) {
  return ports.flatMap(({ Value, To, HostIP }) =>
    ['tcp', 'udp'].map((protocol) => ({
      hostPort: Value,
      containerPort: To > 0 ? To : Value,
      protocol,
      ...(HostIP === '' ? {} : { hostIP: HostIP }),
    })),
  )
}

/** `CNI_ARGS`, for plugins that know of no other way. */
export function argumentsText(args: NetworkWant['args']): string {
  const known = { IgnoreUnknown: 'true', ...args }
  return Object.entries(known)
    .map(([name, value]) => `${name}=${value}`)
    .join(';')
}

interface CniResult {
  readonly interfaces?: readonly { readonly name: string; readonly sandbox?: string }[]
  readonly ips?: readonly { readonly address: string; readonly interface?: number }[]
  readonly dns?: { readonly nameservers?: readonly string[]; readonly search?: readonly string[]; readonly options?: readonly string[] }
}

/** The interface inside the namespace that has an address, and its addresses. What the job says of name servers counts before what the plugins say. */
export function statusOf(result: unknown, dns: DNSConfig | null): AllocNetworkStatus {
  const { interfaces = [], ips = [], dns: found } = (result ?? {}) as CniResult
  const inside = ips.filter(({ interface: at }) => at === undefined || (interfaces[at]?.sandbox ?? '') !== '')
  const addresses = inside.map(({ address, interface: at }) => ({ ip: address.split('/')[0]!, device: interfaces[at ?? -1]?.name ?? '' }))
  const first = addresses.find(({ device, ip }) => device !== 'lo' && !isIPv6(ip)) ?? addresses.find(({ device }) => device !== 'lo')
  const ipv6 = addresses.find(({ device, ip }) => device !== 'lo' && isIPv6(ip))
  const offered = found?.nameservers?.length
    ? { Servers: found.nameservers, Searches: found.search ?? null, Options: found.options ?? null }
    : null
  return {
    InterfaceName: first?.device ?? '',
    Address: first?.ip ?? '',
    ...(ipv6 === undefined ? {} : { AddressIPv6: ipv6.ip }),
    DNS: dns ?? offered,
  }
}
