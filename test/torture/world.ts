/** A real broker, `drover server` and two `drover agent`s on a repository, from configuration files as an operator writes them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { loadOrCreateKey } from '../../src/adapters/node-key.js'
import { killBelow, unmountBelow, until } from '../acceptance/cluster.js'
import { freePort } from '../free-port.js'
import { type FileChange, ScratchRepository } from '../scratch-repository.js'
import type { SeededRandom } from '../simulation/seeded-random.js'
import { Program } from './program.js'
import { WITNESS_HOSTS, Witnesses, witnessJob } from './witnesses.js'

const CLI = resolve('dist/main/cli.js')
const READY_WITHIN_MS = 30_000
/** Room for the agents' own books and the folders of some allocations. */
const HOST_DISK_MB = 192

export class TortureWorld {
  readonly random: SeededRandom
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-torture-'))
  readonly repository = new ScratchRepository()
  readonly witnesses = new Witnesses(this.folder)
  readonly ends: string[] = []
  /** What is committed beside the witnesses, by job id. */
  readonly jobs = new Map<string, string>()
  readonly brokerUrl: string
  readonly url: string
  readonly broker: Program
  readonly server: Program
  readonly agents: readonly Program[]
  readonly isRoot = process.getuid?.() === 0

  static async create(random: SeededRandom): Promise<TortureWorld> {
    return new TortureWorld(random, await freePort(), await freePort())
  }

  private constructor(random: SeededRandom, brokerPort: number, httpPort: number) {
    this.random = random
    this.brokerUrl = `nats://127.0.0.1:${brokerPort}`
    this.url = `http://127.0.0.1:${httpPort}`
    const binary = findNatsServer()
    if (binary === undefined) throw new Error('no nats-server found; install it, or name it by NATS_SERVER_BIN')
    // As it is packaged: messages of a megabyte at most.
    this.broker = this.#program('broker', [binary, '-a', '127.0.0.1', '-p', String(brokerPort)])
    const nats = { url: this.brokerUrl }
    this.server = this.#drover('server', {
      data_dir: this.#newFolder('server'),
      http: `127.0.0.1:${httpPort}`,
      nats,
      source: { repository: this.repository.folder, ref: 'refs/heads/main', rewind: 'follow' },
    })
    this.agents = WITNESS_HOSTS.map((host) => this.#drover('agent', { data_dir: this.#newDisk(host), name: host, nats }, host))
  }

  get programs(): readonly Program[] {
    return [this.broker, this.server, ...this.agents]
  }

  hostFolder(at: number): string {
    return join(this.folder, WITNESS_HOSTS[at]!)
  }

  async start(): Promise<void> {
    const hosts = WITNESS_HOSTS.map((host): [string, FileChange] => [
      `agents/${host}.hcl`,
      `public_key = "${loadOrCreateKey(join(this.folder, host)).publicKey}"\n`,
    ])
    const witnesses = WITNESS_HOSTS.map((host): [string, FileChange] => [`jobs/witness-${host}.nomad.hcl`, witnessJob(host, this.folder)])
    this.repository.commit(Object.fromEntries([...hosts, ...witnesses]), 'hosts and witnesses')
    for (const program of this.programs) program.start()
    await until('the witnesses run', READY_WITHIN_MS, () => this.witnesses.areThere)
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }

  /** Ends everything with its tasks, and removes what was written. */
  async remove(): Promise<void> {
    for (const program of [...this.agents, this.server, this.broker]) await program.end('SIGKILL')
    killBelow(this.folder)
    if (this.isRoot) unmountBelow(this.folder)
    rmSync(this.folder, { recursive: true, force: true })
    this.repository.remove()
  }

  #drover(command: 'server' | 'agent', config: object, name: string = command): Program {
    const path = join(this.folder, `${name}.yaml`)
    writeFileSync(path, stringify(config))
    return this.#program(name, [process.execPath, CLI, command, '--config', path])
  }

  #program(name: string, words: readonly string[]): Program {
    return new Program(name, words, join(this.folder, `${name}.out`), (how) => this.ends.push(how))
  }

  #newFolder(name: string): string {
    const folder = join(this.folder, name)
    mkdirSync(folder, { mode: 0o700 })
    return folder
  }

  /** A disk of its own, which can be filled without harm to anybody else; an ordinary folder where that needs rights that are not there. */
  #newDisk(host: string): string {
    const folder = this.#newFolder(host)
    if (this.isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${HOST_DISK_MB}m,mode=700`, 'tmpfs', folder])
    return folder
  }
}
