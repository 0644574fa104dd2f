/** A real broker, `drover server` and `drover agent`s on a repository, from configuration files as an operator writes them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer } from '../src/adapters/nats/server-process.js'
import { loadOrCreateKey } from '../src/adapters/node-key.js'
import { killBelow, unmountBelow, until } from './acceptance/cluster.js'
import { freePort } from './free-port.js'
import { ProgramFolder } from './program-folder.js'
import type { Program } from './real-program.js'
import { type FileChange, ScratchRepository } from './scratch-repository.js'

const ANSWERS_WITHIN_MS = 120_000

export interface RealClusterOptions {
  /** Beginning of the folder's name. */
  readonly name: string
  readonly hosts: readonly string[]
  /** What the server's configuration says besides. */
  readonly server?: object
  /** Prepares the folder in which an agent keeps its data. */
  readonly onHostFolder?: (folder: string) => void
}

export class RealCluster {
  readonly folder: string
  readonly repository = new ScratchRepository()
  readonly hosts: readonly string[]
  /** Of programs that ended and should not have. */
  readonly ends: string[] = []
  readonly brokerUrl: string
  readonly url: string
  readonly broker: Program
  readonly server: Program
  readonly agents: readonly Program[]
  readonly isRoot = process.getuid?.() === 0

  static async ports(): Promise<readonly [broker: number, http: number]> {
    return [await freePort(), await freePort()]
  }

  constructor(
    { name, hosts, server = {}, onHostFolder = () => {} }: RealClusterOptions,
    [brokerPort, httpPort]: readonly [number, number],
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `drover-${name}-`))
    this.hosts = hosts
    this.brokerUrl = `nats://127.0.0.1:${brokerPort}`
    this.url = `http://127.0.0.1:${httpPort}`
    const programs = new ProgramFolder(this.folder, (how) => this.ends.push(how))
    const binary = findNatsServer()
    if (binary === undefined) throw new Error('no nats-server found; install it, or name it by NATS_SERVER_BIN')
    // As it is packaged: messages of a megabyte at most.
    this.broker = programs.program('broker', [binary, '-a', '127.0.0.1', '-p', String(brokerPort)])
    const nats = { url: this.brokerUrl }
    this.server = programs.drover('server', {
      data_dir: programs.newFolder('server'),
      http: `127.0.0.1:${httpPort}`,
      nats,
      source: { repository: this.repository.folder, ref: 'refs/heads/main', rewind: 'follow' },
      ...server,
    })
    this.agents = hosts.map((host) => {
      const data_dir = programs.newFolder(host)
      onHostFolder(data_dir)
      return programs.drover('agent', { data_dir, name: host, nats }, host)
    })
  }

  get programs(): readonly Program[] {
    return [this.broker, this.server, ...this.agents]
  }

  hostFolder(at: number): string {
    return join(this.folder, this.hosts[at]!)
  }

  /** Declares the hosts besides, and starts everything. */
  begin(files: Readonly<Record<string, FileChange>>): void {
    const declared = this.hosts.map((host): [string, FileChange] => [
      `agents/${host}.hcl`,
      `public_key = "${loadOrCreateKey(join(this.folder, host)).publicKey}"\n`,
    ])
    this.repository.commit({ ...Object.fromEntries(declared), ...files }, 'hosts and jobs')
    for (const program of this.programs) program.start()
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }

  async answers(): Promise<void> {
    await until('the server answers', ANSWERS_WITHIN_MS, async () => {
      const response = await fetch(`${this.url}/v1/status/leader`).catch(() => undefined)
      return response?.ok === true
    })
  }

  /** Ends everything with its tasks, and removes what was written. */
  async remove(): Promise<void> {
    for (const program of [...this.agents, this.server, this.broker]) await program.end('SIGKILL')
    killBelow(this.folder)
    if (this.isRoot) unmountBelow(this.folder)
    rmSync(this.folder, { recursive: true, force: true })
    this.repository.remove()
  }
}
