import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Allocation, ClientStatus } from '../../../src/domain/index.js'
import { NodeTable } from '../../../src/scheduler/feasible/node-table.js'
import { State } from '../../../src/state/index.js'
import { allocation, node, uuid } from '../../fixtures.js'

const NODES = 5
const ALLOCATIONS = 12

const change = fc.oneof(
  fc.record({
    kind: fc.constant('node' as const),
    at: fc.nat(NODES - 1),
    cpu: fc.integer({ min: 0, max: 3 }),
    reserved: fc.constantFrom('', '22,80'),
    most: fc.constantFrom(0, 3),
  }),
  fc.record({ kind: fc.constant('node-gone' as const), at: fc.nat(NODES - 1) }),
  fc.record({
    kind: fc.constant('allocation' as const),
    at: fc.nat(ALLOCATIONS - 1),
    on: fc.nat(NODES - 1),
    cpu: fc.integer({ min: 1, max: 5 }),
    port: fc.option(fc.integer({ min: 8_000, max: 8_003 }), { nil: undefined }),
    status: fc.constantFrom<ClientStatus>('pending', 'running', 'complete', 'failed', 'lost', 'unknown'),
  }),
  fc.record({ kind: fc.constant('allocation-gone' as const), at: fc.nat(ALLOCATIONS - 1) }),
)

test('columns kept row by row equal columns made anew, after any changes', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const state = new State()
      const kept = new NodeTable(state)
      for (const [index, each] of changes.entries()) {
        if (each.kind === 'node') state.nodes.put(index, makeNode(each))
        else if (each.kind === 'node-gone') state.nodes.delete(index, uuid(each.at, 1))
        else if (each.kind === 'allocation') state.allocations.put(index, makeAllocation(each))
        else state.allocations.delete(index, uuid(each.at, 2))
      }
      expect(dump(kept)).toEqual(dump(new NodeTable(state)))
    }),
    { numRuns: 1_000 },
  )
})

function makeNode({ at, cpu, reserved, most }: { at: number; cpu: number; reserved: string; most: number }) {
  const base = node()
  return node({
    ID: uuid(at, 1),
    NodeResources: { ...base.NodeResources, Cpu: { ...base.NodeResources.Cpu, CpuShares: 1_000 * cpu } },
    ReservedResources: { ...base.ReservedResources, Networks: { ReservedHostPorts: reserved } },
    NodeMaxAllocs: most,
  })
}

function makeAllocation({
  at,
  on,
  cpu,
  port,
  status,
}: {
  at: number
  on: number
  cpu: number
  port: number | undefined
  status: ClientStatus
}): Allocation {
  const base = allocation()
  const task = { ...base.AllocatedResources.Tasks['main']!, Cpu: { CpuShares: cpu, ReservedCores: cpu > 3 ? [cpu] : null } }
  const Ports = port === undefined ? null : [{ Label: 'p', Value: port, To: 0, HostIP: '127.0.0.1' }]
  return {
    ...base,
    ID: uuid(at, 2),
    NodeID: uuid(on, 1),
    ClientStatus: status,
    AllocatedResources: { ...base.AllocatedResources, Tasks: { main: task }, Shared: { ...base.AllocatedResources.Shared, Ports } },
  }
}

/** By node id, because rows of nodes that have gone are used again. */
function dump(table: NodeTable) {
  return Array.from({ length: NODES }, (_, at) => {
    const row = table.rowOf(uuid(at, 1))
    if (row === undefined) return undefined
    const columns = [
      'capacityCpu',
      'capacityMemory',
      'capacityDisk',
      'capacityCores',
      'coreShares',
      'usedCpu',
      'usedMemory',
      'usedDisk',
      'usedCores',
      'allocationsMax',
      'allocationCount',
      'tieBreak',
    ] as const
    const touched = [22, 80, 8_000, 8_001, 8_002, 8_003].filter((port) => table.ports.isTouched(port, row))
    return {
      ...Object.fromEntries(columns.map((name) => [name, table[name][row]])),
      size: table.capacities[table.capacityIds[row]!],
      touched,
    }
  })
}
