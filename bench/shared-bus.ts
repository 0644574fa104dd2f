/** One connection that several hosts use: who leaves it hears nothing any more and says nothing, and the others go on. */
import type { Bus, BusMessage } from '../src/domain/index.js'

export class SharedBus implements Bus {
  readonly #bus: Bus
  readonly #unsubscribes = new Set<() => void>()
  #isClosed = false

  constructor(bus: Bus) {
    this.#bus = bus
  }

  publish(subject: string, payload: Uint8Array): boolean {
    return !this.#isClosed && this.#bus.publish(subject, payload)
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): () => void {
    return this.#kept(this.#bus.subscribe(subject, handler))
  }

  async request(...asked: Parameters<Bus['request']>): Promise<Uint8Array> {
    return this.#isClosed ? silence() : this.#bus.request(...asked)
  }

  requestStream(...asked: Parameters<Bus['requestStream']>): AsyncIterable<Uint8Array> {
    return this.#bus.requestStream(...asked)
  }

  isConnected(): boolean {
    return !this.#isClosed && this.#bus.isConnected()
  }

  messageBytesMax(): number {
    return this.#bus.messageBytesMax()
  }

  onConnectionChange(handler: (isConnected: boolean) => void): () => void {
    return this.#kept(this.#bus.onConnectionChange(handler))
  }

  ping(timeoutMs: number): Promise<boolean> {
    return this.#isClosed ? silence() : this.#bus.ping(timeoutMs)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const unsubscribe of this.#unsubscribes) unsubscribe()
  }

  #kept(unsubscribe: () => void): () => void {
    this.#unsubscribes.add(unsubscribe)
    return unsubscribe
  }
}

/** Who has lost its power waits for ever. */
function silence(): Promise<never> {
  return new Promise(() => {})
}
