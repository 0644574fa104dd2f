/** Logs of a task: `/v1/client/fs/logs/:id` (Nomad API docs, "Client"). */
import type { LogsRequest } from '../../agent/index.js'
import type { Allocation } from '../../domain/index.js'
import { badRequest, notFound } from '../errors.js'
import type { ApiResponse } from '../request.js'
import type { Call, Route } from '../router.js'
import { jobOf } from '../views/allocation-view.js'
import { type ClientDeps, findAllocation } from './find-allocation.js'
import { framesOf, streamed } from './frames.js'

export function logRoutes(deps: ClientDeps): readonly Route[] {
  return [{ pattern: '/v1/client/fs/logs/:id', methods: { GET: (call) => readLogs(deps, call) } }]
}

async function readLogs(deps: ClientDeps, call: Call): Promise<ApiResponse> {
  if (call.id === '') throw badRequest('must provide a valid alloc id')
  const request = logsRequest(call)
  const isPlain = call.parameters.strictBoolean('plain', 'failed to parse plain field to boolean')
  const allocation = await findAllocation(deps, call)
  await checkTask(deps, allocation, request.task)
  const frames = deps.agents.call(allocation.NodeID, 'logs', request, call.request.signal)
  if (!isPlain) return framesOf(frames, call.id)
  const body = await streamed(frames, call.id, ({ data }) => (data.length === 0 ? undefined : data))
  return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body }
}

/** @throws ApiError BAD_REQUEST */
function logsRequest({ id, parameters }: Call): LogsRequest {
  const task = parameters.text('task')
  if (task === '') throw badRequest('must provide task name')
  const follow = parameters.strictBoolean('follow', 'failed to parse follow field to boolean')
  const type = parameters.text('type')
  if (type !== 'stdout' && type !== 'stderr') throw badRequest('must provide log type (stdout/stderr)')
  const offsetBytes = parameters.integer('offset', (reason) => `error parsing offset: ${reason}`) ?? 0
  const origin = parameters.text('origin') || 'start'
  if (origin !== 'start' && origin !== 'end') throw badRequest('origin must be start or end')
  return { allocationId: id, task, type, origin, offsetBytes, follow }
}

async function checkTask({ reader }: ClientDeps, allocation: Allocation, task: string): Promise<void> {
  const { job } = await reader.read((view) => ({ index: 0, job: jobOf(view, allocation) }))
  const group = job?.TaskGroups.find(({ Name }) => Name === allocation.TaskGroup)
  if (group !== undefined && !group.Tasks.some(({ Name }) => Name === task)) throw badRequest(`unknown task name "${task}"`)
  const state = allocation.TaskStates?.[task]
  if (state === undefined || (state.State === 'pending' && state.Restarts === 0 && state.StartedAt.startsWith('0001'))) {
    throw notFound(`task "${task}" not started yet. No logs available`)
  }
}
