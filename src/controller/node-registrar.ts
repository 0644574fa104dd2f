/**
 * Speaks with the agents: lets declared hosts join, hears their heartbeats, takes their reports and hands out their sets.
 * Every answer waits until what it tells of is durable and this process is known to lead.
 */
import {
  decodeMessage,
  encodeMessage,
  type HeartbeatResponse,
  type PullResponse,
  type RegisterRequest,
  type RegisterResponse,
  type ReportRequest,
  type ReportResponse,
  subjects,
} from '../agent/index.js'
import { type AllocationReport, type Bus, type BusMessage, type Clock, explainError, type Logger, type Random } from '../domain/index.js'
import type { CommandBody } from '../state/index.js'
import type { AllocationPublisher } from './allocation-publisher.js'
import { reportEvaluations, reportServices } from './allocation-reports.js'
import { DeclaredHosts, type KeyBinding, withDeclaration } from './declared-hosts.js'
import { HeartbeatMonitor } from './heartbeat-monitor.js'
import type { Leader } from './leader.js'
import { logTimeMs } from './log-time.js'
import { nodeEvaluations } from './node-evaluations.js'
import { isSilent, mayComeBack } from './silence.js'

export interface NodeRegistrarOptions {
  readonly region: string
  readonly heartbeatTtlMs: number
  /** Agents of this machine that `dev` started: declarations without a key belong to them, in order of path. */
  readonly boundKeys: KeyBinding
  /** Whether `signature` over `nonce` was made with the private half of `publicKey`. */
  readonly verify: (publicKey: string, nonce: string, signature: string) => boolean
  /** The id that a host with this key must have. */
  readonly nodeIdOf: (publicKey: string) => string
}

export interface NodeRegistrarDeps {
  readonly leader: Leader
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly publisher: AllocationPublisher
  readonly options: NodeRegistrarOptions
}

/** Ten events of several tasks each: well below the size that a command may have. */
const REPORTS_PER_COMMAND = 10

export class NodeRegistrar {
  readonly #deps: NodeRegistrarDeps
  readonly #monitor: HeartbeatMonitor
  readonly #declarations: DeclaredHosts
  readonly #nonces = new Map<string, string>()
  readonly #unsubscribe: readonly (() => void)[]

  constructor(deps: NodeRegistrarDeps) {
    this.#deps = deps
    const { leader, bus, clock, options } = deps
    this.#declarations = new DeclaredHosts(leader.state, options.boundKeys, options.nodeIdOf)
    const tickMs = Math.max(50, options.heartbeatTtlMs / 10)
    this.#monitor = new HeartbeatMonitor(clock, { ttlMs: options.heartbeatTtlMs, tickMs }, (nodeId) => this.#onSilent(nodeId))
    for (const node of leader.state.nodes.values()) if (node.Status !== 'down') this.#monitor.heard(node.ID)
    const subject = subjects(options.region)
    this.#unsubscribe = [
      bus.subscribe(subject.register('*'), (message) => this.#handle(message, () => this.#onRegister(message))),
      bus.subscribe(subject.heartbeat('*'), (message) => this.#handle(message, () => this.#onHeartbeat(message))),
      bus.subscribe(subject.pull('*'), (message) => this.#handle(message, () => this.#onPull(message))),
      bus.subscribe(subject.report('*'), (message) => this.#handle(message, () => this.#onReport(message))),
    ]
  }

  stop(): void {
    this.#monitor.stop()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** A message that cannot be understood is told of and left unanswered; its sender tries again. */
  #handle(message: BusMessage, work: () => void): void {
    if (this.#deps.leader.isStopped || !this.#deps.leader.hasRoom) return
    try {
      work()
    } catch (error) {
      this.#deps.logger.warn({ subject: message.subject, error: explainError(error) }, 'message refused')
    }
  }

  #onRegister(message: BusMessage): void {
    const request = decodeMessage('register', message.payload)
    const refusal = this.#findRefusal(request, nodeIdOfSubject(message.subject))
    if (refusal !== undefined) return this.#answer(message, 'register-response', { ...this.#envelope(), kind: 'refused', ...refusal })
    if (!this.#isProven(request)) {
      const nonce = this.#deps.random.uuid()
      this.#nonces.set(request.publicKey, nonce)
      return this.#answer(message, 'register-response', { ...this.#envelope(), kind: 'challenge', nonce })
    }
    this.#nonces.delete(request.publicKey)
    const { leader, random, options } = this.#deps
    const declaration = this.#declarations.find(request.publicKey)!
    const node = withDeclaration(request.node, declaration, leader.state.nodes.get(request.node.ID))
    const { reportNumber } = request
    leader.propose([{ kind: 'node-register', node, reportNumber, evaluations: nodeEvaluations(leader.state, node, random) }])
    this.#hearOfUnknown(
      node.ID,
      request.holds.map(({ report }) => report),
    )
    this.#monitor.heard(node.ID)
    const answer: RegisterResponse = {
      ...this.#envelope(),
      kind: 'accepted',
      index: leader.state.index,
      heartbeatTtlMs: options.heartbeatTtlMs,
      node,
    }
    this.#answer(message, 'register-response', answer)
  }

  /** What was out of sight is seen again: whatever the agent said of it last was said before. */
  #hearOfUnknown(nodeId: string, held: readonly AllocationReport[]): void {
    const { leader, random, clock } = this.#deps
    const unknown = held.filter(({ ID }) => {
      const allocation = leader.state.allocations.get(ID)
      return allocation?.ClientStatus === 'unknown' && allocation.NodeID === nodeId
    })
    for (let from = 0; from < unknown.length; from += REPORTS_PER_COMMAND) {
      const part = unknown.slice(from, from + REPORTS_PER_COMMAND)
      leader.propose([this.#updateCommand(nodeId, part, random, logTimeMs(leader.state, clock))])
    }
  }

  #findRefusal(request: RegisterRequest, nodeId: string): { readonly reason: string; readonly remedy: string } | undefined {
    const { leader, options } = this.#deps
    if (request.clusterId !== '' && request.clusterId !== leader.state.clusterId) {
      return {
        reason: `this host belongs to cluster ${request.clusterId}, this server to cluster ${leader.state.clusterId}`,
        remedy: 'point the agent at its own cluster, or remove its data folder to join this one',
      }
    }
    if (request.node.ID !== nodeId || options.nodeIdOf(request.publicKey) !== nodeId) {
      return {
        reason: `node id ${request.node.ID} does not belong to the key ${request.publicKey}`,
        remedy: 'remove the data folder of the agent',
      }
    }
    if (this.#declarations.find(request.publicKey) === undefined) {
      return {
        reason: `no host with the key ${request.publicKey} is declared`,
        remedy: `commit agents/<pool>/${request.node.Name}.hcl with public_key = "${request.publicKey}"`,
      }
    }
    return undefined
  }

  #isProven(request: RegisterRequest): boolean {
    const nonce = this.#nonces.get(request.publicKey)
    return nonce !== undefined && nonce === request.nonce && this.#deps.options.verify(request.publicKey, nonce, request.signature)
  }

  #onHeartbeat(message: BusMessage): void {
    const { leader, publisher, options } = this.#deps
    const nodeId = nodeIdOfSubject(message.subject)
    const request = decodeMessage('heartbeat', message.payload)
    const isJoined = this.#isJoined(nodeId, request.clusterId)
    if (isJoined) {
      this.#monitor.heard(nodeId)
      this.#shunUndeclared(nodeId)
    }
    // Joining again is how both sides learn what the repository says now.
    const isKnown = isJoined && this.#declarations.isAsDeclared(leader.state.nodes.get(nodeId)!)
    const answer: HeartbeatResponse = {
      ...this.#envelope(),
      version: publisher.sentVersionOf(nodeId),
      index: leader.durableIndex,
      isKnown,
      heartbeatTtlMs: options.heartbeatTtlMs,
    }
    leader.release(leader.durableIndex, () => message.respond(encodeMessage('heartbeat-response', answer)))
  }

  /** A host whose file is gone keeps what it runs and gets nothing new. */
  #shunUndeclared(nodeId: string): void {
    const { leader, logger } = this.#deps
    const node = leader.state.nodes.get(nodeId)!
    if (node.SchedulingEligibility === 'ineligible' || this.#declarations.findOf(nodeId) !== undefined) return
    logger.warn({ nodeId, name: node.Name }, 'host is not declared any more')
    leader.propose([{ kind: 'node-eligibility', nodeId, eligibility: 'ineligible', evaluations: [] }])
  }

  #onPull(message: BusMessage): void {
    const nodeId = nodeIdOfSubject(message.subject)
    const request = decodeMessage('pull', message.payload)
    if (!this.#isJoined(nodeId, request.clusterId)) return
    const answer: PullResponse = { ...this.#envelope(), parts: this.#deps.publisher.compose(nodeId, 0) }
    this.#answer(message, 'pull-response', answer)
  }

  #onReport(message: BusMessage): void {
    const { leader, random, clock } = this.#deps
    const nodeId = nodeIdOfSubject(message.subject)
    const request: ReportRequest = decodeMessage('report', message.payload)
    const isKnown = this.#isJoined(nodeId, request.clusterId)
    // A late double of an older report must not take back what a newer one has said.
    const isNewer = request.number > (leader.state.nodeReports.get(nodeId)?.number ?? 0)
    if (isKnown && isNewer) {
      const reports = request.reports.filter((report) => leader.state.allocations.get(report.ID)?.NodeID === nodeId)
      for (let from = 0; from < reports.length; from += REPORTS_PER_COMMAND) {
        const update = this.#updateCommand(nodeId, reports.slice(from, from + REPORTS_PER_COMMAND), random, logTimeMs(leader.state, clock))
        // Only the last part says that the report was taken: a crash before it lets the agent say all of it again.
        const isLast = from + REPORTS_PER_COMMAND >= reports.length
        leader.propose([isLast ? { ...update, number: request.number } : update])
      }
    }
    const answer: ReportResponse = { ...this.#envelope(), number: request.number, isKnown }
    this.#answer(message, 'report-response', answer)
  }

  #updateCommand(
    nodeId: string,
    reports: readonly AllocationReport[],
    random: Random,
    nowMs: number,
  ): Extract<CommandBody, { kind: 'allocation-update' }> {
    const { state } = this.#deps.leader
    return {
      kind: 'allocation-update',
      nodeId,
      reports,
      services: reportServices(state, reports),
      evaluations: reportEvaluations(state, reports, random, nowMs),
    }
  }

  /** Joined under this cluster and not called silent since: a node that was must register again first. */
  #isJoined(nodeId: string, clusterId: string): boolean {
    const { state } = this.#deps.leader
    const node = state.nodes.get(nodeId)
    return node !== undefined && !isSilent(node) && clusterId === state.clusterId
  }

  /** Down, unless something on it may be out of sight for a while: then the question is asked again after each TTL. */
  #onSilent(nodeId: string): void {
    const { leader, random, logger, clock } = this.#deps
    const node = leader.state.nodes.get(nodeId)
    if (node === undefined || node.Status === 'down' || leader.isStopped) return
    const status = mayComeBack(leader.state, nodeId, logTimeMs(leader.state, clock)) ? 'disconnected' : 'down'
    if (status === 'disconnected') this.#monitor.heard(nodeId)
    if (status === node.Status) return
    logger.warn({ nodeId, name: node.Name, status }, 'node is silent')
    const evaluations = nodeEvaluations(leader.state, node, random)
    leader.propose([{ kind: 'node-status', nodeId, status, description: 'heartbeat missed', evaluations }])
  }

  #envelope(): { readonly clusterId: string; readonly epoch: number } {
    return { clusterId: this.#deps.leader.state.clusterId, epoch: this.#deps.leader.epoch }
  }

  /** Answers once everything decided up to now is durable. */
  #answer(
    message: BusMessage,
    kind: 'register-response' | 'pull-response' | 'report-response',
    answer: RegisterResponse | PullResponse | ReportResponse,
  ): void {
    const payload = encodeMessage(kind, answer as never)
    this.#deps.leader.release(this.#deps.leader.state.index, () => message.respond(payload))
  }
}

/** `drover.<region>.agent.<node>.<what>` */
function nodeIdOfSubject(subject: string): string {
  return subject.split('.').at(-2)!
}
