/** Nodes and node pools: `/v1/nodes`, `/v1/node/…` (Nomad API docs, "Nodes"). */
import { type Allocation, compareText, isTerminal, NODE_POOL_ALL, type Node, type NodePool, rfc3339 } from '../../domain/index.js'
import { type DrainWait, drainDeadlineMs, leftOnNode, ownerKey, type StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { notFound } from '../errors.js'
import { byId, computePage } from '../pages.js'
import type { Call, Route } from '../router.js'
import { checkUuid, uuidPrefix } from '../uuid-prefix.js'
import { allocationJson } from '../views/allocation-view.js'
import { nodeJson, nodeStubJson, nodeView } from '../views/node-view.js'
import { poolJson } from '../views/pool-view.js'
import { listJobs } from './jobs.js'
import { atLeastOne, reading, tableReading } from './reading.js'

const NODES_BY_ID = byId<Node>((node) => node.ID, false)
const POOLS_BY_NAME = byId<NodePool>((pool) => pool.Name, true)

export function nodeRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/nodes', methods: { GET: reading(deps, (view, call) => listNodes(view, call, () => true)) } },
    { pattern: '/v1/node/:id', methods: { GET: reading(deps, readNode) } },
    { pattern: '/v1/node/:id/allocations', methods: { GET: reading(deps, readAllocations) } },
    { pattern: '/drover/v1/node/:id/drain', methods: { GET: reading(deps, (view, call) => readDrain(view, call, deps.clock.wallMs())) } },
    { pattern: '/drover/v1/lost', methods: { GET: reading(deps, listHeldLosses) } },
    { pattern: '/v1/node/pools', methods: { GET: reading(deps, listPools) } },
    { pattern: '/v1/node/pool/:id', methods: { GET: reading(deps, readPool) } },
    { pattern: '/v1/node/pool/:id/nodes', methods: { GET: reading(deps, (view, call) => listNodes(view, call, isInPool(call))) } },
    {
      pattern: '/v1/node/pool/:id/jobs',
      methods: { GET: reading(deps, (view, call) => listJobs(view, call, (job) => call.id === NODE_POOL_ALL || job.NodePool === call.id)) },
    },
  ]
}

function isInPool(call: Call): (node: Node) => boolean {
  return (node) => call.id === NODE_POOL_ALL || node.NodePool === call.id
}

function listNodes(view: StateView, call: Call, isWanted: (node: Node) => boolean): Reading {
  const { parameters } = call
  const fault = 'Failed to parse node list fields: Failed to parse value of'
  const strict = (name: string) => parameters.strictBoolean(name, `${fault} "${name}" (${parameters.text(name)}) as a bool`)
  const [withResources, withOs] = [strict('resources'), strict('os')]
  const prefix = parameters.text('prefix')
  const hasPrefix = uuidPrefix(prefix, 'node')
  const nodes = view.nodes.all().filter((node) => isWanted(node) && (prefix === '' || hasPrefix(node.ID)))
  const page = computePage(nodes, parameters, { order: NODES_BY_ID, filterable: 'Node', filterView: nodeView })
  const fragments = page.rows.map((node) => nodeStubJson(node, withResources, withOs))
  return tableReading(view.nodes, fragments, [{ table: 'nodes' }], page.nextToken)
}

function readNode(view: StateView, call: Call): Reading {
  checkUuid(call.id, 'node')
  const node = view.nodes.get(call.id)
  return {
    index: node?.ModifyIndex ?? view.nodes.index,
    watch: [{ table: 'nodes', key: call.id }],
    body: node === undefined ? notFound('node not found') : nodeJson.of(node),
    isOfStateOnly: true,
  }
}

/** Whole allocations, of all namespaces. */
function readAllocations(view: StateView, call: Call): Reading {
  checkUuid(call.id, '')
  const allocations = [...view.allocations.by('node', call.id)].sort(compareOnNode)
  const newest = allocations.reduce((index, allocation) => Math.max(index, allocation.ModifyIndex), 0)
  const fragments = allocations.map((allocation) => allocationJson(view, allocation))
  const covers = Math.max(newest, view.jobVersions.index)
  const watch = [{ table: 'allocations', group: ['node', call.id] }] as const
  return { ...tableReading(view.allocations, fragments, watch), index: newest || atLeastOne(view.allocations.index), covers }
}

/** Hosts that were lost together with so many others that what they ran is not replaced: Drover's own. */
function listHeldLosses(view: StateView): Reading {
  const rows = view.heldLosses
    .all()
    .map(({ nodeId, sinceMs }) => ({ nodeId, name: view.nodes.get(nodeId)?.Name ?? '', since: rfc3339(sinceMs) }))
  return { index: atLeastOne(view.heldLosses.index), watch: [{ table: 'heldLosses' }], body: encodeJson(rows) }
}

const WHY_LEFT: Readonly<Record<DrainWait, string>> = {
  'move-now': 'moves now',
  ending: 'is to end, and its agent has not said yet that it has',
  'healthy-others': 'waits until enough of its group are healthy elsewhere (migrate max_parallel)',
  'own-end': 'may end by itself until the deadline',
  'all-else': 'a system job goes when all else has gone',
}

/** What a drain has left to do, and why: Drover's own. */
function readDrain(view: StateView, call: Call, nowMs: number): Reading {
  checkUuid(call.id, 'node')
  const node = view.nodes.get(call.id)
  const watch = [{ table: 'nodes', key: call.id }, { table: 'allocations' }] as const
  const index = Math.max(node?.ModifyIndex ?? view.nodes.index, view.allocations.index)
  if (node === undefined) return { index, watch, body: notFound('node not found') }
  const strategy = node.DrainStrategy
  const deadlineMs = strategy === null ? undefined : drainDeadlineMs(strategy)
  const drain =
    strategy === null
      ? null
      : {
          deadline: deadlineMs === undefined ? null : rfc3339(deadlineMs),
          ignoresSystemJobs: strategy.IgnoreSystemJobs,
          startedAt: strategy.StartedAt,
        }
  const left = leftOnNode(view, node, nowMs).map(({ allocation: { ID, Name, Namespace, JobID }, wait }) => {
    return { allocationId: ID, name: Name, namespace: Namespace, jobId: JobID, wait, why: WHY_LEFT[wait] }
  })
  return { index, watch, body: encodeJson({ drain, left }) }
}

/** What is still wanted and runs comes first, then by job. */
function compareOnNode(a: Allocation, b: Allocation): number {
  return Number(isTerminal(a)) - Number(isTerminal(b)) || compareText(ownerKey(a), ownerKey(b)) || compareText(a.ID, b.ID)
}

function listPools(view: StateView, call: Call): Reading {
  const prefix = call.parameters.text('prefix')
  const pools = view.nodePools.all().filter((pool) => pool.Name.startsWith(prefix))
  const page = computePage(pools, call.parameters, { order: POOLS_BY_NAME, filterable: 'NodePool' })
  const fragments = page.rows.map((pool) => poolJson.of(pool))
  return tableReading(view.nodePools, fragments, [{ table: 'nodePools' }], page.nextToken)
}

function readPool(view: StateView, call: Call): Reading {
  const pool = view.nodePools.get(call.id)
  return {
    index: pool?.ModifyIndex ?? view.nodePools.index,
    watch: [{ table: 'nodePools', key: call.id }],
    body: pool === undefined ? notFound('node pool not found') : poolJson.of(pool),
  }
}
