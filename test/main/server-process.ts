/** `drover server` as its operator runs it, on a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { vi } from 'vitest'
import { stringify } from 'yaml'

const CLI = resolve('dist/main/cli.js')
const WITHIN_MS = 50_000

export class ServerProcess {
  output = ''
  url = ''
  readonly dataFolder: string
  readonly #configFile: string
  #child: ChildProcess | undefined

  constructor(folder: string, config: Readonly<Record<string, unknown>>) {
    this.dataFolder = join(folder, 'data')
    mkdirSync(this.dataFolder, { recursive: true })
    this.#configFile = join(folder, 'server.yaml')
    writeFileSync(this.#configFile, stringify({ data_dir: this.dataFolder, http: '127.0.0.1:0', ...config }))
  }

  /** Waits until it is ready. @throws with what it said when it ends before */
  async start(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    const child = this.#spawn(environment)
    await vi.waitFor(
      () => {
        this.url = /ready (http:\S+)/.exec(this.output)?.[1] ?? ''
        if (this.url === '' && child.exitCode === null) throw new Error(`not ready yet: ${this.output}`)
      },
      { timeout: WITHIN_MS, interval: 50 },
    )
    if (this.url === '') throw new Error(`the server ended with ${child.exitCode}: ${this.output}`)
  }

  /** For a server that cannot start. @returns its exit code */
  async fail(): Promise<number | null> {
    const child = this.#spawn({})
    await new Promise((done) => child.once('close', done))
    return child.exitCode
  }

  async get<Answer>(path: string): Promise<Answer> {
    return (await (await fetch(this.url + path)).json()) as Answer
  }

  /** Asks again until `isWanted` says yes of the answer. */
  async until<Answer>(path: string, isWanted: (answer: Answer) => boolean): Promise<Answer> {
    return vi.waitFor(
      async () => {
        const answer = await this.get<Answer>(path)
        if (!isWanted(answer)) throw new Error(`${path} still says ${JSON.stringify(answer).slice(0, 2_000)}\n${this.output}`)
        return answer
      },
      { timeout: WITHIN_MS, interval: 50 },
    )
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((done) => child.once('close', done))
    child.kill('SIGTERM')
    await ended
  }

  #spawn(environment: NodeJS.ProcessEnv): ChildProcess {
    this.output = ''
    this.url = ''
    const child = spawn(process.execPath, [CLI, 'server', '--config', this.#configFile], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString('utf8')
      })
    this.#child = child
    return child
  }
}
