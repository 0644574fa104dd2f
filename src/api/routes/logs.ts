/**
 * Logs of a task: `/v1/client/fs/logs/:id` (Nomad API docs, "Client"). Beyond Nomad's: `since=TIME` begins with what was written then, and
 * `timestamps=true` with `plain=true` puts its time before each line.
 */
import type { Frame, LogsRequest } from '../../agent/index.js'
import { type Allocation, parseRfc3339Ms, rfc3339 } from '../../domain/index.js'
import { jobOfAllocation } from '../../state/index.js'
import { badRequest, notFound } from '../errors.js'
import type { Parameters } from '../parameters.js'
import type { ApiResponse } from '../request.js'
import type { Call, Route } from '../router.js'
import { type ClientDeps, findAllocation } from './find-allocation.js'
import { framesOf, streamed } from './frames.js'

export function logRoutes(deps: ClientDeps): readonly Route[] {
  return [{ pattern: '/v1/client/fs/logs/:id', methods: { GET: (call) => readLogs(deps, call) } }]
}

async function readLogs(deps: ClientDeps, call: Call): Promise<ApiResponse> {
  if (call.id === '') throw badRequest('must provide a valid alloc id')
  const request = logsRequest(call)
  const isPlain = call.parameters.strictBoolean('plain', 'failed to parse plain field to boolean')
  if (request.withTimes === true && !isPlain) throw badRequest('timestamps are of lines: they need plain=true')
  const allocation = await findAllocation(deps, call)
  await checkTask(deps, allocation, request.task)
  const frames = deps.agents.call(allocation.NodeID, 'logs', request, call.request.signal)
  if (!isPlain) return framesOf(frames, call.id)
  const encode = request.withTimes === true ? datedLines() : ({ data }: Frame) => data
  const body = await streamed(frames, call.id, (frame) => (frame.data.length === 0 ? undefined : encode(frame)))
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
  const withTimes = parameters.strictBoolean('timestamps', 'failed to parse timestamps field to boolean')
  return { allocationId: id, task, type, origin, offsetBytes, follow, ...sinceOf(parameters), ...(withTimes ? { withTimes } : {}) }
}

function sinceOf(parameters: Parameters): Pick<LogsRequest, 'sinceMs'> {
  const text = parameters.text('since')
  if (text === '') return {}
  const sinceMs = parseRfc3339Ms(text)
  if (sinceMs === undefined) throw badRequest(`since takes a time such as 2026-11-30T12:00:00Z, not ${text}`)
  if (parameters.text('origin') !== '' || parameters.text('offset') !== '')
    throw badRequest('since says where to begin: it goes with neither origin nor offset')
  return { sinceMs }
}

const NEWLINE = 10
const NO_TIME = '-'

/** A line has the time of its first byte. Pieces begin and end anywhere in lines. */
function datedLines(): (frame: Frame) => Uint8Array {
  let isLineStart = true
  return ({ data, atMs }) => {
    const time = Buffer.from(`${atMs === undefined ? NO_TIME : rfc3339(Math.floor(atMs / 1_000) * 1_000)} `)
    const parts: Uint8Array[] = []
    for (let at = 0; at < data.length; ) {
      if (isLineStart) parts.push(time)
      const newline = data.indexOf(NEWLINE, at)
      isLineStart = newline >= 0
      const next = isLineStart ? newline + 1 : data.length
      parts.push(data.subarray(at, next))
      at = next
    }
    return Buffer.concat(parts)
  }
}

async function checkTask({ reader }: ClientDeps, allocation: Allocation, task: string): Promise<void> {
  const { job } = await reader.read((view) => ({ index: 0, job: jobOfAllocation(view, allocation) }))
  const group = job?.TaskGroups.find(({ Name }) => Name === allocation.TaskGroup)
  if (group !== undefined && !group.Tasks.some(({ Name }) => Name === task)) throw badRequest(`unknown task name "${task}"`)
  const state = allocation.TaskStates?.[task]
  if (state === undefined || (state.State === 'pending' && state.Restarts === 0 && state.StartedAt.startsWith('0001'))) {
    throw notFound(`task "${task}" not started yet. No logs available`)
  }
}
