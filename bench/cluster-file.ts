/**
 * Cluster files: nodes, allocations and jobs as one JSON text, so that another scheduler can be fed the same. Members carry the wire's
 * names; what registration would fill in is filled in.
 */
import type { Allocation, Job, Node } from '../src/domain/index.js'
import { computeNodeClass } from '../src/scheduler/index.js'
import { jobKey, State } from '../src/state/index.js'
import { allocation, evaluation, job, node, task, taskGroup, uuid } from '../test/fixtures.js'

export interface ClusterFile {
  readonly format: 1
  readonly nodes: readonly Node[]
  readonly jobs: readonly Job[]
  readonly allocations: readonly Allocation[]
}

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
const NODE = { cpuMhz: 14_000, memoryMb: 32_000, diskMb: 500_000 }
const RESIDENT = { cpuMhz: 100, memoryMb: 200 }
export const PLACED_JOB = 'placed'
const RESIDENT_JOB = 'resident'

export function generateCluster(shape: ClusterShape): ClusterFile {
  const nodes = Array.from({ length: shape.nodeCount }, (_, at) => makeNode(at))
  const resident = makeJob(RESIDENT_JOB, 1, RESIDENT, {})
  const rows = nodes.flatMap((each, at) =>
    Array.from({ length: shape.filledCount }, (_, place) => makeResident(each, at * shape.filledCount + place)),
  )
  return { format: 1, nodes, jobs: [resident, makePlaced(shape)], allocations: rows }
}

function makeNode(at: number): Node {
  const base = node()
  const made = node({
    ID: uuid(at, 0xa0),
    Name: `n${at}`,
    Meta: { rack: `r${at % RACKS}` },
    NodeResources: {
      ...base.NodeResources,
      Cpu: { CpuShares: NODE.cpuMhz, TotalCpuCores: 8, ReservableCpuCores: [0, 1, 2, 3, 4, 5, 6, 7] },
      Memory: { MemoryMB: NODE.memoryMb },
      Disk: { DiskMB: NODE.diskMb },
    },
  })
  return { ...made, ComputedClass: computeNodeClass(made) }
}

function makeJob(id: string, count: number, ask: { readonly cpuMhz: number; readonly memoryMb: number }, over: Partial<Job>): Job {
  const resources = { ...task().Resources, CPU: ask.cpuMhz, MemoryMB: ask.memoryMb }
  return job({
    ID: id,
    CreateIndex: 1,
    ModifyIndex: 1,
    JobModifyIndex: 1,
    TaskGroups: [
      taskGroup({ Count: count, Tasks: [task({ Resources: resources })], EphemeralDisk: { Sticky: false, SizeMB: 100, Migrate: false } }),
    ],
    ...over,
  })
}

function makePlaced({ count, filledCount, hasSpread, constraint, nodeCount }: ClusterShape): Job {
  const half = Array.from({ length: RACKS / 2 }, (_, at) => `r${2 * at}`).join(',')
  // Large enough to spread over many nodes where there is room, as Nomad's benchmark has it.
  const isRoomy = filledCount === 0 && count <= nodeCount
  return makeJob(PLACED_JOB, count, isRoomy ? { cpuMhz: 6_000, memoryMb: 6_000 } : { cpuMhz: 100, memoryMb: 200 }, {
    Spreads: hasSpread ? [{ Attribute: '${meta.rack}', Weight: 100, SpreadTarget: [] }] : null,
    Constraints: constraint === 'half' ? [{ LTarget: half, Operand: 'set_contains_any', RTarget: '${meta.rack}' }] : null,
  })
}

function makeResident(on: Node, at: number): Allocation {
  const base = allocation()
  const tasks = {
    main: {
      ...base.AllocatedResources.Tasks['main']!,
      Cpu: { CpuShares: RESIDENT.cpuMhz, ReservedCores: null },
      Memory: { MemoryMB: RESIDENT.memoryMb, MemoryMaxMB: 0 },
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

export function loadCluster(file: ClusterFile): State {
  const state = new State()
  state.index = 1
  for (const row of file.nodes) state.nodes.put(1, row)
  for (const row of file.jobs) {
    state.jobs.put(1, row)
    state.jobVersions.put(1, row)
  }
  for (const row of file.allocations) state.allocations.put(1, row)
  return state
}

/** A request to place the job of the file, the `number`th. */
export function placementEvaluation(state: State, number: number) {
  const placed = state.jobs.get(jobKey({ Namespace: 'default', ID: PLACED_JOB }))!
  return evaluation({ ID: uuid(number, 0xc0), JobID: placed.ID, JobModifyIndex: placed.JobModifyIndex })
}
