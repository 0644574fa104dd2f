/** Checks as a host asks them, of programs that answer well, badly, or never. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { checkPort } from '../../src/adapters/checks.js'
import { describeFailedConnection } from '../../src/adapters/failed-connection.js'
import type { GrpcCheck, HttpCheck } from '../../src/agent/ports.js'
import { freePort } from '../free-port.js'

const PATIENCE_MS = 60_000
const IMPATIENCE_MS = 300

interface Listening {
  listen(port: number, host: string, then: () => void): unknown
  close(): unknown
  address(): unknown
  on(event: 'connection', heard: (socket: Socket) => void): unknown
}

async function portOf(server: Listening): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function http(answer: (request: IncomingMessage, response: ServerResponse) => void, over: Partial<HttpCheck> = {}) {
  const server: Server = createServer(answer)
  const port = await portOf(server)
  const check = { method: 'GET', headers: {}, body: '', timeoutMs: PATIENCE_MS, isTlsVerified: true, tlsServerName: '', ...over }
  return checkPort.http({ url: `http://127.0.0.1:${port}/health`, ...check })
}

test.each([200, 204, 302, 399])('%i passes', async (status) => {
  const answer = await http((_, response) => response.writeHead(status).end())
  expect(answer).toEqual({ isPassing: true, output: 'nomad: http ok', statusCode: status })
})

test('what a program says of its failure is kept, the first part of it', async () => {
  expect(await http((_, response) => response.writeHead(500).end('no database'))).toEqual({
    isPassing: false,
    output: 'no database',
    statusCode: 500,
  })
  expect(await http((_, response) => response.writeHead(404).end())).toEqual({ isPassing: false, output: '', statusCode: 404 })
  const { output } = await http((_, response) => response.writeHead(503).end('x'.repeat(100_000)))
  expect(output).toBe('x'.repeat(3 * 1024))
})

test('redirects are followed to their end, but not for ever', async () => {
  const heard: string[] = []
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    heard.push(`${request.method} ${request.url}`)
    if (request.url === '/health') response.writeHead(302, { Location: '/there' }).end()
    else if (request.url === '/there') response.writeHead(307, { Location: '/gone' }).end()
    else response.writeHead(410).end('gone')
  }
  expect(await http(answer, { method: 'POST', body: 'x' })).toEqual({ isPassing: false, output: 'gone', statusCode: 410 })
  expect(heard).toEqual(['POST /health', 'GET /there', 'GET /gone'])
  const { isPassing, output } = await http((_, response) => response.writeHead(302, { Location: '/health' }).end())
  expect(isPassing).toBe(false)
  expect(output).toBe('nomad: Get "/health": stopped after 10 redirects')
  expect((await http((_, response) => response.writeHead(302, { Location: 'file:///etc/hostname' }).end())).isPassing).toBe(false)
})

test('it is asked as the job says', async () => {
  let heard: unknown
  const over = { method: 'POST', headers: { Host: ['web.example'], 'X-Two': ['a', 'b'] }, body: '{"ping":1}' }
  const { isPassing } = await http((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { method, url, headers } = request
      heard = { method, url, host: headers.host, two: headers['x-two'], body: Buffer.concat(pieces).toString() }
      response.end()
    })
  }, over)
  expect(isPassing).toBe(true)
  expect(heard).toEqual({ method: 'POST', url: '/health', host: 'web.example', two: 'a, b', body: '{"ping":1}' })
})

test('who never answers, or never comes to an end, is failing in time', async () => {
  for (const answer of [
    () => {},
    (_: unknown, response: ServerResponse) => {
      response.write('begun')
    },
  ]) {
    const { isPassing, output } = await http(answer, { timeoutMs: IMPATIENCE_MS })
    expect(isPassing).toBe(false)
    expect(output).toMatch(/^nomad: Get "http:\/\/127\.0\.0\.1:\d+\/health": context deadline exceeded$/)
  }
})

test('who breaks off, and whom nobody is, are failing with a reason', async () => {
  const { isPassing, output } = await http((request) => request.socket.destroy())
  expect(isPassing).toBe(false)
  expect(output).toMatch(/^nomad: Get "http:\/\/127\.0\.0\.1:\d+\/health": EOF$/)
  const common = { method: 'GET', headers: {}, body: '', timeoutMs: PATIENCE_MS, isTlsVerified: true, tlsServerName: '' }
  const port = await freePort()
  expect((await checkPort.http({ ...common, method: 'POST', url: `http://127.0.0.1:${port}/` })).output).toBe(
    `nomad: Post "http://127.0.0.1:${port}/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  )
  const other = await portOf(createTcpServer((socket) => socket.end('220 mail\r\n')))
  expect((await checkPort.http({ ...common, url: `http://127.0.0.1:${other}/` })).output).toContain('malformed HTTP response')
  expect((await checkPort.http({ ...common, url: 'http://127.0.0.1:1/', headers: { 'a b': ['x'] } })).isPassing).toBe(false)
})

test.each([
  ['ENOTFOUND', 'getaddrinfo', 'dial tcp: lookup web.example: no such host'],
  ['EHOSTUNREACH', 'connect', 'dial tcp web.example:80: connect: no route to host'],
  ['ECONNRESET', 'read', 'read: connection reset by peer'],
  ['EACCES', 'connect', 'as it is'],
])('a connection that failed with %s', (code, syscall, text) => {
  expect(describeFailedConnection(Object.assign(new Error('as it is'), { code, syscall }), 'web.example', 80)).toBe(text)
})

test('a port that somebody listens at passes, one that nobody listens at is refused', async () => {
  const port = await portOf(createTcpServer())
  expect(await checkPort.tcp({ host: '127.0.0.1', port, timeoutMs: PATIENCE_MS })).toEqual({
    isPassing: true,
    output: 'nomad: tcp ok',
    statusCode: 0,
  })
  const free = await freePort()
  expect(await checkPort.tcp({ host: '127.0.0.1', port: free, timeoutMs: PATIENCE_MS })).toEqual({
    isPassing: false,
    output: `dial tcp 127.0.0.1:${free}: connect: connection refused`,
    statusCode: 0,
  })
})

/** A gRPC server of health: its answer as status of health, or as status of gRPC. */
async function grpc(answer: { readonly health: number } | { readonly status: string } | 'nothing', over: Partial<GrpcCheck> = {}) {
  const asked: Buffer[] = []
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.on('data', (piece: Buffer) => asked.push(piece))
    stream.on('end', () => {
      if (answer === 'nothing') return
      const trailers = { 'grpc-status': 'status' in answer ? answer.status : '0' }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      stream.end('health' in answer ? Buffer.from([0, 0, 0, 0, 2, 0x08, answer.health]) : undefined)
    })
  })
  const port = await portOf(server as unknown as Listening)
  const check = { host: '127.0.0.1', port, service: '', isTls: false, isTlsVerified: true, timeoutMs: PATIENCE_MS, ...over }
  return { port, asked, answer: await checkPort.grpc(check) }
}

test.each([
  [1, true, 'SERVING'],
  [2, false, 'NOT_SERVING'],
  [3, false, 'SERVICE_UNKNOWN'],
])('a gRPC server whose health is %i', async (health, isPassing, name) => {
  const { port, answer } = await grpc({ health })
  expect(answer).toEqual({ isPassing, output: `gRPC check 127.0.0.1:${port}: ${name}`, statusCode: 0 })
})

test('a gRPC server is asked for its service, whatever the length of its name', async () => {
  for (const length of [5, 127, 128, 300]) {
    const service = 's'.repeat(length)
    const { asked } = await grpc({ health: 1 }, { service })
    const message = Buffer.concat(asked).subarray(5)
    const prefix = length < 128 ? [0x0a, length] : [0x0a, (length & 0x7f) | 0x80, length >> 7]
    expect([...message]).toEqual([...prefix, ...Buffer.from(service)])
    expect(Buffer.concat(asked).readUInt32BE(1)).toBe(message.length)
  }
})

test('a gRPC server that has no such question, never answers, or is none is failing', async () => {
  const { port, answer } = await grpc({ status: '12' })
  expect(answer).toEqual({ isPassing: false, output: `gRPC 127.0.0.1:${port}: status 12`, statusCode: 0 })
  expect((await grpc('nothing', { timeoutMs: IMPATIENCE_MS })).answer.output).toMatch(/no answer within 300 ms$/)
  const other = await portOf(createTcpServer((socket) => socket.end('220 mail\r\n')))
  const check = { host: '127.0.0.1', port: other, service: '', isTls: false, isTlsVerified: true, timeoutMs: PATIENCE_MS }
  expect((await checkPort.grpc(check)).isPassing).toBe(false)
})
