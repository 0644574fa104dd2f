/** A cluster in one process on virtual time: the shipped server, API and agents on simulated log, bus, git and hosts. */

import { InProcessJobReader, InProcessSyntaxReader } from '../../../src/adapters/hcl-syntax/index.js'
import { createJobspecParser } from '../../../src/adapters/hcl-syntax/jobspec-parser.js'
import { statusOf } from '../../../src/adapters/http/error-status.js'
import { silentLogger } from '../../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../../src/adapters/memory/command-log.js'
import { prometheusText } from '../../../src/adapters/prometheus.js'
import { Api, answerJobRequest } from '../../../src/api/index.js'
import { isHealthy, Server, type SyntaxReader } from '../../../src/controller/index.js'
import { OrchestratorError, SOURCE_DEFAULT } from '../../../src/domain/index.js'
import { fakeSigner, fakeVerify } from '../../fake-keys.js'
import { SeededRandom } from '../../simulation/seeded-random.js'
import { SimulatedRepository } from '../../simulation/simulated-git.js'
import { SimulatedHost } from '../../simulation/simulated-host.js'
import { SimulatedNetwork } from '../../simulation/simulated-network.js'
import { SimulatedProcess } from '../../simulation/simulated-process.js'
import { VirtualTime } from '../../simulation/virtual-time.js'
import { declarationOf, declarationPath, heartbeatSeconds, type NodeAct, type StoryAnswer, StoryCluster } from '../cluster.js'
import type { SeenAllocation } from '../names.js'
import type { Story } from '../story.js'
import { VirtualDisk } from './disk.js'
import { VirtualFixture } from './fixture.js'
import { VirtualHost } from './host.js'
import { NeedsProcesses } from './script.js'

const LEASE_MS = 400
const LOG_MS = 1
const SOURCE_POLL_MS = 2_000
const READY_WITHIN_MS = 30_000
const SEED = 1

interface RunningServer {
  readonly process: SimulatedProcess
  readonly server: Server
  readonly api: Api
}

export class VirtualCluster extends StoryCluster {
  readonly fixture = new VirtualFixture()
  readonly staticPort = 18_081
  readonly flags = '/flags'
  readonly place = 'virtual'
  protected readonly lookEveryMs = 50
  readonly #disk = new VirtualDisk()
  readonly #random = new SeededRandom(SEED)
  readonly #time = new VirtualTime(this.#random)
  readonly #log = new MemoryLogStore(() => this.#time.nowMs, LEASE_MS)
  readonly #network = new SimulatedNetwork(this.#time, this.#random, () => {})
  readonly #repository = new SimulatedRepository()
  readonly #syntax = syntaxOn(this.#time)
  readonly #hosts = new Map<string, VirtualHost>()
  #server: RunningServer | undefined
  #serverNumber = 0
  #trouble: unknown

  static async start(story: Story): Promise<VirtualCluster> {
    const cluster = new VirtualCluster(story)
    await cluster.#begin()
    return cluster
  }

  private constructor(story: Story) {
    super(story)
    this.#disk.makeFolder(this.flags)
    for (const node of story.cluster.nodes) {
      const host = new VirtualHost({
        node,
        disk: this.#disk,
        fixture: this.fixture,
        time: this.#time,
        random: this.#random,
        network: this.#network,
        newProcess: (name) => this.#newProcess(name),
        onTrouble: (error) => this.#fail(error),
      })
      this.#hosts.set(node.name, host)
    }
  }

  async send(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object): Promise<StoryAnswer> {
    const { api } = this.#running()
    const [bare = '', query = ''] = path.split('?')
    const request = requestOf(method, bare, query, body)
    try {
      const answer = await this.#pump(async () => api.answer(request, api.find(bare)))
      if (!(typeof answer.body === 'string' || answer.body instanceof Uint8Array)) throw new Error(`${path} is answered by a stream`)
      return { status: answer.status, text: typeof answer.body === 'string' ? answer.body : new TextDecoder().decode(answer.body) }
    } catch (error) {
      if (!(error instanceof OrchestratorError)) throw error
      return { status: statusOf(error.code), text: error.message }
    }
  }

  nowMs(): number {
    return this.#time.nowMs
  }

  async pause(ms: number): Promise<void> {
    await this.#time.runUntil(this.#time.nowMs + ms, () => {
      if (this.#trouble !== undefined) throw this.#trouble
    })
  }

  commit(changes: Readonly<Record<string, string | null>>): string {
    return this.#repository.commit(changes)
  }

  fileOf({ NodeName, ID }: SeenAllocation, path: string): string | undefined {
    return this.#disk.read(`${this.#hosts.get(NodeName)!.allocationFolder(ID)}/${path}`)
  }

  folderOf(): never {
    throw new NeedsProcesses('it looks at modes and owners of files')
  }

  flag(name: string): string | undefined {
    return this.#disk.read(`${this.flags}/${name}`)
  }

  setFlag(name: string, text: string | undefined): void {
    if (text === undefined) this.#disk.remove(`${this.flags}/${name}`)
    else this.#disk.write(`${this.flags}/${name}`, text)
  }

  async actOnNode(name: string, act: NodeAct): Promise<void> {
    const host = this.#hosts.get(name)!
    if (act === 'start') {
      host.start()
      await this.#untilReady(name)
    } else if (act === 'terminate') await this.#pump(() => host.terminate())
    else host[act]()
  }

  async actOnServer(act: NodeAct): Promise<void> {
    if (act === 'start') return this.#startServer()
    const { process, server } = this.#running()
    if (act === 'freeze') process.freeze()
    else if (act === 'thaw') process.thaw()
    else {
      if (act === 'terminate') await this.#pump(() => server.stop())
      process.kill()
    }
  }

  killTaskProcesses(node: string): void {
    this.#hosts.get(node)!.killTaskProcesses()
  }

  dataFolder(node: string): string {
    return this.#hosts.get(node)!.folder
  }

  async remove(): Promise<void> {
    for (const host of this.#hosts.values()) host.kill()
    this.#server?.process.kill()
  }

  async #begin(): Promise<void> {
    const { nodes } = this.story.cluster
    this.commit({ 'jobs/.keep': '' })
    await this.#startServer()
    // Before any host joins: one that learns later what its file says joins once more.
    await this.apply(Object.fromEntries(nodes.map((node) => [declarationPath(node), declarationOf(node, undefined)])))
    for (const { name } of nodes.filter((node) => node.late !== true)) {
      this.#hosts.get(name)!.start()
      await this.#untilReady(name)
    }
  }

  async #untilReady(name: string): Promise<void> {
    await this.until(`${name} is ready`, READY_WITHIN_MS, async () => {
      const nodes = await this.get<{ Name: string; Status: string }[]>('/v1/nodes')
      return nodes.some((node) => node.Name === name && node.Status === 'ready')
    })
  }

  async #startServer(): Promise<void> {
    const process = this.#newProcess(`server-${++this.#serverNumber}`)
    const bound = this.story.cluster.nodes.toSorted((a, b) => (declarationPath(a) < declarationPath(b) ? -1 : 1))
    const server = await this.#pump(() =>
      Server.start({
        log: new MemoryCommandLog(this.#log, process.clock, () => SMOOTH, process.name, this.#time),
        bus: this.#network.busOf(process),
        sources: [
          {
            id: SOURCE_DEFAULT,
            git: this.#repository.sourceFor(process.clock),
            options: { rewind: 'follow', ref: 'HEAD' },
            pollMs: SOURCE_POLL_MS,
          },
        ],
        syntax: this.#syntax,
        jobs: new InProcessJobReader(this.#syntax),
        identities: { publicKeys: [], sign: async ({ sub }) => sub },
        clock: process.clock,
        random: this.#random,
        logger: silentLogger,
        onStop: (reason) => process.isAlive && this.ends.push(`the server ended: ${reason}`),
        options: {
          nodes: {
            region: 'global',
            heartbeatTtlMs: 1000 * heartbeatSeconds(this.story),
            boundKeys: bound.map(({ name }) => ({ name, publicKey: this.#hosts.get(name)!.publicKey })),
            signer: fakeSigner('KEY-server'),
            verify: fakeVerify,
            nextServerKeys: [],
            nodeIdOf: (publicKey) => SimulatedHost.nodeIdOf(publicKey),
          },
        },
      }),
    )
    const api = this.#apiOf(server, process)
    this.#server = { process, server, api }
    this.#record(api, process).catch((error: unknown) => this.#fail(error))
  }

  /** Follows the event stream until the server ends. */
  async #record(api: Api, process: SimulatedProcess): Promise<void> {
    const path = '/v1/event/stream'
    const request = requestOf('GET', path, `namespace=*&index=${this.recording.nextIndex}`)
    const { body } = await api.answer(request, api.find(path))
    if (typeof body === 'string' || body instanceof Uint8Array) throw new Error(`${path} was not answered by a stream`)
    for await (const line of body as AsyncIterable<Uint8Array | string>) {
      if (!process.isAlive) return
      this.recording.add(typeof line === 'string' ? line : new TextDecoder().decode(line))
    }
  }

  #apiOf(server: Server, { clock }: SimulatedProcess): Api {
    const absent = async () => {
      throw new Error('stories do not plan')
    }
    return new Api({
      reader: server.reader,
      agents: server.calls,
      planner: server.planner,
      actor: server.actor,
      garbage: server.garbage,
      commitPlanner: server.commitPlanner,
      refReader: { read: absent },
      jobRequests: { answer: (request) => answerJobRequest(request, createJobspecParser(this.#syntax)) },
      sourceTexts: { read: async () => undefined },
      sourceHealth: server,
      webhooks: { receive: () => 'refused', counts: new Map() },
      busHealth: server,
      schedulingHealth: server,
      jobHealth: { isHealthy },
      prometheus: prometheusText,
      waitingChanges: server,
      commitMemory: server,
      past: { answer: absent },
      audit: { kept: () => [], follow: async function* () {} },
      clock,
      random: this.#random,
      turns: { pass: async () => {} },
      settings: {
        region: 'global',
        datacenter: 'dc1',
        name: 'virtual',
        writes: 'runtime',
        showVariables: true,
        identityKeys: [],
        version: '0.0.0',
        address: 'virtual:4646',
      },
    })
  }

  #running(): RunningServer {
    if (this.#server?.process.isAlive !== true) throw new Error('no server runs')
    return this.#server
  }

  #newProcess(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this.#time, () => 0)
  }

  #fail(error: unknown): void {
    this.#trouble ??= error
  }

  /** Lets virtual time pass until the work is done. */
  async #pump<Result>(work: () => Promise<Result>): Promise<Result> {
    let isDone = false
    const result = work().finally(() => {
      isDone = true
    })
    // Whoever fails is told by the last line.
    result.catch(() => {})
    await this.pause(0)
    while (!isDone) await this.pause(1)
    return result
  }
}

function requestOf(method: 'GET' | 'PUT' | 'DELETE', path: string, query: string, body?: object) {
  return {
    method,
    path,
    query,
    host: 'virtual',
    headers: {},
    body: new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
    signal: new AbortController().signal,
  }
}

const SMOOTH = { delayMs: LOG_MS, requestLost: false, answerLost: false }

/** Reading takes real time, during which virtual time stands still. */
function syntaxOn(time: VirtualTime): SyntaxReader {
  const syntax = new InProcessSyntaxReader()
  return {
    async read(path, text) {
      time.realWork++
      try {
        return await syntax.read(path, text)
      } finally {
        time.realWork--
      }
    },
    close: async () => {},
  }
}
