/** Requests to the API of a forge: JSON both ways, a token read anew for each, and never one before the forge allows it again. */
import { explainError, OrchestratorError } from '../../domain/index.js'
import { parseRetryAfter, RETRY_AFTER_MS_MAX } from '../retry-after.js'
import { readSecret, type Secret } from '../secret.js'

export interface ForgeClientOptions {
  /** Without a slash at its end, such as https://api.github.com. */
  readonly api: string
  readonly token: Secret
  /** How the forge wants the token, and what else it wants. */
  readonly headersOf: (token: string) => Readonly<Record<string, string>>
  readonly nowMs: () => number
}

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT'

const ANSWER_WITHIN_MS = 15_000
const BODY_BYTES_MAX = 8 * 1024 * 1024
const TOLD_LENGTH_MAX = 200

export class ForgeError extends OrchestratorError {
  /** 0: there was no answer. */
  readonly status: number

  constructor(status: number, message: string, cause?: unknown) {
    super('FORGE', message, {}, cause)
    this.status = status
  }
}

export class ForgeClient {
  readonly #options: ForgeClientOptions
  #notBeforeMs = 0

  constructor(options: ForgeClientOptions) {
    this.#options = options
  }

  /** @throws ForgeError with what to mend */
  async ask<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
    const { api, nowMs } = this.#options
    const what = `${method} ${api}${path}`
    const waitMs = this.#notBeforeMs - nowMs()
    if (waitMs > 0) throw new ForgeError(429, `${api} asks to be left alone for another ${Math.ceil(waitMs / 1000)} s`)
    const response = await this.#send(method, path, body, what)
    const text = await readBounded(response, what)
    if (response.ok) return parseAnswer<Answer>(text, what)
    this.#heedPause(response)
    throw new ForgeError(response.status, `${what} is answered with ${response.status}: ${shortened(text)}${remedyFor(response.status)}`)
  }

  async #send(method: Method, path: string, body: object | undefined, what: string): Promise<Response> {
    const { api, token, headersOf } = this.#options
    const headers = {
      accept: 'application/json',
      'user-agent': 'drover',
      ...headersOf(readToken(token)),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    try {
      return await fetch(`${api}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A redirect could lead the token to another host.
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
    } catch (cause) {
      throw new ForgeError(0, `${what} is not answered; it is tried again`, cause)
    }
  }

  /** Source: GitHub's documentation, "Rate limits for the REST API"; GitLab's and Gitea's servers answer with `Retry-After`. */
  #heedPause({ status, headers }: Response): void {
    const nowMs = this.#options.nowMs()
    const isLimited = status === 429 || (status === 403 && headers.get('x-ratelimit-remaining') === '0')
    const resetMs = isLimited ? Number(headers.get('x-ratelimit-reset') ?? Number.NaN) * 1000 - nowMs : Number.NaN
    const pauseMs = parseRetryAfter(headers.get('retry-after') ?? '', nowMs) ?? resetMs
    if (pauseMs > 0) this.#notBeforeMs = nowMs + Math.min(pauseMs, RETRY_AFTER_MS_MAX)
  }
}

function readToken(token: Secret): string {
  try {
    return readSecret('token of the forge', token)
  } catch (error) {
    throw new ForgeError(0, explainError(error))
  }
}

async function readBounded(response: Response, what: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new ForgeError(response.status, `${what} is answered with more than ${BODY_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseAnswer<Answer>(text: string, what: string): Answer {
  try {
    return (text === '' ? null : JSON.parse(text)) as Answer
  } catch (cause) {
    throw new ForgeError(200, `${what} is answered with something that is no JSON`, cause)
  }
}

function remedyFor(status: number): string {
  if (status === 401) return '; the token of source.forge is not valid'
  if (status === 403) return '; let the token of source.forge write statuses and comments'
  if (status === 404) return '; check source.forge.project and api, and what its token may see'
  return status >= 300 && status < 400 ? '; write the new address into source.forge' : ''
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= TOLD_LENGTH_MAX ? line : `${line.slice(0, TOLD_LENGTH_MAX)}…`
}
