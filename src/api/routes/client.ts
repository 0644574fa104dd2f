/** What only the agent of a node knows: statistics, checks, files, logs (Nomad API docs, "Allocations", "Client"). */
import type { CheckReport } from '../../agent/index.js'
import { encodeJson } from '../encode.js'
import { ApiError, badRequest, notFound, requestFailed } from '../errors.js'
import { jsonAnswer } from '../request.js'
import type { Call, Route } from '../router.js'
import { checkUuid } from '../uuid-prefix.js'
import { allocationUsage, hostUsage } from '../views/usage-view.js'
import { agentFault } from './agent-fault.js'
import { fileRoutes } from './files.js'
import { type ClientDeps, findAllocation } from './find-allocation.js'
import { logRoutes } from './logs.js'

const BROWSERS_MAY_READ = ['GET', 'HEAD'] as const

export function clientRoutes(deps: ClientDeps): readonly Route[] {
  const checks = (call: Call) => readChecks(deps, call)
  const routes: readonly Route[] = [
    { pattern: '/v1/client/allocation/:id/stats', methods: { GET: (call) => readAllocationStats(deps, call) } },
    { pattern: '/v1/client/allocation/:id/checks', methods: { GET: checks } },
    { pattern: '/v1/client/stats', methods: { GET: (call) => readHostStats(deps, call), PUT: (call) => readHostStats(deps, call) } },
    { pattern: '/v1/client/metadata', methods: { GET: (call) => readMetadata(deps, call) } },
    ...fileRoutes(deps),
    ...logRoutes(deps),
  ]
  return [
    ...routes.map((route) => ({ ...route, crossOrigin: BROWSERS_MAY_READ })),
    { pattern: '/v1/allocation/:id/checks', methods: { GET: checks } },
  ]
}

/** The node asked for; without one, the only node there is. */
async function findNodeId({ reader }: ClientDeps, call: Call): Promise<string> {
  const asked = call.parameters.text('node_id')
  const { nodes, known } = await reader.read((view) => ({
    index: 0,
    nodes: view.nodes.count === 1 ? view.nodes.all().map((node) => node.ID) : [],
    known: asked !== '' && view.nodes.get(asked) !== undefined,
  }))
  if (asked === '') {
    const [only] = nodes
    if (only === undefined) throw badRequest('No local Node and node_id not provided')
    return only
  }
  checkUuid(asked, 'node')
  if (!known) throw notFound(`Unknown node ${asked}`)
  return asked
}

async function readAllocationStats(deps: ClientDeps, call: Call) {
  const allocation = await findAllocation(deps, call)
  const { node } = await deps.reader.read((view) => ({ index: 0, node: view.nodes.get(allocation.NodeID) }))
  const mhzPerCore = node === undefined ? 0 : node.NodeResources.Cpu.CpuShares / Math.max(1, node.NodeResources.Cpu.TotalCpuCores)
  for await (const part of calling(deps, allocation.NodeID, call, { allocationId: allocation.ID })) {
    if (part.kind === 'allocation') return jsonAnswer(encodeJson(allocationUsage(part, mhzPerCore, call.parameters.text('task'))))
  }
  throw requestFailed('the agent answered nothing')
}

async function readHostStats(deps: ClientDeps, call: Call) {
  const nodeId = await findNodeId(deps, call)
  const { node } = await deps.reader.read((view) => ({ index: 0, node: view.nodes.get(nodeId) }))
  for await (const part of calling(deps, nodeId, call, {})) {
    if (part.kind === 'host') return jsonAnswer(encodeJson(hostUsage(part, node?.NodeResources.Cpu.CpuShares ?? 0)))
  }
  throw requestFailed('the agent answered nothing')
}

async function* calling(deps: ClientDeps, nodeId: string, call: Call, request: { readonly allocationId?: string }) {
  try {
    yield* deps.agents.call(nodeId, 'stats', request, call.request.signal)
  } catch (error) {
    throw agentFault(error, request.allocationId)
  }
}

async function readMetadata(deps: ClientDeps, call: Call) {
  const nodeId = await findNodeId(deps, call)
  const { meta } = await deps.reader.read((view) => ({ index: 0, meta: view.nodes.get(nodeId)?.Meta ?? {} }))
  return jsonAnswer(encodeJson({ Meta: meta, Dynamic: {}, Static: meta }))
}

/** Nomad answers null where there are none; an object without members serves the same clients. */
async function readChecks(deps: ClientDeps, call: Call) {
  const allocation = await findAllocation(deps, call)
  const { isThere } = await deps.reader.read((view) => ({ index: 0, isThere: view.nodes.get(allocation.NodeID) !== undefined }))
  if (!isThere) throw new ApiError('NOT_FOUND', `Unknown node ${allocation.NodeID}`)
  try {
    for await (const checks of deps.agents.call(allocation.NodeID, 'checks', { allocationId: allocation.ID }, call.request.signal)) {
      const rows = checks.map((check) => [check.id, checkView(check, allocation.Name)] as const)
      return jsonAnswer(encodeJson(rows.length === 0 ? null : Object.fromEntries(rows)))
    }
  } catch (error) {
    throw agentFault(error, allocation.ID)
  }
  throw requestFailed('the agent answered nothing')
}

function checkView(check: CheckReport, allocationName: string) {
  return {
    ID: check.id,
    Mode: check.isReadiness ? 'readiness' : 'healthiness',
    Status: check.status,
    ...(check.statusCode === 0 ? {} : { StatusCode: check.statusCode }),
    Output: check.output,
    Timestamp: Math.floor(check.atMs / 1000),
    Group: allocationName,
    ...(check.task === '' ? {} : { Task: check.task }),
    Service: check.service,
    Check: check.name,
  }
}
