/**
 * B6: reads over HTTP, the server on one core, the clients in a process of their own (`B6` of docs/benchmarks.md). Raw sockets with
 * pipelining switched off: what is measured is the server, not a client library. Beside each route, in turns with it, a bare server of Node's
 * that does nothing but send the same head and bytes: what is between the two is ours.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { World } from '../test/api/world.js'
import { allocation, job, node } from '../test/fixtures.js'
import { type Bench, type BenchOptions, type Measurement, measurement } from './measurement.js'

const CONNECTIONS = 32
const JOBS = 120
const WARM_UP_MS = 1_000

interface LoadRequest {
  readonly port: number
  readonly path: string
  readonly durationMs: number
}

interface Route {
  readonly name: string
  readonly path: string
}

export const b6ApiRead: Bench = {
  name: 'B6',
  summary: 'reads over HTTP, requests a second on one core, beside a bare server that sends the same bytes',
  async *run(options: BenchOptions): AsyncIterable<Measurement> {
    const { world, routes } = createWorld()
    const url = await world.http.listen({ host: '127.0.0.1', port: 0 })
    const client = fork(fileURLToPath(import.meta.url), ['--client'], { execArgv: process.execArgv })
    try {
      for (const route of routes) yield* measure(client, url, route, options)
    } finally {
      client.kill()
      await world.http.close()
    }
  },
}

function createWorld(): { readonly world: World; readonly routes: readonly Route[] } {
  const world = new World()
  for (let number = 0; number < JOBS; number++) world.register(job({ ID: `job-${number}` }))
  const placed = allocation()
  world.change((state, index) => {
    state.nodes.put(index, node())
    state.allocations.put(index, placed)
  })
  const routes = [
    { name: 'job', path: '/v1/job/job-7' },
    { name: 'summary', path: '/v1/job/job-7/summary' },
    { name: 'allocation', path: `/v1/allocation/${placed.ID}` },
    { name: 'nodes', path: '/v1/nodes' },
    { name: `list-${JOBS}`, path: '/v1/jobs' },
  ]
  return { world, routes }
}

async function* measure(client: ChildProcess, url: string, { name, path }: Route, { quick }: BenchOptions): AsyncIterable<Measurement> {
  const [runs, durationMs] = quick ? [3, 500] : [5, 3_000]
  const bare = await startBare(`${url}${path}`)
  try {
    const ports = { ours: Number(new URL(url).port), bare: (bare.address() as AddressInfo).port }
    const rates = { ours: [] as number[], bare: [] as number[] }
    for (const which of ['ours', 'bare'] as const) await load(client, { port: ports[which], path, durationMs: WARM_UP_MS })
    for (let run = 0; run < runs; run++)
      for (const which of ['ours', 'bare'] as const) rates[which].push(await load(client, { port: ports[which], path, durationMs }))
    yield measurement('B6', name, 'requests', '1/s', rates.ours)
    yield measurement('B6', name, 'requests-bare', '1/s', rates.bare)
    yield measurement(
      'B6',
      name,
      'share-of-bare',
      '1',
      rates.ours.map((rate, run) => rate / rates.bare[run]!),
    )
  } finally {
    bare.close()
    bare.closeAllConnections()
  }
}

/** Answers whatever it is asked with what the address answers now. */
async function startBare(address: string): Promise<Server> {
  const answer = await fetch(address)
  const body = Buffer.from(await answer.arrayBuffer())
  const head = [...answer.headers].filter(([header]) => !OWN_HEADERS.has(header)).flat()
  const bare = createServer((_, response) => response.writeHead(answer.status, head).end(body))
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve))
  return bare
}

/** Node writes them itself. */
const OWN_HEADERS = new Set(['date', 'connection', 'keep-alive'])

/** Requests a second that the client process got answered. */
function load(client: ChildProcess, request: LoadRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    client.once('message', (answer: { readonly rate?: number; readonly error?: string }) => {
      if (answer.rate === undefined) reject(new Error(answer.error))
      else resolve(answer.rate)
    })
    client.send(request)
  })
}

async function drive({ port, path, durationMs }: LoadRequest): Promise<number> {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  const start = performance.now()
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => driveOne(port, request, start + durationMs)))
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1000)
}

/** One connection: the next request leaves when the answer to the last one is complete. */
function driveOne(port: number, request: Buffer, endMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(request))
    let count = 0
    let missing = 0
    socket.setNoDelay(true)
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      missing = missing === 0 ? answerLength(chunk) - chunk.length : missing - chunk.length
      if (missing > 0) return
      count++
      if (performance.now() < endMs) {
        socket.write(request)
        return
      }
      socket.destroy()
      resolve(count)
    })
  })
}

/** Head and body; the head always comes whole. */
function answerLength(chunk: Buffer): number {
  const head = chunk.indexOf('\r\n\r\n')
  const text = chunk.subarray(0, head).toString('latin1')
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${text}`)
  return head + 4 + Number(/content-length: (\d+)/i.exec(text)![1])
}

if (process.argv.includes('--client')) {
  process.on('message', (request: LoadRequest) => {
    drive(request).then(
      (rate) => process.send!({ rate }),
      (error: unknown) => process.send!({ error: String(error) }),
    )
  })
}
