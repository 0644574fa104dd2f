/**
 * `api.writes: runtime`: acts on what runs. They change nothing that is wanted: what was restarted, or talked to, is what the repository says
 * (Nomad API docs, "Client", "Allocations").
 */
import type { RpcMethod, RpcRequests } from '../../agent/index.js'
import type { Clock, Random } from '../../domain/index.js'
import { type JsonObject, memberOf } from '../body.js'
import { badRequest, requestFailed, writeRefused } from '../errors.js'
import type { ApiSettings } from '../ports.js'
import { type ApiResponse, jsonAnswer } from '../request.js'
import type { Call, Handler, Route } from '../router.js'
import { agentFault } from '../routes/agent-fault.js'
import { execHandler } from '../routes/exec.js'
import { type ClientDeps, findAllocation } from '../routes/find-allocation.js'
import { optionalBodyOf } from './bodies.js'

export interface OperationDeps extends ClientDeps {
  readonly settings: ApiSettings
  readonly clock: Clock
  readonly random: Random
}

/** Shown as the reason why a socket is closed, which holds 123 bytes. */
const EXEC_REFUSED = 'exec is switched off: set api.writes to runtime in the configuration of the server'

export function operationRoutes(deps: OperationDeps): readonly Route[] {
  const isOn = deps.settings.writes === 'runtime'
  const exec: Route = {
    pattern: '/v1/client/allocation/:id/exec',
    methods: { GET: () => Promise.reject(isOn ? badRequest('exec is asked for by a websocket') : writeRefused(EXEC_REFUSED)) },
    act: 'exec',
    socket: isOn ? execHandler(deps) : () => Promise.reject(writeRefused(EXEC_REFUSED)),
  }
  if (!isOn) return [exec]
  return [
    exec,
    act('allocation-restart', '/v1/client/allocation/:id/restart', (call) => restart(deps, call)),
    act('allocation-signal', '/v1/client/allocation/:id/signal', (call) => signal(deps, call)),
    {
      ...act('allocation-collect', '/v1/client/allocation/:id/gc', (call) => collect(deps, call)),
      methods: both((call) => collect(deps, call)),
    },
    { ...act('host-collect', '/v1/client/gc', (call) => collectAll(deps, call)), methods: both((call) => collectAll(deps, call)) },
  ]
}

function act(name: string, pattern: string, handler: Handler): Route {
  return { pattern, methods: { PUT: handler, POST: handler }, isAct: true, act: name }
}

/** Clients of Nomad ask for a collection with GET. */
function both(handler: Handler): Route['methods'] {
  return { GET: handler, PUT: handler, POST: handler }
}

async function restart(deps: OperationDeps, call: Call): Promise<ApiResponse> {
  const allocation = await findAllocation(deps, call)
  const body = optionalBodyOf(call)
  const task = textOf(body, 'TaskName')
  const allTasks = memberOf(body, 'AllTasks') === true
  if (task !== '' && allTasks) throw requestFailed('task name cannot be set when restarting all tasks')
  return ask(deps, call, allocation.NodeID, 'restart', { allocationId: allocation.ID, allTasks, ...(task === '' ? {} : { task }) })
}

async function signal(deps: OperationDeps, call: Call): Promise<ApiResponse> {
  const allocation = await findAllocation(deps, call)
  const body = optionalBodyOf(call)
  const task = textOf(body, 'Task')
  const name = textOf(body, 'Signal') || 'SIGINT'
  return ask(deps, call, allocation.NodeID, 'signal', { allocationId: allocation.ID, signal: name, ...(task === '' ? {} : { task }) })
}

async function collect(deps: OperationDeps, call: Call): Promise<ApiResponse> {
  const allocation = await findAllocation(deps, call)
  return ask(deps, call, allocation.NodeID, 'gc', { allocationId: allocation.ID })
}

async function collectAll(deps: OperationDeps, call: Call): Promise<ApiResponse> {
  const asked = call.parameters.text('node_id')
  const { nodeIds } = await deps.reader.read((view) => ({ index: 0, nodeIds: view.nodes.all().map(({ ID }) => ID) }))
  const nodeId = asked === '' && nodeIds.length === 1 ? nodeIds[0] : nodeIds.find((id) => id === asked)
  if (nodeId === undefined) throw badRequest(asked === '' ? 'No local Node and node_id not provided' : `Unknown node ${asked}`)
  return ask(deps, call, nodeId, 'gc', {})
}

/** Done once the agent has heard it. */
async function ask<Method extends RpcMethod & ('restart' | 'signal' | 'gc')>(
  { agents }: OperationDeps,
  call: Call,
  nodeId: string,
  method: Method,
  request: RpcRequests[Method],
): Promise<ApiResponse> {
  try {
    for await (const part of agents.call(nodeId, method, request, call.request.signal)) if (part.ok) return jsonAnswer('{}')
  } catch (error) {
    throw agentFault(error, call.id)
  }
  throw requestFailed('the agent answered nothing')
}

function textOf(body: JsonObject, name: string): string {
  const value = memberOf(body, name) ?? ''
  if (typeof value === 'string') return value
  throw badRequest(`${name} is no text`)
}
