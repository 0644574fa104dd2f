/** A supervisor of its own in a folder of its own, and runs asked for directly. Everything ends with the test. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { silentLogger } from '../../../src/adapters/logger.js'
import { SupervisorClient } from '../../../src/adapters/supervisor/client.js'
import type { RunStart } from '../../../src/adapters/supervisor/protocol.js'
import { supervisorCommand } from '../../../src/main/supervisor-command.js'

export const SUPERVISOR_COMMAND = supervisorCommand()

export class Supervised {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-supervised-'))
  client: SupervisorClient
  readonly #runIds = new Set<string>()

  constructor() {
    this.client = this.#newClient()
    onTestFinished(async () => {
      for (const runId of this.#runIds) await this.client.ask('destroy', { runId })
      await this.client.ask('retire', {})
      this.client.close()
      // Wrappers that waited end a moment after their supervisor, and take their files along.
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    })
  }

  #newClient(): SupervisorClient {
    return new SupervisorClient({ folder: this.folder, command: SUPERVISOR_COMMAND, logger: silentLogger })
  }

  /** As if the agent had been killed and started again. */
  reconnect(): void {
    this.client.close()
    this.client = this.#newClient()
    this.client.start()
  }

  /** What a test that failed has left running. */
  async clearAll(): Promise<void> {
    for (const runId of await this.client.ask('list', {})) await this.client.ask('destroy', { runId })
  }

  async start(script: string, over: Partial<RunStart> = {}) {
    const start = this.request(script, over)
    return this.client.ask('start', start)
  }

  request(script: string, over: Partial<RunStart> = {}): RunStart {
    const runId = over.runId ?? `run-${this.#runIds.size + 1}`
    this.#runIds.add(runId)
    return {
      runId,
      taskId: runId,
      networkNamespace: null,
      command: '/bin/sh',
      args: ['-c', script],
      environment: { PATH: '/usr/bin:/bin' },
      workFolder: this.folder,
      user: null,
      logs: { folder: join(this.folder, 'logs'), task: 'main', filesMax: 3, fileBytesMax: 1024 * 1024, isDisabled: false },
      ...over,
    }
  }

  /** All of one stream's files, in order. */
  log(stream: 'stdout' | 'stderr' = 'stdout', task = 'main'): string {
    const folder = join(this.folder, 'logs')
    const numberOf = (name: string) => Number(name.split('.').at(-1))
    let names: readonly string[]
    try {
      names = readdirSync(folder)
    } catch {
      return ''
    }
    return names
      .filter((name) => name.startsWith(`${task}.${stream}.`))
      .sort((a, b) => numberOf(a) - numberOf(b))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('')
  }

  /** Pid of the supervisor that lives now. */
  supervisorPid(): number {
    const found = readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        return words.includes(this.folder) && words.some((word) => word.endsWith('supervisor.ts'))
      } catch {
        return false
      }
    })
    return Number(found)
  }

  async killSupervisor(): Promise<void> {
    const pid = this.supervisorPid()
    process.kill(pid, 'SIGKILL')
    await until(() => this.supervisorPid() !== pid)
  }
}

export async function until(holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`still not so after ${withinMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}
