/**
 * B3 and B4: what a server decides and keeps, on hosts that only stand in its list: of a hundred thousand allocations at once, and of jobs of one that
 * come faster and faster. Jobs come by commits of one file each, and to a peer over its API. `limit` is a bare append of as many bytes to a file,
 * made durable for each thousand.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventTimes } from './event-times.js'
import { FastImport } from './fast-import.js'
import { writeLargeState } from './large-state.js'
import { type Bench, type BenchOptions, type Line, measurement, quantile } from './measurement.js'
import { ServerProcess } from './server-process.js'
import { startHollowNomad } from './sides/nomad-programs.js'
import type { NomadSide } from './sides/nomad-side.js'
import { type PeerOption, peerNotGiven } from './sides/peer.js'
import { getJson, untilSo } from './sides/side.js'
import { inTurns, linesOfSides } from './sides/turns.js'

const NO_PEER = 'peer not given (its hosts have to be stopped: name its binary)'
const HOSTS = 500
const PEER_CLIENTS = 4
/** A rate is held when that share of its jobs is placed within a second. */
const SHARE = 0.99
const PLACED_WITHIN_MS = 1_000
const HANDED_OVER_EVERY_MS = 100
/** It took longer than anybody waits here. */
const NOT_SEEN_MS = 10 * PLACED_WITHIN_MS

/** Takes jobs and places them. */
interface Placer {
  readonly name: string
  readonly url: string
  /** Does all that comes before. @returns what hands them over */
  prepare(jobs: readonly JobJson[]): Promise<() => Promise<void>>
  remove(): Promise<void>
}

type JobJson = { readonly ID: string }

export const b3: Bench = {
  name: 'B3',
  summary: 'placements a second that are durable, of a hundred thousand at once',
  async *run({ quick, peer }: BenchOptions): AsyncIterable<Line> {
    if (peer.binary === undefined) yield peerNotGiven('B3', NO_PEER)
    const [jobs, count] = quick ? [20, 50] : [318, 315]
    const sides = [{ name: 'drover' }, ...(peer.binary === undefined ? [] : [{ name: 'peer' }]), { name: 'limit' }]
    const rates = await inTurns(sides, quick ? 1 : 3, async ({ name }) => {
      if (name === 'limit') return bareAppends(jobs * count)
      const placer = await openPlacer(name, peer)
      try {
        return await placementsASecond(placer, jobs, count)
      } finally {
        await placer.remove()
      }
    })
    yield* linesOfSides({ bench: 'B3', case: `jobs=${jobs},count=${count},hosts=${HOSTS}`, metric: 'placements', unit: '1/s' }, rates)
  },
}

export const b4: Bench = {
  name: 'B4',
  summary: 'jobs of one allocation that come faster and faster: up to which rate they are placed within a second',
  async *run({ quick, peer }: BenchOptions): AsyncIterable<Line> {
    if (peer.binary === undefined) yield peerNotGiven('B4', NO_PEER)
    const rates = quick ? [50] : [200, 500, 1_000, 2_000, 3_000, 5_000, 10_000]
    for (const name of ['drover', ...(peer.binary === undefined ? [] : ['peer'])]) {
      let best = 0
      for (const rate of rates) {
        const placer = await openPlacer(name, peer)
        try {
          const waitsMs = await ramp(placer, rate, quick ? 1 : 3)
          const p99 = quantile(waitsMs, SHARE)
          yield { ...measurement('B4', `rate=${rate}`, 'to-placed-p99', 'ms', [p99]), side: name }
          if (p99 > PLACED_WITHIN_MS) break
          best = rate
        } finally {
          await placer.remove()
        }
      }
      yield { ...measurement('B4', 'highest', 'jobs-placed-within-a-second', '1/s', [best]), side: name }
    }
  },
}

/** One that has placed something already. */
async function openPlacer(name: string, { binary }: PeerOption): Promise<Placer> {
  const placer = name === 'peer' ? new PeerPlacer(await startHollowNomad(binary!, PEER_CLIENTS)) : await DroverPlacer.start()
  await (await placer.prepare([jobJson('first', 1)]))()
  await untilSo(`the first is placed by ${placer.name}`, async () => (await placedCount(placer.url)) === 1)
  return placer
}

async function placementsASecond(placer: Placer, jobs: number, count: number): Promise<number> {
  const handOver = await placer.prepare(Array.from({ length: jobs }, (_, at) => jobJson(`big-${at}`, count)))
  const beganMs = performance.now()
  await handOver()
  await untilSo(`all are placed by ${placer.name}`, async () => (await placedCount(placer.url)) > jobs * count)
  return (jobs * count * 1000) / (performance.now() - beganMs)
}

interface SeenJob {
  readonly JobSummary: { readonly Summary: Readonly<Record<string, { readonly Starting: number; readonly Running: number }>> } | null
}

/** By the summaries of all jobs. */
async function placedCount(url: string): Promise<number> {
  const jobs = await getJson<readonly SeenJob[]>(`${url}/v1/jobs`)
  const groups = jobs.flatMap(({ JobSummary }) => Object.values(JobSummary?.Summary ?? {}))
  return groups.reduce((sum, { Starting, Running }) => sum + Starting + Running, 0)
}

/** @returns for each job how long it took from being handed over until its allocation was told of; ten seconds for those of which it never was */
async function ramp(placer: Placer, rate: number, seconds: number): Promise<readonly number[]> {
  const batches = (seconds * 1000) / HANDED_OVER_EVERY_MS
  const perBatch = rate / (1000 / HANDED_OVER_EVERY_MS)
  const times = await EventTimes.follow(placer.url)
  const began = new Map<string, number>()
  try {
    const handOvers: (() => Promise<void>)[] = []
    const ids = Array.from({ length: batches }, (_, batch) => Array.from({ length: perBatch }, (__, at) => `one-${batch}-${at}`))
    for (const some of ids) handOvers.push(await placer.prepare(some.map((id) => jobJson(id, 1))))
    const startMs = performance.now()
    const handed: Promise<void>[] = []
    for (const [batch, handOver] of handOvers.entries()) {
      await pause(startMs + batch * HANDED_OVER_EVERY_MS - performance.now())
      for (const id of ids[batch]!) began.set(id, performance.now())
      handed.push(handOver())
    }
    await Promise.all(handed)
    await times.whenSeen(began.size, NOT_SEEN_MS)
    return [...began].map(([id, atMs]) => (times.of(id) === undefined ? NOT_SEEN_MS : times.of(id)! - atMs))
  } finally {
    times.close()
  }
}

class DroverPlacer implements Placer {
  readonly name = 'drover'
  readonly #server: ServerProcess
  readonly #commits: FastImport

  static async start(): Promise<DroverPlacer> {
    const server = await ServerProcess.create()
    await writeLargeState(server.dataFolder, { nodes: HOSTS, jobs: 1, allocations: 0 })
    server.repository.commit({ 'jobs/.keep': '' })
    server.start()
    await untilSo('the server answers', async () => (await server.get('/v1/jobs')) !== undefined)
    return new DroverPlacer(server)
  }

  private constructor(server: ServerProcess) {
    this.#server = server
    this.#commits = new FastImport(server.repository.folder)
  }

  get url(): string {
    return this.#server.url
  }

  async prepare(jobs: readonly JobJson[]): Promise<() => Promise<void>> {
    const files = Object.fromEntries(jobs.map((Job) => [`jobs/${Job.ID}.nomad.json`, JSON.stringify({ Job })]))
    return async () => this.#commits.commit(files)
  }

  async remove(): Promise<void> {
    await this.#commits.end()
    await this.#server.remove()
  }
}

class PeerPlacer implements Placer {
  readonly name = 'peer'
  readonly #nomad: NomadSide

  constructor(nomad: NomadSide) {
    this.#nomad = nomad
  }

  get url(): string {
    return this.#nomad.url
  }

  async prepare(jobs: readonly JobJson[]): Promise<() => Promise<void>> {
    const bodies = jobs.map((Job) => JSON.stringify({ Job }))
    return () => this.#nomad.submit(bodies)
  }

  remove(): Promise<void> {
    return this.#nomad.remove()
  }
}

function jobJson(ID: string, Count: number): JobJson {
  const Task = {
    Name: 'main',
    Driver: 'raw_exec',
    Config: { command: '/bin/sleep', args: ['100000'] },
    Resources: { CPU: 10, MemoryMB: 10 },
    LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
  }
  const Group = { Name: 'main', Count, EphemeralDisk: { SizeMB: 10 }, Tasks: [Task] }
  return { ID, Name: ID, Type: 'service', Datacenters: ['*'], TaskGroups: [Group] } as JobJson
}

const ALLOCATION_BYTES = 400
const DURABLE_AT_ONCE = 1_000

function bareAppends(count: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-append-'))
  const file = openSync(join(folder, 'log'), 'w')
  try {
    const piece = Buffer.alloc(ALLOCATION_BYTES * DURABLE_AT_ONCE, 'x')
    const beganMs = performance.now()
    for (let written = 0; written < count; written += DURABLE_AT_ONCE) {
      writeSync(file, piece)
      fdatasyncSync(file)
    }
    return (count * 1000) / (performance.now() - beganMs)
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true })
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
