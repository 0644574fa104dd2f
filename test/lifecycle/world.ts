/** A broker, a server and the agents of one story: real programs on a repository of their own. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { loadOrCreateKey } from '../../src/adapters/node-key.js'
import { killBelow, unmountBelow, until } from '../acceptance/cluster.js'
import { TestEngine } from '../adapters/drivers/docker-engine.js'
import { freePort } from '../free-port.js'
import { ScratchRepository } from '../scratch-repository.js'
import { Program } from '../torture/program.js'
import { Fixture } from './fixture.js'
import { Names, type SeenAllocation, type SeenDeployment } from './names.js'
import type { Story, StoryNode } from './story.js'

const CLI = resolve('dist/main/cli.js')
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

export class StoryWorld {
  readonly story: Story
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-story-'))
  readonly flags = join(this.folder, 'flags')
  readonly repository = new ScratchRepository()
  readonly fixture = new Fixture()
  readonly names = new Names()
  readonly url: string
  readonly staticPort: number
  /** What ended without having been asked. */
  readonly ends: string[] = []
  readonly #broker: Program
  readonly #server: Program
  readonly #agents = new Map<string, Program>()
  /** Of the hosts; the recorded ones are all at 127.0.0.1. */
  readonly #addresses = new Set<string>()

  static async start(story: Story): Promise<StoryWorld> {
    const engine = story.cluster.nodes.some(({ docker }) => docker === true) ? await demandEngine() : undefined
    const world = new StoryWorld(story, await freePort(), await freePort(), await freePort(), engine)
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
    this.story = story
    this.url = `http://127.0.0.1:${httpPort}`
    this.staticPort = staticPort
    // Tasks that run as somebody else pass through it.
    chmodSync(this.folder, 0o711)
    mkdirSync(this.flags)
    chmodSync(this.flags, 0o777)
    const binary = findNatsServer()
    if (binary === undefined) throw new Error('no nats-server found; install it, or name it by NATS_SERVER_BIN')
    const nats = { url: `nats://127.0.0.1:${brokerPort}` }
    this.#broker = this.#program('broker', [binary, '-a', '127.0.0.1', '-p', String(brokerPort)])
    this.#server = this.#drover('server', {
      data_dir: this.#newFolder('server'),
      http: `127.0.0.1:${httpPort}`,
      nats,
      source: { repository: this.repository.folder, ref: 'refs/heads/main', rewind: 'follow' },
      api: { writes: 'runtime' },
      nodes: { heartbeat_ttl_seconds: heartbeatSeconds(story) },
    })
    for (const { name } of story.cluster.nodes) {
      const config = {
        data_dir: this.#newFolder(name),
        name,
        nats,
        artifacts: { allow_private_addresses: true, allow_insecure: true },
        drivers: { docker: engine === undefined ? { enabled: false } : { endpoint: engine.endpoint } },
      }
      this.#agents.set(name, this.#drover('agent', config, name))
    }
  }

  dataFolder(node: string): string {
    return join(this.folder, node)
  }

  /** Lines of a job file with the placeholders filled in. */
  fill(text: string): string {
    return text
      .replaceAll('@FIXTURE@', `127.0.0.1:${this.fixture.port}`)
      .replaceAll('@FIXTURE_PORT@', String(this.fixture.port))
      .replaceAll('@STATIC_PORT@', String(this.staticPort))
      .replaceAll('@FLAGS@', this.flags)
  }

  /** Texts of this run and what the record calls them, the longer before those that are part of them. */
  placeholders(): readonly (readonly [text: string, name: string])[] {
    return [
      [this.flags, '<flags>'],
      ...this.story.cluster.nodes.map(({ name }) => [this.dataFolder(name), `<data ${name}>`] as const),
      ...[...this.#addresses].map((address) => [address, '127.0.0.1'] as const),
      [`127.0.0.1:${this.fixture.port}`, '<fixture>'],
      [String(this.fixture.port), '<fixture port>'],
      [String(this.staticPort), '<static port>'],
    ]
  }

  /** With the address that the recorded hosts had. */
  atRecordedAddress(text: string): string {
    return [...this.#addresses].reduce((result, address) => result.replaceAll(address, '127.0.0.1'), text)
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }

  put(path: string, body: object): Promise<Response> {
    return fetch(`${this.url}${path}`, { method: 'PUT', body: JSON.stringify(body) })
  }

  /** In order of creation. */
  async allocations(): Promise<readonly SeenAllocation[]> {
    const all = await this.get<SeenAllocation[]>('/v1/allocations?namespace=*')
    all.sort((a, b) => a.CreateIndex - b.CreateIndex || (a.Name < b.Name ? -1 : 1))
    this.names.learnAllocations(all)
    return all
  }

  async deployments(): Promise<readonly SeenDeployment[]> {
    const all = await this.get<SeenDeployment[]>('/v1/deployments?namespace=*')
    all.sort((a, b) => a.CreateIndex - b.CreateIndex)
    this.names.learnDeployments(all)
    return all
  }

  agent(name: string): Program {
    return this.#agents.get(name)!
  }

  async startAgent(name: string): Promise<void> {
    this.agent(name).start()
    await until(`${name} is ready`, READY_WITHIN_MS, async () => {
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
    this.fixture.stop()
    killBelow(this.folder)
    if (process.getuid?.() === 0) unmountBelow(this.folder)
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    this.repository.remove()
  }

  async #start(): Promise<void> {
    await this.fixture.start()
    const { nodes } = this.story.cluster
    const hosts = nodes.map((node) => [`agents/${declarationPath(node)}`, this.#declaration(node)] as const)
    this.repository.commit({ 'jobs/.keep': '', ...Object.fromEntries(hosts) }, 'hosts')
    this.#broker.start()
    this.#server.start()
    await until('the server answers', READY_WITHIN_MS, () =>
      this.get('/v1/nodes').then(
        () => true,
        () => false,
      ),
    )
    await Promise.all(nodes.filter((node) => node.late !== true).map((node) => this.startAgent(node.name)))
  }

  #declaration(node: StoryNode): string {
    const meta = Object.entries({ berth: node.name, ...node.meta }).map(([key, value]) => `  ${key} = ${JSON.stringify(value)}`)
    const lines = [`public_key = "${loadOrCreateKey(this.dataFolder(node.name)).publicKey}"`, 'datacenter = "dc1"']
    if (node.class !== undefined) lines.push(`class = ${JSON.stringify(node.class)}`)
    return [...lines, 'meta {', ...meta, '}', ''].join('\n')
  }

  #drover(command: 'server' | 'agent', config: object, name: string = command): Program {
    const path = join(this.folder, `${name}.yaml`)
    writeFileSync(path, stringify(config))
    return this.#program(name, ['/usr/bin/env', '-i', ...ENVIRONMENT, process.execPath, CLI, command, '--config', path])
  }

  #program(name: string, words: readonly string[]): Program {
    return new Program(name, words, join(this.folder, `${name}.out`), (how) => this.ends.push(how))
  }

  #newFolder(name: string): string {
    const folder = join(this.folder, name)
    mkdirSync(folder, { mode: 0o700 })
    return folder
  }
}

function declarationPath(node: StoryNode): string {
  return node.pool === undefined ? `${node.name}.hcl` : `${node.pool}/${node.name}.hcl`
}

function heartbeatSeconds({ name, cluster: { server } }: Story): number {
  if (server !== undefined) return Number.parseFloat(server.min_heartbeat_ttl) + Number.parseFloat(server.heartbeat_grace)
  return name.startsWith('node-') ? HEARTBEAT_OF_NODE_STORIES : HEARTBEAT_SECONDS
}
