/** The HTTP API as a command sees it: an address, a token, a namespace, and answers as JSON or as text that comes bit by bit. */
import type { Command } from 'commander'
import { CommandError, type FetchAnswer, type Io } from './command.js'
import { parseDurationMs } from './duration.js'

export interface Connection {
  readonly address: string
  readonly token: string
  readonly namespace: string
}

export interface ConnectionOptions {
  readonly address?: string
  readonly token?: string
  readonly namespace?: string
  readonly requestTimeout?: string
  readonly at?: string
}

/** What shells say for a program that Ctrl-C ended. */
const STOPPED = 130
const ADDRESS_DEFAULT = 'http://127.0.0.1:4646'

/** The options that every reading command has. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--address <url>', 'where the server answers (DROVER_ADDR, NOMAD_ADDR)', undefined)
    .option('--token <secret>', 'who asks (DROVER_TOKEN, NOMAD_TOKEN)', undefined)
    .option('-n, --namespace <name>', 'namespace to look in, * for all (DROVER_NAMESPACE, NOMAD_NAMESPACE)', undefined)
    .option('--request-timeout <duration>', 'how long the server may take to answer', '30s')
}

/** For commands that read nothing but the state. */
export function addPastOption(command: Command): Command {
  return command.option(
    '--at <moment>',
    'as it was: at the end of a commit (seven characters or more of its id), at a time, or so long ago: 30m',
  )
}

/** What somebody means by `--at`, as the API takes it. */
function momentOf(text: string): string {
  if (!/^[\d.]+(ms|s|m|h)/.test(text)) return text
  return new Date(Date.now() - parseDurationMs(text, '--at')).toISOString()
}

/**
 * Options win over Drover's environment, that over Nomad's.
 * @throws CommandError for an address that is no http or https URL
 */
export function connectionOf(options: ConnectionOptions, env: Io['env']): Connection {
  const setting = (option: string | undefined, name: string, otherwise: string) =>
    option ?? (env[`DROVER_${name}`] || env[`NOMAD_${name}`] || otherwise)
  const given = setting(options.address, 'ADDR', ADDRESS_DEFAULT)
  const address = given.includes('://') ? given : `http://${given}`
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new CommandError(`the address "${given}" is no http or https URL, such as ${ADDRESS_DEFAULT}`)
  return {
    address: address.replace(/\/+$/, ''),
    token: setting(options.token, 'TOKEN', ''),
    namespace: setting(options.namespace, 'NAMESPACE', 'default'),
  }
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** What the server refused: status and its text. */
export class AnswerError extends CommandError {
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

export class Client {
  readonly connection: Connection
  readonly #io: Io
  readonly #timeoutMs: number
  readonly #at: string | undefined
  #isMomentTold = false

  /** @throws CommandError for a timeout that is none */
  constructor(options: ConnectionOptions, io: Io) {
    this.connection = connectionOf(options, io.env)
    this.#io = io
    this.#at = options.at === undefined ? undefined : momentOf(options.at)
    this.#timeoutMs = options.requestTimeout === undefined ? TIMEOUT_MS : parseDurationMs(options.requestTimeout, '--request-timeout')
  }

  /** @throws CommandError when the server cannot be reached, AnswerError when it refuses */
  get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return this.#ask('GET', path, query, async (response) => (await response.json()) as Answer)
  }

  /** `undefined` for what is not there. */
  async find<Answer>(path: string, query: Query = {}): Promise<Answer | undefined> {
    try {
      return await this.get<Answer>(path, query)
    } catch (error) {
      if (error instanceof AnswerError && error.status === 404) return undefined
      throw error
    }
  }

  put<Answer>(path: string, body: unknown, query: Query = {}): Promise<Answer> {
    return this.#ask('PUT', path, query, async (response) => (await response.json()) as Answer, JSON.stringify(body))
  }

  /** With the index that a later read can wait beyond. */
  getWithIndex<Answer>(path: string, query: Query = {}): Promise<{ readonly answer: Answer; readonly index: string }> {
    return this.#ask('GET', path, query, async (response) => ({
      answer: (await response.json()) as Answer,
      index: response.headers.get('x-nomad-index') ?? '0',
    }))
  }

  /** The bytes of an answer as they come; ends when the answer does, or on Ctrl-C. */
  async *bytes(path: string, query: Query = {}): AsyncIterable<Uint8Array> {
    const response = await this.#ask('GET', path, query, async (answer) => answer)
    if (response.body === null) return
    try {
      for await (const chunk of response.body) yield chunk
    } catch (error) {
      if (!this.#io.signal.aborted) throw new CommandError(`the connection to ${this.connection.address} broke: ${causeOf(error)}`)
    }
  }

  /** The same as text. */
  async *stream(path: string, query: Query = {}): AsyncIterable<string> {
    const decoder = new TextDecoder()
    for await (const chunk of this.bytes(path, query)) yield decoder.decode(chunk, { stream: true })
  }

  /** What `read` takes from the answer within the time that there is; a body that is not read within it may come as slowly as it likes. */
  async #ask<Result>(
    method: string,
    path: string,
    query: Query,
    read: (response: FetchAnswer) => Promise<Result>,
    body?: string,
  ): Promise<Result> {
    const { address, token } = this.connection
    const headers: Record<string, string> = token === '' ? {} : { 'X-Nomad-Token': token }
    const deadline = new Deadline(this.#timeoutMs + (query['wait'] === undefined ? 0 : HELD_MS), this.#io, address)
    try {
      const content = body === undefined ? {} : { body }
      const signal = AbortSignal.any([this.#io.signal, deadline.signal])
      const response = await this.#io.fetch(`${address}${path}?${this.#parameters(query)}`, { method, headers, signal, ...content })
      if (!response.ok) throw new AnswerError(response.status, await describeRefusal(response, address, method, path))
      this.#tellMoment(response)
      return await read(response)
    } catch (error) {
      if (this.#io.signal.aborted) throw new CommandError('stopped', STOPPED)
      if (error instanceof AnswerError) throw error
      if (deadline.signal.aborted)
        throw new CommandError(
          `${address} has not answered within ${this.#timeoutMs / 1000} s (${method} ${path}); try again, or give it longer with --request-timeout`,
        )
      throw new CommandError(
        `no server answers at ${address} (${causeOf(error)}); start one with "drover dev", or name another with --address`,
      )
    } finally {
      deadline.end()
    }
  }

  /** Once: all answers are of the same. */
  #tellMoment({ headers }: FetchAnswer): void {
    const moment = headers.get('x-drover-at')
    if (moment === null || this.#isMomentTold) return
    this.#isMomentTold = true
    const commit = headers.get('x-drover-commit') ?? ''
    this.#io.err(`as of ${moment}${commit === '' ? '' : `, commit ${commit.slice(0, 12)}`}\n`)
  }

  #parameters(query: Query): URLSearchParams {
    const at = this.#at === undefined ? {} : { at: this.#at }
    const parameters = new URLSearchParams({ namespace: this.connection.namespace, ...at })
    for (const [name, value] of Object.entries(query)) {
      parameters.delete(name)
      for (const text of value === undefined ? [] : [value].flat()) parameters.append(name, text)
    }
    return parameters
  }
}

const TIMEOUT_MS = 30_000
/** How much longer an answer may take that waits for something to happen. */
const HELD_MS = 120_000
const SILENCE_MS = 2_000

/** Says that it waits once that has taken a while, and ends what takes too long. */
class Deadline {
  readonly #late = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]

  constructor(ms: number, io: Io, address: string) {
    const isHeld = ms >= HELD_MS
    this.#timers = [
      setTimeout(() => this.#late.abort(), ms),
      ...(isHeld ? [] : [setTimeout(() => io.err(`waiting for ${address} to answer …\n`), SILENCE_MS)]),
    ]
  }

  get signal(): AbortSignal {
    return this.#late.signal
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }
}

/** Whoever answers without a word is seldom a Drover server. */
async function describeRefusal(response: FetchAnswer, address: string, method: string, path: string): Promise<string> {
  const text = (await response.text()).trim()
  const where = `${method} ${path} answered ${response.status}`
  return text === '' || text.startsWith('<')
    ? `what answers at ${address} is no Drover server (${where}); name one with --address`
    : `${text} (${where})`
}

/** The system's word for it, behind fetch's. */
function causeOf(error: unknown): string {
  const cause = (error as { readonly cause?: unknown }).cause
  const inner = cause instanceof Error ? cause : error
  const { code, message } = inner as { readonly code?: string; readonly message?: string }
  return code ?? message ?? String(inner)
}
