/**
 * Agents of Nomad's binary (`NOMAD_BIN`), on loopback, in a folder of their own: one that is server and client, or a server and clients, which
 * may only stand in its list. Set up as fast as it is and keeps what it acknowledges: the log of its own (`wal`), a pipeline of plans.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killQuietly, unmountBelow } from '../../test/acceptance/cluster.js'
import { freePort } from '../../test/free-port.js'
import { Program } from '../../test/real-program.js'
import { environmentOf, isTask, type Process, processes } from '../processes.js'
import { NomadSide } from './nomad-side.js'
import { getJson, type SidePrograms, untilSo } from './side.js'

/** Names the folder in every process of it, by which they are found. */
const MARK = 'BENCH_FOLDER'

export async function startNomad(binary: string): Promise<NomadSide> {
  const nomad = await NomadPrograms.create(binary)
  await nomad.start()
  return new NomadSide('peer', nomad.url, { programs: nomad, remove: () => nomad.remove() })
}

/** A server and clients that are stopped once they have joined: so what is measured is what the server decides and keeps. */
export async function startHollowNomad(binary: string, clients: number): Promise<NomadSide> {
  const nomad = await NomadPrograms.create(binary, { clients, heartbeatGrace: '1h' })
  await nomad.start()
  nomad.stopClients()
  return new NomadSide('peer', nomad.url, { programs: nomad, remove: () => nomad.remove() })
}

/** A server and clients that run what they are given, with all that says how soon a client is missed left as it is. */
export async function startNomadWithHosts(
  binary: string,
  hosts: number,
): Promise<{ readonly side: NomadSide; readonly programs: NomadPrograms }> {
  const programs = await NomadPrograms.create(binary, { clients: hosts })
  await programs.start()
  return { side: new NomadSide('peer', programs.url, { programs, remove: () => programs.remove() }), programs }
}

export class NomadPrograms implements SidePrograms {
  readonly url: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'drover-bench-peer-'))
  readonly #agent: Program
  readonly #clients: readonly Program[]

  static async create(binary: string, { clients = 0, heartbeatGrace = '10s' } = {}): Promise<NomadPrograms> {
    const ports = [await freePort(), await freePort(), await freePort()] as const
    const clientPorts: (readonly [number, number, number])[] = []
    for (let at = 0; at < clients; at++) clientPorts.push([await freePort(), await freePort(), await freePort()])
    return new NomadPrograms(binary, ports, clientPorts, heartbeatGrace)
  }

  private constructor(binary: string, [http, rpc, serf]: Ports, clientPorts: readonly Ports[], heartbeatGrace: string) {
    this.url = `http://127.0.0.1:${http}`
    const isAlone = clientPorts.length === 0
    const server = {
      enabled: true,
      bootstrap_expect: 1,
      num_schedulers: 2,
      raft_logstore: { backend: 'wal' },
      heartbeat_grace: heartbeatGrace,
    }
    this.#agent = this.#program(binary, 'agent', { ...base([http, rpc, serf]), server, ...(isAlone ? { client: clientOf(rpc) } : {}) })
    this.#clients = clientPorts.map((ports, at) => this.#program(binary, clientName(at), { ...base(ports), client: clientOf(rpc) }))
  }

  async start(): Promise<void> {
    this.#agent.start()
    await untilSo('the peer has a leader', () => this.#get('/v1/status/leader').then((leader) => leader !== '', isRefused))
    for (const client of this.#clients) client.start()
    await this.allReady()
  }

  allReady(): Promise<void> {
    const count = Math.max(1, this.#clients.length)
    return untilSo('the peer has its nodes', async () => {
      const nodes = (await this.#get('/v1/nodes')) as readonly { readonly Status: string }[]
      return nodes.filter(({ Status }) => Status === 'ready').length === count
    })
  }

  /** Who is stopped says nothing, and is not to be taken for dead meanwhile. */
  stopClients(): void {
    for (const client of this.#clients) client.signal('SIGSTOP')
  }

  /** Kills a client and all that it runs. */
  async killClient(at: number): Promise<void> {
    await this.#clients[at]!.end('SIGKILL')
    await this.#killAll(`${join(this.#folder, clientName(at))}/`)
  }

  startClient(at: number): void {
    this.#clients[at]!.start()
  }

  processes() {
    const own = this.#own().filter((one) => !isTask(one))
    const isProgram = ({ pid }: Process) => Number(pid) === this.#agent.pid
    return { programs: own.filter(isProgram), helpers: own.filter((one) => !isProgram(one)) }
  }

  async kill({ tasks }: { readonly tasks: boolean }): Promise<void> {
    await this.#agent.end('SIGKILL')
    if (tasks) await this.#killAll(this.#folder)
  }

  async remove(): Promise<void> {
    for (const program of [this.#agent, ...this.#clients]) await program.end('SIGKILL')
    await this.kill({ tasks: true })
    unmountBelow(this.#folder)
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #killAll(folder: string): Promise<void> {
    return untilSo('all are dead', () => {
      const all = this.#own(folder)
      for (const { pid } of all) killQuietly(Number(pid))
      return all.length === 0
    })
  }

  #own(folder = this.#folder): readonly Process[] {
    return processes(() => true).filter((one) => environmentOf(one).includes(folder))
  }

  #get(path: string): Promise<unknown> {
    return getJson(this.url + path)
  }

  #program(binary: string, name: string, config: object): Program {
    const folder = join(this.#folder, name)
    mkdirSync(folder)
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, data_dir: folder, name }))
    const words = ['/usr/bin/env', '-u', 'AWS_CA_BUNDLE', `${MARK}=${folder}/`, binary, 'agent', '-config', join(folder, 'config.json')]
    return new Program(name, words, join(this.#folder, `${name}.out`), (how) => console.error(how))
  }
}

export function clientName(at: number): string {
  return `client-${at}`
}

type Ports = readonly [http: number, rpc: number, serf: number]

const PLENTY = { cpu_total_compute: 10_000_000, memory_total_mb: 10_000_000, disk_total_mb: 100_000_000 }

function clientOf(serverRpcPort: number) {
  return { enabled: true, servers: [`127.0.0.1:${serverRpcPort}`], network_interface: 'lo', ...PLENTY }
}

function base([http, rpc, serf]: Ports) {
  return {
    bind_addr: '127.0.0.1',
    advertise: { http: '127.0.0.1', rpc: '127.0.0.1', serf: '127.0.0.1' },
    ports: { http, rpc, serf },
    limits: { http_max_conns_per_client: 0, rpc_max_conns_per_client: 0 },
    plugin: [{ raw_exec: { config: { enabled: true } } }],
    log_level: 'WARN',
    disable_update_check: true,
  }
}

/** It does not listen yet. */
function isRefused(): boolean {
  return false
}
