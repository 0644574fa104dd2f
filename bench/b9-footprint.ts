/**
 * B9: what a server takes when nothing happens: memory and disk for each allocation of a large state, above those of an empty server, and its share of
 * a processor. `limit` is the JSON of the same allocations.
 */
import { LARGE, SMALL } from './b8-cold-start.js'
import { writeLargeState } from './large-state.js'
import { type Bench, type BenchOptions, type Line, measurement } from './measurement.js'
import { ServerProcess } from './server-process.js'
import { peerNotGiven } from './sides/peer.js'
import { untilSo } from './sides/side.js'

interface Footprint {
  readonly pss: number
  readonly diskBytes: number
  readonly cpuShare: number
  readonly jsonBytes: number
}

export const b9: Bench = {
  name: 'B9',
  summary: 'what a server with a large state takes when nothing happens',
  async *run({ quick }: BenchOptions): AsyncIterable<Line> {
    const size = quick ? SMALL : LARGE
    const of = `nodes=${size.nodes},jobs=${size.jobs},allocations=${size.allocations}`
    const idleMs = quick ? 5_000 : 60_000
    const empty = await footprint({ nodes: 0, jobs: 1, allocations: 0 }, idleMs)
    const full = await footprint(size, idleMs)
    const each = (what: (of: Footprint) => number) => (what(full) - what(empty)) / size.allocations
    yield measurement('B9', 'empty', 'pss', 'bytes', [empty.pss])
    yield measurement('B9', 'empty', 'idle-cpu', 'cores', [empty.cpuShare])
    yield measurement('B9', of, 'pss', 'bytes', [full.pss])
    yield measurement('B9', of, 'pss-an-allocation', 'bytes', [each(({ pss }) => pss)])
    yield measurement('B9', of, 'disk-an-allocation', 'bytes', [each(({ diskBytes }) => diskBytes)])
    yield { ...measurement('B9', of, 'json-an-allocation', 'bytes', [full.jsonBytes / size.allocations]), side: 'limit' }
    yield measurement('B9', of, 'idle-cpu', 'cores', [full.cpuShare])
    yield peerNotGiven('B9', 'no peer: it would have to be given the same state first; B12 has the memory of both beside tasks')
  },
}

async function footprint(size: typeof LARGE, idleMs: number): Promise<Footprint> {
  const server = await ServerProcess.create()
  try {
    await writeLargeState(server.dataFolder, size)
    server.repository.commit({ 'jobs/.keep': '' })
    server.start()
    await untilSo('the server answers', async () => (await server.get('/v1/jobs?per_page=1')) !== undefined)
    await pause(idleMs / 2)
    const beganMs = server.cpuMs
    await pause(idleMs)
    const cpuShare = (server.cpuMs - beganMs) / idleMs
    const { pss, diskBytes } = server
    const rows = await server.get<unknown[]>('/v1/allocations')
    return { pss, diskBytes, cpuShare, jsonBytes: JSON.stringify(rows).length }
  } finally {
    await server.remove()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
