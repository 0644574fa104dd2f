/**
 * What only an agent knows, asked of it over the bus: one sealed call, then sealed answers until the stream ends. Each call is for
 * one life of the agent and is carried out once.
 */
import {
  type CallAnswer,
  callKind,
  DroppedMessage,
  decodeValue,
  encodeValue,
  Reassembly,
  type RpcMethod,
  type RpcParts,
  type RpcRequests,
  subjects,
} from '../agent/index.js'
import { type Bus, type Clock, OrchestratorError } from '../domain/index.js'
import type { HostChannel } from './host-channel.js'
import type { Leader } from './leader.js'
import { isSilent } from './silence.js'

export interface HostCallsDeps {
  readonly bus: Bus
  readonly clock: Clock
  readonly channel: HostChannel
  readonly leader: Leader
  readonly region: string
}

/** An agent that follows a log says so at least this often. */
const IDLE_TIMEOUT_MS = 40_000
/** A new leader has heard every agent that lives within a third of the TTL. */
const SESSION_WITHIN_MS = 5_000

export class HostCalls {
  readonly #deps: HostCallsDeps
  #number = 0

  constructor(deps: HostCallsDeps) {
    this.#deps = deps
  }

  /** @throws OrchestratorError with the agent's own code, BUS_*, PROTOCOL */
  async *call<Method extends RpcMethod>(
    nodeId: string,
    method: Method,
    request: RpcRequests[Method],
    signal: AbortSignal,
  ): AsyncIterable<RpcParts[Method]> {
    const { bus, channel, region } = this.#deps
    const session = await this.#session(nodeId)
    const number = ++this.#number
    const parts = channel.seal({ kind: callKind(method), nodeId, session, number }, encodeValue(request))
    const subject = subjects(region).rpc(nodeId, method)
    // Names of tasks and paths: what does not fit into one message is no sensible question.
    if (parts.length > 1) throw new OrchestratorError('BUS_TOO_LARGE', `a call to ${subject} does not fit into one message`)
    const answers = new Answers(channel, nodeId, session, number)
    for await (const payload of bus.requestStream(subject, parts[0]!, { idleTimeoutMs: IDLE_TIMEOUT_MS, signal })) {
      const answer = answers.add(payload)
      if (answer === undefined) continue
      if (answer.outcome === 'end') return
      yield answer.value as RpcParts[Method]
    }
    if (!signal.aborted) throw new OrchestratorError('BUS_TIMEOUT', `the answers of ${subject} have no end`)
  }

  async #session(nodeId: string): Promise<string> {
    const { channel, clock, leader } = this.#deps
    const node = leader.state.nodes.get(nodeId)
    if (node === undefined || isSilent(node)) throw new OrchestratorError('BUS_NO_RESPONDERS', `node ${nodeId} is not there`)
    const known = channel.sessionOf(nodeId)
    if (known !== undefined) return known
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel()
        unwatch()
      }
      const cancel = clock.after(SESSION_WITHIN_MS, () => {
        end()
        reject(new OrchestratorError('BUS_NO_RESPONDERS', `node ${nodeId} was not heard by this server`))
      })
      const unwatch = channel.watchSessions((begun) => {
        if (begun !== nodeId) return
        end()
        resolve(channel.sessionOf(nodeId)!)
      })
    })
  }
}

/** The answers to one call, in their order and to their end. */
class Answers {
  readonly #channel: HostChannel
  readonly #nodeId: string
  readonly #session: string
  readonly #number: number
  readonly #reassembly = new Reassembly()
  #sequence = 0

  constructor(channel: HostChannel, nodeId: string, session: string, number: number) {
    this.#channel = channel
    this.#nodeId = nodeId
    this.#session = session
    this.#number = number
  }

  /** Undefined: a part of a larger one, or none that belongs here. @throws OrchestratorError the agent's refusal, or PROTOCOL for a gap */
  add(payload: Uint8Array): { readonly outcome: 'part' | 'end'; readonly value: unknown } | undefined {
    const answer = this.#channel.dropped.guard('call', () => this.#open(payload))
    if (answer === undefined) return undefined
    const [sequence, outcome, value] = answer
    if (sequence !== this.#sequence++)
      throw new OrchestratorError('PROTOCOL', `answer ${sequence} came where ${this.#sequence - 1} was due`)
    if (outcome !== 'error') return { outcome, value }
    const { code, message } = value as { readonly code: string; readonly message: string }
    throw new OrchestratorError(code, message)
  }

  #open(payload: Uint8Array): CallAnswer | undefined {
    const part = this.#channel.openFrom(this.#nodeId, 'call-answer', payload)
    if (part.session !== this.#session || part.number !== this.#number)
      throw new DroppedMessage('misdirected', `an answer to call ${part.number} came where one to ${this.#number} was due`)
    const body = this.#reassembly.add(part)
    return body === undefined ? undefined : (decodeValue(body) as CallAnswer)
  }
}
