/** What clients ask: sound, odd, too much of it, and half of it. */

import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Act } from './acts.js'
import { jobText } from './commits.js'
import type { TortureWorld } from './world.js'

const PATHS = [
  '/v1/jobs?prefix=%00',
  '/v1/jobs?per_page=1&next_token=%ff',
  '/v1/jobs?filter=ID+matches+%22(a%2B)%2B%22',
  '/v1/jobs?filter=((((((ID',
  '/v1/nodes?resources=true',
  '/v1/allocations?resources=true&task_states=true',
  '/v1/evaluations?per_page=100000',
  '/v1/job/witness-h1/versions?diffs=true',
  '/v1/job/..%2f..%2fetc/allocations',
  '/v1/search',
  '/v1/metrics?format=prometheus',
  '/drover/v1/source',
  '/drover/v1/why/default/witness-h1',
  '/v1/event/stream?index=999999999',
]

const GIVE_UP_MS = 20_000
const STREAMS = 40
const PARKED = 300

export const REQUEST_ACTS: readonly Act[] = [
  {
    name: 'odd questions',
    run: async (world) => void (await Promise.all(PATHS.map((path) => ask(world, path, { signal: AbortSignal.timeout(2_000) })))),
  },
  { name: 'files of allocations, pipes among them', run: readFiles },
  {
    name: 'a body of twelve megabytes',
    run: (world) => post(world, '/v1/validate/job', { Job: { ID: 'x', Payload: 'x'.repeat(12_000_000) } }),
  },
  { name: 'a job of twenty thousand groups', run: (world) => post(world, '/v1/validate/job', { Job: wideJob(20_000) }) },
  { name: 'a job of five hundred groups is planned', run: (world) => post(world, '/v1/job/wide/plan', { Job: wideJob(500), Diff: true }) },
  {
    name: 'a text to parse that takes many steps',
    run: (world) =>
      post(world, '/v1/jobs/parse', {
        JobHCL: `locals {\n  n = [for a in range(300) : [for b in range(300) : a * b]]\n}\n${jobText('x')}`,
      }),
  },
  { name: 'event streams from the first event on, most of them never read', run: openStreams },
  { name: 'parked queries', run: park },
  { name: 'half requests', run: halfRequests },
  {
    name: 'a host name that is not ours',
    run: (world) => rawRequest(world, 'GET /v1/jobs HTTP/1.1\r\nHost: rebound.example.org\r\nConnection: close\r\n\r\n'),
  },
  { name: 'writes that are refused', run: (world) => post(world, '/v1/jobs', { Job: wideJob(1) }) },
]

async function ask(world: TortureWorld, path: string, init: RequestInit = {}): Promise<void> {
  try {
    await (await fetch(`${world.url}${path}`, { signal: AbortSignal.timeout(GIVE_UP_MS), ...init })).arrayBuffer()
  } catch {
    // Refused, cut off or given up: whether the server still answers is watched elsewhere.
  }
}

async function post(world: TortureWorld, path: string, body: unknown): Promise<void> {
  await ask(world, path, { method: 'POST', body: JSON.stringify(body) })
}

function wideJob(groups: number): object {
  const task = { Name: 't', Driver: 'raw_exec', Config: { command: '/bin/true' } }
  return {
    ID: 'wide',
    Name: 'wide',
    Type: 'service',
    Datacenters: ['*'],
    TaskGroups: Array.from({ length: groups }, (_, at) => ({ Name: `g${at}`, Count: 1, Tasks: [task] })),
  }
}

async function readFiles(world: TortureWorld): Promise<void> {
  const allocations = await world.get<readonly { readonly ID: string }[]>('/v1/allocations').catch(() => [])
  for (const { ID } of allocations.slice(0, 5)) {
    const paths = ['t/local/pipe', 'alloc/pipe', 't/local/link', 'alloc/a/b/c/up/up', 't/secrets/x', '../../../etc/passwd', 'alloc/logs']
    const asked = paths.flatMap((path) => [
      `/v1/client/fs/cat/${ID}?path=${path}`,
      `/v1/client/fs/stream/${ID}?path=${path}`,
      `/v1/client/fs/ls/${ID}?path=${path}`,
    ])
    await Promise.all(
      [...asked, `/v1/client/fs/logs/${ID}?task=t&type=stdout&follow=true`].map((path) =>
        ask(world, path, { signal: AbortSignal.timeout(1_500) }),
      ),
    )
  }
}

async function openStreams(world: TortureWorld): Promise<void> {
  const sockets = Array.from({ length: STREAMS }, (_, at) => {
    const socket = open(world)
    socket.write('GET /v1/event/stream?index=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    if (at % 2 === 0) socket.pause()
    else socket.resume()
    return socket
  })
  await pause(world.random.between(500, 3_000))
  for (const socket of sockets) socket.destroy()
}

async function park(world: TortureWorld): Promise<void> {
  const leave = AbortSignal.timeout(world.random.between(500, 3_000))
  await Promise.all(Array.from({ length: PARKED }, () => ask(world, '/v1/job/witness-h1?index=1000000&wait=30s', { signal: leave })))
}

async function halfRequests(world: TortureWorld): Promise<void> {
  const sockets = Array.from({ length: 100 }, (_, at) => {
    const socket = open(world)
    socket.write(
      at % 2 === 0 ? 'GET /v1/jobs HTT' : 'POST /v1/validate/job HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"Job"',
    )
    return socket
  })
  await pause(world.random.between(500, 2_000))
  for (const socket of sockets) socket.destroy()
}

async function rawRequest(world: TortureWorld, text: string): Promise<void> {
  const socket = open(world)
  socket.write(text)
  socket.resume()
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), pause(2_000)])
  socket.destroy()
}

function open(world: TortureWorld): Socket {
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  // Refused or cut off, as it may be.
  socket.on('error', () => {})
  return socket
}
