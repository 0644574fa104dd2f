/**
 * One child process of `drover dev`: started again with back-off when it ends unasked, told to stop by message, and ended by
 * its parent's death (the channel closes, see `child-channel.ts`).
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { ChildMessage, ParentMessage } from './child-channel.js'

export interface SupervisedChildOptions {
  readonly name: string
  readonly words: () => readonly string[]
  /** Beside this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>
  readonly onMessage: (message: ChildMessage) => void
  /** It ended although nobody asked: told before it is started again. */
  readonly onEnd: (code: number | null, signal: NodeJS.Signals | null, stderr: string) => 'restart' | 'give-up'
}

const BACK_OFF_MS_MIN = 100
const BACK_OFF_MS_MAX = 5_000
/** A child that ran this long was well: the next back-off starts small again. */
const WELL_AFTER_MS = 10_000
const STDERR_KEPT = 8_000

export class SupervisedChild {
  readonly #options: SupervisedChildOptions
  readonly #cli: string
  #child: ChildProcess | undefined
  #startedMs = 0
  #failures = 0
  #restart: NodeJS.Timeout | undefined
  #isStopping = false

  constructor(cli: string, options: SupervisedChildOptions) {
    this.#cli = cli
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    this.#startedMs = performance.now()
    let stderr = ''
    // A session of its own keeps the terminal's Ctrl-C from reaching it: the parent decides in which order things end.
    const env = { ...process.env, ...this.#options.environment }
    const child = fork(this.#cli, [...this.#options.words()], { detached: true, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child = child
    child.stderr!.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_KEPT)
    })
    child.on('message', (message) => this.#options.onMessage(message as ChildMessage))
    child.once('exit', (code, signal) => this.#onExit(code, signal, stderr))
  }

  /** Asks it to stop and waits until it has. */
  async stop(message: ParentMessage): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    if (child.connected) child.send(message)
    else child.kill('SIGTERM')
    await ended
  }

  /** kill -9. Tasks live in sessions of their own and go on. */
  kill(): void {
    this.#isStopping = true
    clearTimeout(this.#restart)
    this.#child?.kill('SIGKILL')
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null, stderr: string): void {
    if (this.#isStopping) return
    if (performance.now() - this.#startedMs > WELL_AFTER_MS) this.#failures = 0
    if (this.#options.onEnd(code, signal, stderr) === 'give-up') return
    const delayMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** this.#failures++)
    this.#restart = setTimeout(() => this.start(), delayMs)
  }
}
