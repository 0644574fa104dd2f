/**
 * B6: reads over HTTP, the server on one core, the clients in a process of their own (`B6` of docs/benchmarks.md). Raw sockets with
 * pipelining switched off: what is measured is the server, not a client library. Beside each route, in turns with it, a bare server of Node's
 * that does nothing but send the same head and bytes: what is between the two is ours.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { World } from '../test/api/world.js'
import { allocation, job, node, uuid } from '../test/fixtures.js'
import type { LoadRequest } from './load-client.js'
import { type Bench, type BenchOptions, type Line, type Measurement, measurement } from './measurement.js'
import type { NomadSide } from './sides/nomad-side.js'
import { openPeers, peerNotGiven } from './sides/peer.js'
import { runningIds, untilRunning } from './sides/side.js'
import { Stamps, stampingJob } from './sides/stamping-job.js'
import { inTurns, linesOfSides } from './sides/turns.js'

const JOBS = 120
const ALLOCATIONS = 100
const WARM_UP_MS = 1_000

/** A route, and its path on one system: objects have ids of their own there. */
type Paths = Readonly<Record<(typeof ROUTES)[number], string>>

const ROUTES = ['job', 'summary', 'allocation', 'nodes', 'jobs-120', 'allocations-100'] as const

interface Served {
  readonly url: string
  readonly paths: Paths
}

export const b6ApiRead: Bench = {
  name: 'B6',
  summary: 'reads over HTTP, requests a second on one core, beside a bare server that sends the same bytes',
  async *run(options: BenchOptions): AsyncIterable<Line> {
    const { world, paths } = createWorld()
    const url = await world.http.listen({ host: '127.0.0.1', port: 0 })
    const client = fork(fileURLToPath(new URL('./load-client.js', import.meta.url)))
    const peers = await openPeers(options.peer)
    try {
      const served = new Map<string, Served>([['drover', { url, paths }]])
      for (const peer of peers) served.set(peer.name, await fillPeer(peer))
      if (peers.length === 0) yield peerNotGiven('B6')
      for (const route of ROUTES) yield* measure(client, served, route, options)
    } finally {
      client.kill()
      await world.http.close()
      for (const peer of peers) await peer.remove()
    }
  },
}

function createWorld(): { readonly world: World; readonly paths: Paths } {
  const world = new World()
  for (let number = 0; number < JOBS; number++) world.register(job({ ID: `job-${number}` }))
  const placed = Array.from({ length: ALLOCATIONS }, (_, at) => allocation({ ID: uuid(at, 0xb6) }))
  world.change((state, index) => {
    state.nodes.put(index, node())
    for (const one of placed) state.allocations.put(index, one)
  })
  return { world, paths: pathsOf('job-7', placed[0]!.ID) }
}

/** The same number of jobs and allocations; all but one of the jobs want nothing. */
async function fillPeer(peer: NomadSide): Promise<Served> {
  const stamps = new Stamps()
  try {
    const idle = Array.from({ length: JOBS - 1 }, (_, at) => stampingJob(stamps, `job-${at}`, { count: 0 }))
    const submit = await peer.prepare([...idle, stampingJob(stamps, 'all', { count: ALLOCATIONS })])
    await submit()
    await untilRunning(peer, ALLOCATIONS)
    return { url: peer.url, paths: pathsOf('job-7', (await runningIds(peer))[0]!) }
  } finally {
    stamps.remove()
  }
}

function pathsOf(jobId: string, allocationId: string): Paths {
  return {
    job: `/v1/job/${jobId}`,
    summary: `/v1/job/${jobId}/summary`,
    allocation: `/v1/allocation/${allocationId}`,
    nodes: '/v1/nodes',
    'jobs-120': '/v1/jobs',
    'allocations-100': '/v1/allocations',
  }
}

async function* measure(
  client: ChildProcess,
  served: ReadonlyMap<string, Served>,
  route: (typeof ROUTES)[number],
  { quick }: BenchOptions,
): AsyncIterable<Measurement> {
  const [runs, durationMs] = quick ? [3, 500] : [5, 3_000]
  const drover = served.get('drover')!
  const bare = await startBare(drover.url + drover.paths[route])
  try {
    const sides = [...served].map(([name, { url, paths }]) => ({ name, port: Number(new URL(url).port), path: paths[route] }))
    sides.push({ name: 'bare', port: (bare.address() as AddressInfo).port, path: '/' })
    for (const { port, path } of sides) await load(client, { port, path, durationMs: WARM_UP_MS })
    const rates = await inTurns(sides, runs, ({ port, path }) => load(client, { port, path, durationMs }))
    yield* linesOfSides({ bench: 'B6', case: route, metric: 'requests', unit: '1/s' }, rates)
    const [ours, bares] = [rates.get('drover')!, rates.get('bare')!]
    const shares = ours.map((rate, run) => rate / bares[run]!)
    yield measurement('B6', route, 'share-of-bare', '1', shares)
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
