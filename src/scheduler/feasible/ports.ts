/**
 * Host ports of one node: what is taken on which address, and what an ask gets (Nomad docs, "Placement"). Dynamic ports are the
 * first free ones from a start that the caller chooses, so that two allocations seldom want the same one.
 */
import type { AllocatedPortMapping, AllocatedResources, Allocation, NetworkResource, Node, Port } from '../../domain/index.js'
import { PORT_LIMIT, readPortRanges } from './port-ranges.js'

const DYNAMIC_MIN = 20_000
const DYNAMIC_MAX = 32_000

export type PortOffer =
  | { readonly kind: 'ports'; readonly ports: readonly AllocatedPortMapping[] }
  | { readonly kind: 'refused'; readonly reason: string }

type Holder = Pick<Allocation, 'AllocatedResources'> & Partial<Pick<Allocation, 'ID'>>

type PortUse = Pick<AllocatedPortMapping, 'Value' | 'HostIP' | 'IgnoreCollision'>

export class PortIndex {
  readonly #node: Node
  /** Addresses by host network alias; `default` is the main one. */
  readonly #addresses: ReadonlyMap<string, readonly string[]>
  readonly #used = new Map<string, Set<number>>()
  /** Why the node's own reservation cannot be read. */
  malformed: string | undefined
  /** The first port that two want, in Nomad's words. */
  collision: string | undefined

  static of(node: Node, allocations: readonly Holder[]): PortIndex {
    const index = new PortIndex(node)
    const shared: PortUse[] = []
    for (const { ID, AllocatedResources } of allocations) shared.push(...index.#take(AllocatedResources, ID ?? ''))
    // Last, so that who shares a port is in nobody's way in whatever order allocations are stored.
    for (const { HostIP, Value } of shared) index.#usedOn(HostIP).add(Value)
    return index
  }

  constructor(node: Node) {
    this.#node = node
    this.#addresses = addressesOf(node)
    const everywhere = this.#read(node.ReservedResources.Networks.ReservedHostPorts, 'reserved_ports')
    for (const addresses of this.#addresses.values()) for (const address of addresses) this.#reserve(address, everywhere)
    for (const { Device, IP } of node.NodeResources.Networks ?? []) if (Device !== '' && IP) this.#reserve(IP, everywhere)
    for (const network of node.NodeResources.NodeNetworks ?? []) {
      for (const { Alias, Address, ReservedPorts } of network.Addresses ?? [])
        this.#reserve(Address, this.#read(ReservedPorts ?? '', `reserved_ports for network "${Alias}"`))
    }
  }

  #read(text: string, name: string): readonly number[] {
    const read = readPortRanges(text)
    if (read.kind === 'ports') return read.ports
    this.malformed ??= `error parsing ${name}: ${read.reason}`
    return []
  }

  #reserve(address: string, ports: readonly number[]): void {
    const used = this.#usedOn(address)
    for (const port of ports) used.add(port)
  }

  /**
   * Where an allocation has ports of its group they are all it has: rows of older releases carry them in networks instead.
   * @returns those that it shares with others
   */
  #take({ Shared, Tasks }: AllocatedResources, id: string): readonly PortUse[] {
    const ports = Shared.Ports ?? []
    if (ports.length > 0) {
      this.#takeAll(ports, `alloc ${id}`)
      return ports.filter(({ IgnoreCollision }) => IgnoreCollision === true)
    }
    for (const network of Shared.Networks ?? []) this.#takeNetwork(network, `alloc ${id}`)
    for (const [name, task] of Object.entries(Tasks)) {
      const [first] = task.Networks ?? []
      if (first !== undefined) this.#takeNetwork(first, `task ${name} of alloc ${id}`)
    }
    return []
  }

  /** Ports for the group network `ask`, and takes them. `startAt` in [0, 1) says where to look for dynamic ones first. */
  assign(ask: NetworkResource, startAt: number): PortOffer {
    const statics = ask.ReservedPorts ?? []
    const ports: AllocatedPortMapping[] = []
    for (const port of statics) {
      const offer = this.#findStatic(port)
      if (typeof offer === 'string') return { kind: 'refused', reason: offer }
      ports.push(offer)
    }
    for (const port of ask.DynamicPorts ?? []) {
      const offer = this.#findDynamic(port, statics, ports, startAt)
      if (typeof offer === 'string') return { kind: 'refused', reason: offer }
      ports.push(offer)
    }
    for (const { HostIP, Value } of ports) this.#usedOn(HostIP).add(Value)
    return { kind: 'ports', ports }
  }

  #findStatic(port: Port): AllocatedPortMapping | string {
    const addresses = this.#addressesFor(port)
    if (addresses.length === 0) return noAddresses(port)
    if (port.Value < 0 || port.Value >= PORT_LIMIT) return `invalid port ${port.Value} (out of range)`
    const address = addresses.find((candidate) => port.IgnoreCollision === true || !this.#usedOn(candidate).has(port.Value))
    return address === undefined ? `reserved port collision ${port.Label}=${port.Value}` : grant(port, address, port.Value)
  }

  #findDynamic(
    port: Port,
    statics: readonly Port[],
    offered: readonly AllocatedPortMapping[],
    startAt: number,
  ): AllocatedPortMapping | string {
    const addresses = this.#addressesFor(port)
    if (addresses.length === 0) return noAddresses(port)
    const min = this.#node.NodeResources.MinDynamicPort || DYNAMIC_MIN
    const max = Math.max(min, this.#node.NodeResources.MaxDynamicPort || DYNAMIC_MAX)
    const kept = new Set(statics.filter((other) => networkOf(other) === networkOf(port)).map((other) => other.Value))
    for (const address of addresses) {
      const used = this.#usedOn(address)
      const isFree = (value: number) => !used.has(value) && !kept.has(value) && !offered.some((other) => other.Value === value)
      const value = firstFree(min, max, startAt, isFree)
      if (value !== undefined) return grant(port.To === -1 ? { ...port, To: value } : port, address, value)
    }
    return 'dynamic port selection failed'
  }

  #addressesFor(port: Port): readonly string[] {
    return this.#addresses.get(networkOf(port)) ?? []
  }

  #takeNetwork({ IP = '', ReservedPorts, DynamicPorts }: NetworkResource, owner: string): void {
    const ports = [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])]
    this.#takeAll(
      ports.map(({ Value }) => ({ Value, HostIP: IP })),
      `network ${IP} in ${owner}`,
    )
  }

  /** Of several owners whose ports collide the last is told: all its ports that are in use, or the first that is none. */
  #takeAll(ports: readonly PortUse[], owner: string): void {
    const reasons: string[] = []
    for (const { Value, HostIP, IgnoreCollision } of ports) {
      if (Value < 0 || Value >= PORT_LIMIT) {
        this.#collide(owner, [`invalid port ${Value}`])
        return
      }
      if (IgnoreCollision === true) continue
      const used = this.#usedOn(HostIP)
      if (used.has(Value)) reasons.push(`port ${Value} already in use`)
      used.add(Value)
    }
    if (reasons.length > 0) this.#collide(owner, reasons)
  }

  #collide(owner: string, reasons: readonly string[]): void {
    this.collision = `collision when reserving port for ${owner}: [${reasons.join(' ')}]`
  }

  #usedOn(address: string): Set<number> {
    let used = this.#used.get(address)
    if (used === undefined) {
      used = new Set()
      this.#used.set(address, used)
    }
    return used
  }
}

/** Where the port may be on the node, the likeliest first. */
export function addressesFor(node: Node, port: Port): readonly string[] {
  return addressesOf(node).get(networkOf(port)) ?? []
}

function networkOf(port: Port): string {
  return port.HostNetwork
}

function noAddresses(port: Port): string {
  return `no addresses available for ${networkOf(port)} network`
}

function grant(port: Port, HostIP: string, Value: number): AllocatedPortMapping {
  const granted = { Label: port.Label, Value, To: port.To, HostIP }
  return port.IgnoreCollision === true ? { ...granted, IgnoreCollision: true } : granted
}

/** From a start inside the range once around; the last port of the range is the last resort. */
function firstFree(min: number, max: number, startAt: number, isFree: (port: number) => boolean): number | undefined {
  const count = Math.max(1, max - min)
  const start = Math.floor(startAt * count)
  for (let step = 0; step < count; step++) {
    const port = min + ((start + step) % count)
    if (isFree(port)) return port
  }
  return isFree(max) ? max : undefined
}

function addressesOf(node: Node): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>()
  for (const network of node.NodeResources.NodeNetworks ?? []) {
    for (const { Alias, Address } of network.Addresses ?? []) {
      const known = addresses.get(Alias)
      if (known === undefined) addresses.set(Alias, [Address])
      else known.push(Address)
    }
  }
  return addresses
}
