/**
 * Wrappers that stand ready, so that a start needs not wait for a shell and its pipes. Each stands in a folder of its own; whoever takes
 * it makes that the folder of the run, and the wrapper with its pipes goes along.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { NotePipe } from './note-pipe.js'
import type { PipeWatch } from './pipe-watch.js'
import { findWrappers, sendSignal } from './process-table.js'
import { RunError } from './protocol.js'
import { RunFolders } from './run-folders.js'
import type { Tools } from './tools.js'
import { WRAPPER_NAME, wrapperScript } from './wrapper.js'

export interface ReadyWrapper {
  readonly pid: number
  /** Where it stands, with its pipes; to be moved. */
  readonly folder: string
}

type WaitingWrapper = ReadyWrapper & { readonly process: ChildProcess }

const READY_COUNT = 4
/** Starts that come one upon the other are not to wait for the wrappers of later ones. */
const REFILL_AFTER_MS = 50
/** A wrapper may be making its pipes meanwhile. */
const REMOVE_TRIES = 5

export class WrapperPool {
  readonly #folder: string
  readonly #tools: Tools
  readonly #pipes: PipeWatch
  readonly #folders: RunFolders
  readonly #say: (text: string) => void
  readonly #ready: WaitingWrapper[] = []
  /** Those that nobody has taken, whether they are ready or not. */
  readonly #waiting = new Set<ChildProcess>()
  #timer: NodeJS.Timeout | undefined
  #isFilling = false
  #isClosed = false

  /** Ends what an earlier supervisor of this folder kept ready. */
  constructor(folder: string, tools: Tools, pipes: PipeWatch, say: (text: string) => void) {
    this.#folder = folder
    this.#tools = tools
    this.#pipes = pipes
    this.#folders = new RunFolders(folder, tools)
    this.#say = say
    for (const { pid } of findWrappers(folder)) sendSignal(pid, 'SIGKILL')
    this.#removeFolder()
  }

  /** @throws RunError START; as `fs` does where the disk takes nothing */
  async take(): Promise<ReadyWrapper> {
    const ready = this.#ready.shift()
    this.refill()
    const { process, pid, folder } = ready ?? (await this.#make())
    this.#waiting.delete(process)
    return { pid, folder }
  }

  refill(): void {
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#fill(), REFILL_AFTER_MS).unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    // By what was started, not by where it stands: the folder may have been moved.
    for (const process of this.#waiting) process.kill('SIGKILL')
    this.#ready.length = 0
    this.#removeFolder()
  }

  #removeFolder(): void {
    try {
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES })
    } catch (error) {
      // It is in nobody's way, and the next supervisor tries again.
      this.#say(`${this.#folder} could not be removed: ${String(error)}`)
    }
  }

  async #fill(): Promise<void> {
    // Two at once would each make the last one.
    if (this.#isFilling) return
    this.#isFilling = true
    try {
      while (!this.#isClosed && this.#ready.length < READY_COUNT) this.#ready.push(await this.#make())
    } catch (error) {
      // Whoever takes one makes it then, and hears of it when that fails, too.
      this.#say(`no wrapper could be made ready: ${String(error)}`)
    } finally {
      this.#isFilling = false
    }
  }

  async #make(): Promise<WaitingWrapper> {
    const folder = await this.#folders.take()
    const process = spawn(this.#tools.sh, ['-c', wrapperScript(), WRAPPER_NAME, folder], {
      detached: true,
      // What it complains of is in the supervisor's log. Pipes to it would be kept for as long as the run is there.
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    })
    this.#waiting.add(process)
    process.once('exit', () => this.#waiting.delete(process))
    try {
      await this.#whenReady(process, folder)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    } finally {
      process.unref()
    }
    const wrapper = { process, pid: process.pid!, folder }
    process.once('exit', () => this.#forget(wrapper))
    return wrapper
  }

  /** One that somebody ended while it stood here. */
  #forget(wrapper: WaitingWrapper): void {
    const at = this.#ready.indexOf(wrapper)
    if (at < 0) return
    this.#ready.splice(at, 1)
    rmSync(wrapper.folder, { recursive: true, force: true })
    this.refill()
  }

  /** @throws RunError when the wrapper ends before it is ready */
  async #whenReady(wrapper: ChildProcess, folder: string): Promise<void> {
    let note: NotePipe | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        note = new NotePipe(join(folder, 'note'), this.#pipes, { onLine: () => resolve(), onEnd: () => {} })
        wrapper.once('error', (error) => reject(new RunError('START', `the shell could not be started: ${error.message}`, true)))
        wrapper.once('exit', (code) => reject(new RunError('START', `the wrapper ended with ${code}; the supervisor's log says why`, true)))
      })
    } finally {
      note?.close()
    }
  }
}
