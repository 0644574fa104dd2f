/**
 * Answers from the past by a process of its own: folding a log takes time and memory, and the leader has none to spare for it. It is started
 * when somebody asks, reads the log beside the server, and ends when nobody has asked for a while.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { type ApiResponse, type ApiSettings, badRequest, type Past, type PastRequest, requestFailed, tooMany } from '../../api/index.js'
import { readPastPoint } from '../../controller/index.js'
import type { FromPast, ToPast } from './messages.js'

export interface PastProcessOptions {
  /** The program, with the flags of Node before it. */
  readonly command: { readonly path: string; readonly nodeFlags: readonly string[] }
  readonly stateFolder: string
  readonly settings: ApiSettings
  readonly idleMs?: number
  readonly answerMsMax?: number
}

const IDLE_MS = 60_000
const ANSWER_MS_MAX = 120_000
const WAITING_MAX = 16

interface Waiting {
  readonly resolve: (answer: FromPast) => void
  readonly reject: (error: Error) => void
}

export class PastProcess implements Past {
  readonly #options: PastProcessOptions
  readonly #waiting = new Map<number, Waiting>()
  #child: ChildProcess | undefined
  #number = 0
  #idle: NodeJS.Timeout | undefined

  constructor(options: PastProcessOptions) {
    this.#options = options
  }

  async answer(at: string, { method, path, query, body }: PastRequest): Promise<ApiResponse> {
    if (readPastPoint(at) === undefined)
      throw badRequest(`"${at}" is no past: give seven characters or more of a commit's id, or a time such as 2026-11-30T12:00:00Z`)
    if (this.#waiting.size >= WAITING_MAX) throw tooMany('others are asking of the past already; ask again later')
    clearTimeout(this.#idle)
    const number = ++this.#number
    const request = { method, path, query: withoutWaiting(query), body: Buffer.from(body).toString('utf8') }
    const { status, headers, body: text } = await this.#ask({ kind: 'ask', number, at, request })
    this.#endWhenIdle()
    return { status, headers, body: text }
  }

  /** While others wait for their answers it is not idle. Of several that are answered at once one timer is left. */
  #endWhenIdle(): void {
    if (this.#waiting.size > 0) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#end(), this.#options.idleMs ?? IDLE_MS).unref()
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    this.#end()
  }

  #ask(message: Extract<ToPast, { readonly kind: 'ask' }>): Promise<FromPast> {
    const child = this.#started()
    return new Promise<FromPast>((resolve, reject) => {
      const late = setTimeout(() => this.#fail('the past takes too long to be read'), this.#options.answerMsMax ?? ANSWER_MS_MAX)
      const done = () => {
        clearTimeout(late)
        this.#waiting.delete(message.number)
      }
      this.#waiting.set(message.number, {
        resolve: (answer) => {
          done()
          resolve(answer)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      })
      child.send(message)
    })
  }

  #started(): ChildProcess {
    if (this.#child !== undefined) return this.#child
    const { command, stateFolder, settings } = this.#options
    const child = fork(command.path, [stateFolder], { execArgv: [...command.nodeFlags], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    child.on('message', (answer: FromPast) => this.#waiting.get(answer.number)?.resolve(answer))
    const ended = () => this.#child === child && this.#fail('the process that reads the past has ended; ask again')
    child.once('error', ended)
    child.once('exit', ended)
    child.send({ kind: 'begin', settings } satisfies ToPast)
    this.#child = child
    return child
  }

  #fail(why: string): void {
    this.#end()
    for (const { reject } of [...this.#waiting.values()]) reject(requestFailed(why))
  }

  #end(): void {
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
  }
}

/** The past does not change: nobody waits for it. */
function withoutWaiting(query: string): string {
  const parameters = new URLSearchParams(query)
  for (const name of ['at', 'index', 'wait']) parameters.delete(name)
  return parameters.toString()
}
