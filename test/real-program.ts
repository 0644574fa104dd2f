/** One long-running program of the cluster that is tortured: started, killed and started again by us, and by nobody else. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

export class Program {
  readonly name: string
  readonly logPath: string
  readonly #words: readonly string[]
  readonly #onEnd: (how: string) => void
  #child: ChildProcess | undefined
  #isAsked = false

  /** @param onEnd it ended, and nobody had asked for that */
  constructor(name: string, words: readonly string[], logPath: string, onEnd: (how: string) => void) {
    this.name = name
    this.#words = words
    this.logPath = logPath
    this.#onEnd = onEnd
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Everything that it has said. */
  get output(): string {
    return readFileSync(this.logPath, 'utf8')
  }

  start(): void {
    this.#isAsked = false
    const log = openSync(this.logPath, 'a')
    const [command = '', ...words] = this.#words
    const child = spawn(command, words, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    child.once('exit', (code, signal) => {
      if (!this.#isAsked) this.#onEnd(`${this.name} ended with ${signal ?? code}: ${this.output.trim().split('\n').slice(-3).join(' | ')}`)
    })
    this.#child = child
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child!.kill(signal)
  }

  /** Waits until it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#isAsked = true
    const child = this.#child
    if (child === undefined || !this.isRunning) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
  }

  /** Resident memory, MiB. */
  get memoryMb(): number {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]
    return Math.round(Number(kilobytes ?? 0) / 1024)
  }
}
