/** Whatever a job or a node says: a metric, never a throw, and nothing is promised that is not there. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AllocMetric,
  type Constraint,
  isClientTerminal,
  type Job,
  type JobType,
  type Node,
  type SchedulingResult,
  type TaskGroup,
} from '../../src/domain/index.js'
import { computeNodeClass, fitsNode, readPortRanges } from '../../src/scheduler/index.js'
import { allocation, job, node, task, taskGroup, uuid } from '../fixtures.js'
import { decide, PREEMPTION_ON } from './decide.js'

const TYPES: readonly JobType[] = ['service', 'batch', 'system', 'sysbatch']
const NUMBERS = [0, 1, -1, 2, 100, 4_000, 1e9, Number.MAX_SAFE_INTEGER]
const number = fc.constantFrom(...NUMBERS)
const few = fc.constantFrom(0, 1, 2, -1)
const TEXTS = ['', ' ', '$', '${', '${}', '${attr.}', '${attr.constructor}', '${meta.__proto__}', '${node.pool', '${node.unique.id}']
const VALUES = ['1.2', '1..2', '>= 1, bad', '~>', '(((', '(a+)+$', '\\', '-0', '1e400', '9'.repeat(40), 'NaN', ',', 'toString']
const OPERANDS = ['', '=', '!=', '<', '>=', 'version', 'semver', 'regexp', 'set_contains', 'is_set', 'distinct_hosts', 'distinct_property']
const text = fc.oneof(fc.constantFrom(...TEXTS, ...VALUES), fc.string({ maxLength: 6 }))
const constraint: fc.Arbitrary<Constraint> = fc.record({
  LTarget: text,
  Operand: fc.oneof(fc.constantFrom(...OPERANDS), fc.string({ maxLength: 4 })),
  RTarget: text,
})
const constraints = fc.array(constraint, { maxLength: 2 })
const port = fc.record({
  Label: fc.constantFrom('a', 'b', ''),
  Value: fc.constantFrom(0, 80, -1, 65_536, 1e9),
  To: fc.constantFrom(0, -1),
  HostNetwork: fc.constantFrom('default', '', 'nowhere'),
})

const badNode = fc.record({
  cpu: number,
  memory: number,
  disk: number,
  reserved: number,
  total: few,
  cores: fc.constantFrom(null, [], [0, 1], [0, 0]),
  most: few,
  ports: fc.constantFrom('', '80', '22,ssh', '9-1', '1-99999', ','),
  dynamic: fc.constantFrom([20_000, 20_001], [0, 0], [5, 1], [-5, 70_000]),
  networks: fc.constantFrom('none', 'plain', 'empty'),
  driver: fc.constantFrom('healthy', 'sick', 'none'),
  attribute: text,
})

const badJob = fc.record({
  type: fc.constantFrom(...TYPES),
  priority: fc.constantFrom(50, 0, -1, 1e9),
  pool: fc.constantFrom('default', '', 'all', 'nowhere'),
  datacenters: fc.constantFrom(['*'], [], [''], ['**'], ['dc1*dc1']),
  constraints,
  count: fc.constantFrom(1, 0, 3, -1, 5_000),
  cpu: number,
  memory: number,
  disk: number,
  cores: few,
  mode: fc.constantFrom(undefined, 'host', 'bridge', 'cni/x', 'nonsense'),
  ports: fc.array(port, { maxLength: 2 }),
  devices: fc.constantFrom(null, [], ['gpu', 0], ['', -1], ['a/b/c/d', 1e9]),
  ofGroup: constraints,
  weight: fc.constantFrom(50, 0, -100, 1e9),
  affinities: constraints,
  spread: fc.constantFrom(
    undefined,
    null,
    [],
    [['dc1', 0]],
    [['dc1', 150]],
    [
      ['*', 0],
      ['*', 50],
    ],
    [['dc1', -10]],
  ),
  percentWeight: fc.constantFrom(50, 0, -1),
  driver: fc.constantFrom('mock', '', 'constructor', 'unheard-of'),
  hasNoTasks: fc.boolean(),
})

type BadNode = typeof badNode extends fc.Arbitrary<infer T> ? T : never
type BadJob = typeof badJob extends fc.Arbitrary<infer T> ? T : never

function makeBadNode(given: BadNode, at: number): Node {
  const base = node()
  const driver = { ...base.Drivers['mock']!, Healthy: given.driver === 'healthy' }
  const networks = given.networks === 'plain' ? base.NodeResources.NodeNetworks : given.networks === 'empty' ? [] : null
  const made: Node = {
    ...base,
    ID: uuid(at, 1),
    Attributes: { kernel: given.attribute, constructor: 'x' },
    Drivers: given.driver === 'none' ? {} : { mock: driver },
    NodeResources: {
      ...base.NodeResources,
      Cpu: { CpuShares: given.cpu, TotalCpuCores: given.total, ReservableCpuCores: given.cores },
      Memory: { MemoryMB: given.memory },
      Disk: { DiskMB: given.disk },
      NodeNetworks: networks,
      MinDynamicPort: given.dynamic[0]!,
      MaxDynamicPort: given.dynamic[1]!,
    },
    ReservedResources: {
      Cpu: { CpuShares: given.reserved, ReservedCpuCores: null },
      Memory: { MemoryMB: given.reserved },
      Disk: { DiskMB: 0 },
      Networks: { ReservedHostPorts: given.ports },
    },
    NodeMaxAllocs: given.most,
  }
  return { ...made, ComputedClass: computeNodeClass(made) }
}

function makeBadJob(given: BadJob): Job {
  const [name, count] = given.devices ?? []
  const affinities = given.affinities.map((each) => ({ ...each, Weight: given.weight }))
  const targets = given.spread?.map((each) => ({ Value: String(each[0]), Percent: Number(each[1]) })) ?? null
  const main = task({
    Driver: given.driver,
    Constraints: given.ofGroup,
    Resources: {
      ...task().Resources,
      CPU: given.cpu,
      MemoryMB: given.memory,
      Cores: given.cores,
      Devices:
        name === undefined ? null : [{ Name: String(name), Count: Number(count), Constraints: given.ofGroup, Affinities: affinities }],
    },
  })
  const group: TaskGroup = taskGroup({
    Count: given.count,
    Constraints: given.ofGroup,
    Affinities: affinities,
    Spreads: given.spread === undefined ? null : [{ Attribute: '${node.datacenter}', Weight: given.percentWeight, SpreadTarget: targets }],
    EphemeralDisk: { Sticky: true, SizeMB: given.disk, Migrate: false },
    Networks: given.mode === undefined ? null : [{ Mode: given.mode, ReservedPorts: given.ports, DynamicPorts: given.ports }],
    Tasks: given.hasNoTasks ? [] : [main],
  })
  return job({
    Type: given.type,
    Priority: given.priority,
    NodePool: given.pool,
    Datacenters: given.datacenters,
    Constraints: given.constraints,
    TaskGroups: [group],
  })
}

test('nonsense in jobs and nodes ends in metrics: no throw, no number that is none, no placement that does not fit', () => {
  fc.assert(
    fc.property(fc.array(badNode, { maxLength: 4 }), badJob, fc.boolean(), (given, asked, isFull) => {
      const nodes = given.map(makeBadNode)
      const other = job({ ID: 'other', Priority: 10 })
      const rows = isFull
        ? nodes.map(({ ID }, at) => allocation({ ID: uuid(at, 0xb0), JobID: 'other', NodeID: ID, ClientStatus: 'running' }))
        : []
      const jobs = [makeBadJob(asked), other]
      const result = decide({ nodes, jobs, allocations: rows, configuration: PREEMPTION_ON })
      expectSound(result)
      const gone = new Set([...result.plan.Stops, ...result.plan.Preemptions].map(({ ID }) => ID))
      for (const [at, each] of nodes.entries()) {
        // Whoever asks for no ports does not care about what a node writes of its own.
        if (asked.mode === undefined && readPortRanges(given[at]!.ports).kind === 'malformed') continue
        const placed = result.plan.Placements.filter((row) => row.NodeID === each.ID)
        const held = rows.filter((row) => row.NodeID === each.ID && !gone.has(row.ID) && !isClientTerminal(row))
        if (placed.length > 0) expect(fitsNode(each, [...held, ...placed])).toMatchObject({ fits: true })
      }
    }),
    { numRuns: 3_000 },
  )
})

const metricOf = (result: SchedulingResult) => Object.values(result.evaluation.FailedTGAllocs ?? {})[0]
const failing = (over: Partial<Job>) => metricOf(decide({ nodes: [node()], jobs: [job(over)] }))
const kernel = (Operand: string, RTarget: string) => ({ LTarget: '${attr.kernel.name}', Operand, RTarget })

test('conditions that contradict each other, unknown operands and versions that are none turn every node away under their own text', () => {
  const filteredBy = (...Constraints: readonly Constraint[]) => failing({ Constraints })!.ConstraintFiltered
  expect(filteredBy(kernel('=', 'linux'), kernel('!=', 'linux'))).toEqual({ '${attr.kernel.name} != linux': 1 })
  expect(filteredBy(kernel('resembles', 'linux'))).toEqual({ '${attr.kernel.name} resembles linux': 1 })
  expect(filteredBy(kernel('version', '>= 1.0'))).toEqual({ '${attr.kernel.name} version >= 1.0': 1 })
  expect(filteredBy({ LTarget: '${attr.nomad.version}', Operand: 'semver', RTarget: '> newest' })).toEqual({
    '${attr.nomad.version} semver > newest': 1,
  })
  expect(filteredBy(kernel('regexp', 'lin(ux'))).toEqual({ '${attr.kernel.name} regexp lin(ux': 1 })
})

test('a core that a node lists twice is given away once', () => {
  const base = node()
  const twice = { ...base, NodeResources: { ...base.NodeResources, Cpu: { CpuShares: 1, TotalCpuCores: 1, ReservableCpuCores: [0, 0] } } }
  const twoCores = job({ TaskGroups: [taskGroup({ Tasks: [task({ Resources: { ...task().Resources, CPU: 0, Cores: 2 } })] })] })
  const result = decide({ nodes: [twice], jobs: [twoCores] })
  expect(result.plan.Placements).toEqual([])
  expect(metricOf(result)!.DimensionExhausted).toEqual({ cores: 1 })
})

test('a driver that no node has is told as missing', () => {
  expect(failing({ TaskGroups: [taskGroup({ Tasks: [task({ Driver: 'java' })] })] })!.ConstraintFiltered).toEqual({ 'missing drivers': 1 })
})

test('of a count beyond all reason what fits is placed and the rest is counted', () => {
  const result = decide({ nodes: [node()], jobs: [job({ TaskGroups: [taskGroup({ Count: 100_000, Update: null })] })] })
  // By memory: 8,192 MiB for 300 each.
  expect([result.plan.Placements.length, metricOf(result)!.CoalescedFailures]).toEqual([27, 100_000 - 27 - 1])
  expect(metricOf(result)!.DimensionExhausted).toEqual({ memory: 1 })
})

test('a node that has come back with less than it gave keeps what runs and takes nothing more', () => {
  const less = node({ NodeResources: { ...node().NodeResources, Memory: { MemoryMB: 256 } } })
  const running = job({ ID: 'other' })
  const rows = [allocation({ JobID: 'other', Name: 'other.group[0]', ClientStatus: 'running' })]
  const result = decide({
    nodes: [less],
    jobs: [job({ TaskGroups: [taskGroup({ Tasks: [task({ Resources: { ...task().Resources, MemoryMB: 0 } })] })] }), running],
    allocations: rows,
  })
  expect([result.plan.Placements, result.plan.Stops, metricOf(result)!.DimensionExhausted]).toEqual([[], [], { memory: 1 }])
})

function expectSound({ plan, evaluation }: SchedulingResult): void {
  expect(evaluation.Status).toBe('complete')
  for (const row of plan.Placements) expectNumbers(row.Metrics!)
  for (const metric of Object.values(evaluation.FailedTGAllocs ?? {})) expectNumbers(metric)
}

function expectNumbers({ NodesEvaluated, NodesFiltered, NodesExhausted, ScoreMetaData }: AllocMetric): void {
  expect(NodesFiltered + NodesExhausted).toBeLessThanOrEqual(NodesEvaluated)
  expect(Math.min(NodesFiltered, NodesExhausted)).toBeGreaterThanOrEqual(0)
  for (const { NormScore } of ScoreMetaData ?? []) expect(NormScore).toBeTypeOf('number')
  expect((ScoreMetaData ?? []).filter(({ NormScore }) => Number.isNaN(NormScore))).toEqual([])
}
