/**
 * B16: one server with many hosts. The shipped server and broker, each a process of its own; all hosts in this process, each the shipped agent
 * with a key of its own, over some shared connections, with tasks that only sleep.
 *
 * What the server takes when all have joined, how much of a processor their beats are, and how long a change takes: of one job, of a job that
 * wants to be on every host, and when a host dies.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connectNats, type NatsBus } from '../src/adapters/nats/index.js'
import { findNatsServer } from '../src/adapters/nats/server-process.js'
import { freePort } from '../test/free-port.js'
import { Program } from '../test/real-program.js'
import { ScratchRepository } from '../test/scratch-repository.js'
import { newIdentity } from './host-keys.js'
import { type Bench, type BenchOptions, type Measurement, measurement } from './measurement.js'
import { pssOf } from './processes.js'
import { SharedBus } from './shared-bus.js'
import { SleepingHost } from './sleeping-host.js'

const CLI = resolve('dist/main/cli.js')
const CONNECTIONS = 20
const WITHIN_MS = 600_000
const LOOK_EVERY_MS = 20
const BEATS_MS = 10_000
const QUIET_MS = 5_000
const WEB_COUNT = 10
/** Of a clock tick of /proc, as Linux counts the time of processes. */
const MS_PER_TICK = 10

export const b16: Bench = {
  name: 'B16',
  summary: 'one server with thousands of hosts: what it takes, and how long a change takes',
  async *run({ quick }: BenchOptions): AsyncIterable<Measurement> {
    for (const count of quick ? [50] : [1_000, 5_000]) {
      const crowd = await Crowd.start(count)
      try {
        yield* measure(crowd, count)
      } finally {
        await crowd.remove()
      }
    }
  },
}

async function* measure(crowd: Crowd, count: number): AsyncIterable<Measurement> {
  const of = `hosts=${count}`
  yield measurement('B16', of, 'server_before_pss', 'bytes', [crowd.serverPss])
  yield measurement('B16', of, 'all_joined', 'ms', [await crowd.join()])
  await pause(QUIET_MS)
  yield measurement('B16', of, 'server_pss', 'bytes', [crowd.serverPss])
  const beganMs = crowd.serverCpuMs
  await pause(BEATS_MS)
  yield measurement('B16', of, 'server_cpu_of_beats', 'ms a second', [((crowd.serverCpuMs - beganMs) * 1000) / BEATS_MS])
  const changes = [
    await crowd.change('web', 'service', WEB_COUNT),
    await crowd.change('web', 'service', WEB_COUNT),
    await crowd.change('web', 'service', WEB_COUNT),
  ]
  yield measurement('B16', of, `commit_to_${WEB_COUNT}_running`, 'ms', changes)
  yield measurement('B16', of, 'dead_to_replaced', 'ms', [await crowd.replaceOne('web', WEB_COUNT)])
  yield measurement('B16', of, 'commit_to_one_on_each', 'ms', [await crowd.change('everywhere', 'system', count - 1)])
  await pause(QUIET_MS)
  yield measurement('B16', of, 'server_with_one_on_each_pss', 'bytes', [crowd.serverPss])
}

class Crowd {
  readonly #folder = mkdtempSync(join(tmpdir(), 'drover-b16-'))
  readonly #repository = new ScratchRepository()
  readonly #hosts: SleepingHost[] = []
  readonly #buses: NatsBus[] = []
  readonly #broker: Program
  readonly #server: Program
  readonly #url: string
  #version = 0

  static async start(count: number): Promise<Crowd> {
    const [brokerPort, httpPort] = [await freePort(), await freePort()]
    const crowd = new Crowd(brokerPort, httpPort)
    try {
      await crowd.#begin(count, `nats://127.0.0.1:${brokerPort}`)
      return crowd
    } catch (error) {
      const said = crowd.#server.output.slice(-2_000)
      await crowd.remove()
      throw new Error(`the cluster did not start: ${said}`, { cause: error })
    }
  }

  private constructor(brokerPort: number, httpPort: number) {
    const binary = findNatsServer()
    if (binary === undefined) throw new Error('no nats-server found; install it, or name it by NATS_SERVER_BIN')
    this.#url = `http://127.0.0.1:${httpPort}`
    const data_dir = join(this.#folder, 'server')
    mkdirSync(data_dir, { mode: 0o700 })
    const config = {
      data_dir,
      http: `127.0.0.1:${httpPort}`,
      nats: { url: `nats://127.0.0.1:${brokerPort}` },
      source: { repository: this.#repository.folder, ref: 'refs/heads/main' },
    }
    const path = join(this.#folder, 'server.json')
    writeFileSync(path, JSON.stringify(config))
    this.#broker = this.#program('broker', [binary, '-a', '127.0.0.1', '-p', String(brokerPort)])
    this.#server = this.#program('server', [process.execPath, CLI, 'server', '--config', path])
  }

  get serverPss(): number {
    return pssOf([{ pid: String(this.#server.pid), line: 'server' }])
  }

  get serverCpuMs(): number {
    const [, rest = ''] = readFileSync(`/proc/${this.#server.pid}/stat`, 'utf8').split(') ')
    const words = rest.split(' ')
    return (Number(words[11]) + Number(words[12])) * MS_PER_TICK
  }

  /** @returns from the first start until the last is ready, ms */
  async join(): Promise<number> {
    const beganMs = performance.now()
    for (const host of this.#hosts) host.start()
    await this.#until(async () => {
      const nodes = await this.#get<{ Status: string }[]>('/v1/nodes')
      return nodes.filter(({ Status }) => Status === 'ready').length === this.#hosts.length
    })
    return performance.now() - beganMs
  }

  /** @returns from the commit of a new version until all of it run, ms */
  async change(ID: string, Type: 'service' | 'system', count: number): Promise<number> {
    const version = ++this.#version
    const Task = {
      Name: 'task',
      Driver: 'mock_driver',
      Config: { run_for: '1h' },
      Env: { VERSION: String(version) },
      Resources: { CPU: 20, MemoryMB: 20 },
    }
    const Update = { MaxParallel: count, MinHealthyTime: 0, HealthCheck: 'task_states' }
    const Group = {
      Name: 'main',
      Count: Type === 'system' ? 1 : count,
      EphemeralDisk: { SizeMB: 10 },
      Update,
      Tasks: [{ ...Task, LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 } }],
    }
    const known = await this.#versionOf(ID)
    const beganMs = performance.now()
    this.#repository.commit({ [`jobs/${ID}.nomad.json`]: JSON.stringify({ Job: { ID, Type, TaskGroups: [Group] } }) })
    await this.#until(async () => (await this.#versionOf(ID)) > known && (await this.#running(ID)) >= count)
    return performance.now() - beganMs
  }

  /** @returns from the death of a host that runs part of the job until as much of it runs elsewhere, ms */
  async replaceOne(jobId: string, count: number): Promise<number> {
    const [victim] = (await this.#allocations(jobId)).filter(isRunning)
    const host = this.#hosts.find(({ nodeId }) => nodeId === victim!.NodeID)!
    const beganMs = performance.now()
    await host.die()
    await this.#until(
      async () => (await this.#allocations(jobId)).filter((row) => isRunning(row) && row.NodeID !== host.nodeId).length >= count,
    )
    return performance.now() - beganMs
  }

  async remove(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.die()))
    await Promise.all(this.#buses.map((bus) => bus.close()))
    for (const program of [this.#server, this.#broker]) await program.end('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
    this.#repository.remove()
  }

  async #begin(count: number, url: string): Promise<void> {
    this.#broker.start()
    for (let at = 0; at < CONNECTIONS; at++) this.#buses.push(await connectSoon(url, at))
    const files: Record<string, string> = { 'jobs/.keep': '' }
    for (let at = 0; at < count; at++) {
      const identity = newIdentity()
      const bus = this.#buses[at % CONNECTIONS]!
      this.#hosts.push(new SleepingHost(() => new SharedBus(bus), `h${at}`, identity))
      files[`agents/h${at}.hcl`] = `public_key = "${identity.publicKey}"\n`
    }
    this.#repository.commit(files)
    this.#server.start()
    await this.#until(async () =>
      JSON.stringify(await this.#get('/drover/v1/source').catch(() => '')).includes(this.#repository.git('rev-parse', 'HEAD')),
    )
  }

  #allocations(jobId: string): Promise<readonly SeenAllocation[]> {
    return this.#get(`/v1/job/${jobId}/allocations`)
  }

  async #running(jobId: string): Promise<number> {
    const version = await this.#versionOf(jobId)
    return (await this.#allocations(jobId)).filter((row) => isRunning(row) && row.JobVersion === version).length
  }

  /** -1: there is no such job. */
  async #versionOf(jobId: string): Promise<number> {
    const job = await this.#get<{ Version: number }>(`/v1/job/${jobId}`).catch(() => undefined)
    return job?.Version ?? -1
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }

  async #until(holds: () => Promise<boolean>): Promise<void> {
    const beganMs = performance.now()
    while (!(await holds())) {
      if (performance.now() - beganMs > WITHIN_MS) throw new Error('not within ten minutes')
      await pause(LOOK_EVERY_MS)
    }
  }

  #program(name: string, words: readonly string[]): Program {
    return new Program(name, words, join(this.#folder, `${name}.out`), (how) => console.error(`${name} ${how}`))
  }
}

interface SeenAllocation {
  readonly NodeID: string
  readonly JobVersion: number
  readonly ClientStatus: string
  readonly DesiredStatus: string
}

function isRunning({ ClientStatus, DesiredStatus }: SeenAllocation): boolean {
  return ClientStatus === 'running' && DesiredStatus === 'run'
}

/** The broker has just been started. */
async function connectSoon(url: string, number: number): Promise<NatsBus> {
  for (let tries = 0; ; tries++) {
    try {
      return await connectNats({ url, inboxPrefix: `_INBOX_bench${number}` })
    } catch (error) {
      if (tries > 100) throw error
      await pause(LOOK_EVERY_MS)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
