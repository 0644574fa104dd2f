/**
 * Wrappers that stand ready, so that a start needs not wait for a shell and its pipes. Each stands in a folder of its own; whoever takes
 * it makes that the folder of the run, and the wrapper with its pipes goes along.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findWrappers, sendSignal } from './process-table.js'
import { RunError } from './protocol.js'
import { type Tools, WRAPPER_NAME, wrapperScript } from './wrapper.js'

export interface ReadyWrapper {
  readonly pid: number
  /** Where it stands, with its pipes; to be moved. */
  readonly folder: string
}

const READY_COUNT = 4
/** Starts that come one upon the other are not to wait for the wrappers of later ones. */
const REFILL_AFTER_MS = 50
/** A wrapper may be making its pipes meanwhile. */
const REMOVE_TRIES = 5

export class WrapperPool {
  readonly #folder: string
  readonly #tools: Tools
  readonly #say: (text: string) => void
  readonly #ready: ReadyWrapper[] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** Ends what an earlier supervisor of this folder kept ready. */
  constructor(folder: string, tools: Tools, say: (text: string) => void) {
    this.#folder = folder
    this.#tools = tools
    this.#say = say
    this.#clear()
  }

  /** @throws RunError START; as `fs` does where the disk takes nothing */
  async take(): Promise<ReadyWrapper> {
    const ready = this.#ready.shift()
    this.refill()
    return ready ?? (await this.#make())
  }

  refill(): void {
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#fill(), REFILL_AFTER_MS).unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#clear()
  }

  #clear(): void {
    this.#ready.length = 0
    // In this order: one that has just been started finds no folder to stand in.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES })
    for (const { pid } of findWrappers(this.#folder)) sendSignal(pid, 'SIGKILL')
  }

  async #fill(): Promise<void> {
    try {
      while (!this.#isClosed && this.#ready.length < READY_COUNT) this.#ready.push(await this.#make())
    } catch (error) {
      // Whoever takes one makes it then, and hears of it when that fails, too.
      this.#say(`no wrapper could be made ready: ${String(error)}`)
    }
  }

  async #make(): Promise<ReadyWrapper> {
    const folder = join(this.#folder, randomUUID())
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const process = spawn(this.#tools.sh, ['-c', wrapperScript(this.#tools), WRAPPER_NAME, folder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    })
    try {
      await whenReady(process)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    } finally {
      process.stdout?.destroy()
      process.stderr?.destroy()
      process.unref()
    }
    const wrapper = { pid: process.pid!, folder }
    process.once('exit', () => this.#forget(wrapper))
    return wrapper
  }

  /** One that somebody ended while it stood here. */
  #forget(wrapper: ReadyWrapper): void {
    const at = this.#ready.indexOf(wrapper)
    if (at < 0) return
    this.#ready.splice(at, 1)
    rmSync(wrapper.folder, { recursive: true, force: true })
    this.refill()
  }
}

/** @throws RunError when the wrapper ends before it is ready */
function whenReady(wrapper: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = ''
    wrapper.once('error', (error) => reject(new RunError('START', `the shell could not be started: ${error.message}`, true)))
    wrapper.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text
    })
    wrapper.stdout?.once('data', () => resolve())
    wrapper.once('exit', (code) => reject(new RunError('START', `the wrapper ended with ${code}: ${complaint.trim()}`, true)))
  })
}
