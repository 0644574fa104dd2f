/**
 * Who may hold how many connections, and for how long without saying anything. A request that is still coming counts as half-open: of those
 * there is room for a thousand, and the oldest makes way.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionLimits {
  /** Of one address at the same time; 0: any number. Blocking queries and streams hold one each. */
  readonly perClient: number
  readonly halfOpenMax: number
  /** Until the head of a request must be there, and until all of it. How long its answer takes is another matter. */
  readonly headersMsMax: number
  readonly requestMsMax: number
  /** How often the two are looked at. */
  readonly checkedEveryMs: number
}

/** As many of one address as Nomad allows. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  perClient: 100,
  halfOpenMax: 1_000,
  headersMsMax: 10_000,
  requestMsMax: 60_000,
  checkedEveryMs: 2_000,
}

/** In Nomad's words. */
const TOO_MANY = 'Your IP is issuing too many concurrent connections, please rate limit your calls\n'
const TOO_MANY_ANSWER = `HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: ${TOO_MANY.length}\r\nConnection: close\r\n\r\n${TOO_MANY}`

export function limitConnections(server: Server, { perClient, halfOpenMax, headersMsMax, requestMsMax }: ConnectionLimits): void {
  const open = new Map<string, number>()
  const halfOpen = new Set<Socket>()
  const expectMore = (socket: Socket) => {
    halfOpen.add(socket)
    if (halfOpen.size <= halfOpenMax) return
    const [oldest] = halfOpen
    halfOpen.delete(oldest!)
    oldest!.destroy()
  }
  server.headersTimeout = headersMsMax
  server.requestTimeout = requestMsMax
  server.on('connection', (socket) => {
    const client = addressOf(socket)
    const count = (open.get(client) ?? 0) + 1
    open.set(client, count)
    socket.once('close', () => {
      halfOpen.delete(socket)
      const left = (open.get(client) ?? 1) - 1
      if (left === 0) open.delete(client)
      else open.set(client, left)
    })
    if (perClient > 0 && count > perClient) socket.end(TOO_MANY_ANSWER, () => socket.destroy())
    else expectMore(socket)
  })
  // What is a websocket from now on sends no more requests.
  server.prependListener('upgrade', ({ socket }: IncomingMessage) => halfOpen.delete(socket))
  server.prependListener('request', (request) => {
    const { socket } = request
    halfOpen.delete(socket)
    if (!hasBody(request)) return
    expectMore(socket)
    request.once('end', () => halfOpen.delete(socket))
  })
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
