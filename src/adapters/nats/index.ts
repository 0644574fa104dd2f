/**
 * The bus over NATS (core, no streams): lossy by contract. A stream of answers is parts on the asker's inbox, each with a header that
 * says whether more follow; the asker says on `<inbox>.cancel` that it has gone.
 */
import { readFileSync } from 'node:fs'
import {
  connect,
  createInbox,
  ErrorCode,
  headers,
  type Msg,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
  type PublishOptions,
  type Subscription,
  tokenAuthenticator,
} from 'nats'
import { type Bus, type BusMessage, MEBIBYTE_BYTES, OrchestratorError } from '../../domain/index.js'
import { tooLargeError } from '../bus-errors.js'

export interface NatsOptions {
  readonly url: string
  /** File with the nkey seed to sign in with, for a broker that asks who connects. */
  readonly seedFile?: string | undefined
  /** File with a token, for a broker that asks for one. */
  readonly tokenFile?: string | undefined
  /** Where answers to this program arrive: what a broker may reserve for it. */
  readonly inboxPrefix: string
}

const HEADER = 'Drover-Stream'
const CONNECT = {
  pingInterval: 1_000,
  maxPingOut: 2,
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
  reconnectTimeWait: 100,
  reconnectJitter: 50,
  timeout: 2_000,
  ignoreAuthErrorAbort: true,
  ignoreClusterUpdates: true,
}

/** With less than this the seal of a message leaves hardly any room in it. */
const MESSAGE_BYTES_MIN = 16 * 1024

/** Waits for the broker to be there. @throws OrchestratorError BUS_TOO_SMALL */
export async function connectNats({ url, seedFile, tokenFile, inboxPrefix }: NatsOptions): Promise<NatsBus> {
  const authenticator = [
    ...(seedFile === undefined ? [] : [nkeyAuthenticator(new Uint8Array(readFileSync(seedFile)))]),
    ...(tokenFile === undefined ? [] : [tokenAuthenticator(readFileSync(tokenFile, 'utf8').trim())]),
  ]
  const connection = await connect({ servers: url, ...CONNECT, inboxPrefix, authenticator })
  const allowed = connection.info?.max_payload ?? MESSAGE_BYTES_MIN
  if (allowed >= MESSAGE_BYTES_MIN) return new NatsBus(connection, inboxPrefix)
  await connection.close()
  throw new OrchestratorError('BUS_TOO_SMALL', `the broker ${url} carries ${allowed} bytes a message; set its max_payload to 64KB or more`)
}

export class NatsBus implements Bus {
  readonly #connection: NatsConnection
  readonly #inboxPrefix: string
  readonly #watchers = new Set<(isConnected: boolean) => void>()
  #isConnected = true

  constructor(connection: NatsConnection, inboxPrefix: string) {
    this.#connection = connection
    this.#inboxPrefix = inboxPrefix
    void this.#followStatus()
  }

  /** What is published while the connection is down would pile up in memory and arrive late: it is lost instead. */
  publish(subject: string, payload: Uint8Array): boolean {
    return this.#send(subject, payload)
  }

  messageBytesMax(): number {
    return this.#connection.info?.max_payload ?? MEBIBYTE_BYTES
  }

  /** The client throws for what is too large, for a subject that is none, and when it is closing. */
  #send(subject: string, payload: Uint8Array, options: PublishOptions = {}): boolean {
    if (!this.isConnected()) return false
    try {
      this.#connection.publish(subject, payload, options)
      return true
    } catch {
      return false
    }
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): () => void {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) handler(this.#received(message))
      },
    })
    return () => subscription.unsubscribe()
  }

  async request(subject: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    this.#demandSendable(subject, payload)
    try {
      return (await this.#connection.request(subject, payload, { timeout: timeoutMs })).data
    } catch (cause) {
      throw busError(subject, cause)
    }
  }

  async *requestStream(
    subject: string,
    payload: Uint8Array,
    { idleTimeoutMs, signal }: { readonly idleTimeoutMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array> {
    this.#demandSendable(subject, payload)
    const inbox = createInbox(this.#inboxPrefix)
    const parts = this.#connection.subscribe(inbox)
    const abandon = () => parts.unsubscribe()
    let idle = setTimeout(abandon, idleTimeoutMs)
    let isIdle = true
    signal.addEventListener('abort', abandon)
    try {
      this.#connection.publish(subject, payload, { reply: inbox })
      for await (const part of parts) {
        clearTimeout(idle)
        const [word = '', code = '', text = ''] = (part.headers?.get(HEADER) ?? '').split('\t')
        if (part.headers?.code === 503) throw new OrchestratorError('BUS_NO_RESPONDERS', `nobody answers ${subject}`)
        if (word === 'error') throw new OrchestratorError(code, decodeURIComponent(text))
        if (word === 'end') {
          isIdle = false
          return
        }
        yield part.data
        idle = setTimeout(abandon, idleTimeoutMs)
      }
      if (isIdle && !signal.aborted) throw new OrchestratorError('BUS_TIMEOUT', `no more answers of ${subject}`)
    } finally {
      clearTimeout(idle)
      signal.removeEventListener('abort', abandon)
      parts.unsubscribe()
      this.publish(`${inbox}.cancel`, NOTHING)
    }
  }

  /** @throws OrchestratorError BUS_CLOSED, BUS_TOO_LARGE */
  #demandSendable(subject: string, payload: Uint8Array): void {
    if (!this.isConnected()) throw new OrchestratorError('BUS_CLOSED', `not connected to the broker, asking ${subject}`)
    if (payload.length > this.messageBytesMax()) throw tooLargeError(subject, payload, this.messageBytesMax())
  }

  isConnected(): boolean {
    return this.#isConnected && !this.#connection.isClosed()
  }

  onConnectionChange(handler: (isConnected: boolean) => void): () => void {
    this.#watchers.add(handler)
    return () => this.#watchers.delete(handler)
  }

  async ping(timeoutMs: number): Promise<boolean> {
    if (!this.isConnected()) return false
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs)
    })
    // Answered by the broker behind everything that was sent before; rejected when the connection is closed meanwhile.
    const answered = this.#connection.flush().then(
      () => true,
      () => false,
    )
    const isThere = await Promise.race([answered, late])
    clearTimeout(timer)
    return isThere
  }

  async close(): Promise<void> {
    if (!this.#connection.isClosed()) await this.#connection.close()
  }

  #received(message: Msg): BusMessage {
    // Without a reply subject the client gives an empty one.
    const reply = message.reply || undefined
    const gone = new AbortController()
    let watching: Subscription | undefined
    /** Only a stream needs to know that its asker has gone. */
    const watch = () => {
      if (reply === undefined || !this.isConnected()) return
      watching ??= this.#connection.subscribe(`${reply}.cancel`, { max: 1, callback: (error) => error === null && gone.abort() })
    }
    const send = (payload: Uint8Array, words?: string) => {
      if (reply === undefined) return false
      if (words === undefined) return this.#send(reply, payload)
      const head = headers()
      head.set(HEADER, words)
      return this.#send(reply, payload, { headers: head })
    }
    const end = (error: { readonly code: string; readonly message: string } | undefined) => {
      watching?.unsubscribe()
      send(NOTHING, error === undefined ? 'end' : `error\t${error.code}\t${encodeURIComponent(error.message)}`)
    }
    return {
      subject: message.subject,
      payload: message.data,
      signal: gone.signal,
      respond: (payload) => void send(payload),
      stream: (part) => {
        watch()
        if (part.length > this.messageBytesMax()) end(tooLargeError(message.subject, part, this.messageBytesMax()))
        else send(part, 'part')
      },
      drained: async () => {
        watch()
        // What the broker has taken is on its way; more than that is not known. A connection that ends meanwhile takes nothing more.
        if (this.isConnected()) await this.#connection.flush().catch(() => {})
      },
      endStream: end,
    }
  }

  async #followStatus(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue
      const isConnected = type === 'reconnect'
      if (isConnected === this.#isConnected) continue
      this.#isConnected = isConnected
      for (const watcher of this.#watchers) watcher(isConnected)
    }
  }
}

const NOTHING = new Uint8Array(0)

function busError(subject: string, cause: unknown): OrchestratorError {
  const code = cause instanceof NatsError ? cause.code : ''
  if (code === ErrorCode.NoResponders) return new OrchestratorError('BUS_NO_RESPONDERS', `nobody answers ${subject}`, {}, cause)
  if (code === ErrorCode.Timeout) return new OrchestratorError('BUS_TIMEOUT', `no answer to ${subject}`, {}, cause)
  return new OrchestratorError('BUS_CLOSED', `the connection to the broker was lost, asking ${subject}`, {}, cause)
}
