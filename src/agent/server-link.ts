/**
 * This agent's side of the conversation with the server: joins, beats, pulls and reports, each repeated until it succeeds.
 * Silence changes nothing here. Only what is of the newest epoch and of this cluster is heard.
 */
import { type Bus, type Clock, explainError, type Logger, type Node, OrchestratorError, type Random } from '../domain/index.js'
import { assemble, DesiredSetAssembler, type WholeSet } from './desired-set.js'
import type { LocalState } from './local-state.js'
import { decodeMessage, encodeMessage, type MessageKind, type Messages } from './messages.js'
import type { Outbox } from './outbox.js'
import type { Signer } from './ports.js'
import { type Envelope, type RegisterRequest, type RegisterResponse, subjects } from './protocol.js'

export interface ServerLinkDeps {
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly local: LocalState
  readonly outbox: Outbox
  readonly signer: Signer
  readonly region: string
  readonly nodeId: string
  readonly requestTimeoutMs: number
  /** The node and what it holds, as they are when asked. */
  readonly describe: () => Pick<RegisterRequest, 'node' | 'holds'>
  /** Version of the set that is held whole; 0 before the first of this life. */
  readonly heldVersion: () => number
  /** A complete set of the newest epoch. */
  readonly onSet: (set: WholeSet) => void
  readonly onJoined: (node: Node) => void
  /** The server said no, for a reason that people have to mend. */
  readonly onRefused: (reason: string, remedy: string) => void
}

const BACK_OFF_MS_MIN = 100
const BACK_OFF_MS_MAX = 5_000
const BEATS_PER_TTL = 3

export class ServerLink {
  readonly #deps: ServerLinkDeps
  readonly #assembler = new DesiredSetAssembler()
  readonly #unsubscribe: () => void
  #isClosed = false
  #isJoined = false
  #isJoining = false
  #isPulling = false
  #isSending = false
  #cancelBeat = () => {}
  /** What ends the back-offs that are under way. */
  readonly #waits = new Set<() => void>()
  #heartbeatTtlMs = 10_000
  /** Monotonic; of the newest answer of a server. */
  lastHeardMs: number

  constructor(deps: ServerLinkDeps) {
    this.#deps = deps
    this.lastHeardMs = deps.clock.monotonicMs()
    this.#unsubscribe = deps.bus.subscribe(subjects(deps.region).desired(deps.nodeId), (message) => this.#onDesired(message.payload))
  }

  get isJoined(): boolean {
    return this.#isJoined
  }

  start(): void {
    void this.#join()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelBeat()
    this.#unsubscribe()
    for (const end of this.#waits) end()
  }

  /** Something is in the outbox. */
  send(): void {
    void this.#sendReports()
  }

  /** What is held is not what the server wants, or may not be. */
  pull(): void {
    void this.#pull()
  }

  async #request<Kind extends 'register' | 'heartbeat' | 'pull' | 'report'>(
    kind: Kind,
    message: Messages[Kind],
  ): Promise<Messages[`${Kind}-response`]> {
    const { bus, region, nodeId, requestTimeoutMs, clock } = this.#deps
    const answer = await bus.request(subjects(region)[kind](nodeId), encodeMessage(kind, message), requestTimeoutMs)
    const response = decodeMessage(`${kind}-response` as MessageKind & `${Kind}-response`, answer)
    this.lastHeardMs = clock.monotonicMs()
    return response as Messages[`${Kind}-response`]
  }

  #envelope(): Envelope {
    const { clusterId, epoch } = this.#deps.local.agent
    return { clusterId, epoch }
  }

  /** Whether this may be heeded: of this cluster, and of no epoch before the newest. A newer one is remembered. */
  #heeds({ clusterId, epoch }: Envelope): boolean {
    const { local } = this.#deps
    if (local.agent.clusterId === '' || clusterId !== local.agent.clusterId || epoch < local.agent.epoch) return false
    if (epoch > local.agent.epoch) void local.saveAgent({ epoch })
    return true
  }

  async #join(): Promise<void> {
    if (this.#isJoining) return
    this.#isJoining = true
    this.#isJoined = false
    this.#cancelBeat()
    let nonce = ''
    for (let failures = 0; !this.#isClosed && !this.#isJoined; ) {
      try {
        const response = await this.#register(nonce)
        if (this.#isClosed) return
        const isAnswered = nonce === '' && response.kind === 'challenge'
        nonce = response.kind === 'challenge' ? response.nonce : ''
        this.#onRegistered(response)
        // The server is there again: what gets lost from now on is said again soon.
        if (isAnswered) failures = 0
        else if (!this.#isJoined) await this.#backOff(++failures)
      } catch (error) {
        this.#deps.logger.debug({ error: explainError(error) }, 'server does not answer')
        nonce = ''
        await this.#backOff(++failures)
      }
    }
    this.#isJoining = false
    if (this.#isClosed) return
    this.pull()
    this.send()
    this.#scheduleBeat()
  }

  #register(nonce: string): Promise<RegisterResponse> {
    const { signer, describe, outbox } = this.#deps
    const signature = nonce === '' ? '' : signer.sign(nonce)
    const identity = { publicKey: signer.publicKey, nonce, signature, reportNumber: outbox.number }
    return this.#request('register', { ...this.#envelope(), ...describe(), ...identity })
  }

  #onRegistered(response: RegisterResponse): void {
    const { local, logger } = this.#deps
    if (response.kind === 'refused') {
      logger.warn({ reason: response.reason, remedy: response.remedy }, 'server refused this host')
      return this.#deps.onRefused(response.reason, response.remedy)
    }
    if (response.kind === 'challenge') return
    if (local.agent.clusterId === '') void local.saveAgent({ clusterId: response.clusterId, epoch: response.epoch })
    // An answer of an older leader is no admission to the newest one's cluster.
    if (!this.#heeds(response)) return
    void local.saveAgent({ node: response.node })
    this.#heartbeatTtlMs = response.heartbeatTtlMs
    this.#isJoined = true
    this.#deps.onJoined(response.node)
  }

  #scheduleBeat(): void {
    this.#cancelBeat()
    if (this.#isClosed || !this.#isJoined) return
    this.#cancelBeat = this.#deps.clock.after(this.#heartbeatTtlMs / BEATS_PER_TTL, () => {
      this.#scheduleBeat()
      void this.#beat()
    })
  }

  async #beat(): Promise<void> {
    try {
      const response = await this.#request('heartbeat', { ...this.#envelope(), version: this.#deps.heldVersion() })
      if (this.#isClosed || !this.#heeds(response)) return
      this.#heartbeatTtlMs = response.heartbeatTtlMs
      if (!response.isKnown) return void this.#join()
      if (response.version > this.#deps.heldVersion()) this.pull()
      this.send()
    } catch (error) {
      this.#deps.logger.debug({ error: explainError(error) }, 'heartbeat was not answered')
    }
  }

  #onDesired(payload: Uint8Array): void {
    if (this.#isClosed) return
    try {
      const part = decodeMessage('desired', payload)
      if (part.nodeId !== this.#deps.nodeId || !this.#heeds(part)) return
      const result = this.#assembler.add(part)
      if (result.kind === 'whole') this.#deps.onSet(result.set)
      else if (result.kind === 'damaged') this.pull()
    } catch (error) {
      this.#deps.logger.warn({ error: explainError(error) }, 'desired set refused')
    }
  }

  async #pull(): Promise<void> {
    if (this.#isPulling) return
    this.#isPulling = true
    try {
      for (let failures = 1; this.#isJoined && !this.#isClosed; failures++) {
        if (await this.#tryPull()) return
        await this.#backOff(failures)
      }
    } finally {
      this.#isPulling = false
    }
  }

  async #tryPull(): Promise<boolean> {
    try {
      const response = await this.#request('pull', { ...this.#envelope(), nodeId: this.#deps.nodeId })
      if (this.#isClosed || !this.#heeds(response)) return false
      const result = assemble(response.parts)
      if (result.kind !== 'whole') throw new OrchestratorError('PROTOCOL', `the pulled set is ${result.kind}`)
      this.#deps.onSet(result.set)
      return true
    } catch (error) {
      this.#deps.logger.debug({ error: explainError(error) }, 'set could not be pulled')
      return false
    }
  }

  async #sendReports(): Promise<void> {
    const { outbox } = this.#deps
    if (this.#isSending) return
    this.#isSending = true
    try {
      for (let failures = 0; !outbox.isEmpty && this.#isJoined && !this.#isClosed; ) {
        failures = (await this.#trySend()) ? 0 : failures + 1
        if (failures > 0) await this.#backOff(failures)
      }
    } finally {
      this.#isSending = false
    }
  }

  /** One batch; only an acknowledgement of the newest epoch takes it out of the outbox. */
  async #trySend(): Promise<boolean> {
    const { outbox, nodeId, logger } = this.#deps
    const { number, reports } = outbox.batch()
    try {
      const response = await this.#request('report', { ...this.#envelope(), nodeId, number, reports })
      if (this.#isClosed || !this.#heeds(response)) return false
      if (!response.isKnown) {
        void this.#join()
        return false
      }
      if (response.number === number) await outbox.acknowledge(number)
      return response.number === number
    } catch (error) {
      logger.debug({ error: explainError(error) }, 'report was not acknowledged')
      return false
    }
  }

  #backOff(failures: number): Promise<void> {
    const { clock, random } = this.#deps
    const delayMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (failures - 1)) * (0.5 + random.fraction() / 2)
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        this.#waits.delete(end)
        resolve()
      }
      const cancel = clock.after(delayMs, end)
      this.#waits.add(end)
    })
  }
}
