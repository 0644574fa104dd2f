/**
 * This host's end of the seals: what it says under its own key, and whom it hears. A host that has never joined believes the first
 * server that lets it in, unless it was told a key beforehand; from then on it knows its server by the keys that it was given.
 */
import type { Random } from '../domain/index.js'
import type { LocalState } from './local-state.js'
import { decodeMessage, encodeMessage, encodeValue, type MessageKind, type Messages } from './messages.js'
import type { Signer, Verify } from './ports.js'
import type { QuestionKind, RpcMethod } from './protocol.js'
import { Reassembly } from './reassembly.js'
import { ReplayWindow } from './replay-window.js'
import { type CallAnswer, callKind, DroppedMessage, openPart, type Seal, type SealedPart, sealMessage } from './seal.js'

export interface HostSealsDeps {
  readonly signer: Signer
  readonly verify: Verify
  readonly local: LocalState
  readonly random: Random
  readonly nodeId: string
  /** Keys of servers that this host was told to believe, before and besides those that it learns. */
  readonly serverKeys: readonly string[]
  readonly messageBytesMax: () => number
}

const ANSWER = '-response'

/** Said by nobody whom this host knows as its server. */
export class UnknownServerKey extends DroppedMessage {
  readonly signer: string

  constructor(signer: string, known: readonly string[]) {
    super('forged', `a message is signed with the server key ${signer}, which this host does not know`, { signer, known })
    this.signer = signer
  }
}

export class HostSeals {
  readonly #deps: HostSealsDeps
  readonly session: string
  readonly #answers = new Reassembly()
  readonly #sets = new Reassembly()
  /** Of the calls of one epoch. */
  #heardCalls = new ReplayWindow('')
  #number = 0

  constructor(deps: HostSealsDeps) {
    this.#deps = deps
    this.session = deps.random.uuid()
  }

  get knownServerKeys(): readonly string[] {
    return [...new Set([...this.#deps.serverKeys, ...this.#deps.local.agent.serverKeys])]
  }

  sealQuestion<Kind extends QuestionKind>(
    kind: Kind,
    message: Messages[Kind],
  ): { readonly number: number; readonly parts: readonly Uint8Array[] } {
    const number = ++this.#number
    return { number, parts: this.#seal({ ...this.#common(), kind, number }, encodeMessage(kind, message)) }
  }

  sealCallAnswer(call: Seal, answer: CallAnswer): readonly Uint8Array[] {
    return this.#seal({ ...this.#common(), kind: 'call-answer', number: call.number }, encodeValue(answer))
  }

  /** A part of an answer to a question of this life. @throws DroppedMessage */
  openAnswer(payload: Uint8Array): SealedPart {
    const part = this.#open((kind) => kind.endsWith(ANSWER), payload)
    if (part.session !== this.session) throw new DroppedMessage('stale', `a ${part.kind} answers an earlier life of this agent`)
    return part
  }

  /** The answer, once it is whole. @throws DroppedMessage */
  addToAnswer<Kind extends QuestionKind>(kind: Kind, part: SealedPart): Messages[`${Kind}-response`] | undefined {
    const responseKind = `${kind}${ANSWER}` as MessageKind & `${Kind}-response`
    if (part.kind !== responseKind) throw new DroppedMessage('misdirected', `a ${part.kind} is no answer to a ${kind}`)
    const body = this.#answers.add(part)
    return body === undefined ? undefined : decodeMessage(responseKind, body, part)
  }

  /** A set, once it is whole. @throws DroppedMessage */
  openSet(payload: Uint8Array): Messages['desired'] | undefined {
    const part = this.#open((kind) => kind === 'desired', payload)
    this.#demandCurrent(part)
    const body = this.#sets.add(part)
    if (body === undefined) return undefined
    const set = decodeMessage('desired', body, part)
    if (set.version !== part.number || set.nodeId !== part.nodeId)
      throw new DroppedMessage('malformed', `a set says version ${set.version}, its seal ${part.number}`)
    return set
  }

  /** What the server asks of this life of the agent, each call once. @throws DroppedMessage */
  openCall(method: RpcMethod, payload: Uint8Array): { readonly call: Seal; readonly body: Uint8Array } {
    const part = this.#open((kind) => kind === callKind(method), payload)
    this.#demandCurrent(part)
    if (part.session !== this.session) throw new DroppedMessage('stale', `a call of ${method} is for an earlier life of this agent`)
    if (part.parts > 1) throw new DroppedMessage('malformed', `a call of ${method} in ${part.parts} parts`)
    if (this.#heardCalls.session !== String(part.epoch)) this.#heardCalls = new ReplayWindow(String(part.epoch))
    if (!this.#heardCalls.accept(part.number)) throw new DroppedMessage('replayed', `call ${part.number} of ${method} was made before`)
    return { call: part, body: part.piece }
  }

  #common() {
    const { local, nodeId } = this.#deps
    const { clusterId, epoch } = local.agent
    return { direction: 'to-server' as const, clusterId, epoch, nodeId, session: this.session }
  }

  #seal(seal: Seal, body: Uint8Array): readonly Uint8Array[] {
    return sealMessage(this.#deps.signer, seal, body, this.#deps.messageBytesMax())
  }

  #open(isExpected: (kind: string) => boolean, payload: Uint8Array): SealedPart {
    const part = openPart(payload, this.#deps.verify)
    const known = this.knownServerKeys
    const isEnrolling = known.length === 0 && part.kind === 'register-response'
    if (!isEnrolling && !known.includes(part.signer)) throw new UnknownServerKey(part.signer, known)
    if (part.direction !== 'to-host' || part.nodeId !== this.#deps.nodeId || !isExpected(part.kind))
      throw new DroppedMessage('misdirected', `a ${part.kind} for ${part.nodeId} is not expected here`)
    return part
  }

  #demandCurrent({ clusterId, epoch }: SealedPart): void {
    const { agent } = this.#deps.local
    if (clusterId !== agent.clusterId)
      throw new DroppedMessage('foreign', `a message of cluster ${clusterId}, this host is of ${agent.clusterId}`)
    if (epoch < agent.epoch) throw new DroppedMessage('stale', `a message of epoch ${epoch}, the newest is ${agent.epoch}`)
  }
}
