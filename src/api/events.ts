/**
 * What one Command did, as the events that clients of Nomad follow (Nomad API docs, "Events"). The type is that of the
 * write, on every object it touched; only services say what became of themselves.
 */
import {
  type Allocation,
  type Deployment,
  type Evaluation,
  type Job,
  type Node,
  type NodePool,
  rfc3339,
  type ServiceRegistration,
  type Variable,
} from '../domain/index.js'
import type { CommandKind, HeldLoss, HostOrder, RowChange, StateEvents, TableName } from '../state/index.js'
import { wholeAllocation } from './views/allocation-view.js'
import { wholeNode } from './views/node-view.js'
import { wholePool } from './views/pool-view.js'

export interface ApiEvent {
  readonly Topic: string
  readonly Type: string
  readonly Key: string
  /** Empty for what belongs to no namespace. */
  readonly Namespace: string
  readonly FilterKeys: readonly string[] | null
  readonly Index: number
  readonly Payload: object
}

const TYPES: Readonly<Partial<Record<CommandKind, string>>> = {
  'job-register': 'JobRegistered',
  'job-deregister': 'JobDeregistered',
  'periodic-launch': 'JobRegistered',
  'node-register': 'NodeRegistration',
  'node-status': 'NodeStreamEvent',
  'node-eligibility': 'NodeEligibility',
  'node-drain': 'NodeDrain',
  'node-drain-complete': 'NodeDrain',
  'node-deregister': 'NodeDeregistration',
  'loss-release': 'EvaluationUpdated',
  'evaluation-update': 'EvaluationUpdated',
  'plan-apply': 'PlanResult',
  'allocation-update': 'AllocationUpdated',
  'allocation-transition': 'AllocationUpdateDesiredStatus',
  'allocation-adopt': 'AllocationUpdated',
  'deployment-update': 'DeploymentStatusUpdate',
  'deployment-promote': 'DeploymentPromotion',
  'deployment-health': 'DeploymentAllocHealth',
  'node-pool-put': 'NodePoolUpserted',
  'node-pool-delete': 'NodePoolDeleted',
  'variable-put': 'VariableUpdated',
  'variable-delete': 'VariableDeleted',
}

/** Collected for good, which only these topics tell. */
const COLLECTED_TYPES: Readonly<Partial<Record<TableName, string>>> = { nodes: 'NodeDeregistration', jobs: 'JobBatchDeregistered' }

type Describe = (row: never, isDeleted: boolean) => Omit<ApiEvent, 'Type' | 'Index'> | undefined

/** In the order in which one Command's events are told. Deletions are told of what has a way to say so. */
const TOPICS: Readonly<Partial<Record<TableName, Describe>>> = {
  jobs: (job: Job, Deleted) => ({ Topic: 'Job', Key: job.ID, Namespace: job.Namespace, FilterKeys: null, Payload: { Job: job, Deleted } }),
  evaluations: (row: Evaluation, isDeleted) =>
    isDeleted
      ? undefined
      : {
          Topic: 'Evaluation',
          Key: row.ID,
          Namespace: row.Namespace,
          FilterKeys: [row.JobID, row.DeploymentID ?? ''],
          Payload: { Evaluation: row },
        },
  deployments: (row: Deployment, isDeleted) =>
    isDeleted
      ? undefined
      : { Topic: 'Deployment', Key: row.ID, Namespace: row.Namespace, FilterKeys: [row.JobID], Payload: { Deployment: row } },
  allocations: (row: Allocation, isDeleted) =>
    isDeleted
      ? undefined
      : {
          Topic: 'Allocation',
          Key: row.ID,
          Namespace: row.Namespace,
          FilterKeys: [row.JobID, row.DeploymentID ?? ''],
          Payload: { Allocation: wholeAllocation(row), Timeout: false, TimeoutReason: '' },
        },
  nodes: (node: Node) => ({ Topic: 'Node', Key: node.ID, Namespace: '', FilterKeys: null, Payload: { Node: wholeNode(node) } }),
  heldLosses: ({ nodeId, sinceMs }: HeldLoss, isDeleted) => ({
    Topic: 'Node',
    Key: nodeId,
    Namespace: '',
    FilterKeys: null,
    Payload: { NodeID: nodeId, Since: rfc3339(sinceMs), Paused: !isDeleted },
  }),
  hostOrders: ({ nodeId, statement }: HostOrder, isDeleted) =>
    isDeleted
      ? undefined
      : { Topic: 'Node', Key: nodeId, Namespace: '', FilterKeys: null, Payload: { NodeID: nodeId, Statement: statement } },
  services: (row: ServiceRegistration) => ({
    Topic: 'Service',
    Key: row.ID,
    Namespace: row.Namespace,
    FilterKeys: [row.JobID, row.ServiceName],
    Payload: { Service: row },
  }),
  nodePools: (pool: NodePool) => ({
    Topic: 'NodePool',
    Key: pool.Name,
    Namespace: '',
    FilterKeys: null,
    Payload: { NodePool: wholePool(pool) },
  }),
  // What is in them is nobody's who only listens.
  variables: ({ Items: _, readers: __, ...Metadata }: Variable, Deleted) => ({
    Topic: 'Variable',
    Key: Metadata.Path,
    Namespace: Metadata.Namespace,
    FilterKeys: null,
    Payload: { Metadata: { ...Metadata, Lock: null }, Deleted },
  }),
}
const ORDER = Object.keys(TOPICS)
/** A plan tells of the job last: that it runs is what came of the rest. */
const ORDER_OF_PLANS = [...ORDER.filter((table) => table !== 'jobs'), 'jobs']

/** The events of one Command; empty when it touched nothing that has a topic. */
export function computeEvents({ index, kind, changes }: StateEvents): readonly ApiEvent[] {
  const order = kind === 'plan-apply' ? ORDER_OF_PLANS : ORDER
  const told = [...changes.values()]
    .filter(({ table }) => TOPICS[table] !== undefined)
    .sort((a, b) => order.indexOf(a.table) - order.indexOf(b.table))
  const events = told.flatMap((change) => describeChange(change, kind, index))
  if (kind !== 'plan-apply') return events
  const isEmpty = !told.some(({ table }) => table === 'allocations' || table === 'deployments')
  return [...(isEmpty ? [] : events), ...told.flatMap((change) => describeEnd(change, index))]
}

function describeChange({ table, before, after }: RowChange, kind: CommandKind, Index: number): readonly ApiEvent[] {
  const isDeleted = after === undefined
  // What a plan leaves behind is told with the end of its evaluation.
  if (kind === 'plan-apply' && table === 'evaluations' && before === undefined) return []
  const described = TOPICS[table]!((after ?? before) as never, isDeleted)
  const Type = typeOf(table, kind, isDeleted)
  return described === undefined || Type === undefined ? [] : [{ ...described, Type, Index }]
}

/** An evaluation ends in the Command that carries out its plan. Clients know two writes, and wait for the second. */
function describeEnd({ table, before, after }: RowChange, Index: number): readonly ApiEvent[] {
  if (after === undefined || !(table === 'evaluations' || isOver(table, before, after))) return []
  const described = TOPICS[table]!(after as never, false)
  return described === undefined ? [] : [{ ...described, Type: 'EvaluationUpdated', Index }]
}

/** A job of which nothing is left to do. */
function isOver(table: TableName, before: object | undefined, after: object | undefined): boolean {
  const statusOf = (job: object | undefined) => (job as Job | undefined)?.Status
  return table === 'jobs' && statusOf(after) === 'dead' && statusOf(before) !== 'dead'
}

function typeOf(table: TableName, kind: CommandKind, isDeleted: boolean): string | undefined {
  if (table === 'heldLosses') return isDeleted ? 'NodeReplacementResumed' : 'NodeReplacementPaused'
  if (table === 'hostOrders') return 'NodeOrdered'
  if (table === 'services') return isDeleted ? 'ServiceDeregistration' : 'ServiceRegistration'
  return kind === 'garbage-collect' && isDeleted ? COLLECTED_TYPES[table] : TYPES[kind]
}
