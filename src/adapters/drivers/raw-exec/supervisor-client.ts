/** The agent's end of the supervisor: finds it or starts it, and asks. A supervisor that dies is started again at the next question. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OrchestratorError } from '../../../domain/index.js'
import { type Answer, Lines, type Operation, type Operations, SOCKET_FILE } from '../../supervisor/protocol.js'

/** Beside the compiled agent lies the compiled supervisor. */
const SUPERVISOR_PROGRAM = fileURLToPath(new URL('../../../main/supervisor.js', import.meta.url))
const CONNECT_WITHIN_MS = 10_000
const CONNECT_RETRY_MS = 20
/** The path of a unix socket is at most about this long. */
const SOCKET_PATH_MAX = 100

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void }

export class SupervisorClient {
  readonly #folder: string
  readonly #program: string
  readonly #waiting = new Map<number, Waiting>()
  #socket: Promise<Socket> | undefined
  #nextId = 1
  #isClosed = false

  constructor(folder: string, program = SUPERVISOR_PROGRAM) {
    this.#folder = folder
    this.#program = program
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** @throws OrchestratorError SUPERVISOR when it cannot be reached or dies before it answers; DRIVER_START as it says */
  async ask<Name extends Operation>(operation: Name, request: Operations[Name]['request']): Promise<Operations[Name]['answer']> {
    const socket = await this.#connected()
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: never) => void, reject })
      socket.write(`${JSON.stringify({ id, operation, request })}\n`)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const socket = await this.#socket?.catch(() => undefined)
    socket?.destroy()
  }

  #connected(): Promise<Socket> {
    if (this.#isClosed) return Promise.reject(new OrchestratorError('SUPERVISOR', 'the agent has let go of its supervisor'))
    this.#socket ??= this.#connect().catch((error: unknown) => {
      this.#socket = undefined
      throw error
    })
    return this.#socket
  }

  async #connect(): Promise<Socket> {
    const deadlineMs = performance.now() + CONNECT_WITHIN_MS
    let socket = await this.#tryConnect()
    if (socket === undefined) this.#start()
    while (socket === undefined) {
      if (performance.now() > deadlineMs)
        throw new OrchestratorError(
          'SUPERVISOR',
          `the supervisor of ${this.#folder} does not answer; see ${join(this.#folder, 'supervisor.log')}`,
        )
      await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS))
      socket = await this.#tryConnect()
    }
    this.#listen(socket)
    return socket
  }

  #tryConnect(): Promise<Socket | undefined> {
    const path = join(this.#folder, SOCKET_FILE)
    if (!existsSync(path)) return Promise.resolve(undefined)
    const short = path.length <= SOCKET_PATH_MAX ? path : relative(process.cwd(), path)
    return new Promise((resolve) => {
      const socket = connect(short)
      socket.once('connect', () => resolve(socket))
      socket.once('error', () => resolve(undefined))
    })
  }

  /** In a session of its own: it outlives the agent. */
  #start(): void {
    const log = openSync(join(this.#folder, 'supervisor.log'), 'a', 0o600)
    spawn(process.execPath, ['--max-old-space-size=64', this.#program, this.#folder], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
    }).unref()
  }

  #listen(socket: Socket): void {
    const lines = new Lines()
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      for (const line of lines.add(text)) this.#take(JSON.parse(line) as Answer)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#onGone())
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('answer' in answer) waiting?.resolve(answer.answer as never)
    else
      waiting?.reject(
        new OrchestratorError('DRIVER_START', answer.error.message, { recoverable: answer.error.isRecoverable, code: answer.error.code }),
      )
  }

  #onGone(): void {
    this.#socket = undefined
    const error = new OrchestratorError('SUPERVISOR', `the supervisor of ${this.#folder} is gone`, { recoverable: true })
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}
