/**
 * Host ports of one node: what is taken on which address, and what an ask gets (`reference/scheduler.md` §4.6). Dynamic ports
 * are the lowest free ones from a start that the caller chooses, so that two allocations seldom want the same one.
 */
import type { AllocatedPortMapping, AllocatedResources, Allocation, NetworkResource, Node, Port } from '../../domain/index.js'

const PORT_LIMIT = 65_536
const DYNAMIC_MIN = 20_000
const DYNAMIC_MAX = 32_000

export type PortOffer =
  | { readonly kind: 'ports'; readonly ports: readonly AllocatedPortMapping[] }
  | { readonly kind: 'refused'; readonly reason: string }

export class PortIndex {
  readonly #node: Node
  /** Addresses by host network alias; `default` is the main one. */
  readonly #addresses: ReadonlyMap<string, readonly string[]>
  readonly #used = new Map<string, Set<number>>()
  /** The first port that two want, in Nomad's words. */
  collision: string | undefined

  static of(node: Node, allocations: readonly Pick<Allocation, 'AllocatedResources'>[]): PortIndex {
    const index = new PortIndex(node)
    for (const { AllocatedResources } of allocations) index.take(AllocatedResources)
    return index
  }

  constructor(node: Node) {
    this.#node = node
    this.#addresses = addressesOf(node)
    const reserved = parsePortRanges(node.ReservedResources.Networks.ReservedHostPorts)
    for (const addresses of this.#addresses.values()) for (const address of addresses) this.#usedOn(address, reserved)
    for (const network of node.NodeResources.NodeNetworks ?? []) {
      for (const { Address, ReservedPorts } of network.Addresses ?? []) this.#usedOn(Address, parsePortRanges(ReservedPorts ?? ''))
    }
  }

  take(resources: AllocatedResources): void {
    const shared = resources.Shared.Ports ?? []
    for (const { Value, HostIP, Label, IgnoreCollision } of shared) if (IgnoreCollision !== true) this.#takeOne(HostIP, Value, Label)
    // Older rows carry their ports in the networks; where both are there they say the same.
    if (shared.length === 0) for (const network of resources.Shared.Networks ?? []) this.#takeNetwork(network)
    for (const task of Object.values(resources.Tasks)) for (const network of task.Networks ?? []) this.#takeNetwork(network)
  }

  /** Ports for the group network `ask`, and takes them. `startAt` in [0, 1) says where to look for dynamic ones first. */
  assign(ask: NetworkResource, startAt: number): PortOffer {
    const ports: AllocatedPortMapping[] = []
    const asked = [
      ...(ask.ReservedPorts ?? []).map((port) => ({ port, isStatic: true })),
      ...(ask.DynamicPorts ?? []).map((port) => ({ port, isStatic: false })),
    ]
    for (const { port, isStatic } of asked) {
      const offer = isStatic ? this.#assignStatic(port) : this.#assignDynamic(port, ask.ReservedPorts ?? [], startAt)
      if (typeof offer === 'string') return { kind: 'refused', reason: offer }
      ports.push(offer)
    }
    return { kind: 'ports', ports }
  }

  #assignStatic(port: Port): AllocatedPortMapping | string {
    const addresses = this.#addressesFor(port)
    if (addresses.length === 0) return `no addresses available for "${port.HostNetwork}" network`
    if (port.Value < 0 || port.Value >= PORT_LIMIT) return `invalid port ${port.Value} (out of range)`
    const isFree = (address: string) => port.IgnoreCollision === true || !this.#usedOn(address).has(port.Value)
    const address = addresses.find(isFree)
    if (address === undefined) return `reserved port collision ${port.Label}=${port.Value}`
    return this.#grant(port, address, port.Value)
  }

  #assignDynamic(port: Port, statics: readonly Port[], startAt: number): AllocatedPortMapping | string {
    const addresses = this.#addressesFor(port)
    if (addresses.length === 0) return `no addresses available for "${port.HostNetwork}" network`
    const min = this.#node.NodeResources.MinDynamicPort || DYNAMIC_MIN
    const max = this.#node.NodeResources.MaxDynamicPort || DYNAMIC_MAX
    const kept = new Set(statics.filter((other) => other.HostNetwork === port.HostNetwork).map((other) => other.Value))
    const count = max - min + 1
    const first = Math.floor(startAt * count)
    for (const address of addresses) {
      const used = this.#usedOn(address)
      for (let step = 0; step < count; step++) {
        const value = min + ((first + step) % count)
        if (!used.has(value) && !kept.has(value)) return this.#grant(port, address, value)
      }
    }
    return 'dynamic port selection failed'
  }

  #grant(port: Port, HostIP: string, Value: number): AllocatedPortMapping {
    if (port.IgnoreCollision !== true) this.#usedOn(HostIP).add(Value)
    const granted = { Label: port.Label, Value, To: port.To === -1 ? Value : port.To, HostIP }
    return port.IgnoreCollision === true ? { ...granted, IgnoreCollision: true } : granted
  }

  #addressesFor(port: Port): readonly string[] {
    return this.#addresses.get(port.HostNetwork || 'default') ?? []
  }

  #takeNetwork(network: NetworkResource): void {
    for (const { Value, Label } of [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])])
      this.#takeOne(network.IP ?? '', Value, Label)
  }

  #takeOne(address: string, value: number, label: string): void {
    if (value < 0 || value >= PORT_LIMIT) return
    const used = this.#usedOn(address)
    if (used.has(value)) this.collision ??= `reserved alloc port collision: alloc port ${label}=${value} on ${address} already in use`
    used.add(value)
  }

  #usedOn(address: string, more: readonly number[] = []): Set<number> {
    let used = this.#used.get(address)
    if (used === undefined) {
      used = new Set()
      this.#used.set(address, used)
    }
    for (const port of more) used.add(port)
    return used
  }
}

function addressesOf(node: Node): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>()
  for (const network of node.NodeResources.NodeNetworks ?? []) {
    for (const { Alias, Address } of network.Addresses ?? [])
      addresses.set(Alias || 'default', [...(addresses.get(Alias || 'default') ?? []), Address])
  }
  if (addresses.size === 0)
    for (const { IP } of node.NodeResources.Networks ?? []) if (IP) addresses.set('default', [...(addresses.get('default') ?? []), IP])
  return addresses
}

/** `22,80,8000-8100`; what is no port is left out. */
export function parsePortRanges(text: string): readonly number[] {
  const ports: number[] = []
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part)
    if (match === null) continue
    const from = Number(match[1])
    const to = Math.min(PORT_LIMIT - 1, Number(match[2] ?? match[1]))
    for (let port = from; port <= to; port++) ports.push(port)
  }
  return ports
}
