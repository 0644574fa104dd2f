/**
 * This agent's side of the conversation with the server: joins, beats, pulls and reports, each repeated until it succeeds.
 * Silence changes nothing here. Only what is of the newest epoch and of this cluster is heard.
 */
import { type Bus, type Clock, explainError, type Logger, type Node, OrchestratorError, type Random } from '../domain/index.js'
import { type WholeSet, wholeSetOf } from './desired-set.js'
import type { DroppedMessages } from './dropped-messages.js'
import { type HostSeals, UnknownServerKey } from './host-seals.js'
import type { LocalState } from './local-state.js'
import type { Messages } from './messages.js'
import type { Outbox } from './outbox.js'
import {
  DATA_HELD_MS,
  type DataRequest,
  type DataResponse,
  type DesiredSet,
  type Envelope,
  type IdentityRequest,
  type IdentityToken,
  type QuestionKind,
  type RegisterRequest,
  type RegisterResponse,
  type ServerKeys,
  subjects,
} from './protocol.js'
import { DroppedMessage, type SealedPart } from './seal.js'

export interface ServerLinkDeps {
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly local: LocalState
  readonly outbox: Outbox
  readonly seals: HostSeals
  readonly dropped: DroppedMessages
  readonly region: string
  readonly nodeId: string
  readonly requestTimeoutMs: number
  /** The node and what it holds, as they are when asked. */
  readonly describe: () => Pick<RegisterRequest, 'node' | 'holds'>
  /** Version of the set that is held whole; 0 before the first of this life. */
  readonly heldVersion: () => number
  /** A complete set of the newest epoch. */
  readonly onSet: (set: WholeSet) => void
  /** @param reconnected allocations that were out of sight of the server until now */
  readonly onJoined: (node: Node, reconnected: readonly string[]) => void
  /** The server said no, or another than this host's own answers: people have to mend it. */
  readonly onRefused: (reason: string, remedy: string) => void
  /** This host's own server does not let it in because it is not declared; each time that it says so. */
  readonly onUndeclared: (stopTasksAfterMs: number) => void
}

const BACK_OFF_MS_MIN = 100
const BACK_OFF_MS_MAX = 5_000
const BEATS_PER_TTL = 3
/** That a stranger answers is told this often. */
const TELL_STRANGER_EVERY_MS = 60_000

export class ServerLink {
  readonly #deps: ServerLinkDeps
  readonly #unsubscribe: readonly (() => void)[]
  /** Who waits for the answer to the question of that number. */
  readonly #waiting = new Map<number, (part: SealedPart) => void>()
  #strangerToldMs = Number.NEGATIVE_INFINITY
  #isClosed = false
  #isStarted = false
  #isJoined = false
  /** In this life. Whoever is admitted is heard while it joins again, which takes a while on a bad line; whoever is refused falls silent. */
  #standing: 'unanswered' | 'admitted' | 'refused' = 'unanswered'
  #isJoining = false
  #isPulling = false
  #isSending = false
  #isDeclared = true
  #cancelBeat = () => {}
  /** What ends the back-offs that are under way. */
  readonly #waits = new Set<() => void>()
  #heartbeatTtlMs = 10_000
  /** Monotonic; of the newest answer of a server. */
  lastHeardMs: number

  constructor(deps: ServerLinkDeps) {
    this.#deps = deps
    this.lastHeardMs = deps.clock.monotonicMs()
    const subject = subjects(deps.region)
    this.#unsubscribe = [
      deps.bus.subscribe(subject.desired(deps.nodeId), (message) => this.#onDesired(message.payload)),
      deps.bus.subscribe(subject.answer(deps.nodeId), (message) =>
        deps.dropped.guard(message.subject, () => this.#hearAnswer(message.payload)),
      ),
    ]
  }

  get isJoined(): boolean {
    return this.#isJoined
  }

  /** Says until it has joined that this host is being started: to find again what runs, and to join, may take longer than a host may be silent. */
  announce(): void {
    if (this.#deps.local.agent.clusterId !== '') void this.#announce()
  }

  start(): void {
    this.#isStarted = true
    void this.#join()
  }

  /** This host is not what it was when it joined: the server is told anew. */
  join(): void {
    if (this.#isJoined) void this.#join()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelBeat()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    for (const end of this.#waits) end()
  }

  /** Something in the outbox can be sent. */
  send(): void {
    void this.#sendReports()
  }

  /** A question that the server may hold for a while. */
  async askData(questions: DataRequest['questions']): Promise<DataResponse['answers']> {
    if (!this.#isJoined) throw notJoined()
    const response = await this.#request('data', { ...this.#envelope(), questions }, DATA_HELD_MS + this.#deps.requestTimeoutMs)
    return this.#heeds(response) ? response.answers : []
  }

  /** @throws OrchestratorError IDENTITY with the server's reason, and whatever a question may fail with */
  async askIdentities(wanted: Omit<IdentityRequest, keyof Envelope>): Promise<readonly IdentityToken[]> {
    if (!this.#isJoined) throw notJoined()
    const response = await this.#request('identity', { ...this.#envelope(), ...wanted })
    if (!this.#heeds(response)) throw notJoined()
    if (response.kind === 'signed') return response.tokens
    throw new OrchestratorError('IDENTITY', response.reason)
  }

  /** Those of the ids that the server knows nothing of. */
  async askForgotten(ids: readonly string[]): Promise<readonly string[]> {
    if (!this.#isJoined) throw notJoined()
    const response = await this.#request('ended', { ...this.#envelope(), ids })
    return this.#heeds(response) ? response.forgotten : []
  }

  /** What is held is not what the server wants, or may not be. */
  pull(): void {
    void this.#pull()
  }

  async #request<Kind extends QuestionKind>(
    kind: Kind,
    message: Messages[Kind],
    timeoutMs = this.#deps.requestTimeoutMs,
  ): Promise<Messages[`${Kind}-response`]> {
    try {
      const response = await this.#ask(kind, message, timeoutMs)
      this.lastHeardMs = this.#deps.clock.monotonicMs()
      return response
    } catch (error) {
      if (error instanceof DroppedMessage) this.#deps.dropped.note(error, kind)
      if (error instanceof UnknownServerKey) this.#tellStranger(error)
      throw error
    }
  }

  /** A question of one part is a request of the bus. Parts may overtake each other: one of several is answered on a subject of its own. */
  async #ask<Kind extends QuestionKind>(kind: Kind, message: Messages[Kind], timeoutMs: number): Promise<Messages[`${Kind}-response`]> {
    const { bus, region, nodeId, seals, clock } = this.#deps
    const { number, parts } = seals.sealQuestion(kind, message)
    const subject = subjects(region)[kind](nodeId)
    let cancel = () => {}
    try {
      const answer = new Promise<Messages[`${Kind}-response`]>((resolve) => {
        this.#waiting.set(number, (part) => {
          const whole = seals.addToAnswer(kind, part)
          if (whole !== undefined) resolve(whole)
        })
      })
      const [first, ...rest] = parts
      if (rest.length === 0) this.#hearAnswer(await bus.request(subject, first!, timeoutMs))
      else this.#publishAll(subject, parts)
      const late = new Promise<never>((_, reject) => {
        const error = new OrchestratorError('BUS_TIMEOUT', `the answer to ${kind} did not arrive whole within ${timeoutMs} ms`)
        cancel = clock.after(timeoutMs, () => reject(error))
      })
      return await Promise.race([answer, late])
    } finally {
      cancel()
      this.#waiting.delete(number)
    }
  }

  /** @throws OrchestratorError BUS_CLOSED */
  #publishAll(subject: string, parts: readonly Uint8Array[]): void {
    const unsent = parts.filter((part) => !this.#deps.bus.publish(subject, part)).length
    if (unsent > 0) throw new OrchestratorError('BUS_CLOSED', `${unsent} of ${parts.length} parts to ${subject} could not be sent`)
  }

  /** @throws DroppedMessage */
  #hearAnswer(payload: Uint8Array): void {
    const part = this.#deps.seals.openAnswer(payload)
    const hear = this.#waiting.get(part.number)
    if (hear === undefined) throw new DroppedMessage('stale', `a ${part.kind} answers question ${part.number}, for which nobody waits`)
    hear(part)
  }

  /** Its own server under a new key, or another one: told to people, and obeyed by nobody. */
  #tellStranger({ signer }: UnknownServerKey): void {
    const { clock, logger, seals } = this.#deps
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#strangerToldMs < TELL_STRANGER_EVERY_MS) return
    this.#strangerToldMs = nowMs
    const reason = `the server that answers has the key ${signer}, this host knows its server as ${seals.knownServerKeys.join(' or ')}`
    const remedy = 'if that server is to be believed, add its key to server_keys in the configuration of this agent'
    logger.warn({ reason, remedy }, 'another server answers')
    this.#deps.onRefused(reason, remedy)
  }

  #tellForeign({ clusterId }: Envelope): void {
    const { clock, local, logger } = this.#deps
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#strangerToldMs < TELL_STRANGER_EVERY_MS) return
    this.#strangerToldMs = nowMs
    const reason = `the server that answers belongs to cluster ${clusterId}, this host to cluster ${local.agent.clusterId}`
    const remedy = 'bring the state of the server back, or remove the data folder of this agent to join the other cluster'
    logger.warn({ reason, remedy }, 'another cluster answers')
    this.#deps.onRefused(reason, remedy)
  }

  #envelope(): Envelope {
    const { clusterId, epoch } = this.#deps.local.agent
    return { clusterId, epoch }
  }

  /** Whether this may be heeded: of this cluster, and of no epoch before the newest. A newer one is remembered. */
  #heeds({ clusterId, epoch }: Envelope): boolean {
    const { local } = this.#deps
    if (local.agent.clusterId === '' || clusterId !== local.agent.clusterId || epoch < local.agent.epoch) return false
    if (epoch === local.agent.epoch) return true
    void local.saveAgent({ epoch })
    // A new leader knows nothing of this life of the agent until it has heard it under its own epoch.
    if (this.#standing === 'admitted') this.#scheduleBeat(0)
    return true
  }

  async #announce(): Promise<void> {
    let nonce = ''
    for (let failures = 0; this.#standing === 'unanswered' && !this.#isClosed; ) {
      try {
        const response = await this.#request('starting', { ...this.#envelope(), nonce })
        if (response.kind === 'unknown') return
        failures = 0
        nonce = response.kind === 'challenge' ? response.nonce : ''
        if (response.kind === 'heard') await this.#pause(response.heartbeatTtlMs / BEATS_PER_TTL)
      } catch (error) {
        this.#deps.logger.debug({ error: explainError(error) }, 'nobody heard that this agent is being started')
        nonce = ''
        await this.#backOff(++failures)
      }
    }
  }

  async #join(): Promise<void> {
    if (this.#isJoining) return
    this.#isJoining = true
    this.#isJoined = false
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
    const { describe, outbox } = this.#deps
    return this.#request('register', { ...this.#envelope(), ...describe(), nonce, reportNumber: outbox.number })
  }

  #onRegistered(response: RegisterResponse): void {
    const { local, logger } = this.#deps
    if (response.kind === 'refused') {
      this.#standing = 'refused'
      this.#cancelBeat()
      logger.warn({ reason: response.reason, remedy: response.remedy }, 'server refused this host')
      // Whoever this host has never known may say what it likes.
      const isOwn = response.clusterId === local.agent.clusterId && this.#deps.seals.knownServerKeys.length > 0
      if (response.stopTasksAfterMs !== null && isOwn) this.#deps.onUndeclared(response.stopTasksAfterMs)
      return this.#deps.onRefused(response.reason, response.remedy)
    }
    if (response.kind === 'challenge') return
    if (local.agent.clusterId === '') void local.saveAgent({ clusterId: response.clusterId, epoch: response.epoch })
    // An answer of an older leader is no admission to the newest one's cluster.
    if (!this.#heeds(response)) return
    void local.saveAgent({ node: response.node })
    this.#learnKeys(response.serverKeys)
    this.#heartbeatTtlMs = response.heartbeatTtlMs
    this.#isJoined = true
    this.#standing = 'admitted'
    this.#deps.onJoined(response.node, response.reconnected ?? [])
  }

  /** Said under a key that is known already: so a server changes its key, and no host has to be touched. */
  #learnKeys(serverKeys: ServerKeys): void {
    const { local, logger } = this.#deps
    if (serverKeys.join() === local.agent.serverKeys.join()) return
    logger.info({ serverKeys, before: local.agent.serverKeys }, 'the keys of the server are learnt')
    void local.saveAgent({ serverKeys })
  }

  #scheduleBeat(afterMs = this.#heartbeatTtlMs / BEATS_PER_TTL): void {
    this.#cancelBeat()
    if (this.#isClosed || this.#standing !== 'admitted') return
    this.#cancelBeat = this.#deps.clock.after(afterMs, () => {
      this.#scheduleBeat()
      void this.#beat()
    })
  }

  #tellDeclared(isDeclared: boolean): void {
    this.#isDeclared = isDeclared
    if (isDeclared) return this.#deps.logger.info({}, 'this host is declared again')
    const reason = 'this host is not declared any more: it gets nothing new, and what it runs is moved away in time'
    const remedy = 'commit its file again, or let it go'
    this.#deps.logger.warn({ reason, remedy }, 'host is not declared any more')
    this.#deps.onRefused(reason, remedy)
  }

  async #beat(): Promise<void> {
    try {
      const response = await this.#request('heartbeat', { ...this.#envelope(), version: this.#deps.heldVersion() })
      if (this.#isClosed) return
      if (response.clusterId !== this.#deps.local.agent.clusterId) return this.#tellForeign(response)
      if (!this.#heeds(response)) return
      this.#learnKeys(response.serverKeys)
      this.#heartbeatTtlMs = response.heartbeatTtlMs
      if (response.isDeclared !== this.#isDeclared) this.#tellDeclared(response.isDeclared)
      if (!response.isKnown) return void this.#join()
      if (response.version > this.#deps.heldVersion()) this.pull()
      this.send()
    } catch (error) {
      this.#deps.logger.debug({ error: explainError(error) }, 'heartbeat was not answered')
    }
  }

  #onDesired(payload: Uint8Array): void {
    // Before the answer to its first join is there no set can be for this host, whoever says so.
    // Nor is one obeyed before it is known what runs.
    if (this.#isClosed || !this.#isStarted || this.#deps.local.agent.clusterId === '') return
    const set = this.#deps.dropped.guard('desired', () => this.#deps.seals.openSet(payload))
    if (set === undefined || !this.#heeds(set)) return
    if (!this.#takeSet(set)) this.pull()
  }

  #takeSet(set: DesiredSet): boolean {
    const whole = wholeSetOf(set)
    if (whole === undefined) {
      this.#deps.logger.warn({ version: set.version }, 'set does not hold what it announces')
      return false
    }
    this.#deps.onSet(whole)
    return true
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
      const set = await this.#request('pull', { ...this.#envelope(), nodeId: this.#deps.nodeId })
      return !this.#isClosed && this.#heeds(set) && this.#takeSet(set)
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
      for (let failures = 0; outbox.isReady && this.#isJoined && !this.#isClosed; ) {
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
    const { random } = this.#deps
    return this.#pause(Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (failures - 1)) * (0.5 + random.fraction() / 2))
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        this.#waits.delete(end)
        resolve()
      }
      const cancel = this.#deps.clock.after(delayMs, end)
      this.#waits.add(end)
    })
  }
}

function notJoined(): OrchestratorError {
  return new OrchestratorError('NOT_JOINED', 'this host is in no cluster yet')
}
