/** The shipped server as a process of its own, on a repository and a data folder, without a broker: seen and killed from outside. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from '../test/free-port.js'
import { Program } from '../test/real-program.js'
import { ScratchRepository } from '../test/scratch-repository.js'
import { pssOf } from './processes.js'

const CLI = resolve('dist/main/cli.js')
/** Of a clock tick of /proc, as Linux counts the time of processes. */
const MS_PER_TICK = 10
/** Hosts that are only in the state are not to be missed meanwhile. */
const HEARTBEAT_TTL_S = 36_000

export class ServerProcess {
  readonly repository = new ScratchRepository()
  readonly url: string
  readonly dataFolder: string
  readonly #folder: string
  readonly #program: Program

  /** @param more of its configuration */
  static async create(more: object = {}): Promise<ServerProcess> {
    return new ServerProcess(await freePort(), more)
  }

  private constructor(port: number, more: object) {
    this.#folder = mkdtempSync(join(tmpdir(), 'drover-bench-server-'))
    this.url = `http://127.0.0.1:${port}`
    this.dataFolder = join(this.#folder, 'data')
    mkdirSync(this.dataFolder, { mode: 0o700 })
    const path = join(this.#folder, 'server.json')
    const source = { repository: this.repository.folder, ref: 'refs/heads/main' }
    const config = { data_dir: this.dataFolder, http: `127.0.0.1:${port}`, limits: { http_max_conns_per_client: 0 }, source }
    writeFileSync(path, JSON.stringify({ ...config, nodes: { heartbeat_ttl_seconds: HEARTBEAT_TTL_S }, ...more }))
    const words = [process.execPath, CLI, 'server', '--config', path]
    this.#program = new Program('server', words, join(this.#folder, 'server.out'), (how) => console.error(how))
  }

  start(): void {
    this.#program.start()
  }

  kill(): Promise<void> {
    return this.#program.end('SIGKILL')
  }

  get pss(): number {
    return pssOf([{ pid: String(this.#program.pid), line: '' }])
  }

  /** The most that it has ever held, bytes. */
  get peakRss(): number {
    return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#program.pid}/status`, 'utf8'))?.[1] ?? 0)
  }

  get cpuMs(): number {
    const [, rest = ''] = readFileSync(`/proc/${this.#program.pid}/stat`, 'utf8').split(') ')
    const words = rest.split(' ')
    return (Number(words[11]) + Number(words[12])) * MS_PER_TICK
  }

  get diskBytes(): number {
    return bytesBelow(this.dataFolder)
  }

  /** Undefined: it does not answer, or with no 200. */
  async get<T>(path: string): Promise<T | undefined> {
    try {
      const response = await fetch(this.url + path)
      return response.ok ? ((await response.json()) as T) : undefined
    } catch {
      return undefined
    }
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
    this.repository.remove()
  }
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .filter((one) => one.isFile())
    .reduce((sum, { blocks }) => sum + blocks * 512, 0)
}
