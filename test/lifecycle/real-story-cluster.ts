/** A broker, a server and the agents of one story: real programs on a repository of their own. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFingerprint } from '../../src/adapters/fingerprint/index.js'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { loadOrCreateKey } from '../../src/adapters/node-key.js'
import { killBelow, unmountBelow } from '../acceptance/cluster.js'
import { TestEngine } from '../adapters/drivers/docker-engine.js'
import { freePort } from '../free-port.js'
import { ProgramFolder } from '../program-folder.js'
import type { Program } from '../real-program.js'
import { ScratchRepository } from '../scratch-repository.js'
import { declarationOf, declarationPath, heartbeatSeconds, type NodeAct, type StoryAnswer, StoryCluster } from './cluster.js'
import { Fixture } from './fixture.js'
import type { SeenAllocation } from './names.js'
import type { Story } from './story.js'

const READY_WITHIN_MS = 30_000
const HEARTBEAT_OF_NODE_STORIES = 2
/** An agent that is killed and started again is not down meanwhile, also where the machine is busy. */
const HEARTBEAT_SECONDS = 10

/** As the reference's agents had it: tasks inherit it. */
const ENVIRONMENT = ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/root', 'LANG=C.UTF-8']

let sharedEngine: Promise<TestEngine> | undefined

/** One for all worlds: agents tell their containers from those of others. */
function demandEngine(): Promise<TestEngine> {
  sharedEngine ??= TestEngine.start()
  return sharedEngine
}

export async function endSharedEngine(): Promise<void> {
  const engine = await sharedEngine?.catch(() => undefined)
  sharedEngine = undefined
  await engine?.remove()
}

export class RealStoryCluster extends StoryCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-story-'))
  readonly flags = join(this.folder, 'flags')
  readonly repository = new ScratchRepository()
  readonly fixture = new Fixture()
  readonly url: string
  protected readonly lookEveryMs = 10
  readonly staticPort: number
  readonly #broker: Program
  readonly #server: Program
  readonly #agents = new Map<string, Program>()
  /** Of the hosts; the recorded ones are all at 127.0.0.1. */
  readonly #addresses = new Set<string>()
  #listening: readonly Promise<void>[] = []

  static async start(story: Story): Promise<RealStoryCluster> {
    const engine = story.cluster.nodes.some(({ docker }) => docker === true) ? await demandEngine() : undefined
    const world = new RealStoryCluster(story, await freePort(), await freePort(), await freePort(), engine)
    try {
      await world.#start()
    } catch (error) {
      const said = world.#server.output.slice(-2000)
      await world.remove()
      throw new Error(`the cluster did not start: ${said}`, { cause: error })
    }
    return world
  }

  private constructor(story: Story, brokerPort: number, httpPort: number, staticPort: number, engine: TestEngine | undefined) {
    super(story)
    this.url = `http://127.0.0.1:${httpPort}`
    this.staticPort = staticPort
    // Tasks that run as somebody else pass through it.
    chmodSync(this.folder, 0o711)
    mkdirSync(this.flags)
    chmodSync(this.flags, 0o777)
    const programs = new ProgramFolder(this.folder, (how) => this.ends.push(how), ['/usr/bin/env', '-i', ...ENVIRONMENT])
    const binary = findNatsServer()
    if (binary === undefined) throw new Error('no nats-server found; install it, or name it by NATS_SERVER_BIN')
    const nats = { url: `nats://127.0.0.1:${brokerPort}` }
    this.#broker = programs.program('broker', [binary, '-a', '127.0.0.1', '-p', String(brokerPort)])
    this.#server = programs.drover('server', {
      data_dir: programs.newFolder('server'),
      http: `127.0.0.1:${httpPort}`,
      nats,
      source: { repository: this.repository.folder, ref: 'refs/heads/main', rewind: 'follow' },
      api: { writes: 'runtime' },
      nodes: { heartbeat_ttl_seconds: heartbeatSeconds(story, usualHeartbeatSeconds(story)) },
    })
    for (const { name } of story.cluster.nodes) {
      const config = {
        data_dir: programs.newFolder(name),
        name,
        nats,
        artifacts: { allow_private_addresses: true, allow_insecure: true },
        drivers: { docker: engine === undefined ? { enabled: false } : { endpoint: engine.endpoint } },
      }
      this.#agents.set(name, programs.drover('agent', config, name))
    }
  }

  get place(): string {
    return `${this.folder} ${this.url}`
  }

  dataFolder(node: string): string {
    return join(this.folder, node)
  }

  override placeholders(): readonly (readonly [text: string, name: string])[] {
    return [...super.placeholders(), ...[...this.#addresses].map((address) => [address, '127.0.0.1'] as const)]
  }

  async send(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object): Promise<StoryAnswer> {
    const response = await fetch(`${this.url}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return { status: response.status, text: await response.text() }
  }

  nowMs(): number {
    return performance.now()
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  }

  commit(changes: Readonly<Record<string, string | null>>): string {
    this.repository.commit(changes)
    return this.repository.git('rev-parse', 'HEAD')
  }

  /** With the address that the recorded hosts had. */
  fileOf(allocation: SeenAllocation, path: string): string | undefined {
    const text = readIfThere(join(this.folderOf(allocation), path))
    return text === undefined ? undefined : [...this.#addresses].reduce((result, address) => result.replaceAll(address, '127.0.0.1'), text)
  }

  folderOf({ NodeName, ID }: SeenAllocation): string {
    return join(this.dataFolder(NodeName), 'alloc', ID)
  }

  flag(name: string): string | undefined {
    return readIfThere(join(this.flags, name))
  }

  setFlag(name: string, text: string | undefined): void {
    const path = join(this.flags, name)
    if (text === undefined) rmSync(path, { force: true })
    else writeFileSync(path, text)
  }

  async actOnNode(name: string, act: NodeAct): Promise<void> {
    if (act === 'start') await this.#startAgent(name)
    else await actOn(this.#agents.get(name)!, act)
  }

  async actOnServer(act: NodeAct): Promise<void> {
    if (act === 'start') await this.#startServer()
    else await actOn(this.#server, act)
  }

  async #startAgent(name: string): Promise<void> {
    this.#agents.get(name)!.start()
    await this.until(`${name} is ready`, READY_WITHIN_MS, async () => {
      const nodes = await this.get<{ ID: string; Name: string; Status: string }[]>('/v1/nodes')
      const own = nodes.find((node) => node.Name === name && node.Status === 'ready')
      if (own === undefined) return false
      const { NodeResources } = await this.get<{ NodeResources: { Networks: { IP: string }[] } }>(`/v1/node/${own.ID}`)
      for (const { IP } of NodeResources.Networks) if (IP !== '') this.#addresses.add(IP)
      return true
    })
  }

  killTaskProcesses(node: string): void {
    killBelow(this.dataFolder(node))
  }

  /** Ends everything with its tasks, and removes what was written. */
  async remove(): Promise<void> {
    for (const program of [...this.#agents.values(), this.#server, this.#broker]) await program.end('SIGKILL')
    await Promise.all(this.#listening)
    this.fixture.stop()
    killBelow(this.folder)
    if (process.getuid?.() === 0) unmountBelow(this.folder)
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    this.repository.remove()
  }

  async #start(): Promise<void> {
    await this.fixture.start()
    const { nodes } = this.story.cluster
    const machineMhz = await readMachineMhz(this.folder)
    const keyOf = (name: string) => loadOrCreateKey(this.dataFolder(name)).publicKey
    const hosts = nodes.map((node) => [declarationPath(node), declarationOf(node, keyOf(node.name), machineMhz)] as const)
    this.repository.commit({ 'jobs/.keep': '', ...Object.fromEntries(hosts) }, 'hosts')
    this.#broker.start()
    await this.#startServer()
    await Promise.all(nodes.filter((node) => node.late !== true).map((node) => this.#startAgent(node.name)))
  }

  async #startServer(): Promise<void> {
    this.#server.start()
    await this.until('the server answers', READY_WITHIN_MS, () =>
      this.get('/v1/nodes').then(
        () => true,
        () => false,
      ),
    )
    this.#listening = [...this.#listening, this.#record()]
  }

  /** Follows the event stream until the server ends. */
  async #record(): Promise<void> {
    const { body } = await fetch(`${this.url}/v1/event/stream?namespace=*&index=${this.recording.nextIndex}`)
    let rest = ''
    try {
      for await (const chunk of body!) {
        const lines = (rest + new TextDecoder().decode(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) this.recording.add(line)
      }
    } catch {
      // The server was killed: who starts it follows it anew.
    }
  }
}

/** As an agent of a host will tell it. */
async function readMachineMhz(dataFolder: string): Promise<number> {
  const networks = async () => ({ attributes: {}, networks: [], nodeNetworks: [] })
  const host = await createFingerprint({ nodeId: '', name: '', dataFolder, version: '', networks, devices: () => null })()
  return host.NodeResources.Cpu.CpuShares
}

function usualHeartbeatSeconds({ name }: Story): number {
  return name.startsWith('node-') ? HEARTBEAT_OF_NODE_STORIES : HEARTBEAT_SECONDS
}

async function actOn(program: Program, act: Exclude<NodeAct, 'start'>): Promise<void> {
  if (act === 'kill') await program.end('SIGKILL')
  else if (act === 'terminate') await program.end('SIGTERM')
  else program.signal(act === 'freeze' ? 'SIGSTOP' : 'SIGCONT')
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
