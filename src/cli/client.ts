/** The HTTP API as a command sees it: an address, a token, a namespace, and answers as JSON or as text that comes bit by bit. */
import type { Command } from 'commander'
import { CommandError, type Io } from './command.js'

export interface Connection {
  readonly address: string
  readonly token: string
  readonly namespace: string
}

export interface ConnectionOptions {
  readonly address?: string
  readonly token?: string
  readonly namespace?: string
}

/** What shells say for a program that Ctrl-C ended. */
const STOPPED = 130
const ADDRESS_DEFAULT = 'http://127.0.0.1:4646'

/** The options that every reading command has. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--address <url>', 'where the server answers (DROVER_ADDR, NOMAD_ADDR)', undefined)
    .option('--token <secret>', 'who asks (DROVER_TOKEN, NOMAD_TOKEN)', undefined)
    .option('--namespace <name>', 'namespace to look in, * for all (DROVER_NAMESPACE, NOMAD_NAMESPACE)', undefined)
}

/** Options win over Drover's environment, that over Nomad's. */
export function connectionOf(options: ConnectionOptions, env: Io['env']): Connection {
  const setting = (option: string | undefined, name: string, otherwise: string) =>
    option ?? (env[`DROVER_${name}`] || env[`NOMAD_${name}`] || otherwise)
  const address = setting(options.address, 'ADDR', ADDRESS_DEFAULT).replace(/\/+$/, '')
  return {
    address: /^https?:\/\//.test(address) ? address : `http://${address}`,
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

  constructor(options: ConnectionOptions, io: Io) {
    this.connection = connectionOf(options, io.env)
    this.#io = io
  }

  /** @throws CommandError when the server cannot be reached, AnswerError when it refuses */
  async get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return (await (await this.#send('GET', path, query)).json()) as Answer
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

  async put<Answer>(path: string, body: unknown, query: Query = {}): Promise<Answer> {
    return (await (await this.#send('PUT', path, query, JSON.stringify(body))).json()) as Answer
  }

  /** With the index that a later read can wait beyond. */
  async getWithIndex<Answer>(path: string, query: Query = {}): Promise<{ readonly answer: Answer; readonly index: string }> {
    const response = await this.#send('GET', path, query)
    return { answer: (await response.json()) as Answer, index: response.headers.get('x-nomad-index') ?? '0' }
  }

  /** The text of an answer as it comes; ends when the answer does, or on Ctrl-C. */
  async *stream(path: string, query: Query = {}): AsyncIterable<string> {
    const response = await this.#send('GET', path, query)
    if (response.body === null) return
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body) yield decoder.decode(chunk, { stream: true })
    } catch (error) {
      if (!this.#io.signal.aborted) throw new CommandError(`the connection to ${this.connection.address} broke: ${causeOf(error)}`)
    }
  }

  async #send(method: string, path: string, query: Query, body?: string): Promise<Response> {
    const { address, token, namespace } = this.connection
    const parameters = new URLSearchParams({ namespace })
    for (const [name, value] of Object.entries(query)) {
      parameters.delete(name)
      for (const text of value === undefined ? [] : [value].flat()) parameters.append(name, text)
    }
    const headers: Record<string, string> = token === '' ? {} : { 'X-Nomad-Token': token }
    let response: Response
    try {
      const content = body === undefined ? {} : { body }
      response = await this.#io.fetch(`${address}${path}?${parameters}`, { method, headers, signal: this.#io.signal, ...content })
    } catch (error) {
      if (this.#io.signal.aborted) throw new CommandError('stopped', STOPPED)
      throw new CommandError(
        `no server answers at ${address} (${causeOf(error)}); start one with "drover dev", or name another with --address`,
      )
    }
    if (!response.ok) throw new AnswerError(response.status, `${await response.text()} (${method} ${path} answered ${response.status})`)
    return response
  }
}

/** The system's word for it, behind fetch's. */
function causeOf(error: unknown): string {
  const cause = (error as { readonly cause?: unknown }).cause
  const inner = cause instanceof Error ? cause : error
  const { code, message } = inner as { readonly code?: string; readonly message?: string }
  return code ?? message ?? String(inner)
}
