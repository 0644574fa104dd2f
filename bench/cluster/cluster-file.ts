/**
 * Cluster files: nodes, jobs and allocations as one JSON text, so that another scheduler can be fed the same (docs/cluster-file.md).
 * Members carry the wire's names.
 */
import { z } from 'zod'
import type { Allocation, Job, Node } from '../../src/domain/index.js'
import { computeNodeClass } from '../../src/scheduler/index.js'
import { State } from '../../src/state/index.js'
import { evaluation, uuid } from '../../test/fixtures.js'

export interface ClusterFile {
  readonly format: 1
  readonly nodes: readonly Node[]
  /** In the order in which they are to be placed; B1 places the last. */
  readonly jobs: readonly Job[]
  readonly allocations: readonly Allocation[]
}

export type ClusterFileReading =
  | { readonly kind: 'cluster'; readonly cluster: ClusterFile }
  | { readonly kind: 'refused'; readonly reason: string }

const name = z.string().min(1)
const amount = z.number().nonnegative()
const index = z.number().int().nonnegative()
const listOrNull = z.array(z.unknown()).nullable()

/** Only what a scheduler must be able to rely on; other members go through as they are. */
const node = z.looseObject({
  ID: name,
  Name: name,
  Datacenter: name,
  NodePool: name,
  Status: name,
  SchedulingEligibility: name,
  Attributes: z.record(z.string(), z.string()),
  Meta: z.record(z.string(), z.string()).nullable(),
  NodeResources: z.looseObject({
    Cpu: z.looseObject({ CpuShares: amount, TotalCpuCores: index, ReservableCpuCores: z.array(index).nullable() }),
    Memory: z.looseObject({ MemoryMB: amount }),
    Disk: z.looseObject({ DiskMB: amount }),
    Networks: listOrNull,
    Devices: listOrNull,
  }),
  ReservedResources: z.looseObject({
    Cpu: z.looseObject({ CpuShares: amount, ReservedCpuCores: z.array(index).nullable() }),
    Memory: z.looseObject({ MemoryMB: amount }),
    Disk: z.looseObject({ DiskMB: amount }),
    Networks: z.looseObject({ ReservedHostPorts: z.string() }),
  }),
  Drivers: z.record(z.string(), z.looseObject({ Detected: z.boolean(), Healthy: z.boolean() })),
})

const taskGroup = z.looseObject({
  Name: name,
  Count: index,
  EphemeralDisk: z.looseObject({ SizeMB: amount }),
  Tasks: z
    .array(z.looseObject({ Name: name, Driver: name, Resources: z.looseObject({ CPU: amount, Cores: index, MemoryMB: amount }) }))
    .min(1),
})

const job = z.looseObject({
  ID: name,
  Namespace: name,
  Type: z.enum(['service', 'batch']),
  NodePool: name,
  Datacenters: z.array(name).min(1),
  Version: index,
  CreateIndex: index,
  JobModifyIndex: index,
  TaskGroups: z.array(taskGroup).min(1),
})

const allocation = z.looseObject({
  ID: name,
  Namespace: name,
  NodeID: name,
  JobID: name,
  JobCreateIndex: index,
  JobVersion: index,
  TaskGroup: name,
  DesiredStatus: name,
  ClientStatus: name,
  AllocatedResources: z.looseObject({
    Tasks: z.record(z.string(), z.looseObject({ Cpu: z.looseObject({ CpuShares: amount }), Memory: z.looseObject({ MemoryMB: amount }) })),
    Shared: z.looseObject({ DiskMB: amount }),
  }),
})

const clusterFile = z.object({
  format: z.literal(1),
  nodes: z.array(node).min(1),
  jobs: z.array(job).min(1),
  allocations: z.array(allocation),
})

export function readClusterFile(text: string): ClusterFileReading {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refused(`it is not JSON: ${(error as Error).message}`)
  }
  const parsed = clusterFile.safeParse(value)
  if (!parsed.success) return refused(parsed.error.issues.slice(0, MISTAKES_TOLD).map(mistakeOf).join('; '))
  const cluster = parsed.data as unknown as ClusterFile
  const mistake = contradictionIn(cluster)
  if (mistake !== undefined) return refused(mistake)
  // What nodes have in common is asked once for each class, so a class must say what is in the file.
  return {
    kind: 'cluster',
    cluster: { ...cluster, nodes: cluster.nodes.map((each) => ({ ...each, ComputedClass: computeNodeClass(each) })) },
  }
}

const MISTAKES_TOLD = 5

function refused(what: string): ClusterFileReading {
  return { kind: 'refused', reason: `the cluster file cannot be used: ${what}` }
}

function mistakeOf({ path, message }: z.core.$ZodIssue): string {
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return `at ${place.replace(/^\./, '') || 'the top'}: ${message}`
}

function contradictionIn({ nodes, jobs, allocations }: ClusterFile): string | undefined {
  const nodeIds = new Set(nodes.map(({ ID }) => ID))
  if (nodeIds.size < nodes.length) return 'two nodes have the same ID'
  const jobIds = new Set(jobs.map(({ Namespace, ID }) => `${Namespace}/${ID}`))
  if (jobIds.size < jobs.length) return 'two jobs of one namespace have the same ID'
  if (new Set(allocations.map(({ ID }) => ID)).size < allocations.length) return 'two allocations have the same ID'
  for (const { ID, NodeID, Namespace, JobID } of allocations) {
    if (!nodeIds.has(NodeID)) return `allocation ${ID} is on node ${NodeID}, which is not in the file`
    if (!jobIds.has(`${Namespace}/${JobID}`)) return `allocation ${ID} is of job ${Namespace}/${JobID}, which is not in the file`
  }
  return undefined
}

export function loadCluster(file: ClusterFile): State {
  const state = new State()
  state.index = Math.max(1, ...file.jobs.map(({ JobModifyIndex }) => JobModifyIndex))
  for (const row of file.nodes) state.nodes.put(state.index, row)
  for (const row of file.jobs) {
    state.jobs.put(state.index, row)
    state.jobVersions.put(state.index, row)
  }
  for (const row of file.allocations) state.allocations.put(state.index, row)
  return state
}

/** A request to place the job, the `number`th. */
export function placementEvaluation({ ID, Namespace, Type, JobModifyIndex }: Job, number: number) {
  return evaluation({ ID: uuid(number, 0xc0), JobID: ID, Namespace, Type, JobModifyIndex })
}
