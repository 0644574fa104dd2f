/**
 * The nodes as columns: what each has and what its living allocations hold. Kept up to date row by row as the tables change, and
 * equal to a rebuild at any time (test/scheduler/node-table.test.ts).
 */
import { type Allocation, isClientTerminal, type Node } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { type Claims, capacityOf, claimsOf } from './claims.js'

const ROWS_AT_FIRST = 64

export class NodeTable {
  readonly #rows = new Map<string, number>()
  readonly #free: number[] = []
  nodes: (Node | undefined)[] = []
  capacityCpu = new Float64Array(ROWS_AT_FIRST)
  capacityMemory = new Float64Array(ROWS_AT_FIRST)
  capacityDisk = new Float64Array(ROWS_AT_FIRST)
  usedCpu = new Float64Array(ROWS_AT_FIRST)
  usedMemory = new Float64Array(ROWS_AT_FIRST)
  usedDisk = new Float64Array(ROWS_AT_FIRST)
  /** Living allocations on the node. */
  allocationCount = new Int32Array(ROWS_AT_FIRST)
  /** A number per node that breaks ties without favouring anyone. */
  tieBreak = new Uint32Array(ROWS_AT_FIRST)

  constructor(view: StateView) {
    for (const node of view.nodes.values()) this.#putNode(node)
    for (const allocation of view.allocations.values()) this.#count(allocation, 1)
    view.nodes.observe((before, after) => {
      if (after !== undefined) this.#putNode(after, before === undefined ? view.allocations.valuesBy('node', after.ID) : [])
      else if (before !== undefined) this.#dropNode(before.ID)
    })
    view.allocations.observe((before, after) => {
      if (before !== undefined) this.#count(before, -1)
      if (after !== undefined) this.#count(after, 1)
    })
  }

  rowOf(nodeId: string): number | undefined {
    return this.#rows.get(nodeId)
  }

  get rowCount(): number {
    return this.nodes.length
  }

  #putNode(node: Node, residents: Iterable<Allocation> = []): void {
    let row = this.#rows.get(node.ID)
    if (row === undefined) {
      row = this.#free.pop() ?? this.nodes.length
      this.#rows.set(node.ID, row)
      this.#growTo(row + 1)
      this.usedCpu[row] = this.usedMemory[row] = this.usedDisk[row] = 0
      this.allocationCount[row] = 0
      this.tieBreak[row] = hashId(node.ID)
    }
    const capacity = capacityOf(node)
    this.nodes[row] = node
    this.capacityCpu[row] = capacity.cpuShares
    this.capacityMemory[row] = capacity.memoryMb
    this.capacityDisk[row] = capacity.diskMb
    // A node may come after the allocations that name it.
    for (const allocation of residents) this.#count(allocation, 1)
  }

  #dropNode(id: string): void {
    const row = this.#rows.get(id)
    if (row === undefined) return
    this.#rows.delete(id)
    this.nodes[row] = undefined
    this.#free.push(row)
  }

  #count(allocation: Allocation, sign: 1 | -1): void {
    const row = this.#rows.get(allocation.NodeID)
    if (row === undefined || isClientTerminal(allocation)) return
    const claims = claimsOnce(allocation)
    this.usedCpu[row]! += sign * claims.cpuShares
    this.usedMemory[row]! += sign * claims.memoryMb
    this.usedDisk[row]! += sign * claims.diskMb
    this.allocationCount[row]! += sign
  }

  #growTo(count: number): void {
    if (count <= this.usedCpu.length) return
    const length = Math.max(count, 2 * this.usedCpu.length)
    const grown = <Column extends Float64Array | Int32Array | Uint32Array>(column: Column, made: Column): Column => {
      made.set(column)
      return made
    }
    this.capacityCpu = grown(this.capacityCpu, new Float64Array(length))
    this.capacityMemory = grown(this.capacityMemory, new Float64Array(length))
    this.capacityDisk = grown(this.capacityDisk, new Float64Array(length))
    this.usedCpu = grown(this.usedCpu, new Float64Array(length))
    this.usedMemory = grown(this.usedMemory, new Float64Array(length))
    this.usedDisk = grown(this.usedDisk, new Float64Array(length))
    this.allocationCount = grown(this.allocationCount, new Int32Array(length))
    this.tieBreak = grown(this.tieBreak, new Uint32Array(length))
  }
}

/** Resources are frozen with their row, so what they come to is worked out once. */
const known = new WeakMap<object, Claims>()

export function claimsOnce(allocation: Pick<Allocation, 'AllocatedResources'>): Claims {
  let claims = known.get(allocation.AllocatedResources)
  if (claims === undefined) {
    claims = claimsOf(allocation.AllocatedResources)
    known.set(allocation.AllocatedResources, claims)
  }
  return claims
}

export function hashId(id: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
