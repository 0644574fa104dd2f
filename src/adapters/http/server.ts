/** The API over HTTP (fastify 5): one catch-all route, since the API knows its paths itself. */
import type { IncomingMessage } from 'node:http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { Api, type ApiDeps, ApiError, type ApiResponse } from '../../api/index.js'
import { explainError, type Logger, OrchestratorError } from '../../domain/index.js'
import { systemClock } from '../clock.js'
import { systemRandom } from '../random.js'
import { Turnstile } from '../turnstile.js'
import { createHostCheck, type HostCheck } from './allowed-hosts.js'
import { compress } from './compression.js'
import { CONNECTION_LIMITS, type ConnectionLimits, limitConnections } from './connections.js'
import { crossOriginHeaders, isPreflight, preflightHeaders } from './cross-origin.js'
import { statusOf } from './error-status.js'
import { headerTexts } from './header-text.js'
import { pretty } from './pretty.js'
import { RequestBodies } from './request-body.js'
import { serveSockets } from './sockets.js'
import { sendStream } from './streaming.js'

/** Nomad has no general limit; what is larger than any job is refused, and where no job is sent, what is larger than any question. */
const JOB_BODY_BYTES_MAX = 16 * 1024 * 1024
const BODY_BYTES_MAX = 1024 * 1024

/** Of those that were woken together. */
const ANSWERS_PER_TURN = 16

export interface HttpDeps extends Omit<ApiDeps, 'clock' | 'random' | 'turns'> {
  readonly logger: Logger
  readonly limits?: Partial<ConnectionLimits>
  /** Names under which this server may be asked. */
  readonly isOwnHost?: HostCheck
}

export function createHttp(deps: HttpDeps): FastifyInstance {
  const limits = { ...CONNECTION_LIMITS, ...deps.limits }
  const app = fastify({
    bodyLimit: JOB_BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    requestTimeout: limits.requestMsMax,
    forceCloseConnections: true,
    http: { connectionsCheckingInterval: limits.checkedEveryMs },
    routerOptions: { maxParamLength: 4096 },
  })
  limitConnections(app.server, limits)
  const bodies = new RequestBodies()
  const isOwnHost = deps.isOwnHost ?? createHostCheck('', [])
  const api = new Api({ ...deps, clock: systemClock, random: systemRandom, turns: new Turnstile(ANSWERS_PER_TURN) })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) => bodies.read(payload, bodyBytesMax(api, request)))
  app.addHook('onResponse', async (request: FastifyRequest) => bodies.release(request.raw))
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply, deps.logger))
  app.all('/*', (request, reply) => answer(api, isOwnHost, request, reply, deps.logger))
  const endSockets = serveSockets(app.server, { api, logger: deps.logger, refusalOf: (request) => refusalOf(isOwnHost, request) })
  app.addHook('preClose', async () => endSockets())
  return app
}

function bodyBytesMax(api: Api, request: FastifyRequest): number {
  return api.find(splitUrl(request).path).route.takesJobs === true ? JOB_BODY_BYTES_MAX : BODY_BYTES_MAX
}

function splitUrl({ raw: { url = '/' } }: FastifyRequest): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

async function answer(api: Api, isOwnHost: HostCheck, request: FastifyRequest, reply: FastifyReply, logger: Logger): Promise<FastifyReply> {
  const { path, query } = splitUrl(request)
  try {
    checkHost(isOwnHost, request)
    const { crossOrigin: allowed, isAct } = api.find(path).route
    if (isAct === true && request.method !== 'GET' && isOfOtherOrigin(request.raw))
      throw new OrchestratorError('HOST_REFUSED', OTHER_ORIGIN)
    if (allowed !== undefined) {
      if (isPreflight(request)) return reply.code(204).headers(preflightHeaders(request)).send()
      reply.headers(crossOriginHeaders(request))
    }
    const response = await api.answer({
      method: request.method,
      path,
      query,
      host: request.headers.host ?? '',
      headers: request.headers,
      body: Buffer.isBuffer(request.body) ? request.body : EMPTY,
      get signal() {
        return goneSignal(request, reply)
      },
    })
    return await send(response, query, request, reply)
  } catch (error) {
    return refuse(error, request, reply, logger)
  }
}

const EMPTY = new Uint8Array(0)

/** @throws OrchestratorError HOST_REFUSED, BAD_REQUEST */
function checkHost(isOwnHost: HostCheck, { raw }: FastifyRequest): void {
  const { host } = raw.headers
  if (raw.rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length > 1)
    throw new OrchestratorError('BAD_REQUEST', 'several Host headers')
  if (isOwnHost(host)) return
  throw new OrchestratorError(
    'HOST_REFUSED',
    `${JSON.stringify(host)} is no name of this server; if it is, list it in http.allowed_hosts of the server's configuration`,
  )
}

const OTHER_ORIGIN = 'pages of other origins may not act on what runs'

/** A page's scripts may talk to any server, and browsers say whose page it is. */
function isOfOtherOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}

function refusalOf(isOwnHost: HostCheck, request: IncomingMessage): string | undefined {
  if (!isOwnHost(request.headers.host)) return 'this is no name of this server'
  return isOfOtherOrigin(request) ? OTHER_ORIGIN : undefined
}

/** Aborted when the connection closes before the answer was sent. Made only where something waits for it. */
function goneSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const known = signals.get(request)
  if (known !== undefined) return known
  const gone = new AbortController()
  signals.set(request, gone.signal)
  if (request.raw.socket.destroyed) gone.abort()
  else reply.raw.once('close', () => gone.abort())
  return gone.signal
}

const signals = new WeakMap<FastifyRequest, AbortSignal>()

async function send(response: ApiResponse, query: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { status, headers, body } = response
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return sendStream(status, headers, body, reply)
  reply.code(status).headers(headerTexts(headers))
  const isPretty = query.includes('pretty') && headers['Content-Type'] === 'application/json' && status === 200
  return compress(isPretty ? pretty(body, query) : body, request, reply)
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply | Promise<FastifyReply> {
  const [status, text] = describe(error)
  if (status === 500 && !(error instanceof ApiError)) {
    logger.error({ method: request.method, url: request.raw.url, error: explainError(error) }, 'request failed')
  }
  reply.code(status).headers(error instanceof ApiError ? headerTexts(error.headers) : {})
  // What is not read any more is not waited for.
  if (status === statusOf('BODY_TOO_LARGE') || status === statusOf('TOO_BUSY')) reply.header('Connection', 'close')
  if (text === '') return reply.send()
  reply.header('Content-Type', 'text/plain; charset=utf-8')
  return compress(text, request, reply)
}

function describe(error: unknown): readonly [status: number, text: string] {
  if (error instanceof OrchestratorError) return [statusOf(error.code), error.message]
  const status = (error as { readonly statusCode?: number }).statusCode
  return [status ?? 500, explainError(error)]
}
