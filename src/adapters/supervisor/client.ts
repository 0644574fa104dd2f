/**
 * The agent's end of the conversation with its supervisor. Finds the one that lives, or starts one; asks again whatever was not
 * answered when a supervisor died, so that its death only delays. Every operation may be asked twice.
 */
import { spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, realpathSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { explainError, type Logger, OrchestratorError } from '../../domain/index.js'
import { LEAN_ALLOCATOR } from '../lean-allocator.js'
import { type Answer, Lines, LOG_FILE, type Operation, type Operations, passingFolder, SOCKET_FILE } from './protocol.js'

export interface SupervisorClientOptions {
  /** Holds the socket, the runs and the supervisor's log. */
  readonly folder: string
  /** Program and arguments that start a supervisor; the folder is added. */
  readonly command: readonly string[]
  readonly logger: Logger
}

type Pending = {
  readonly line: string
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: OrchestratorError) => void
}

const CONNECT_AGAIN_MS = 20
/** A supervisor that was started gets this long before another start is tried. */
const STARTING_MS = 3_000

export class SupervisorClient {
  readonly #options: SupervisorClientOptions
  readonly #folderFd: number
  readonly #passingFolder: string
  readonly #pending = new Map<number, Pending>()
  #socket: Socket | undefined
  #connecting: Promise<void> | undefined
  #startedAtMs = Number.NEGATIVE_INFINITY
  #lastId = 0
  #isClosed = false
  /** Supervisors that this client has started. */
  startCount = 0

  constructor(options: SupervisorClientOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    this.#passingFolder = passingFolder(realpathSync(options.folder))
    this.#folderFd = openSync(options.folder, constants.O_RDONLY | constants.O_DIRECTORY)
  }

  /** Connects, so that pipes are emptied even before anything is asked. */
  start(): void {
    void this.#connect()
  }

  /** @throws OrchestratorError with the supervisor's code; `facts.recoverable` as it says */
  ask<Name extends Operation>(operation: Name, request: Operations[Name]['request']): Promise<Operations[Name]['answer']> {
    if (this.#isClosed) return Promise.reject(new OrchestratorError('SUPERVISOR_CLOSED', 'the agent is stopping', { recoverable: true }))
    const id = ++this.#lastId
    const line = `${JSON.stringify({ id, operation, request })}\n`
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { line, resolve: resolve as (answer: unknown) => void, reject })
      if (this.#socket !== undefined) this.#socket.write(line)
      else void this.#connect()
    })
  }

  /** Leaves the supervisor and its runs alone. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket?.destroy()
    closeSync(this.#folderFd)
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#keepConnecting().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #keepConnecting(): Promise<void> {
    while (!this.#isClosed && this.#socket === undefined) {
      const socket = await this.#tryConnect()
      if (this.#isClosed) return void socket?.destroy()
      if (socket !== undefined) return this.#take(socket)
      if (performance.now() - this.#startedAtMs > STARTING_MS) this.#startSupervisor()
      await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS))
    }
  }

  async #tryConnect(): Promise<Socket | undefined> {
    // By way of the open folder: the path of a socket may have 107 bytes, and that of a data folder more.
    return (await this.#connectTo(`/proc/self/fd/${this.#folderFd}`)) ?? (await this.#connectTo(this.#passingFolder))
  }

  #connectTo(folder: string): Promise<Socket | undefined> {
    const socket = connect(`${folder}/${SOCKET_FILE}`)
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(socket))
      socket.once('error', () => resolve(undefined))
    })
  }

  #take(socket: Socket): void {
    this.#socket = socket
    const lines = new Lines()
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      for (const line of lines.add(text)) this.#onAnswer(JSON.parse(line) as Answer)
    })
    socket.on('error', (error) => this.#options.logger.debug({ error: explainError(error) }, 'supervisor connection failed'))
    socket.on('close', () => {
      if (this.#isClosed) return
      this.#socket = undefined
      this.#startedAtMs = Number.NEGATIVE_INFINITY
      this.#options.logger.warn({ folder: this.#options.folder }, 'supervisor is gone, looking for another')
      void this.#connect()
    })
    for (const { line } of this.#pending.values()) socket.write(line)
  }

  #onAnswer(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    if (pending === undefined) return
    this.#pending.delete(answer.id)
    if (!('error' in answer)) return pending.resolve(answer.answer)
    const { code, message, isRecoverable } = answer.error
    pending.reject(new OrchestratorError(code, message, { recoverable: isRecoverable }))
  }

  #startSupervisor(): void {
    const { folder, command, logger } = this.#options
    this.#startedAtMs = performance.now()
    this.startCount++
    const [program, ...args] = command
    const log = openLog(join(folder, LOG_FILE))
    const child = spawn(program!, [...args, folder], {
      detached: true,
      stdio: ['ignore', log ?? 'ignore', log ?? 'ignore'],
      cwd: '/',
      env: { ...LEAN_ALLOCATOR, PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin' },
    })
    if (log !== undefined) closeSync(log)
    child.on('error', (error) => logger.error({ command, error: explainError(error) }, 'supervisor cannot be started'))
    child.unref()
  }
}

/** Undefined: the disk takes no new file. Tasks are looked after all the same. */
function openLog(path: string): number | undefined {
  try {
    return openSync(path, 'a', 0o600)
  } catch {
    return undefined
  }
}
