/**
 * B13 with real processes: three hosts, one dies with all that it runs, and how long until what it ran has been started on another. Beside a peer
 * with as many clients; on both sides all that says how soon a host is missed is left as it is.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { killBelow } from '../test/acceptance/cluster.js'
import { RealCluster } from '../test/real-cluster.js'
import type { BenchOptions, Line } from './measurement.js'
import { clientName, type NomadPrograms, startNomadWithHosts } from './sides/nomad-programs.js'
import type { NomadSide } from './sides/nomad-side.js'
import { peerNotGiven } from './sides/peer.js'
import { getJson, untilSo } from './sides/side.js'
import { Stamps, stampingJob } from './sides/stamping-job.js'
import { inTurns, linesOfSides } from './sides/turns.js'

const HOSTS = [0, 1, 2]
const JOB = 'moved'
const LOOK_EVERY_MS = 10

/** Hosts of one side, by number. */
interface Hosts {
  readonly name: string
  readonly url: string
  nameOf(host: number): string
  kill(host: number): Promise<void>
  /** Starts it again, and resolves when it takes work. */
  revive(host: number): Promise<void>
  remove(): Promise<void>
}

export async function besidePeer({ quick, peer }: BenchOptions): Promise<readonly Line[]> {
  const sides: MovedJob[] = []
  try {
    sides.push(await MovedJob.start(startDrover))
    const { binary } = peer
    if (binary !== undefined) sides.push(await MovedJob.start((stamps) => startPeer(binary, stamps)))
    const values = await inTurns(sides, quick ? 1 : 3, (side) => side.replace())
    const lines = linesOfSides(
      { bench: 'B13', case: `real_hosts=${HOSTS.length}`, metric: 'dead_to_started_elsewhere', unit: 'ms' },
      values,
    )
    const note = 'peer not given (its hosts are killed: name its binary)'
    return [...lines, ...(binary === undefined ? [peerNotGiven('B13', note)] : [])]
  } finally {
    for (const side of sides) await side.remove()
  }
}

/** One job of one allocation, wherever it runs. */
class MovedJob {
  readonly #hosts: Hosts
  readonly #stamps: Stamps

  static async start(begin: (stamps: Stamps) => Promise<Hosts>): Promise<MovedJob> {
    const stamps = new Stamps()
    const moved = new MovedJob(await begin(stamps), stamps)
    await moved.#untilStamped()
    return moved
  }

  private constructor(hosts: Hosts, stamps: Stamps) {
    this.#hosts = hosts
    this.#stamps = stamps
  }

  get name(): string {
    return this.#hosts.name
  }

  async replace(): Promise<number> {
    const host = await this.#whereItRuns()
    rmSync(join(this.#stamps.folder, JOB))
    const diedMs = performance.now()
    await this.#hosts.kill(host)
    await this.#untilStamped()
    const tookMs = performance.now() - diedMs
    await this.#hosts.revive(host)
    return tookMs
  }

  async remove(): Promise<void> {
    await this.#hosts.remove()
    this.#stamps.remove()
  }

  #untilStamped(): Promise<void> {
    return untilSo(`the job runs on ${this.name}`, () => this.#stamps.count > 0, LOOK_EVERY_MS)
  }

  /** A host is told of as running it a moment after its task has begun. */
  async #whereItRuns(): Promise<number> {
    let host = -1
    await untilSo(`${this.name} tells where the job runs`, async () => {
      const rows = await getJson<readonly { readonly NodeName: string; readonly ClientStatus: string; readonly DesiredStatus: string }[]>(
        `${this.#hosts.url}/v1/job/${JOB}/allocations`,
      )
      const running = rows.find(({ ClientStatus, DesiredStatus }) => ClientStatus === 'running' && DesiredStatus === 'run')
      host = HOSTS.findIndex((at) => this.#hosts.nameOf(at) === running?.NodeName)
      return host >= 0
    })
    return host
  }
}

async function startDrover(stamps: Stamps): Promise<Hosts> {
  const cluster = new RealCluster({ name: 'bench-hosts', hosts: HOSTS.map((at) => `host-${at}`) }, await RealCluster.ports())
  const { id, text } = stampingJob(stamps, JOB)
  cluster.begin({ [`jobs/${id}.nomad.hcl`]: text })
  const allReady = () =>
    untilSo('all hosts take work', async () => {
      const nodes = await cluster.get<readonly { readonly Status: string }[]>('/v1/nodes')
      return nodes.filter(({ Status }) => Status === 'ready').length === HOSTS.length
    })
  await cluster.answers()
  await allReady()
  return {
    name: 'drover',
    url: cluster.url,
    nameOf: (host) => cluster.hosts[host]!,
    kill: async (host) => {
      await cluster.agents[host]!.end('SIGKILL')
      killBelow(cluster.hostFolder(host))
    },
    revive: (host) => {
      cluster.agents[host]!.start()
      return allReady()
    },
    remove: () => cluster.remove(),
  }
}

async function startPeer(binary: string, stamps: Stamps): Promise<Hosts> {
  const { side, programs }: { readonly side: NomadSide; readonly programs: NomadPrograms } = await startNomadWithHosts(binary, HOSTS.length)
  await (await side.prepare([stampingJob(stamps, JOB)]))()
  return {
    name: side.name,
    url: side.url,
    nameOf: clientName,
    kill: (host) => programs.killClient(host),
    revive: (host) => {
      programs.startClient(host)
      return programs.allReady()
    },
    remove: () => side.remove(),
  }
}
