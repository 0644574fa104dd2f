/**
 * How long the server does not answer, seen from a process of its own: what the others do does not count. It measures its own delays
 * too, and takes them off.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Pause {
  readonly atMs: number
  readonly lengthMs: number
}

const ASK_EVERY_MS = 100
const GIVE_UP_AFTER_MS = 30_000

export class PauseWatch {
  readonly #child: ChildProcess
  readonly pauses: Pause[] = []
  asked = 0
  longestMs = 0
  /** Nobody is expected to answer: the server is being killed, or starts. */
  isExcused = false

  /** @param reportAboveMs shorter ones are only counted */
  constructor(url: string, reportAboveMs: number) {
    this.#child = fork(fileURLToPath(import.meta.url), [url], { execArgv: ['--import', 'tsx'] })
    this.#child.on('message', (message) => {
      const { atMs, lengthMs } = message as Pause
      if (this.isExcused) return
      this.asked++
      this.longestMs = Math.max(this.longestMs, lengthMs)
      if (lengthMs > reportAboveMs) this.pauses.push({ atMs, lengthMs })
    })
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}

async function watch(url: string): Promise<void> {
  process.on('disconnect', () => process.exit(0))
  for (;;) {
    const beganMs = performance.now()
    const [lengthMs, ownDelayMs] = await Promise.all([ask(url), delayOfTimers()])
    process.send!({ atMs: Date.now(), lengthMs: Math.max(0, lengthMs - ownDelayMs) } satisfies Pause)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ASK_EVERY_MS - (performance.now() - beganMs))))
  }
}

async function ask(url: string): Promise<number> {
  const beganMs = performance.now()
  try {
    await (await fetch(`${url}/v1/status/leader`, { signal: AbortSignal.timeout(GIVE_UP_AFTER_MS) })).text()
  } catch {
    // Refused or given up: the length says so.
    return GIVE_UP_AFTER_MS
  }
  return performance.now() - beganMs
}

async function delayOfTimers(): Promise<number> {
  const beganMs = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 1))
  return performance.now() - beganMs - 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void watch(process.argv[2]!)
