/**
 * The Engine's API by dockerode, for Docker and for podman's socket. The library takes 25 MB, so it is loaded when an engine is there.
 * Both engines answer differently in detail; a status alone decides nothing but "there is no such thing".
 */
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { OrchestratorError } from '../../../domain/index.js'
import type { DockerOptions } from './options.js'

export type DockerClient = Dockerode

/** Where it listens; `mistake`: what it is called by is no such place. */
export type Endpoint =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly isSecure: boolean }
  | { readonly mistake: string }

/** The part that is looked at. */
export interface EngineInfo {
  readonly OSType?: string
  readonly CgroupVersion?: string
  readonly Runtimes?: Readonly<Record<string, unknown>>
}

interface Ended {
  readonly StatusCode: number
  readonly Error?: { readonly Message?: string } | null
}

/** The library takes options here, which its types do not know. */
interface Described {
  version(options: object): Promise<{ readonly Version: string; readonly Components?: readonly { readonly Name: string }[] | null }>
  info(options: object): Promise<EngineInfo>
}

const SOCKETS = ['/var/run/docker.sock', '/run/podman/podman.sock']
const PORT_OF_ENGINES = 2375
const CONNECT_WITHIN_MS = 3_000
/** Of a call that is not meant to wait; some start slowly on a busy host. */
const ANSWER_WITHIN_MS = 120_000
/** Of an answer in words of its own so much is told. */
const STRANGE_ANSWER_CHARS_MAX = 200
const AWAY = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'EACCES', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTSOCK', 'ABORT_ERR'])

/** The engine refused, or is not to be reached. */
export class EngineError extends OrchestratorError {
  /** Undefined: nothing was answered. */
  readonly status: number | undefined
  /** It listens, and has not answered in time. */
  readonly isSlow: boolean

  constructor(message: string, status: number | undefined, isSlow = false) {
    super('ENGINE', message, { ...(status === undefined ? {} : { status }) })
    this.status = status
    this.isSlow = isSlow
  }

  get isAway(): boolean {
    return this.status === undefined
  }
}

export class Engine {
  readonly endpoint: Endpoint
  readonly #options: DockerOptions
  #client: Promise<DockerClient> | undefined

  constructor(options: DockerOptions, environment: Readonly<Record<string, string | undefined>>) {
    this.#options = options
    this.endpoint = findEndpoint(options.endpoint ?? environment['DOCKER_HOST'])
  }

  /** As people write it. */
  get address(): string {
    if ('socketPath' in this.endpoint) return `unix://${this.endpoint.socketPath}`
    return 'mistake' in this.endpoint ? '?' : `tcp://${this.endpoint.host}:${this.endpoint.port}`
  }

  get isLocal(): boolean {
    return 'socketPath' in this.endpoint
  }

  /** Cheaper than to load the library for nothing. */
  async #demandListener(): Promise<void> {
    if ('mistake' in this.endpoint) throw new EngineError(this.endpoint.mistake, undefined)
    const socket = 'socketPath' in this.endpoint ? connect(this.endpoint.socketPath) : connect(this.endpoint.port, this.endpoint.host)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.setTimeout(CONNECT_WITHIN_MS, () => reject(new Error(`no answer within ${CONNECT_WITHIN_MS} ms`)))
        socket.once('connect', () => resolve())
        socket.once('error', reject)
      })
    } catch (cause) {
      throw away(this.address, cause)
    } finally {
      socket.destroy()
    }
  }

  /**
   * Runs with the client; what it throws is told as an `EngineError`. An answer that breaks off half-way leaves the library waiting for
   * the rest, so nobody waits longer than this.
   */
  async ask<Answer>(act: (client: DockerClient) => Promise<Answer>): Promise<Answer> {
    let giveUp: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      giveUp = setTimeout(() => reject(away(this.address, `no answer within ${ANSWER_WITHIN_MS / 1_000} s`)), ANSWER_WITHIN_MS)
    })
    try {
      this.#client ??= this.#load()
      return await Promise.race([act(await this.#client), late])
    } catch (error) {
      throw this.#explained(error)
    } finally {
      clearTimeout(giveUp)
    }
  }

  /**
   * Resolves with the exit code when the container has ended, however long that takes; undefined: it was removed before its code was
   * read. As a stream, which notices when it breaks off.
   */
  async untilEnded(containerId: string): Promise<number | undefined> {
    const stream = await this.ask(
      (client) =>
        new Promise<Readable>((resolve, reject) => {
          const call = { path: `/containers/${containerId}/wait?`, method: 'POST', isStream: true, options: {}, statusCodes: { 200: true } }
          client.modem.dial(call, (error: unknown, answer: unknown) => (error ? reject(error as Error) : resolve(answer as Readable)))
        }),
    )
    try {
      const pieces: Buffer[] = []
      for await (const piece of stream) pieces.push(piece as Buffer)
      const { StatusCode, Error: problem } = JSON.parse(Buffer.concat(pieces).toString()) as Ended
      // A code beside an error is no code: one engine says 0 of what it no longer finds.
      return problem?.Message ? undefined : StatusCode
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** What it is. @param abortSignal when nobody waits any longer @throws EngineError, one that `isSlow` when nobody did */
  async describe(abortSignal: AbortSignal): Promise<{ readonly version: string; readonly isPodman: boolean; readonly info: EngineInfo }> {
    await this.#demandListener()
    try {
      return await this.ask(async (client) => {
        const described = client as unknown as Described
        const { Version, Components } = await described.version({ abortSignal })
        if (typeof Version !== 'string') throw away(this.address, 'what answers there is no engine')
        const isPodman = Components?.some(({ Name }) => Name === 'Podman Engine') === true
        return { version: Version, isPodman, info: await described.info({ abortSignal }) }
      })
    } catch (error) {
      throw abortSignal.aborted ? away(this.address, 'it listens and does not answer in time', true) : error
    }
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof OrchestratorError) return error
    const { statusCode, json, code } = error as Error & { statusCode?: number; json?: unknown; code?: string }
    if (statusCode !== undefined) return new EngineError(`Error response from daemon: ${messageIn(json, error)}`, statusCode)
    // What answers in another language is none, or none yet: a proxy, say, whose engine is gone.
    const isNone = code?.startsWith('HPE_') === true || error instanceof SyntaxError
    const isAway = isNone || (code !== undefined && AWAY.has(code)) || /socket hang up|aborted/.test(error.message)
    return isAway ? away(this.address, error) : error
  }

  async #load(): Promise<DockerClient> {
    const { default: Client } = await import('dockerode')
    const { tls } = this.#options
    if ('mistake' in this.endpoint) throw new EngineError(this.endpoint.mistake, undefined)
    // Named one by one: what is left out the library takes from DOCKER_HOST.
    if ('socketPath' in this.endpoint)
      return new Client({ socketPath: this.endpoint.socketPath, host: undefined, port: undefined, protocol: 'http' })
    const { host, port, isSecure } = this.endpoint
    if (tls === undefined) return new Client({ host, port, protocol: isSecure ? 'https' : 'http' })
    return new Client({ host, port, protocol: 'https', ca: readFileSync(tls.ca), cert: readFileSync(tls.cert), key: readFileSync(tls.key) })
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof EngineError && error.status === 404
}

export function isAway(error: unknown): boolean {
  return error instanceof EngineError && error.isAway
}

function away(address: string, cause: unknown, isSlow = false): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EngineError(`Cannot connect to the Docker daemon at ${address}: ${reason}`, undefined, isSlow)
}

function messageIn(json: unknown, error: Error): string {
  if (typeof json === 'object' && json !== null) {
    if ('message' in json && typeof json.message === 'string') return json.message.trim()
    return JSON.stringify(json).slice(0, STRANGE_ANSWER_CHARS_MAX)
  }
  return error.message.replace(/^\(HTTP code \d+\) .*? - /, '').trim()
}

/** Whatever DOCKER_HOST says keeps no agent from starting. */
function findEndpoint(named: string | undefined): Endpoint {
  if (named === undefined || named === '') return { socketPath: SOCKETS.find((path) => existsSync(path)) ?? SOCKETS[0]! }
  if (named.startsWith('unix:///')) return { socketPath: named.slice('unix://'.length) }
  const tcp = named.replace(/^https?:/, 'tcp:')
  if (!tcp.startsWith('tcp://') || !URL.canParse(tcp) || new URL(tcp).hostname === '')
    return { mistake: `"${named}" is no address of an engine: unix:///path/of/socket or tcp://host:port` }
  const { hostname, port } = new URL(tcp)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || PORT_OF_ENGINES), isSecure: named.startsWith('https:') }
}
