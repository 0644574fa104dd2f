/**
 * B6: reads of one job over HTTP, the server on one core, the clients in a process of their own (`B6` of docs/benchmarks.md).
 * Raw sockets with pipelining switched off: what is measured is the server, not a client library.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { World } from '../test/api/world.js'
import { job } from '../test/fixtures.js'
import { type Bench, type BenchOptions, type Measurement, measurement } from './measurement.js'

const CONNECTIONS = 32
const JOBS = 120
const WARM_UP_MS = 1_000

interface LoadRequest {
  readonly port: number
  readonly path: string
  readonly durationMs: number
}

export const b6ApiRead: Bench = {
  name: 'B6',
  summary: 'GET /v1/job/:id, requests a second on one core',
  async *run(options: BenchOptions): AsyncIterable<Measurement> {
    const world = new World()
    for (let number = 0; number < JOBS; number++) world.register(job({ ID: `job-${number}` }))
    const address = await world.http.listen({ host: '127.0.0.1', port: 0 })
    const port = Number(new URL(address).port)
    const client = fork(fileURLToPath(import.meta.url), ['--client'], { execArgv: process.execArgv })
    try {
      yield* measure(client, port, options)
    } finally {
      client.kill()
      await world.http.close()
    }
  },
}

async function* measure(client: ChildProcess, port: number, { quick }: BenchOptions): AsyncIterable<Measurement> {
  const [runs, durationMs] = quick ? [3, 2_000] : [5, 10_000]
  await load(client, { port, path: '/v1/job/job-7', durationMs: WARM_UP_MS })
  for (const [name, path] of [
    ['job', '/v1/job/job-7'],
    ['list-120', '/v1/jobs'],
  ] as const) {
    const rates: number[] = []
    for (let run = 0; run < runs; run++) rates.push(await load(client, { port, path, durationMs }))
    yield measurement('B6', name, 'requests', '1/s', rates)
  }
}

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
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`)
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
