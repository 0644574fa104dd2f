/**
 * The nodes as columns: what each has and what its living allocations hold, one row a node. Kept up to date row by row as the tables
 * change, and equal to a rebuild at any time (test/scheduler/node-table.test.ts).
 */
import { type Allocation, isClientTerminal, type Node } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { type Claims, capacityOf, claimsOf } from './claims.js'
import { StaticPorts } from './static-ports.js'

const ROWS_AT_FIRST = 64

export class NodeTable {
  readonly #rows = new Map<string, number>()
  readonly #free: number[] = []
  /** Rows of nodes that are gone are empty until they are used again. */
  readonly nodes: (Node | undefined)[] = []
  /** When the node of a row changed, counted by `clock`: whoever derives something from nodes looks only at what is newer. */
  changedAt = new Float64Array(ROWS_AT_FIRST)
  clock = 0
  capacityCpu = new Float64Array(ROWS_AT_FIRST)
  capacityMemory = new Float64Array(ROWS_AT_FIRST)
  capacityDisk = new Float64Array(ROWS_AT_FIRST)
  /** Cores that may be reserved, and what one of them is worth in MHz. */
  capacityCores = new Int32Array(ROWS_AT_FIRST)
  coreShares = new Float64Array(ROWS_AT_FIRST)
  /** Which of `capacities` the row has: nodes come in few sizes, so what depends on the size is worked out once for each. */
  capacityIds = new Int32Array(ROWS_AT_FIRST)
  readonly capacities: { readonly cpu: number; readonly memory: number }[] = []
  readonly #capacityIdOf = new Map<string, number>()
  /** 10 to the power of the free share; NaN until somebody asks, and again after each change. */
  freePowerCpu = new Float64Array(ROWS_AT_FIRST)
  freePowerMemory = new Float64Array(ROWS_AT_FIRST)
  /** At most so many allocations; 0: any number. */
  allocationsMax = new Int32Array(ROWS_AT_FIRST)
  usedCpu = new Float64Array(ROWS_AT_FIRST)
  usedMemory = new Float64Array(ROWS_AT_FIRST)
  usedDisk = new Float64Array(ROWS_AT_FIRST)
  usedCores = new Int32Array(ROWS_AT_FIRST)
  /** Living allocations on the node. */
  allocationCount = new Int32Array(ROWS_AT_FIRST)
  /** A number per node that breaks ties without favouring anyone. */
  tieBreak = new Uint32Array(ROWS_AT_FIRST)
  readonly ports = new StaticPorts()

  constructor(view: StateView) {
    for (const node of view.nodes.values()) this.#putNode(node, [])
    for (const allocation of view.allocations.values()) this.#count(allocation, 1)
    view.nodes.observe((before, after) => {
      if (after !== undefined) this.#putNode(after, before === undefined ? view.allocations.valuesBy('node', after.ID) : [])
      else if (before !== undefined) this.#dropNode(before.ID)
    })
    view.allocations.observe((before, after) => {
      // Most changes are reports that leave the claims as they are.
      if (before !== undefined && after !== undefined && holdsTheSame(before, after)) return
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

  #putNode(node: Node, residents: Iterable<Allocation>): void {
    let row = this.#rows.get(node.ID)
    if (row === undefined) {
      row = this.#free.pop() ?? this.nodes.length
      this.#rows.set(node.ID, row)
      this.#growTo(row + 1)
      this.#clear(row)
      this.tieBreak[row] = hashId(node.ID)
    }
    const capacity = capacityOf(node)
    this.nodes[row] = node
    this.capacityCpu[row] = capacity.cpuShares
    this.capacityMemory[row] = capacity.memoryMb
    this.capacityDisk[row] = capacity.diskMb
    this.capacityCores[row] = capacity.cores.length
    this.capacityIds[row] = this.#capacityId(capacity.cpuShares, capacity.memoryMb)
    this.freePowerCpu[row] = this.freePowerMemory[row] = Number.NaN
    this.coreShares[row] = sharesPerCore(node)
    this.allocationsMax[row] = node.NodeMaxAllocs
    this.ports.putNode(row, node)
    this.changedAt[row] = ++this.clock
    // A node may come after the allocations that name it.
    for (const allocation of residents) this.#count(allocation, 1)
  }

  #capacityId(cpu: number, memory: number): number {
    const key = `${cpu} ${memory}`
    let id = this.#capacityIdOf.get(key)
    if (id === undefined) {
      id = this.capacities.push({ cpu, memory }) - 1
      this.#capacityIdOf.set(key, id)
    }
    return id
  }

  #dropNode(id: string): void {
    const row = this.#rows.get(id)
    if (row === undefined) return
    this.#rows.delete(id)
    this.nodes[row] = undefined
    this.ports.dropNode(row)
    this.changedAt[row] = ++this.clock
    this.#free.push(row)
  }

  #clear(row: number): void {
    this.usedCpu[row] = this.usedMemory[row] = this.usedDisk[row] = 0
    this.usedCores[row] = this.allocationCount[row] = 0
  }

  #count(allocation: Allocation, sign: 1 | -1): void {
    const row = this.#rows.get(allocation.NodeID)
    if (row === undefined || isClientTerminal(allocation)) return
    const claims = claimsOnce(allocation)
    this.usedCpu[row]! += sign * claims.cpuShares
    this.usedMemory[row]! += sign * claims.memoryMb
    this.usedDisk[row]! += sign * claims.diskMb
    this.usedCores[row]! += sign * claims.cores.length
    this.allocationCount[row]! += sign
    this.freePowerCpu[row] = this.freePowerMemory[row] = Number.NaN
    this.ports.count(row, allocation.AllocatedResources, sign)
  }

  #growTo(count: number): void {
    if (count <= this.usedCpu.length) return
    const length = Math.max(count, 2 * this.usedCpu.length)
    for (const name of COLUMNS) this[name] = grown(this[name], length) as never
  }
}

const COLUMNS = [
  'changedAt',
  'capacityCpu',
  'capacityMemory',
  'capacityDisk',
  'capacityCores',
  'coreShares',
  'capacityIds',
  'freePowerCpu',
  'freePowerMemory',
  'allocationsMax',
  'usedCpu',
  'usedMemory',
  'usedDisk',
  'usedCores',
  'allocationCount',
  'tieBreak',
] as const

type Column = Float64Array | Int32Array | Uint32Array

function grown(column: Column, length: number): Column {
  const made = new (column.constructor as new (length: number) => Column)(length)
  made.set(column)
  return made
}

function holdsTheSame(before: Allocation, after: Allocation): boolean {
  return (
    before.AllocatedResources === after.AllocatedResources &&
    before.NodeID === after.NodeID &&
    isClientTerminal(before) === isClientTerminal(after)
  )
}

export function sharesPerCore({ NodeResources: { Cpu } }: Node): number {
  return Cpu.TotalCpuCores > 0 ? Math.floor(Cpu.CpuShares / Cpu.TotalCpuCores) : 0
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
