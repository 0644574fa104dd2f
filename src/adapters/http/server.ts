/** The API over HTTP, by Node's own server: the API knows its paths itself. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Api, type ApiDeps, ApiError, type ApiRequest, type AuditLog, type Route } from '../../api/index.js'
import { type AuditSink, explainError, type Logger, OrchestratorError } from '../../domain/index.js'
import { systemClock } from '../clock.js'
import { systemRandom } from '../random.js'
import { Turnstile } from '../turnstile.js'
import { createHostCheck, type HostCheck } from './allowed-hosts.js'
import { auditOf } from './audit.js'
import { CONNECTION_LIMITS, type ConnectionLimits, hasBody, limitConnections } from './connections.js'
import { crossOriginHeaders, isPreflight, preflightHeaders } from './cross-origin.js'
import { statusOf } from './error-status.js'
import { pretty } from './pretty.js'
import { ReadyAnswers } from './ready-answers.js'
import { sendAgain, sendWhole } from './reply.js'
import { RequestBodies } from './request-body.js'
import { serveSockets } from './sockets.js'
import { sendStream } from './streaming.js'

/** Nomad has no general limit; what is larger than any job is refused, and where no job is sent, what is larger than any question. */
const JOB_BODY_BYTES_MAX = 16 * 1024 * 1024
const BODY_BYTES_MAX = 1024 * 1024
/** A client that asks now and then need not connect anew. */
const KEEP_ALIVE_MS = 72_000

/** Of those that were woken together. */
const ANSWERS_PER_TURN = 16

export interface HttpDeps extends Omit<ApiDeps, 'clock' | 'random' | 'turns'> {
  readonly audit: AuditLog & AuditSink
  readonly logger: Logger
  readonly limits?: Partial<ConnectionLimits>
  /** Names under which this server may be asked. */
  readonly isOwnHost?: HostCheck
}

export interface HttpServer {
  readonly server: Server
  /** Resolves with the URL. Rejects with the system's error, with code EADDRINUSE and the like. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>
  /** Ends every connection. */
  close(): Promise<void>
}

export function createHttp(deps: HttpDeps): HttpServer {
  const limits = { ...CONNECTION_LIMITS, ...deps.limits }
  const requests = new Requests(deps)
  const options = { keepAliveTimeout: KEEP_ALIVE_MS, connectionsCheckingInterval: limits.checkedEveryMs }
  const server = createServer(options, (request, response) => requests.take(request, response))
  limitConnections(server, limits)
  const endSockets = serveSockets(server, {
    api: requests.api,
    logger: deps.logger,
    audit: deps.audit,
    refusalOf: (request) => requests.refusalOf(request),
  })
  return {
    server,
    listen: (at) => listen(server, at),
    close: () =>
      new Promise((resolve) => {
        endSockets()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Who listens everywhere is reached here. */
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      const { address, family, port } = server.address() as AddressInfo
      const host = ANY_ADDRESS[address] ?? address
      resolve(`http://${family === 'IPv6' ? `[${host}]` : host}:${port}`)
    })
  })
}

class Requests {
  readonly api: Api
  readonly #isOwnHost: HostCheck
  readonly #logger: Logger
  readonly #audit: AuditSink
  readonly #bodies = new RequestBodies()
  readonly #ready: ReadyAnswers

  constructor({ isOwnHost = createHostCheck('', []), ...deps }: HttpDeps) {
    this.api = new Api({ ...deps, clock: systemClock, random: systemRandom, turns: new Turnstile(ANSWERS_PER_TURN) })
    this.#isOwnHost = isOwnHost
    this.#logger = deps.logger
    this.#audit = deps.audit
    this.#ready = new ReadyAnswers((index) => deps.reader.isCurrent(index))
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const ready = hasBody(request) ? undefined : this.#ready.find(request)
    if (ready !== undefined && this.#isHostSound(request)) sendAgain(ready, response)
    else void this.#answerAnew(request, response)
  }

  async #answerAnew(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.#tellAuditor(request, await this.#answer(request, response), undefined)
    } catch (error) {
      this.#tellAuditor(request, findRoute(this.api, request), error)
      this.#refuse(error, request, response)
    }
  }

  #tellAuditor(request: IncomingMessage, route: Route | undefined, error: unknown): void {
    const fact = auditOf(request, route, error)
    if (fact !== undefined) this.#audit.record(fact)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Route> {
    const { method = 'GET', headers } = request
    const { path, query } = splitUrl(request)
    this.#checkHost(request)
    const match = this.api.find(path)
    const { route } = match
    if (route.isAct === true && method !== 'GET' && isOfOtherOrigin(request)) throw new OrchestratorError('HOST_REFUSED', OTHER_ORIGIN)
    if (route.crossOrigin !== undefined && isPreflight(request)) {
      response.writeHead(204, preflightHeaders(request)).end()
      return route
    }
    const body = hasBody(request) ? await this.#readBody(request, response, route) : EMPTY
    const gone = new Gone(request, response)
    const asked: ApiRequest = {
      method,
      path,
      query,
      host: headers.host ?? '',
      headers,
      body,
      get signal() {
        return gone.signal
      },
    }
    const answer = await this.api.answer(asked, match)
    const told = route.crossOrigin === undefined ? answer.headers : { ...answer.headers, ...crossOriginHeaders(request) }
    if (typeof answer.body !== 'string' && !(answer.body instanceof Uint8Array)) {
      await sendStream(answer.status, told, answer.body, response)
      return route
    }
    const isPretty = query.includes('pretty') && told['Content-Type'] === 'application/json' && answer.status === 200
    const sent = sendWhole(
      { status: answer.status, headers: told, body: isPretty ? pretty(answer.body, query) : answer.body },
      request,
      response,
    )
    if (answer.sameAt !== undefined && body === EMPTY && route.crossOrigin === undefined) this.#ready.keep(request, answer.sameAt, sent)
    return route
  }

  async #readBody(request: IncomingMessage, response: ServerResponse, { takesJobs }: Route): Promise<Uint8Array> {
    response.once('close', () => this.#bodies.release(request))
    return this.#bodies.read(request, takesJobs === true ? JOB_BODY_BYTES_MAX : BODY_BYTES_MAX)
  }

  #isHostSound(request: IncomingMessage): boolean {
    return hostCount(request) <= 1 && this.#isOwnHost(request.headers.host)
  }

  /** @throws OrchestratorError HOST_REFUSED, BAD_REQUEST */
  #checkHost(request: IncomingMessage): void {
    const { host } = request.headers
    if (hostCount(request) > 1) throw new OrchestratorError('BAD_REQUEST', 'several Host headers')
    if (this.#isOwnHost(host)) return
    throw new OrchestratorError(
      'HOST_REFUSED',
      `${JSON.stringify(host)} is no name of this server; if it is, list it in http.allowed_hosts of the server's configuration`,
    )
  }

  /** What keeps a websocket from being opened. */
  refusalOf(request: IncomingMessage): string | undefined {
    if (!this.#isOwnHost(request.headers.host)) return 'this is no name of this server'
    return isOfOtherOrigin(request) ? OTHER_ORIGIN : undefined
  }

  #refuse(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const status = error instanceof OrchestratorError ? statusOf(error.code) : 500
    if (status === 500 && !(error instanceof ApiError))
      this.#logger.error({ method: request.method, url: request.url, error: explainError(error) }, 'request failed')
    // Part of an answer has been sent: that it is not whole is all that can still be told.
    if (response.headersSent) return void response.destroy()
    const text = error instanceof OrchestratorError ? error.message : explainError(error)
    const headers = {
      ...(error instanceof ApiError ? error.headers : {}),
      // What is not read any more is not waited for.
      ...(status === statusOf('BODY_TOO_LARGE') || status === statusOf('TOO_BUSY') ? { Connection: 'close' } : {}),
      ...(text === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }),
    }
    sendWhole({ status, headers, body: text }, request, response)
  }
}

const EMPTY = new Uint8Array(0)

function findRoute(api: Api, request: IncomingMessage): Route | undefined {
  try {
    return api.find(splitUrl(request).path).route
  } catch {
    // No such path at all.
    return undefined
  }
}

function splitUrl({ url = '/' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

function hostCount({ rawHeaders }: IncomingMessage): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (isHostName(rawHeaders[at]!)) count++
  return count
}

function isHostName(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === 'host'
}

const OTHER_ORIGIN = 'pages of other origins may not act on what runs'

/** A page's scripts may talk to any server, and browsers say whose page it is. */
function isOfOtherOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}

/** Aborted when the connection closes before the answer was sent. Made only where something waits for it. */
class Gone {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #signal: AbortSignal | undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#watch()
    return this.#signal
  }

  #watch(): AbortSignal {
    const gone = new AbortController()
    if (this.#request.socket.destroyed) gone.abort()
    else this.#response.once('close', () => gone.abort())
    return gone.signal
  }
}
