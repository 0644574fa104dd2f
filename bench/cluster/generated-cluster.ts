/** Clusters of B1: equal nodes in racks, some allocations of one job on each, and another job that is to be placed. */
import type { Allocation, Job, Node } from '../../src/domain/index.js'
import { allocation, uuid } from '../../test/fixtures.js'
import type { ClusterFile } from './cluster-file.js'
import { type Ask, makeJob, makeNode, type NodeSize } from './makers.js'

export interface ClusterShape {
  readonly nodeCount: number
  /** Allocations of another job on each node. */
  readonly filledCount: number
  /** Of the job that is to be placed. */
  readonly count: number
  readonly hasSpread: boolean
  /** `half`: only every other rack will do. */
  readonly constraint: 'none' | 'half'
}

const RACKS = 50
const NODE: NodeSize = { cores: 8, cpuMhz: 14_000, memoryMb: 32_000 }
const SMALL: Ask = { cpuMhz: 100, memoryMb: 200 }
const LARGE: Ask = { cpuMhz: 6_000, memoryMb: 6_000 }
const RESIDENT_JOB = 'resident'

export function generateCluster(shape: ClusterShape): ClusterFile {
  const nodes = Array.from({ length: shape.nodeCount }, (_, at) => makeNode(at, NODE, { rack: `r${at % RACKS}` }))
  const allocations = nodes.flatMap((node, at) =>
    Array.from({ length: shape.filledCount }, (_, place) => makeResident(node, at * shape.filledCount + place)),
  )
  return { format: 1, nodes, jobs: [makeJob(RESIDENT_JOB, 1, SMALL), makePlaced(shape)], allocations }
}

function makePlaced({ count, filledCount, hasSpread, constraint, nodeCount }: ClusterShape): Job {
  const half = Array.from({ length: RACKS / 2 }, (_, at) => `r${2 * at}`).join(',')
  // Large enough to spread over many nodes where there is room, as Nomad's benchmark has it.
  const isRoomy = filledCount === 0 && count <= nodeCount
  return makeJob('placed', count, isRoomy ? LARGE : SMALL, {
    Spreads: hasSpread ? [{ Attribute: '${meta.rack}', Weight: 100, SpreadTarget: [] }] : null,
    Constraints: constraint === 'half' ? [{ LTarget: half, Operand: 'set_contains_any', RTarget: '${meta.rack}' }] : null,
  })
}

function makeResident(on: Node, at: number): Allocation {
  const base = allocation()
  const tasks = {
    main: {
      ...base.AllocatedResources.Tasks['main']!,
      Cpu: { CpuShares: SMALL.cpuMhz, ReservedCores: null },
      Memory: { MemoryMB: SMALL.memoryMb, MemoryMaxMB: 0 },
    },
  }
  return {
    ...base,
    ID: uuid(at, 0xb0),
    Name: `${RESIDENT_JOB}.group[${at}]`,
    JobID: RESIDENT_JOB,
    JobCreateIndex: 1,
    NodeID: on.ID,
    NodeName: on.Name,
    ClientStatus: 'running',
    AllocatedResources: { ...base.AllocatedResources, Tasks: tasks, Shared: { ...base.AllocatedResources.Shared, DiskMB: 100 } },
  }
}
