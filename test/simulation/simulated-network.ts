/** The bus between simulated processes: messages are delayed, lost and doubled as the seed says; partitions cut hosts off. */
import { type Bus, type BusMessage, OrchestratorError } from '../../src/domain/index.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { VirtualTime } from './virtual-time.js'

export interface NetworkFaults {
  lossShare: number
  duplicateShare: number
  delayMsMax: number
  /** Messages that sit in some buffer while their sender connects again, and come long after whatever followed them. */
  lateShare: number
  /** What the broker carries in one message: so little that what is said takes many. */
  messageBytesMax: number
  /** The last word of the subjects of which nothing arrives; '' for none. */
  lostKind: string
}

export const NO_NETWORK_FAULTS: NetworkFaults = Object.freeze({
  lossShare: 0,
  duplicateShare: 0,
  delayMsMax: 2,
  lateShare: 0,
  messageBytesMax: 1_000_000,
  lostKind: '',
})

const LATE_MS_MAX = 30_000
/** Two pings that go unanswered. */
const NOTICED_WITHIN_MS = 4_000
/** From one question whether the broker is there to the next, and the time for its answer. */
const DEAF_NOTICED_MS = 2_000

type Subscription = {
  readonly pattern: readonly string[]
  readonly process: SimulatedProcess
  readonly handler: (message: BusMessage) => void
}

/** Sees every message that leaves a process, before chance has its way with it. */
export type MessageWay = 'publish' | 'request' | 'response'
export type Listener = (from: SimulatedProcess, subject: string, payload: Uint8Array, kind: MessageWay) => void

export class SimulatedNetwork {
  readonly faults: NetworkFaults = { ...NO_NETWORK_FAULTS }
  /** Processes whose messages reach nobody, until when. */
  readonly #cutOff = new Map<SimulatedProcess, number>()
  /** Since when each of them is cut off. */
  readonly #cutOffSinceMs = new Map<SimulatedProcess, number>()
  /** When a process was last without the broker, for long enough to know it. */
  readonly #deafMs = new Map<SimulatedProcess, number>()
  readonly #watchers = new Map<SimulatedProcess, Set<(isConnected: boolean) => void>>()
  /** Those that have noticed. */
  readonly #noticed = new Set<SimulatedProcess>()
  readonly #time: VirtualTime
  readonly #random: SeededRandom
  readonly #listen: Listener
  readonly #subscriptions = new Set<Subscription>()

  constructor(time: VirtualTime, random: SeededRandom, listen: Listener) {
    this.#time = time
    this.#random = random
    this.#listen = listen
  }

  /** The bus as one process sees it. */
  busOf(process: SimulatedProcess): Bus {
    return {
      publish: (subject, payload) => {
        if (payload.length > this.faults.messageBytesMax) return false
        this.#listen(process, subject, payload, 'publish')
        this.#send(process, subject, payload, NO_REPLIES)
        return true
      },
      subscribe: (subject, handler) => {
        const subscription = { pattern: subject.split('.'), process, handler }
        this.#subscriptions.add(subscription)
        return () => this.#subscriptions.delete(subscription)
      },
      request: (subject, payload, timeoutMs) => this.#request(process, subject, payload, timeoutMs),
      requestStream: (subject, payload, options) => this.#requestStream(process, subject, payload, options),
      messageBytesMax: () => this.faults.messageBytesMax,
      isConnected: () => !this.#noticed.has(process),
      onConnectionChange: (handler) => this.#watch(process, handler),
      ping: async (timeoutMs) => {
        const isThere = !this.isCutOff(process)
        await new Promise<void>((resolve) => process.clock.after(isThere ? 1 : timeoutMs, resolve))
        return isThere
      },
      close: async () => this.#forget(process),
    }
  }

  isCutOff(process: SimulatedProcess): boolean {
    return this.#cutOff.has(process)
  }

  /** When it last was without the broker, for longer than it takes to notice that a broker does not answer. */
  deafMs(process: SimulatedProcess): number {
    const sinceMs = this.#cutOffSinceMs.get(process)
    const isDeaf = sinceMs !== undefined && this.#time.nowMs - sinceMs >= DEAF_NOTICED_MS
    return isDeaf ? this.#time.nowMs : (this.#deafMs.get(process) ?? Number.NEGATIVE_INFINITY)
  }

  /** The process loses the broker; it notices late, or never where the broker only stands still. */
  cutOff(process: SimulatedProcess, forMs: number): void {
    const untilMs = this.#time.nowMs + forMs
    if (!this.isCutOff(process)) this.#cutOffSinceMs.set(process, this.#time.nowMs)
    this.#cutOff.set(process, Math.max(untilMs, this.#cutOff.get(process) ?? 0))
    const noticeMs = this.#random.chance(0.3) ? Number.POSITIVE_INFINITY : this.#random.fraction() * NOTICED_WITHIN_MS
    if (noticeMs < forMs) this.#time.after(noticeMs, () => process.deliver(() => this.#notice(process)))
    this.#time.after(forMs, () => (this.#cutOff.get(process) ?? untilMs) <= untilMs && this.reconnect(process))
  }

  reconnect(process: SimulatedProcess): void {
    if (!this.#cutOff.delete(process)) return
    this.#deafMs.set(process, this.deafMs(process))
    this.#cutOffSinceMs.delete(process)
    if (this.#noticed.delete(process)) process.deliver(() => this.#tell(process, true))
  }

  #notice(process: SimulatedProcess): void {
    if (!this.isCutOff(process) || this.#noticed.has(process)) return
    this.#noticed.add(process)
    this.#tell(process, false)
  }

  #tell(process: SimulatedProcess, isConnected: boolean): void {
    for (const handler of this.#watchers.get(process) ?? []) handler(isConnected)
  }

  #watch(process: SimulatedProcess, handler: (isConnected: boolean) => void): () => void {
    const handlers = this.#watchers.get(process) ?? new Set()
    this.#watchers.set(process, handlers.add(handler))
    return () => void handlers.delete(handler)
  }

  /** Whoever has died no longer listens. */
  #forget(process: SimulatedProcess): void {
    for (const subscription of this.#subscriptions) if (subscription.process === process) this.#subscriptions.delete(subscription)
  }

  #request(from: SimulatedProcess, subject: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (payload.length > this.faults.messageBytesMax)
      return Promise.reject(new OrchestratorError('BUS_TOO_LARGE', `too large for ${subject}`))
    this.#listen(from, subject, payload, 'request')
    return new Promise((resolve, reject) => {
      const giveUp = from.clock.after(timeoutMs, () => reject(new OrchestratorError('BUS_TIMEOUT', `no answer to ${subject}`)))
      const respond = (responder: SimulatedProcess, answer: Uint8Array) => {
        if (answer.length > this.faults.messageBytesMax) return
        this.#listen(responder, subject, answer, 'response')
        this.#carry(responder, from, () => {
          giveUp()
          resolve(answer)
        })
      }
      this.#send(from, subject, payload, { ...NO_REPLIES, respond })
    })
  }

  async *#requestStream(
    from: SimulatedProcess,
    subject: string,
    payload: Uint8Array,
    { idleTimeoutMs, signal }: { readonly idleTimeoutMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array> {
    this.#listen(from, subject, payload, 'request')
    // Parts arrive in the order in which they were sent, however long each is on its way.
    const parts: (Uint8Array | undefined)[] = []
    let sent = 0
    let end = Number.POSITIVE_INFINITY
    let wake = () => {}
    const carry = (responder: SimulatedProcess, arrive: () => void) =>
      this.#carry(responder, from, () => {
        arrive()
        wake()
      })
    const asked = this.#send(from, subject, payload, {
      respond: () => {},
      stream: (responder, part) => {
        const at = sent++
        carry(responder, () => {
          parts[at] = part
        })
      },
      end: (responder) =>
        carry(responder, () => {
          end = sent
        }),
    })
    if (asked === 0) throw new OrchestratorError('BUS_NO_RESPONDERS', `nobody answers ${subject}`)
    signal.addEventListener('abort', () => wake(), { once: true })
    for (let at = 0; at < end && !signal.aborted; ) {
      const part = parts[at]
      if (part !== undefined) {
        at++
        yield part
        continue
      }
      const isWoken = await new Promise<boolean>((resolve) => {
        const cancel = from.clock.after(idleTimeoutMs, () => resolve(false))
        wake = () => {
          cancel()
          resolve(true)
        }
      })
      if (!isWoken) throw new OrchestratorError('BUS_TIMEOUT', `no answer to ${subject}`)
    }
  }

  /** @returns how many hear it */
  #send(from: SimulatedProcess, subject: string, payload: Uint8Array, replies: Replies): number {
    let heard = 0
    const tokens = subject.split('.')
    if (tokens.at(-1) === this.faults.lostKind) return 0
    for (const subscription of this.#subscriptions) {
      if (!subscription.process.isAlive) this.#subscriptions.delete(subscription)
      else if (matches(subscription.pattern, tokens)) {
        heard++
        this.#carry(from, subscription.process, () => subscription.handler(message(subscription.process, subject, payload, replies)))
      }
    }
    return heard
  }

  #carry(from: SimulatedProcess, to: SimulatedProcess, deliver: () => void): void {
    if (this.isCutOff(from) || this.isCutOff(to)) return
    const copies = this.#random.chance(this.faults.lossShare) ? 0 : this.#random.chance(this.faults.duplicateShare) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const delayMsMax = this.#random.chance(this.faults.lateShare) ? LATE_MS_MAX : this.faults.delayMsMax
      this.#time.after(this.#random.fraction() * delayMsMax, () => to.deliver(deliver))
    }
  }
}

interface Replies {
  readonly respond: (responder: SimulatedProcess, answer: Uint8Array) => void
  readonly stream: (responder: SimulatedProcess, part: Uint8Array) => void
  readonly end: (responder: SimulatedProcess) => void
}

const NO_REPLIES: Replies = { respond: () => {}, stream: () => {}, end: () => {} }

function message(responder: SimulatedProcess, subject: string, payload: Uint8Array, replies: Replies): BusMessage {
  return {
    subject,
    payload,
    signal: new AbortController().signal,
    respond: (answer) => replies.respond(responder, answer),
    stream: (part) => replies.stream(responder, part),
    drained: async () => {},
    endStream: () => replies.end(responder),
  }
}

/** `*` stands for one token, `>` for all that follow. */
function matches(pattern: readonly string[], tokens: readonly string[]): boolean {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '>') return tokens.length > at
    if (pattern[at] !== '*' && pattern[at] !== tokens[at]) return false
  }
  return pattern.length === tokens.length
}
