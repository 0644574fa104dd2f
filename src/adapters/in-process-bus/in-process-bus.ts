/** A bus inside one process: for `dev` without a broker, and for tests. Delivery is in order and in a later turn. */
import { type Bus, type BusMessage, type Clock, MEBIBYTE_BYTES, OrchestratorError } from '../../domain/index.js'
import { tooLargeError } from '../bus-errors.js'
import { systemClock } from '../clock.js'
import { type Handler, type Subscription, Subscriptions } from './subscriptions.js'

/** Parts that may wait for a slow asker before the responder has to wait for it. */
const PARTS_AHEAD_MAX = 16

/** What several buses of one process have in common, where each is closed by itself. */
export class InProcessHub {
  readonly #subscriptions = new Subscriptions()
  readonly #clock: Clock
  /** As a broker has it by default, so that the two differ in nothing that matters. */
  readonly messageBytesMax: number

  constructor(clock: Clock = systemClock, messageBytesMax = MEBIBYTE_BYTES) {
    this.#clock = clock
    this.messageBytesMax = messageBytesMax
  }

  connect(): Bus {
    return new InProcessBus(this)
  }

  get subscriptions(): Subscriptions {
    return this.#subscriptions
  }

  get clock(): Clock {
    return this.#clock
  }
}

export class InProcessBus implements Bus {
  readonly #all: Subscriptions
  readonly #clock: Clock
  readonly #messageBytesMax: number
  readonly #own = new Set<Subscription>()
  readonly #waiting = new Set<(error: OrchestratorError) => void>()
  #isClosed = false

  constructor(hub: InProcessHub = new InProcessHub()) {
    this.#all = hub.subscriptions
    this.#clock = hub.clock
    this.#messageBytesMax = hub.messageBytesMax
  }

  publish(subject: string, payload: Uint8Array): boolean {
    if (this.#isClosed || this.#isTooLarge(payload)) return false
    for (const handler of this.#all.find(subject)) deliver(handler, plainMessage(subject, payload))
    return true
  }

  messageBytesMax(): number {
    return this.#messageBytesMax
  }

  #isTooLarge(payload: Uint8Array): boolean {
    return payload.length > this.#messageBytesMax
  }

  subscribe(subject: string, handler: Handler): () => void {
    const subscription = { subject, handler }
    this.#all.add(subscription)
    this.#own.add(subscription)
    return () => {
      this.#all.delete(subscription)
      this.#own.delete(subscription)
    }
  }

  request(subject: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const handlers = this.#all.find(subject)
      if (this.#isClosed) return reject(closedError())
      if (this.#isTooLarge(payload)) return reject(tooLargeError(subject, payload, this.#messageBytesMax))
      if (handlers.length === 0) return reject(noRespondersError(subject))
      const end = () => {
        cancelTimeout()
        this.#waiting.delete(fail)
      }
      const fail = (error: OrchestratorError) => {
        end()
        reject(error)
      }
      const cancelTimeout = this.#clock.after(timeoutMs, () => fail(timeoutError(subject, timeoutMs)))
      this.#waiting.add(fail)
      const respond = (answer: Uint8Array) => {
        if (this.#isTooLarge(answer)) return
        end()
        queueMicrotask(() => resolve(answer))
      }
      for (const handler of handlers) deliver(handler, { ...plainMessage(subject, payload), respond })
    })
  }

  async *requestStream(
    subject: string,
    payload: Uint8Array,
    { idleTimeoutMs, signal }: { readonly idleTimeoutMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array> {
    if (this.#isClosed) throw closedError()
    if (this.#isTooLarge(payload)) throw tooLargeError(subject, payload, this.#messageBytesMax)
    const handlers = this.#all.find(subject)
    if (handlers.length === 0) throw noRespondersError(subject)
    const stream = new PartQueue(subject, idleTimeoutMs, signal, this.#clock, this.#messageBytesMax)
    this.#waiting.add(stream.fail)
    try {
      for (const handler of handlers) deliver(handler, { ...plainMessage(subject, payload), ...stream.responder })
      yield* stream.parts()
    } finally {
      this.#waiting.delete(stream.fail)
      stream.abandon()
    }
  }

  isConnected(): boolean {
    return !this.#isClosed
  }

  /** There is nothing between the two ends that could be away. */
  onConnectionChange(): () => void {
    return () => {}
  }

  async ping(): Promise<boolean> {
    return !this.#isClosed
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const subscription of this.#own) this.#all.delete(subscription)
    for (const fail of [...this.#waiting]) fail(closedError())
  }
}

/** Parts on their way from a responder to an asker in the same process. */
class PartQueue {
  readonly #subject: string
  readonly #idleTimeoutMs: number
  readonly #signal: AbortSignal
  readonly #clock: Clock
  readonly #abandoned = new AbortController()
  readonly #queue: Uint8Array[] = []
  #end: { readonly error?: OrchestratorError } | undefined
  #wakeAsker = () => {}
  #wakeResponder = () => {}

  readonly #messageBytesMax: number

  constructor(subject: string, idleTimeoutMs: number, signal: AbortSignal, clock: Clock, messageBytesMax: number) {
    this.#clock = clock
    this.#messageBytesMax = messageBytesMax
    this.#subject = subject
    this.#idleTimeoutMs = idleTimeoutMs
    this.#signal = signal
    signal.addEventListener('abort', () => this.abandon())
    if (signal.aborted) this.abandon()
  }

  readonly fail = (error: OrchestratorError): void => {
    this.#end = { error }
    this.#wakeAsker()
  }

  get responder(): Pick<BusMessage, 'stream' | 'drained' | 'endStream' | 'signal'> {
    return {
      stream: (part) => {
        if (part.length > this.#messageBytesMax) return this.fail(tooLargeError(this.#subject, part, this.#messageBytesMax))
        this.#queue.push(part)
        this.#wakeAsker()
      },
      drained: async () => {
        while (this.#queue.length >= PARTS_AHEAD_MAX && !this.#abandoned.signal.aborted) {
          await new Promise<void>((resolve) => {
            this.#wakeResponder = resolve
          })
        }
      },
      endStream: (error) => {
        this.#end ??= error === undefined ? {} : { error: new OrchestratorError(error.code, error.message) }
        this.#wakeAsker()
      },
      signal: this.#abandoned.signal,
    }
  }

  async *parts(): AsyncIterable<Uint8Array> {
    while (!this.#signal.aborted) {
      const part = this.#queue.shift()
      if (part !== undefined) {
        this.#wakeResponder()
        yield part
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error
        return
      } else {
        await this.#wait()
      }
    }
  }

  abandon(): void {
    this.#abandoned.abort()
    this.#wakeAsker()
    this.#wakeResponder()
  }

  async #wait(): Promise<void> {
    let cancelTimeout = () => {}
    await new Promise<void>((resolve) => {
      this.#wakeAsker = resolve
      cancelTimeout = this.#clock.after(this.#idleTimeoutMs, () => this.fail(timeoutError(this.#subject, this.#idleTimeoutMs)))
    })
    cancelTimeout()
  }
}

function deliver(handler: Handler, message: BusMessage): void {
  queueMicrotask(() => handler(message))
}

const NEVER = new AbortController().signal

function plainMessage(subject: string, payload: Uint8Array): BusMessage {
  return { subject, payload, respond() {}, stream() {}, drained: async () => {}, endStream() {}, signal: NEVER }
}

function closedError(): OrchestratorError {
  return new OrchestratorError('BUS_CLOSED', 'the bus is closed')
}

function noRespondersError(subject: string): OrchestratorError {
  return new OrchestratorError('BUS_NO_RESPONDERS', `nobody answers ${subject}`, { subject })
}

function timeoutError(subject: string, timeoutMs: number): OrchestratorError {
  return new OrchestratorError('BUS_TIMEOUT', `no answer to ${subject} within ${timeoutMs} ms`, { subject, timeoutMs })
}
