/** A git repository that a benchmark writes and commits to, and a server that follows it. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { InProcessBus } from '../src/adapters/in-process-bus/index.js'
import { checkConfig } from '../src/main/config.js'
import { type RunningServer, startServer } from '../src/main/server.js'
import { serverConfigSchema } from '../src/main/server-config.js'

const run = promisify(execFile)

export class BenchRepository {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-bench-'))

  static async create(): Promise<BenchRepository> {
    const repository = new BenchRepository()
    await repository.#git('init', '-q')
    return repository
  }

  write(path: string, text: string): void {
    const full = join(this.folder, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text)
  }

  /** Beside what is measured, not in its way. */
  async commit(subject: string): Promise<void> {
    await this.#git('add', '-A')
    await this.#git('commit', '-q', '-m', subject)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #git(...words: string[]): Promise<void> {
    await run('git', ['-C', this.folder, '-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'gc.auto=0', ...words])
  }
}

export interface BenchServer {
  readonly server: RunningServer
  readonly port: number
  /** Resolves when the next look at the repository is complete. */
  synced(): Promise<void>
  stop(): Promise<void>
}

/** The whole server in this process, without agents. Nobody is turned away for asking much. */
export async function startBenchServer(source: { readonly repository: string; readonly ref?: string }): Promise<BenchServer> {
  let wake: (() => void)[] = []
  const synced = () => new Promise<void>((resolve) => wake.push(resolve))
  const bus = new InProcessBus()
  const data = mkdtempSync(join(tmpdir(), 'drover-bench-data-'))
  const config = checkConfig(
    'bench',
    {
      data_dir: data,
      http: '127.0.0.1:0',
      limits: { http_max_conns_per_client: 0 },
      log_level: 'error',
      source,
    },
    serverConfigSchema,
  )
  const first = synced()
  const server = await startServer(config, bus, {
    onSync: () => {
      for (const each of wake) each()
      wake = []
    },
    onRemote: () => {},
    onSyncFailed: (problem) => console.error(problem),
    onBroker: () => {},
    onStop: (reason) => {
      throw new Error(reason)
    },
  })
  await first
  return {
    server,
    port: Number(new URL(server.url).port),
    synced,
    stop: async () => {
      await server.stop()
      await bus.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
