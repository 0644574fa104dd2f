/** The supervisor itself: one owner at a time asks, runs are kept over its own restarts. See README.md. */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { groupFolders, openGroups, removeCgroup } from './cgroup.js'
import { reapsOrphans } from './orphans.js'
import { PipeWatch } from './pipe-watch.js'
import {
  type Answer,
  Lines,
  type Operation,
  type Operations,
  passingFolder,
  READY_FOLDER,
  type Request,
  RUNS_FOLDER,
  RunError,
  SOCKET_FILE,
} from './protocol.js'
import { isShellQuiet } from './quiet-shell.js'
import { Run, type RunHost } from './run.js'
import { endStrays } from './strays.js'
import { findTools } from './tools.js'
import { WrapperPool } from './wrapper-pool.js'

/** A supervisor without runs and without an owner exits after this. */
const IDLE_MS = 60_000
const STRAYS_EVERY_MS = 60_000
/** A process that the kernel was asked to end is gone by then, unless it waits for a disk. */
const STRAYS_END_WITHIN_MS = 5_000
const STRAYS_LOOK_MS = 20
const FOLDER_LOOK_MS = 5_000

export class Supervisor {
  readonly #folder: string
  readonly #host: RunHost
  readonly #runs = new Map<string, Run>()
  /** Starts under way, so that the same one asked twice is one. */
  readonly #starting = new Map<string, Promise<Run>>()
  readonly #say: (text: string) => void
  readonly #onEnd: () => void
  #server: Server | undefined
  #socketFolder: string | undefined
  #owner: Socket | undefined
  #idleTimer: NodeJS.Timeout | undefined

  /** Undefined: another supervisor of this folder lives. @throws when a tool is missing or the socket cannot be made */
  static async open(folder: string, say: (text: string) => void, onEnd: () => void): Promise<Supervisor | undefined> {
    const real = realpathSync(folder)
    if (!(await takeLock(real))) return undefined
    const supervisor = new Supervisor(real, say, onEnd)
    supervisor.#restore()
    // Before anybody may ask for a start: what was lost must not run beside what takes its place.
    await supervisor.#endStrays()
    await supervisor.#listen()
    supervisor.#host.wrappers.refill()
    supervisor.#noticeIdle()
    supervisor.#keepLooking()
    return supervisor
  }

  private constructor(folder: string, say: (text: string) => void, onEnd: () => void) {
    this.#folder = folder
    this.#say = say
    this.#onEnd = onEnd
    const tools = findTools()
    const pipes = new PipeWatch()
    const wrappers = new WrapperPool(join(folder, READY_FOLDER), tools, pipes, say)
    this.#host = {
      tools,
      groups: openGroups(hashOf(folder).slice(0, 12)),
      wrappers,
      pipes,
      reapsOrphans: asked(() => reapsOrphans(tools.sh)),
      isShellQuiet: asked(() => isShellQuiet(tools)),
      say,
    }
    mkdirSync(join(folder, RUNS_FOLDER), { recursive: true, mode: 0o700 })
  }

  #restore(): void {
    for (const runId of readdirSync(join(this.#folder, RUNS_FOLDER))) {
      const run = Run.restore(this.#runFolder(runId), this.#host)
      if (run === undefined) this.#removeHalf(runId)
      else this.#runs.set(runId, run)
    }
  }

  async #endStrays(): Promise<void> {
    const strays = {
      groups: this.#host.groups,
      runsFolder: join(this.#folder, RUNS_FOLDER),
      isKnown: (runId: string) => this.#runs.has(runId) || this.#starting.has(runId),
    }
    const untilMs = performance.now() + STRAYS_END_WITHIN_MS
    for (let ended = endStrays(strays); ended.length > 0 && performance.now() < untilMs; ended = endStrays(strays)) {
      this.#say(`ended what no run here claims: ${ended.join(', ')}`)
      await new Promise((resolve) => setTimeout(resolve, STRAYS_LOOK_MS))
    }
  }

  #keepLooking(): void {
    setInterval(() => void this.#endStrays(), STRAYS_EVERY_MS).unref()
    setInterval(() => this.#isFolderGone() && void this.#endAll(), FOLDER_LOOK_MS).unref()
  }

  /** Whoever removed the data folder meant what runs there, too; and nobody can reach this supervisor any more. */
  #isFolderGone(): boolean {
    return this.#socketFolder === this.#folder && !existsSync(join(this.#folder, SOCKET_FILE))
  }

  async #endAll(): Promise<void> {
    this.#say(`${this.#folder} is gone: what runs ends`)
    await Promise.all([...this.#runs.values()].map((run) => run.destroy()))
    this.#runs.clear()
    this.#end()
  }

  #removeHalf(runId: string): void {
    try {
      rmSync(this.#runFolder(runId), { recursive: true, force: true })
    } catch (error) {
      // It is in nobody's way, and the disk may take changes again next time.
      this.#say(`${runId} could not be removed: ${String(error)}`)
    }
  }

  #runFolder(runId: string): string {
    return join(this.#folder, RUNS_FOLDER, runId)
  }

  /** In the folder, or where it can take no socket, in one that is made for this boot only. */
  async #listen(): Promise<void> {
    try {
      await this.#listenIn(this.#folder)
    } catch (error) {
      if (!CANNOT_TAKE.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      this.#say(`no socket can be made in ${this.#folder}: ${String(error)}`)
      const folder = passingFolder(this.#folder)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      await this.#listenIn(folder)
    }
  }

  async #listenIn(folder: string): Promise<void> {
    // The path of a socket is short; the folder's may be long.
    process.chdir(folder)
    rmSync(SOCKET_FILE, { force: true })
    const server = createServer((socket) => this.#onConnection(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(SOCKET_FILE, resolve)
    })
    chmodSync(SOCKET_FILE, 0o600)
    this.#server = server
    this.#socketFolder = folder
  }

  #onConnection(socket: Socket): void {
    // Whoever asked before is dead or will be: what it may still have sent must not be carried out after what comes now.
    this.#owner?.destroy()
    this.#owner = socket
    clearTimeout(this.#idleTimer)
    const lines = new Lines()
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      for (const line of lines.add(text)) void this.#take(socket, JSON.parse(line) as Request)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (this.#owner === socket) this.#owner = undefined
      this.#noticeIdle()
    })
  }

  async #take(socket: Socket, { id, operation, request }: Request): Promise<void> {
    const send = (answer: Answer) => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`)
    }
    try {
      send({ id, answer: await this.#operations[operation](request as never) })
    } catch (error) {
      const isKnown = error instanceof RunError
      if (!isKnown) this.#say(`${operation}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      const message = error instanceof Error ? error.message : String(error)
      send({ id, error: { code: isKnown ? error.code : 'INTERNAL', message, isRecoverable: !isKnown || error.isRecoverable } })
    }
  }

  readonly #operations: { readonly [Name in Operation]: (request: Operations[Name]['request']) => Promise<Operations[Name]['answer']> } = {
    start: async (start) => {
      const known = this.#runs.get(start.runId) ?? this.#livingRunOf(start.taskId)
      if (known !== undefined) return known.info
      const starting = this.#starting.get(start.runId) ?? this.#start(start)
      return (await starting).info
    },
    find: async ({ runId }) => {
      await this.#starting.get(runId)?.catch(() => undefined)
      return this.#runs.get(runId)?.info ?? null
    },
    wait: async ({ runId }) => {
      const run = this.#runs.get(runId)
      if (run === undefined) return { exitCode: -1, signal: 0, isOutOfMemory: false, error: 'there is no such run' }
      return new Promise((resolve) => run.wait(resolve))
    },
    signal: async ({ runId, signal }) => {
      this.#runs.get(runId)?.signal(signal)
      return null
    },
    kill: async ({ runId }) => {
      this.#runs.get(runId)?.kill()
      return null
    },
    destroy: async ({ runId }) => {
      const run = this.#runs.get(runId)
      await run?.destroy()
      this.#runs.delete(runId)
      return null
    },
    list: async () => [...this.#runs.keys()],
    place: async ({ runId }) => this.#runs.get(runId)?.place() ?? null,
    pids: async ({ runId }) => this.#runs.get(runId)?.pids() ?? [],
    retire: async () => {
      const isRetiring = this.#isIdle
      if (isRetiring) setImmediate(() => this.#end())
      return { isRetiring }
    },
  }

  /** One process a task: an agent that lost its books counts its starts anew, and gets what runs. */
  #livingRunOf(taskId: string): Run | undefined {
    return [...this.#runs.values()].find((run) => run.isLive && run.record.taskId === taskId)
  }

  #start(start: Operations['start']['request']): Promise<Run> {
    const starting = Run.start(this.#runFolder(start.runId), start, this.#host)
    this.#starting.set(start.runId, starting)
    return starting
      .then(
        (run) => {
          this.#runs.set(start.runId, run)
          return run
        },
        (error: unknown) => {
          rmSync(this.#runFolder(start.runId), { recursive: true, force: true })
          throw error
        },
      )
      .finally(() => this.#starting.delete(start.runId))
  }

  get #isIdle(): boolean {
    return this.#starting.size === 0 && [...this.#runs.values()].every(({ isLive }) => !isLive)
  }

  #noticeIdle(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      if (this.#owner === undefined && this.#isIdle) this.#end()
      else this.#noticeIdle()
    }, IDLE_MS)
  }

  #end(): void {
    clearTimeout(this.#idleTimer)
    this.#owner?.destroy()
    this.#server?.close()
    this.#host.wrappers.close()
    this.#host.pipes.close()
    for (const folder of groupFolders(this.#host.groups)) removeCgroup(folder)
    if (this.#socketFolder !== undefined) rmSync(join(this.#socketFolder, SOCKET_FILE), { force: true })
    this.#onEnd()
  }
}

/** A disk that is full, read-only, without inodes or over its quota. */
const CANNOT_TAKE = new Set(['ENOSPC', 'EROFS', 'EDQUOT'])

/** Asks once, when somebody wants to know. */
function asked<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** An abstract socket: the kernel frees it with its owner, however that ends. */
function takeLock(folder: string): Promise<boolean> {
  const lock = createServer((socket) => socket.end())
  return new Promise((resolve, reject) => {
    lock.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    lock.listen(`\0drover-supervisor-${hashOf(folder).slice(0, 32)}`, () => {
      lock.unref()
      resolve(true)
    })
  })
}
