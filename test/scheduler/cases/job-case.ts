/** A random job, and the version before it. */
import fc from 'fast-check'
import {
  type Affinity,
  type Constraint,
  HOUR,
  type Job,
  type JobType,
  type NetworkResource,
  type RequestedDevice,
  SECOND,
  type Spread,
  type Task,
  type TaskGroup,
  type VolumeRequest,
} from '../../../src/domain/index.js'
import { job, task, taskGroup } from '../../fixtures.js'
import type { Feature } from './feature.js'

const TARGETS = [
  '${meta.rack}',
  '${attr.os.version}',
  '${attr.cores}',
  '${attr.tags}',
  '${node.class}',
  '${node.datacenter}',
  '${node.pool}',
  '${node.unique.name}',
  '${attr.unique.hostname}',
  '${meta.unique.label}',
  '${node.unique.id}',
  '${attr.missing}',
  '${nothing.at.all}',
  '${meta.rack',
  'r1',
]
const OPERANDS = [
  ...['=', '==', 'is', '!=', 'not', '<', '<=', '>', '>=', 'is_set', 'is_not_set'],
  ...['version', 'semver', 'regexp', 'set_contains', 'set_contains_all', 'set_contains_any', 'unheard of'],
]
const VALUES = ['r1', 'r2', 'small', 'dc1', 'n1', '2', '10', '2.5', 'a', 'b,a', '>= 1.2, < 2.0', '~> 1.2', '> nonsense', '^[rn]1', 'r[', '']
/** Conditions that many nodes meet, so that cases are not all empty. */
const LIKELY: readonly Constraint[] = [
  { LTarget: '${meta.rack}', Operand: 'is_set', RTarget: '' },
  { LTarget: '${meta.rack}', Operand: '!=', RTarget: 'r1' },
  { LTarget: '${node.class}', Operand: 'regexp', RTarget: 'small|large' },
  { LTarget: '${attr.os.version}', Operand: 'version', RTarget: '>= 1.0' },
  { LTarget: '${attr.cores}', Operand: '>', RTarget: '2' },
  { LTarget: '${attr.tags}', Operand: 'set_contains_any', RTarget: 'a,c' },
  { LTarget: '${attr.tags}', Operand: 'set_contains', RTarget: 'b,a' },
  { LTarget: '${node.unique.name}', Operand: 'regexp', RTarget: 'n[0-4]' },
]
const NO_CONSTRAINTS: readonly Constraint[] = []

const condition = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...LIKELY) },
  {
    weight: 1,
    arbitrary: fc.record({
      LTarget: fc.constantFrom(...TARGETS),
      Operand: fc.constantFrom(...OPERANDS),
      RTarget: fc.constantFrom(...VALUES, ...TARGETS),
    }),
  },
)
const affinity: fc.Arbitrary<Affinity> = fc
  .tuple(condition, fc.constantFrom(50, 100, -50, 1))
  .map(([given, Weight]) => ({ ...given, Weight }))

const DISTINCT: readonly (readonly Constraint[])[] = [
  [],
  [{ LTarget: '', Operand: 'distinct_hosts', RTarget: '' }],
  [{ LTarget: '', Operand: 'distinct_hosts', RTarget: 'false' }],
  [{ LTarget: '${meta.rack}', Operand: 'distinct_property', RTarget: '' }],
  [{ LTarget: '${meta.rack}', Operand: 'distinct_property', RTarget: '2' }],
  [{ LTarget: '${node.datacenter}', Operand: 'distinct_property', RTarget: '3' }],
  [
    { LTarget: '${node.class}', Operand: 'distinct_property', RTarget: '2' },
    { LTarget: '${node.unique.id}', Operand: 'distinct_property', RTarget: '1' },
  ],
]

const SPREAD_TARGETS: readonly Spread['SpreadTarget'][] = [
  null,
  [{ Value: 'r1', Percent: 50 }],
  [
    { Value: 'r1', Percent: 70 },
    { Value: 'r2', Percent: 30 },
  ],
  [
    { Value: 'dc1', Percent: 0 },
    { Value: 'r2', Percent: 100 },
  ],
  [
    { Value: 'small', Percent: 25 },
    { Value: '*', Percent: 25 },
  ],
]
const spread: fc.Arbitrary<Spread> = fc.record({
  Attribute: fc.constantFrom('${meta.rack}', '${node.datacenter}', '${node.class}', '${attr.missing}'),
  Weight: fc.constantFrom(50, 100, 1),
  SpreadTarget: fc.constantFrom(...SPREAD_TARGETS),
})

const port = (Label: string, Value: number, HostNetwork = 'default') => ({ Label, Value, To: 0, HostNetwork })
const NETWORKS: readonly (NetworkResource | undefined)[] = [
  undefined,
  { Mode: 'host', ReservedPorts: [port('http', 8080)], DynamicPorts: null },
  { Mode: 'host', ReservedPorts: null, DynamicPorts: [port('a', 0), port('b', 0)] },
  { Mode: 'host', ReservedPorts: [port('web', 20_000)], DynamicPorts: [port('a', 0)] },
  { Mode: 'bridge', ReservedPorts: null, DynamicPorts: [{ ...port('a', 0), To: -1 }] },
  { Mode: 'host', ReservedPorts: [port('http', 8080, 'public')], DynamicPorts: null },
  { Mode: 'host', ReservedPorts: [{ ...port('http', 8080), IgnoreCollision: true }], DynamicPorts: null },
]
const DEVICES: readonly (readonly RequestedDevice[] | null)[] = [
  null,
  [{ Name: 'gpu', Count: 1, Constraints: null, Affinities: null }],
  [{ Name: 'acme/gpu', Count: 2, Constraints: null, Affinities: null }],
  [
    {
      Name: 'gpu',
      Count: 1,
      Constraints: [{ LTarget: '${device.attr.memory}', Operand: '>=', RTarget: '8000 MB' }],
      Affinities: [{ LTarget: '${device.model}', Operand: '=', RTarget: 'g2', Weight: 75 }],
    },
  ],
  [
    { Name: 'acme/gpu/g1', Count: 1, Constraints: null, Affinities: null },
    { Name: 'gpu', Count: 1, Constraints: null, Affinities: null },
  ],
]
const volume = (over: Partial<VolumeRequest>): Readonly<Record<string, VolumeRequest>> => ({
  data: {
    Name: 'data',
    Type: 'host',
    Source: 'data',
    ReadOnly: false,
    AccessMode: '',
    AttachmentMode: '',
    MountOptions: null,
    PerAlloc: false,
    Sticky: false,
    ...over,
  },
})
const VOLUMES = [
  null,
  volume({}),
  volume({ ReadOnly: true }),
  volume({ PerAlloc: true }),
  volume({ AccessMode: 'single-node-single-writer', AttachmentMode: 'file-system' }),
]
const LIFECYCLES = [
  undefined,
  { Hook: 'prestart', Sidecar: false },
  { Hook: 'prestart', Sidecar: true },
  { Hook: 'poststart', Sidecar: false },
  { Hook: 'poststop', Sidecar: false },
]

/** Asking for everything at once leaves no node, so most groups ask for little. */
function groupCase(features: readonly Feature[]) {
  const few = <T>(feature: Feature, arbitrary: fc.Arbitrary<T>) =>
    features.includes(feature) ? rarely([], fc.array(arbitrary, { minLength: 1, maxLength: 2 })) : fc.constant([])
  const only = <T>(feature: Feature, values: readonly T[]) =>
    features.includes(feature) ? rarely(values[0]!, fc.constantFrom(...values)) : fc.constant(values[0]!)
  return fc.record({
    count: fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 0),
    cpu: fc.constantFrom(100, 250, 500, 1_000),
    memory: fc.constantFrom(64, 128, 256, 512),
    disk: fc.constantFrom(50, 100, 300, 0),
    second: rarely(undefined, fc.constantFrom(...LIFECYCLES)),
    constraints: few('conditions', condition),
    taskConstraints: few('conditions', condition),
    affinities: few('affinities', affinity),
    taskAffinities: few('affinities', affinity),
    spreads: few('spreads', spread),
    distinct: only('distinct', DISTINCT),
    cores: only('holdings', [0, 0, 1, 2]),
    network: only('holdings', NETWORKS),
    devices: only('holdings', DEVICES),
    volumes: only('holdings', VOLUMES),
    isSticky: only('history', [false, true]),
    update: only('history', [null, { MaxParallel: 1, Canary: 0 }, { MaxParallel: 2, Canary: 0 }, { MaxParallel: 2, Canary: 2 }]),
    change: only('history', ['none', 'destructive', 'in place'] as const),
    attempts: only('history', [0, 1, 3]),
  })
}

function rarely<T>(plain: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(plain) }, { weight: 2, arbitrary })
}

export function jobCase(features: readonly Feature[]) {
  const has = (feature: Feature) => features.includes(feature)
  const few = <T>(feature: Feature, arbitrary: fc.Arbitrary<T>) => (has(feature) ? fc.array(arbitrary, { maxLength: 1 }) : fc.constant([]))
  const types: readonly JobType[] = has('system') ? ['system', 'sysbatch'] : ['service', 'batch']
  return fc.record({
    type: fc.constantFrom(...types),
    priority: fc.constantFrom(50, 70, 20),
    pool: fc.constantFrom('default', 'default', 'default', 'default', 'all', 'all', 'gpu'),
    datacenters: fc.constantFrom(['*'], ['*'], ['*'], ['*'], ['dc1'], ['dc*', 'eu-dc2'], ['*dc1'], ['d*1', '*2'], ['none']),
    constraints: few('conditions', condition),
    affinities: few('affinities', affinity),
    spreads: few('spreads', spread),
    distinct: has('distinct') ? rarely(NO_CONSTRAINTS, fc.constantFrom(...DISTINCT)) : fc.constant(NO_CONSTRAINTS),
    groups: fc.array(groupCase(features), { minLength: 1, maxLength: 2 }),
  })
}

export type JobCase = ReturnType<typeof jobCase> extends fc.Arbitrary<infer T> ? T : never
type GroupCase = JobCase['groups'][number]

export const JOB_ID = 'own'
/** The job was made at the first, its newest version at the last; what was before has been purged. */
export const INCARNATIONS = { purged: 3, old: 10, current: 20 }

export function makeJob(given: JobCase, version: 'old' | 'current'): Job {
  return job({
    ID: JOB_ID,
    Type: given.type,
    Priority: given.priority,
    NodePool: given.pool,
    Datacenters: given.datacenters,
    Constraints: [...given.constraints, ...given.distinct],
    Affinities: given.type === 'system' || given.type === 'sysbatch' ? null : given.affinities,
    Spreads: given.type === 'system' || given.type === 'sysbatch' ? null : given.spreads,
    TaskGroups: given.groups.map((group, at) => makeGroup(group, at, given.type, version)),
    Version: version === 'old' ? 0 : 1,
    CreateIndex: INCARNATIONS.old,
    ModifyIndex: INCARNATIONS[version],
    JobModifyIndex: INCARNATIONS[version],
  })
}

export function makeGroup(given: GroupCase, at: number, type: JobType, version: 'old' | 'current'): TaskGroup {
  const isSystem = type === 'system' || type === 'sysbatch'
  const isOld = version === 'old'
  const base = taskGroup()
  const change: Partial<Task> =
    given.change === 'destructive' ? { Env: { VERSION: version } } : given.change === 'in place' ? { KillTimeout: isOld ? SECOND : 0 } : {}
  const main = task({
    ...change,
    Constraints: given.taskConstraints,
    Affinities: isSystem ? null : given.taskAffinities,
    Resources: {
      ...task().Resources,
      CPU: given.cpu,
      Cores: given.cores,
      MemoryMB: given.memory,
      MemoryMaxMB: 2 * given.memory,
      Devices: given.devices,
    },
  })
  const second = given.second === undefined ? [] : [task({ Name: 'second', Lifecycle: given.second })]
  return taskGroup({
    Name: `g${at}`,
    Count: isSystem ? Math.min(1, given.count) : given.count,
    Update: given.update === null || type === 'batch' || type === 'sysbatch' ? null : { ...base.Update!, ...given.update },
    Constraints: [...given.constraints, ...given.distinct],
    Affinities: isSystem ? null : given.affinities,
    Spreads: isSystem ? null : given.spreads,
    Networks: given.network === undefined ? null : [given.network],
    Volumes: given.volumes,
    EphemeralDisk: { Sticky: given.isSticky, SizeMB: given.disk, Migrate: false },
    ReschedulePolicy: isSystem
      ? null
      : given.attempts === 0
        ? base.ReschedulePolicy
        : { Attempts: given.attempts, Interval: HOUR, Delay: 5 * SECOND, DelayFunction: 'constant', MaxDelay: 0, Unlimited: false },
    Tasks: [main, ...second],
  })
}
