/** Files of an allocation: `/v1/client/fs/{ls,stat,cat,readat,stream}/:id` (Nomad API docs, "Client"). */
import type { FileEntry, Frame, ReadRequest } from '../../agent/index.js'
import { OrchestratorError, rfc3339 } from '../../domain/index.js'
import { encodeJson } from '../encode.js'
import { ApiError, badRequest, notFound, requestFailed, wrongMethod } from '../errors.js'
import { type ApiResponse, jsonAnswer, textAnswer } from '../request.js'
import type { Call, Route } from '../router.js'
import { agentFault, NO_PATH_TO_NODE } from './agent-fault.js'
import { type ClientDeps, findAllocation } from './find-allocation.js'
import { framesOf, streamed } from './frames.js'

export function fileRoutes(deps: ClientDeps): readonly Route[] {
  return [
    { pattern: '/v1/client/fs/ls/:id', methods: { GET: (call) => listFolder(deps, call) } },
    { pattern: '/v1/client/fs/stat/:id', methods: { GET: (call) => statFile(deps, call) } },
    { pattern: '/v1/client/fs/cat/:id', methods: { GET: (call) => withRefusalAsText(deps, call, () => readWhole(deps, call, {})) } },
    { pattern: '/v1/client/fs/readat/:id', methods: { GET: (call) => withRefusalAsText(deps, call, () => readPart(deps, call)) } },
    { pattern: '/v1/client/fs/stream/:id', methods: { GET: (call) => streamFile(deps, call) } },
    {
      pattern: '/v1/client/fs/:id',
      methods: {
        '*': () => {
          throw notFound(wrongMethod().message)
        },
      },
    },
  ]
}

async function onePart<Part>(parts: AsyncIterable<Part>, allocationId: string): Promise<Part> {
  try {
    for await (const part of parts) return part
  } catch (error) {
    throw agentFault(error, allocationId)
  }
  throw requestFailed('the agent answered nothing')
}

async function listFolder(deps: ClientDeps, call: Call): Promise<ApiResponse> {
  const allocation = await findAllocation(deps, call)
  const path = call.parameters.text('path') || '/'
  const entries = await onePart(
    deps.agents.call(allocation.NodeID, 'fs-list', { allocationId: call.id, path }, call.request.signal),
    call.id,
  )
  return jsonAnswer(encodeJson(entries.map(describeEntry)))
}

async function statFile(deps: ClientDeps, call: Call): Promise<ApiResponse> {
  const path = namedPath(call)
  const allocation = await findAllocation(deps, call)
  const entry = await onePart(deps.agents.call(allocation.NodeID, 'fs-stat', { allocationId: call.id, path }, call.request.signal), call.id)
  return jsonAnswer(encodeJson(describeEntry(entry)))
}

/** @throws ApiError BAD_REQUEST */
function namedPath(call: Call): string {
  const path = call.parameters.text('path')
  if (path === '') throw badRequest('must provide a file name')
  return path
}

function describeEntry(entry: FileEntry): Readonly<Record<string, unknown>> {
  return {
    Name: entry.name,
    IsDir: entry.isFolder,
    Size: entry.sizeBytes,
    FileMode: entry.mode,
    ModTime: rfc3339(entry.modifiedMs),
    ContentType: entry.contentType,
  }
}

type Range = Partial<Pick<ReadRequest, 'origin' | 'offsetBytes' | 'limitBytes' | 'follow'>>

async function openFile(deps: ClientDeps, call: Call, range: Range): Promise<AsyncIterable<Frame>> {
  const path = namedPath(call)
  const allocation = await findAllocation(deps, call)
  const request: ReadRequest = { allocationId: call.id, path, origin: 'start', offsetBytes: 0, limitBytes: 0, follow: false, ...range }
  return deps.agents.call(allocation.NodeID, 'fs-read', request, call.request.signal)
}

/** Of an allocation that is there, whatever is wrong with the question or the file is text with 200: so it is in Nomad. */
async function withRefusalAsText(deps: ClientDeps, call: Call, read: () => Promise<ApiResponse>): Promise<ApiResponse> {
  await findAllocation(deps, call)
  try {
    return await read()
  } catch (error) {
    if (error instanceof ApiError && error.message !== NO_PATH_TO_NODE) return textAnswer(200, error.message)
    throw error
  }
}

function refusalCode(error: ApiError): string {
  return error.cause instanceof OrchestratorError ? error.cause.code : ''
}

/** Never served as something that a browser would run. */
async function readWhole(deps: ClientDeps, call: Call, range: Range): Promise<ApiResponse> {
  const body = await streamed(await openFile(deps, call, range), call.id, ({ data }) => (data.length === 0 ? undefined : data))
  return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body }
}

async function readPart(deps: ClientDeps, call: Call): Promise<ApiResponse> {
  const number = (name: string) => {
    const text = call.parameters.text(name)
    if (!/^-?\d+$/.test(text))
      throw requestFailed(`error parsing ${name}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
    return Number(text)
  }
  const offsetBytes = number('offset')
  const limitBytes = call.parameters.text('limit') === '' ? 0 : number('limit')
  return readWhole(deps, call, { offsetBytes, limitBytes })
}

async function streamFile(deps: ClientDeps, call: Call): Promise<ApiResponse> {
  const { parameters } = call
  const origin = parameters.text('origin') || 'start'
  if (origin !== 'start' && origin !== 'end') throw badRequest('origin must be start or end')
  const offsetBytes = parameters.integer('offset', (reason) => `error parsing offset: ${reason}`) ?? 0
  const follow = parameters.strictBoolean('follow', 'failed to parse follow field to boolean', true)
  try {
    return await framesOf(await openFile(deps, call, { origin, offsetBytes, follow }), call.id)
  } catch (error) {
    if (error instanceof ApiError && BAD_STREAMS.has(refusalCode(error))) throw badRequest(error.message, error.cause)
    throw error
  }
}

/** Refusals that are 400 here and have another status in the routes that do not stream. */
const BAD_STREAMS: ReadonlySet<string> = new Set(['NO_SUCH_FILE', 'PATH_ESCAPES'])
