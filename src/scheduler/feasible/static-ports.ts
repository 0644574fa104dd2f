/**
 * Which nodes have a given host port in use, so that an ask for a static port need not look at every allocation. Addresses are not told
 * apart here: where a port is in use at all, the exact check (ports.ts) decides.
 */
import type { AllocatedResources, NetworkResource, Node } from '../../domain/index.js'
import { parsePortRanges } from './port-ranges.js'

export class StaticPorts {
  /** Port → row → how many allocations hold it. */
  readonly #users = new Map<number, Map<number, number>>()
  readonly #reserved: (ReadonlySet<number> | undefined)[] = []
  #reservingCount = 0
  /** Reservations are written alike on most hosts. */
  readonly #readOnce = new Map<string, ReadonlySet<number>>()

  putNode(row: number, node: Node): void {
    const texts = [node.ReservedResources.Networks.ReservedHostPorts]
    for (const network of node.NodeResources.NodeNetworks ?? [])
      for (const { ReservedPorts } of network.Addresses ?? []) texts.push(ReservedPorts ?? '')
    this.#reserve(
      row,
      texts.filter((text) => text !== ''),
    )
  }

  dropNode(row: number): void {
    this.#reserve(row, [])
    for (const users of this.#users.values()) users.delete(row)
  }

  #reserve(row: number, texts: readonly string[]): void {
    if (this.#reserved[row] !== undefined) this.#reservingCount--
    this.#reserved[row] = texts.length === 0 ? undefined : this.#read(texts.join(','))
    if (texts.length > 0) this.#reservingCount++
  }

  #read(text: string): ReadonlySet<number> {
    let ports = this.#readOnce.get(text)
    if (ports === undefined) {
      ports = new Set(parsePortRanges(text))
      this.#readOnce.set(text, ports)
    }
    return ports
  }

  count(row: number, resources: AllocatedResources, sign: 1 | -1): void {
    const { Ports, Networks } = resources.Shared
    if (Ports !== null && Ports.length > 0) for (const { Value } of Ports) this.#countOne(Value, row, sign)
    else if (Networks !== null) for (const network of Networks) this.#countNetwork(network, row, sign)
    for (const name in resources.Tasks) {
      const { Networks: own } = resources.Tasks[name]!
      if (own !== null) for (const network of own) this.#countNetwork(network, row, sign)
    }
  }

  #countNetwork({ ReservedPorts, DynamicPorts }: NetworkResource, row: number, sign: 1 | -1): void {
    for (const { Value } of ReservedPorts ?? []) this.#countOne(Value, row, sign)
    for (const { Value } of DynamicPorts ?? []) this.#countOne(Value, row, sign)
  }

  #countOne(port: number, row: number, sign: 1 | -1): void {
    let users = this.#users.get(port)
    if (users === undefined) {
      users = new Map()
      this.#users.set(port, users)
    }
    const count = (users.get(row) ?? 0) + sign
    if (count > 0) users.set(row, count)
    else users.delete(row)
    if (users.size === 0) this.#users.delete(port)
  }

  /** Whether the port is in use, or kept, on some address of the node. */
  isTouched(port: number, row: number): boolean {
    return this.#users.get(port)?.has(row) === true || (this.#reservingCount > 0 && this.#reserved[row]?.has(port) === true)
  }

  /** For tests: everything that is in use, in an order of its own. */
  dump(): readonly (readonly [port: number, row: number, count: number])[] {
    return [...this.#users]
      .flatMap(([port, users]) => [...users].map(([row, count]) => [port, row, count] as const))
      .sort((a, b) => a[0] - b[0] || a[1] - b[1])
  }
}
