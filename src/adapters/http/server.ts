/** The API over HTTP (fastify 5): one catch-all route, since the API knows its paths itself. */
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { Api, type ApiDeps, ApiError, type ApiResponse } from '../../api/index.js'
import { explainError, type Logger, OrchestratorError } from '../../domain/index.js'
import { systemClock } from '../clock.js'
import { systemRandom } from '../random.js'
import { compress } from './compression.js'
import { crossOriginHeaders, isPreflight, preflightHeaders } from './cross-origin.js'
import { statusOf } from './error-status.js'
import { pretty } from './pretty.js'
import { sendStream } from './streaming.js'
import { Turnstile } from './turnstile.js'

/** Nomad has no general limit; what is larger than any job file is refused. */
const BODY_BYTES_MAX = 16 * 1024 * 1024

/** Of those that were woken together. */
const ANSWERS_PER_TURN = 16

export interface HttpDeps extends Omit<ApiDeps, 'clock' | 'random' | 'turns'> {
  readonly logger: Logger
}

export function createHttp(deps: HttpDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    // Blocking queries and logs end when their time is up, not when a client has waited for this long.
    requestTimeout: 0,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
  })
  const api = new Api({ ...deps, clock: systemClock, random: systemRandom, turns: new Turnstile(ANSWERS_PER_TURN) })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply, deps.logger))
  app.all('/*', (request, reply) => answer(api, request, reply, deps.logger))
  return app
}

async function answer(api: Api, request: FastifyRequest, reply: FastifyReply, logger: Logger): Promise<FastifyReply> {
  const url = request.raw.url ?? '/'
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark + 1)
  try {
    const allowed = api.find(path).route.crossOrigin
    if (allowed !== undefined) {
      if (isPreflight(request)) return reply.code(204).headers(preflightHeaders(request)).send()
      reply.headers(crossOriginHeaders(request))
    }
    const response = await api.answer({
      method: request.method,
      path,
      query,
      host: request.headers.host ?? '',
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
  reply.code(status).headers(headers)
  const isPretty = query.includes('pretty') && headers['Content-Type'] === 'application/json' && status === 200
  return compress(isPretty ? pretty(body, query) : body, request, reply)
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply | Promise<FastifyReply> {
  const [status, text] = describe(error)
  if (status === 500 && !(error instanceof ApiError)) {
    logger.error({ method: request.method, url: request.raw.url, error: explainError(error) }, 'request failed')
  }
  reply.code(status).headers(error instanceof ApiError ? error.headers : {})
  if (text === '') return reply.send()
  reply.header('Content-Type', 'text/plain; charset=utf-8')
  return compress(text, request, reply)
}

function describe(error: unknown): readonly [status: number, text: string] {
  if (error instanceof OrchestratorError) return [statusOf(error.code), error.message]
  const status = (error as { readonly statusCode?: number }).statusCode
  return [status ?? 500, explainError(error)]
}
