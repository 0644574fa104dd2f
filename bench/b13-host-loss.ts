/**
 * B13: hosts that die and hosts that come. Three real ones beside a peer's (`b13-beside-peer.ts`); then the shipped server and the shipped agents, all
 * in this process, on the real clock, over a bus and a log in memory; tasks that only sleep.
 *
 * A host dies: how long until what it ran runs elsewhere, with few and with many hosts. Everybody joins at once where ten system jobs want to
 * be on each host: how many evaluations of one job begin within 50 ms, and how long it takes after the last host has joined until nothing is
 * evaluated any more.
 */
import { systemClock } from '../src/adapters/clock.js'
import { InProcessJobReader, InProcessSyntaxReader } from '../src/adapters/hcl-syntax/index.js'
import { InProcessHub } from '../src/adapters/in-process-bus/index.js'
import { silentLogger } from '../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../src/adapters/memory/command-log.js'
import { systemRandom } from '../src/adapters/random.js'
import { Server } from '../src/controller/index.js'
import { SOURCE_DEFAULT } from '../src/domain/index.js'
import { fakeSigner, fakeVerify } from '../test/fake-keys.js'
import { SimulatedRepository } from '../test/simulation/simulated-git.js'
import { besidePeer } from './b13-beside-peer.js'
import { type Bench, type BenchOptions, type Line, type Measurement, measurement } from './measurement.js'
import { SleepingHost } from './sleeping-host.js'

const LEASE_MS = 3_600_000
const SYSTEM_JOBS = 10
const WINDOW_MS = 50
const QUIET_MS = 1_000

export const b13: Bench = {
  name: 'B13',
  summary: 'a host dies: how long until its work runs elsewhere; all hosts join at once: evaluations, and how long until it is quiet',
  async *run(options: BenchOptions): AsyncIterable<Line> {
    yield* await besidePeer(options)
    yield* simulatedHosts(options)
  },
}

async function* simulatedHosts({ quick }: BenchOptions): AsyncIterable<Measurement> {
  for (const hosts of quick ? [50] : [50, 5_000]) {
    const cluster = await Cluster.start(hosts)
    try {
      const joined = await cluster.joinAll()
      const of = `hosts=${hosts} system_jobs=${SYSTEM_JOBS}`
      yield measurement('B13', of, 'all_joined', 'ms', [joined.joinedMs])
      yield measurement('B13', of, 'evaluations_of_a_job_in_50ms_max', 'count', [joined.evaluationsMax])
      yield measurement('B13', of, 'quiet_after_last_join', 'ms', [joined.quietMs])
      await cluster.settled()
      const replacedMs: number[] = []
      for (let round = 0; round < 3; round++) replacedMs.push(await cluster.replaceOne())
      yield measurement('B13', `hosts=${hosts}`, 'dead_to_replaced', 'ms', replacedMs)
    } finally {
      await cluster.stop()
    }
  }
}

class Cluster {
  readonly #server: Server
  readonly #hosts: readonly SleepingHost[]

  static async start(count: number): Promise<Cluster> {
    const hub = new InProcessHub()
    const hosts = Array.from({ length: count }, (_, at) => new SleepingHost(() => hub.connect(), `h${at}`))
    const repository = new SimulatedRepository()
    const declared = Object.fromEntries(hosts.map(({ name, publicKey }) => [`agents/${name}.hcl`, `public_key = "${publicKey}"\n`]))
    const system = Object.fromEntries(range(SYSTEM_JOBS).map((at) => [`jobs/all-${at}.nomad.json`, jobText(`all-${at}`, 'system', 1)]))
    repository.commit({ ...declared, ...system, 'jobs/web.nomad.json': jobText('web', 'service', Math.min(count, 50)) })
    const syntax = new InProcessSyntaxReader()
    const server = await Server.start({
      log: new MemoryCommandLog(new MemoryLogStore(() => performance.now(), LEASE_MS), systemClock),
      bus: hub.connect(),
      sources: [{ id: SOURCE_DEFAULT, git: repository.sourceFor(systemClock), options: { rewind: 'hold', ref: 'HEAD' }, pollMs: 60_000 }],
      syntax,
      jobs: new InProcessJobReader(syntax),
      identities: { publicKeys: [], sign: async ({ sub }) => sub },
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      onStop: (reason) => {
        if (reason !== 'stopped as asked') throw new Error(reason)
      },
      options: {
        nodes: {
          region: 'global',
          boundKeys: [],
          signer: fakeSigner('KEY-server'),
          verify: fakeVerify,
          nextServerKeys: [],
          nodeIdOf: SleepingHost.nodeIdOf,
        },
      },
    })
    await until(() => server.leader.state.nodeDeclarations.count === count && server.leader.state.jobs.count === SYSTEM_JOBS + 1)
    return new Cluster(server, hosts)
  }

  private constructor(server: Server, hosts: readonly SleepingHost[]) {
    this.#server = server
    this.#hosts = hosts
  }

  get #state() {
    return this.#server.leader.state
  }

  async joinAll(): Promise<{ readonly joinedMs: number; readonly evaluationsMax: number; readonly quietMs: number }> {
    const beganMs = performance.now()
    let [joinedMs, lastMs] = [0, beganMs]
    const starts = new Map<string, number[]>()
    const unwatch = this.#state.evaluations.observe((before, after) => {
      if (after === undefined || before?.Status === after.Status || after.Status !== 'complete') return
      lastMs = performance.now()
      starts.set(after.JobID, [...(starts.get(after.JobID) ?? []), lastMs])
    })
    for (const host of this.#hosts) host.start()
    await until(() => this.#state.nodes.countBy('status', 'ready') === this.#hosts.length)
    joinedMs = performance.now()
    await until(() => performance.now() - Math.max(lastMs, joinedMs) > QUIET_MS)
    unwatch()
    return { joinedMs: joinedMs - beganMs, evaluationsMax: busiest([...starts.values()]), quietMs: Math.max(0, lastMs - joinedMs) }
  }

  /** What has just begun proves itself for ten seconds, and all of it tells so at about the same time: that is no part of what follows. */
  async settled(): Promise<void> {
    await until(() => this.#running('web') === this.#wanted)
    await until(() => this.#state.deployments.all().every(({ Status }) => Status !== 'running'))
  }

  /** @returns from the death of a host that runs part of `web` until as much of it runs elsewhere */
  async replaceOne(): Promise<number> {
    const { NodeID } = this.#allocationsOf('web').find(({ ClientStatus }) => ClientStatus === 'running')!
    const host = this.#hosts.find(({ nodeId }) => nodeId === NodeID)!
    const beganMs = performance.now()
    await host.die()
    await until(() => this.#running('web', NodeID) === this.#wanted)
    return performance.now() - beganMs
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.die()))
    await this.#server.stop()
  }

  get #wanted(): number {
    return Math.min(this.#hosts.length, 50)
  }

  #allocationsOf(jobId: string) {
    return this.#state.allocations.by('job', `default\u0000${jobId}`)
  }

  #running(jobId: string, besidesNodeId = ''): number {
    const isRunning = (row: { readonly ClientStatus: string; readonly DesiredStatus: string }) =>
      row.ClientStatus === 'running' && row.DesiredStatus === 'run'
    return this.#allocationsOf(jobId).filter((row) => isRunning(row) && row.NodeID !== besidesNodeId).length
  }
}

function jobText(ID: string, Type: 'service' | 'system', Count: number): string {
  const Task = { Name: 'task', Driver: 'mock_driver', Config: { run_for: '1h' }, Resources: { CPU: 20, MemoryMB: 20 } }
  const Group = { Name: 'main', Count, EphemeralDisk: { SizeMB: 10 }, Tasks: [{ ...Task, LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 } }] }
  return JSON.stringify({ Job: { ID, Type, TaskGroups: [Group] } })
}

/** The most instants of one list that lie within one window. */
function busiest(lists: readonly (readonly number[])[]): number {
  let most = 0
  for (const times of lists) {
    let from = 0
    times.forEach((time, at) => {
      while (times[from]! <= time - WINDOW_MS) from++
      most = Math.max(most, at - from + 1)
    })
  }
  return most
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at)
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}
