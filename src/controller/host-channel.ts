/**
 * The server's end of the seals: hears hosts under the keys that their ids are made of, and speaks to them under its own. A host is
 * heard in one session at a time, that of the agent's newest life, and each thing it says once.
 */
import {
  DroppedMessage,
  DroppedMessages,
  decodeMessage,
  encodeMessage,
  type MessageKind,
  type Messages,
  openPart,
  type QuestionKind,
  Reassembly,
  ReplayWindow,
  type Seal,
  type SealedPart,
  type Signer,
  sealMessage,
  subjects,
  type Verify,
} from '../agent/index.js'
import type { Bus, BusMessage, Clock, Logger } from '../domain/index.js'
import type { Leader } from './leader.js'

export interface HostChannelDeps {
  readonly leader: Leader
  readonly bus: Bus
  readonly clock: Clock
  readonly logger: Logger
  readonly region: string
  /** This server's key: that by which hosts know their server. */
  readonly signer: Signer
  readonly verify: Verify
  /** The id that a host with this key must have. */
  readonly nodeIdOf: (publicKey: string) => string
}

export interface HostQuestion<Kind extends QuestionKind> {
  readonly nodeId: string
  /** The key that signed it, which is the node's. */
  readonly publicKey: string
  readonly session: string
  readonly message: Messages[Kind]
  /**
   * Said in this epoch and by the agent's newest life as far as is known: nobody but the host can have sent it, and only now.
   * What is not may be an old message that somebody kept.
   */
  readonly isFresh: boolean
  /** Seals the answer now; the call that comes back sends it. */
  readonly answer: (response: Messages[`${Kind}-response`]) => () => void
}

/** Hosts in the middle of a question of several parts. */
const ASKING_MAX = 1_000

export class HostChannel {
  readonly dropped: DroppedMessages
  readonly #deps: HostChannelDeps
  readonly #sessions = new Map<string, ReplayWindow>()
  readonly #questions = new Map<string, Reassembly>()
  readonly #unsubscribe: (() => void)[] = []
  readonly #onSession = new Set<(nodeId: string) => void>()

  constructor(deps: HostChannelDeps) {
    this.#deps = deps
    this.dropped = new DroppedMessages(deps.clock, deps.logger)
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** What handlers throw beyond DroppedMessage is theirs to catch. */
  on<Kind extends QuestionKind>(kind: Kind, handle: (question: HostQuestion<Kind>) => void): void {
    const subject = subjects(this.#deps.region)[kind]('*')
    this.#unsubscribe.push(
      this.#deps.bus.subscribe(subject, (message) => {
        this.dropped.guard(message.subject, () => {
          const question = this.#open(kind, message)
          if (question !== undefined) handle(question)
        })
      }),
    )
  }

  /** The agent has proven that this is its newest life: nothing of an earlier one is heard any more. */
  beginSession(nodeId: string, session: string): void {
    if (this.#sessions.get(nodeId)?.session !== session) this.#sessions.set(nodeId, new ReplayWindow(session))
    for (const tell of this.#onSession) tell(nodeId)
  }

  /** Of the agent's life that was heard in this epoch. */
  sessionOf(nodeId: string): string | undefined {
    return this.#sessions.get(nodeId)?.session
  }

  /** Calls back whenever a session begins. Returns the way to stop. */
  watchSessions(tell: (nodeId: string) => void): () => void {
    this.#onSession.add(tell)
    return () => this.#onSession.delete(tell)
  }

  /** Seals a set now; the call that comes back sends it. What gets lost is noticed at the next heartbeat and pulled. */
  sealSet(nodeId: string, set: Messages['desired']): () => void {
    const parts = this.seal({ kind: 'desired', nodeId, session: '', number: set.version }, encodeMessage('desired', set))
    return () => this.#publish(subjects(this.#deps.region).desired(nodeId), parts)
  }

  seal(about: Pick<Seal, 'kind' | 'nodeId' | 'session' | 'number'>, body: Uint8Array): readonly Uint8Array[] {
    const { leader, signer, bus } = this.#deps
    const seal: Seal = { ...about, direction: 'to-host', clusterId: leader.state.clusterId, epoch: leader.epoch }
    return sealMessage(signer, seal, body, bus.messageBytesMax())
  }

  /** A part that the node itself has signed for this server. @throws DroppedMessage */
  openFrom(nodeId: string, kind: string, payload: Uint8Array): SealedPart {
    const { verify, nodeIdOf } = this.#deps
    // Whose key it is costs less to find out than whether it was used.
    const part = openPart(payload, (key, bytes, signature) => nodeIdOf(key) === nodeId && verify(key, bytes, signature))
    if (part.direction !== 'to-server' || part.kind !== kind || part.nodeId !== nodeId)
      throw new DroppedMessage('misdirected', `a ${part.kind} of ${part.nodeId} is no ${kind} of ${nodeId}`)
    return part
  }

  #open<Kind extends QuestionKind>(kind: Kind, message: BusMessage): HostQuestion<Kind> | undefined {
    const nodeId = nodeIdOfSubject(message.subject)
    const part = this.openFrom(nodeId, kind, message.payload)
    const body = this.#addToQuestion(nodeId, part)
    if (body === undefined) return undefined
    const isFresh = this.#isFresh(kind, part)
    const decoded = decodeMessage(kind, body, part)
    return {
      nodeId,
      publicKey: part.signer,
      session: part.session,
      message: decoded,
      isFresh,
      answer: (response) => this.#sealAnswer(`${kind}-response`, part, response, message),
    }
  }

  /** Hosts that nobody declared may speak, too: what they begin is not kept for long. */
  #addToQuestion(nodeId: string, part: SealedPart): Uint8Array | undefined {
    if (part.parts === 1) return part.piece
    const questions = this.#questions.get(nodeId) ?? new Reassembly()
    this.#questions.delete(nodeId)
    const body = questions.add(part)
    if (!questions.isEmpty) this.#questions.set(nodeId, questions)
    const [oldest] = this.#questions.keys()
    if (this.#questions.size > ASKING_MAX) this.#questions.delete(oldest!)
    return body
  }

  /** Who starts or registers proves by a nonce that it is new. @throws DroppedMessage */
  #isFresh(kind: QuestionKind, { nodeId, clusterId, epoch, session, number }: SealedPart): boolean {
    const { leader } = this.#deps
    const window = this.#sessions.get(nodeId)
    if (window !== undefined && window.session === session) {
      if (!window.accept(number)) throw new DroppedMessage('replayed', `${kind} ${number} of ${nodeId} was said before`)
      return epoch === leader.epoch && clusterId === leader.state.clusterId
    }
    if (kind === 'starting' || kind === 'register') return false
    if (window !== undefined) throw new DroppedMessage('stale', `${kind} of an earlier life of the agent of ${nodeId}`)
    const isOfNow = epoch === leader.epoch && clusterId === leader.state.clusterId
    if (!isOfNow || leader.state.nodes.get(nodeId) === undefined) return false
    this.beginSession(nodeId, session)
    return this.#sessions.get(nodeId)!.accept(number)
  }

  #sealAnswer<Kind extends MessageKind>(kind: Kind, to: SealedPart, response: Messages[Kind], message: BusMessage): () => void {
    const { nodeId, session, number } = to
    const parts = this.seal({ kind, nodeId, session, number }, encodeMessage(kind, response))
    // Whichever part of several came last need not be the one that can be answered.
    const isRequest = to.parts === 1
    return () => {
      if (isRequest) message.respond(parts[0]!)
      this.#publish(subjects(this.#deps.region).answer(nodeId), isRequest ? parts.slice(1) : parts)
    }
  }

  #publish(subject: string, parts: readonly Uint8Array[]): void {
    const unsent = parts.filter((part) => !this.#deps.bus.publish(subject, part))
    if (unsent.length > 0)
      this.#deps.logger.warn({ subject, parts: parts.length, unsent: unsent.length }, 'parts could not be sent, the host asks again')
  }
}

/** `drover.<region>.agent.<node>.<what>` */
function nodeIdOfSubject(subject: string): string {
  return subject.split('.').at(-2)!
}
