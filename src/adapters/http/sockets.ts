/** Websockets beside the requests (ws 8): the API knows which paths have one. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Api, ApiRequest } from '../../api/index.js'
import { type AuditSink, explainError, type Logger, OrchestratorError } from '../../domain/index.js'
import { textsOf } from '../websocket-texts.js'
import { auditOf } from './audit.js'
import { statusOf } from './error-status.js'

export interface SocketDeps {
  readonly api: Api
  readonly logger: Logger
  readonly audit: AuditSink
  /** What keeps the request from being heard; undefined: nothing. */
  readonly refusalOf: (request: IncomingMessage) => string | undefined
}

const MESSAGE_BYTES_MAX = 1024 * 1024
const BUFFERED_BYTES_MAX = 1024 * 1024
/** Whoever does not answer by the next one is gone. */
const PING_EVERY_MS = 20_000
/** Of the reason of a close (RFC 6455, 5.5). */
const REASON_BYTES_MAX = 123
const NORMAL = 1000
const REFUSED = 1008
const FAILED = 1011
/** Statuses of HTTP. */
const FAILURES_FROM = 500

/** Returns the way to end all of them. */
export function serveSockets(server: Server, deps: SocketDeps): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false })
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => connection.destroy())
    const refusal = deps.refusalOf(request) ?? (hasSocket(deps.api, request) ? undefined : 'there is no websocket at this path')
    if (refusal !== undefined) {
      connection.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${refusal}\n`)
      return
    }
    sockets.handleUpgrade(request, connection, head, (socket) => void converse(socket, request, deps))
  })
  return () => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  }
}

function hasSocket(api: Api, { url = '/' }: IncomingMessage): boolean {
  try {
    return api.find(url.split('?')[0]!).route.socket !== undefined
  } catch {
    // No such path at all.
    return false
  }
}

async function converse(socket: WebSocket, request: IncomingMessage, { api, logger, audit }: SocketDeps): Promise<void> {
  const gone = new AbortController()
  socket.on('close', () => gone.abort())
  // It is closed next.
  socket.on('error', () => {})
  keepAlive(socket)
  let isTold = false
  const tellAuditor = (error?: unknown) => {
    const fact = isTold ? undefined : auditOf(request, api.find(request.url!.split('?')[0]!).route, error)
    isTold = true
    if (fact !== undefined) audit.record(fact)
  }
  try {
    await api.converse(requestOf(request, gone.signal), {
      incoming: textsOf(socket),
      send: (text) => {
        // The other side speaks: it has begun.
        tellAuditor()
        return send(socket, text)
      },
      signal: gone.signal,
    })
    tellAuditor()
    socket.close(NORMAL)
  } catch (error) {
    tellAuditor(gone.signal.aborted ? undefined : error)
    if (gone.signal.aborted) return
    const isKnown = error instanceof OrchestratorError
    if (!isKnown) logger.error({ url: request.url, error: explainError(error) }, 'conversation failed')
    const isRefusal = isKnown && statusOf(error.code) < FAILURES_FROM
    socket.close(isRefusal ? REFUSED : FAILED, shortened(isKnown ? error.message : explainError(error)))
  }
}

function requestOf({ method = 'GET', url = '/', headers }: IncomingMessage, signal: AbortSignal): ApiRequest {
  const mark = url.indexOf('?')
  const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
  return { method, path, query, host: headers.host ?? '', headers, body: new Uint8Array(0), signal }
}

function keepAlive(socket: WebSocket): void {
  let isThere = true
  socket.on('pong', () => {
    isThere = true
  })
  const timer = setInterval(() => {
    if (!isThere) return socket.terminate()
    isThere = false
    socket.ping()
  }, PING_EVERY_MS)
  socket.on('close', () => clearInterval(timer))
}

async function send(socket: WebSocket, text: string): Promise<boolean> {
  if (socket.readyState !== socket.OPEN) return false
  const sent = new Promise<void>((resolve) => socket.send(text, () => resolve()))
  if (socket.bufferedAmount > BUFFERED_BYTES_MAX) await sent
  return socket.readyState === socket.OPEN
}

function shortened(text: string): string {
  let short = text
  while (Buffer.byteLength(short) > REASON_BYTES_MAX) short = short.slice(0, -1)
  return short
}
