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
  type Subscription,
} from 'nats'
import { type Bus, type BusMessage, OrchestratorError } from '../../domain/index.js'

export interface NatsOptions {
  readonly url: string
  /** File with the nkey seed to sign in with. */
  readonly seedFile?: string | undefined
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

/** Waits for the broker to be there. */
export async function connectNats({ url, seedFile }: NatsOptions): Promise<NatsBus> {
  const authenticator = seedFile === undefined ? {} : { authenticator: nkeyAuthenticator(new Uint8Array(readFileSync(seedFile))) }
  return new NatsBus(await connect({ servers: url, ...CONNECT, ...authenticator }))
}

export class NatsBus implements Bus {
  readonly #connection: NatsConnection
  #isConnected = true

  constructor(connection: NatsConnection) {
    this.#connection = connection
    void this.#followStatus()
  }

  /** What is published while the connection is down would pile up in memory and arrive late: it is lost instead. */
  publish(subject: string, payload: Uint8Array): void {
    if (this.isConnected()) this.#connection.publish(subject, payload)
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
    if (!this.isConnected()) throw new OrchestratorError('BUS_CLOSED', `not connected to the broker, asking ${subject}`)
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
    if (!this.isConnected()) throw new OrchestratorError('BUS_CLOSED', `not connected to the broker, asking ${subject}`)
    const inbox = createInbox()
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

  isConnected(): boolean {
    return this.#isConnected && !this.#connection.isClosed()
  }

  async close(): Promise<void> {
    if (!this.#connection.isClosed()) await this.#connection.close()
  }

  #received(message: Msg): BusMessage {
    const reply = message.reply
    const gone = new AbortController()
    let watching: Subscription | undefined
    /** Only a stream needs to know that its asker has gone. */
    const watch = () => {
      if (reply === undefined || !this.isConnected()) return
      watching ??= this.#connection.subscribe(`${reply}.cancel`, { max: 1, callback: () => gone.abort() })
    }
    const send = (payload: Uint8Array, words?: string) => {
      if (reply === undefined || !this.isConnected()) return
      if (words === undefined) return this.#connection.publish(reply, payload)
      const head = headers()
      head.set(HEADER, words)
      this.#connection.publish(reply, payload, { headers: head })
    }
    return {
      subject: message.subject,
      payload: message.data,
      signal: gone.signal,
      respond: (payload) => send(payload),
      stream: (part) => {
        watch()
        send(part, 'part')
      },
      drained: async () => {
        watch()
        // What the broker has taken is on its way; more than that is not known.
        if (this.isConnected()) await this.#connection.flush()
      },
      endStream: (error) => {
        watching?.unsubscribe()
        send(NOTHING, error === undefined ? 'end' : `error\t${error.code}\t${encodeURIComponent(error.message)}`)
      },
    }
  }

  async #followStatus(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') this.#isConnected = false
      if (type === 'reconnect') this.#isConnected = true
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
