/**
 * Speaks with the agents: lets declared hosts join, hears their heartbeats, takes their reports and hands out their sets.
 * Every answer waits until what it tells of is durable and this process is known to lead.
 */
import type { HeartbeatResponse, QuestionKind, RegisterRequest, RegisterResponse, ReportResponse, Signer, Verify } from '../agent/index.js'
import {
  type AllocationReport,
  type AuditSink,
  type Bus,
  type Clock,
  explainError,
  isServerTerminal,
  type Logger,
  type Random,
} from '../domain/index.js'
import type { CommandBody } from '../state/index.js'
import type { Adoption } from './adoption.js'
import type { AllocationPublisher } from './allocation-publisher.js'
import { reportEvaluations, reportServices, withoutServices } from './allocation-reports.js'
import { DeclaredHosts, type KeyBinding, withDeclaration } from './declared-hosts.js'
import { HeartbeatMonitor } from './heartbeat-monitor.js'
import { heartbeatTtlMs } from './heartbeat-ttl.js'
import type { HostChannel, HostQuestion } from './host-channel.js'
import { hostOrders } from './host-orders.js'
import { JoinNonces } from './join-nonces.js'
import type { Leader } from './leader.js'
import type { MassLossBrake } from './mass-loss-brake.js'
import { nodeEvaluations } from './node-evaluations.js'
import { isSilent, mayComeBack } from './silence.js'
import { UndeclaredHosts } from './undeclared-hosts.js'

export interface NodeRegistrarOptions {
  readonly region: string
  /** How long a host may be silent; by the size of the cluster where it is not given. */
  readonly heartbeatTtlMs?: number
  /** Agents of this machine that `dev` started: declarations without a key belong to them, in order of path. */
  readonly boundKeys: KeyBinding
  readonly signer: Signer
  readonly verify: Verify
  /** Keys that hosts are to believe besides the signer's: that of tomorrow, while it is being changed. */
  readonly nextServerKeys: readonly string[]
  /** The id that a host with this key must have. */
  readonly nodeIdOf: (publicKey: string) => string
}

export interface NodeRegistrarDeps {
  readonly leader: Leader
  /** Asked whether it is the broker that is silent. */
  readonly bus: Bus
  readonly channel: HostChannel
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly publisher: AllocationPublisher
  readonly adoption: Adoption
  readonly brake: MassLossBrake
  readonly audit?: AuditSink | undefined
  readonly options: NodeRegistrarOptions
}

const TICK_MS = 400
/** Ten events of several tasks each: well below the size that a command may have. */
const REPORTS_PER_COMMAND = 10

type Refusal = Pick<Extract<RegisterResponse, { kind: 'refused' }>, 'reason' | 'remedy' | 'stopTasksAfterMs'>

/** Strangers that are remembered as told of. */
const TOLD_MAX = 1_000

export class NodeRegistrar {
  readonly #deps: NodeRegistrarDeps
  readonly #monitor: HeartbeatMonitor
  readonly #declarations: DeclaredHosts
  readonly #nonces: JoinNonces
  /** Hosts that do not belong here and were told of, each with what was told. */
  readonly #told = new Map<string, string>()
  readonly #undeclared: UndeclaredHosts
  #areOrdersDue = false

  constructor(deps: NodeRegistrarDeps) {
    this.#deps = deps
    const { leader, bus, channel, clock, random, options } = deps
    this.#nonces = new JoinNonces(clock, random)
    this.#declarations = new DeclaredHosts(leader.state, options.boundKeys, options.nodeIdOf)
    this.#undeclared = new UndeclaredHosts({ ...deps, declarations: this.#declarations })
    const ttlMs = () => this.#ttlMs
    const tickMs = options.heartbeatTtlMs === undefined ? TICK_MS : Math.max(50, options.heartbeatTtlMs / 10)
    this.#monitor = new HeartbeatMonitor(clock, bus, { ttlMs, tickMs }, (nodeIds, missing) => this.#onSilent(nodeIds, missing))
    for (const node of leader.state.nodes.values()) if (node.Status !== 'down') this.#monitor.heard(node.ID)
    leader.state.nodeDeclarations.observe(() => {
      this.#areOrdersDue = true
    })
    channel.on('starting', (question) => this.#handle(question, () => this.#onStarting(question)))
    channel.on('register', (question) => this.#handle(question, () => this.#onRegister(question)))
    channel.on('heartbeat', (question) => this.#handle(question, () => this.#onHeartbeat(question)))
    channel.on('pull', (question) => this.#handle(question, () => this.#onPull(question)))
    channel.on('report', (question) => this.#handle(question, () => this.#onReport(question)))
    channel.on('ended', (question) => this.#handle(question, () => this.#onEnded(question)))
  }

  stop(): void {
    this.#monitor.stop()
  }

  /** A question that cannot be dealt with is told of and left unanswered; its sender tries again. */
  #handle<Kind extends QuestionKind>({ nodeId }: HostQuestion<Kind>, work: () => void): void {
    if (this.#deps.leader.isStopped || !this.#deps.leader.hasRoom) return
    try {
      work()
    } catch (error) {
      this.#deps.logger.warn({ nodeId, error: explainError(error) }, 'message refused')
    }
  }

  /** Its tasks run, and it will say so as soon as it has found them again: silence until then is none. */
  #onStarting(question: HostQuestion<'starting'>): void {
    const { message: request, nodeId, publicKey } = question
    if (!this.#isJoined(nodeId, request.clusterId)) return this.#answer(question, { ...this.#envelope(), kind: 'unknown' })
    if (!this.#nonces.take(publicKey, request.nonce))
      return this.#answer(question, { ...this.#envelope(), kind: 'challenge', nonce: this.#nonces.give(publicKey) })
    this.#monitor.heard(nodeId)
    this.#answer(question, { ...this.#envelope(), kind: 'heard', heartbeatTtlMs: this.#ttlMs })
  }

  /** Only who is heard now may be told that nobody wants its files any more. */
  #onEnded(question: HostQuestion<'ended'>): void {
    if (!question.isFresh) return
    const { allocations } = this.#deps.leader.state
    const forgotten = question.message.ids.filter((id) => allocations.get(id) === undefined)
    this.#answer(question, { ...this.#envelope(), forgotten })
  }

  #onRegister(question: HostQuestion<'register'>): void {
    const { message: request, nodeId, publicKey, session, isFresh } = question
    // One that joins again, since its file has changed, beats no more until it has: on a bad line that takes a while.
    if (isFresh && this.#isJoined(nodeId, request.clusterId)) this.#monitor.heard(nodeId)
    if (!this.#deps.adoption.mayJoin) return
    const refusal = this.#findRefusal(request, nodeId, publicKey)
    if (refusal !== undefined) {
      const actor = { kind: 'host', nodeId, name: request.node.Name } as const
      this.#deps.audit?.record({ actor, action: 'node-join', subject: { publicKey }, outcome: 'refused', reason: refusal.reason })
      return this.#answer(question, { ...this.#envelope(), kind: 'refused', ...refusal })
    }
    if (!this.#nonces.take(publicKey, request.nonce))
      return this.#answer(question, { ...this.#envelope(), kind: 'challenge', nonce: this.#nonces.give(publicKey) })
    const { leader, random, channel, adoption } = this.#deps
    channel.beginSession(nodeId, session)
    const declaration = this.#declarations.find(publicKey)!
    const node = withDeclaration(request.node, declaration, leader.state.nodes.get(request.node.ID))
    const { reportNumber } = request
    leader.propose(adoption.adopt(node.ID, request.holds))
    leader.propose([{ kind: 'node-register', node, reportNumber, evaluations: nodeEvaluations(leader.state, node, random) }])
    this.#order(node.ID)
    const reconnected = this.#hearOfUnknown(
      node.ID,
      request.holds.map(({ report }) => report),
    )
    this.#monitor.heard(node.ID)
    const answer: RegisterResponse = {
      ...this.#envelope(),
      kind: 'accepted',
      index: leader.state.index,
      heartbeatTtlMs: this.#ttlMs,
      node,
      serverKeys: this.#serverKeys,
      reconnected,
    }
    this.#answer(question, answer)
  }

  /** At the end of a turn in which files of hosts have changed. */
  reconcileOrders(): void {
    if (!this.#areOrdersDue || this.#deps.adoption.isHearing) return
    this.#areOrdersDue = false
    for (const nodeId of [...this.#deps.leader.state.nodes.keys()].sort()) if (this.#isHeard(nodeId)) this.#order(nodeId)
  }

  #isHeard(nodeId: string): boolean {
    const node = this.#deps.leader.state.nodes.get(nodeId)
    return node !== undefined && !isSilent(node)
  }

  /** What the host's file says of its work; looked at with each of its signs of life. */
  #order(nodeId: string): void {
    const { leader, random } = this.#deps
    const node = leader.state.nodes.get(nodeId)
    const declaration = this.#declarations.findOf(nodeId)
    if (node === undefined || declaration === undefined) return
    const orders = hostOrders(leader.state, node, declaration, { random, nowMs: leader.clock.wallMs() })
    if (orders.length > 0) leader.propose(orders)
  }

  /** What was out of sight is seen again: whatever the agent said of it last was said before. @returns what of it is still wanted */
  #hearOfUnknown(nodeId: string, held: readonly AllocationReport[]): readonly string[] {
    const { leader, random, clock } = this.#deps
    const unknown = held.filter(({ ID }) => {
      const allocation = leader.state.allocations.get(ID)
      return allocation?.ClientStatus === 'unknown' && allocation.NodeID === nodeId
    })
    for (let from = 0; from < unknown.length; from += REPORTS_PER_COMMAND) {
      const part = unknown.slice(from, from + REPORTS_PER_COMMAND)
      leader.propose([this.#updateCommand(nodeId, part, random, clock.wallMs())])
    }
    return unknown.map(({ ID }) => ID).filter((id) => !isServerTerminal(leader.state.allocations.get(id)!))
  }

  #findRefusal(request: RegisterRequest, nodeId: string, publicKey: string): Refusal | undefined {
    const { leader } = this.#deps
    if (request.clusterId !== '' && request.clusterId !== leader.state.clusterId) {
      return {
        reason: `this host belongs to cluster ${request.clusterId}, this server to cluster ${leader.state.clusterId}`,
        remedy: 'point the agent at its own cluster, or remove its data folder to join this one',
        stopTasksAfterMs: null,
      }
    }
    if (request.node.ID !== nodeId) {
      return {
        reason: `node id ${request.node.ID} does not belong to the key ${publicKey}`,
        remedy: 'remove the data folder of the agent',
        stopTasksAfterMs: null,
      }
    }
    if (this.#declarations.find(publicKey) === undefined) {
      this.#tellOnce(nodeId, publicKey, { name: request.node.Name, publicKey }, 'a host that is not declared wants to join')
      return {
        stopTasksAfterMs: this.#undeclared.stopAfterMs,
        reason: `no host with the key ${publicKey} is declared`,
        remedy: `commit agents/<pool>/${request.node.Name}.hcl with public_key = "${publicKey}"`,
      }
    }
    return undefined
  }

  #onHeartbeat(question: HostQuestion<'heartbeat'>): void {
    const { leader, publisher } = this.#deps
    const { nodeId, message: request, isFresh } = question
    this.#tellForeign(nodeId, request.clusterId)
    const isJoined = this.#isJoined(nodeId, request.clusterId)
    // One that is not of this epoch learns the epoch from the answer and says so at once.
    if (isJoined && isFresh) {
      this.#monitor.heard(nodeId)
      this.#undeclared.look(nodeId)
      this.#order(nodeId)
    }
    // Joining again is how both sides learn what the repository says now.
    const isKnown = isJoined && this.#declarations.isAsDeclared(leader.state.nodes.get(nodeId)!)
    const answer: HeartbeatResponse = {
      ...this.#envelope(),
      version: publisher.sentVersionOf(nodeId),
      index: leader.durableIndex,
      isKnown,
      isDeclared: !isJoined || this.#declarations.findOf(nodeId) !== undefined,
      heartbeatTtlMs: this.#ttlMs,
      serverKeys: this.#serverKeys,
    }
    leader.release(leader.durableIndex, question.answer(answer))
  }

  /** Of a host whose server lost its state, or that talks to the wrong one: told on both sides, by the agent as soon as it is answered. */
  #tellForeign(nodeId: string, clusterId: string): void {
    const ownClusterId = this.#deps.leader.state.clusterId
    if (clusterId !== ownClusterId) this.#tellOnce(nodeId, clusterId, { clusterId, ownClusterId }, 'a host of another cluster is heard')
  }

  #tellOnce(nodeId: string, what: string, facts: object, text: string): void {
    if (this.#told.get(nodeId) === what) return
    if (this.#told.size >= TOLD_MAX) this.#told.clear()
    this.#told.set(nodeId, what)
    this.#deps.logger.warn({ nodeId, ...facts }, text)
  }

  /** Only to who asks now: an old question that somebody kept would carry the set to whoever sent it again. */
  #onPull(question: HostQuestion<'pull'>): void {
    if (!question.isFresh || !this.#isJoined(question.nodeId, question.message.clusterId)) return
    this.#answer(question, this.#deps.publisher.compose(question.nodeId, 0))
  }

  #onReport(question: HostQuestion<'report'>): void {
    const { leader, random, clock } = this.#deps
    const { nodeId, message: request } = question
    const isKnown = this.#isJoined(nodeId, request.clusterId)
    // One that somebody kept may be of a life whose numbers were higher. The answer takes nothing and tells the epoch to say it under.
    if (!question.isFresh) return this.#answer(question, { ...this.#envelope(), number: 0, isKnown })
    // A late double of an older report must not take back what a newer one has said.
    const isNewer = request.number > (leader.state.nodeReports.get(nodeId)?.number ?? 0)
    if (isKnown && isNewer) {
      const reports = request.reports.filter((report) => leader.state.allocations.get(report.ID)?.NodeID === nodeId)
      for (let from = 0; from < reports.length; from += REPORTS_PER_COMMAND) {
        const update = this.#updateCommand(nodeId, reports.slice(from, from + REPORTS_PER_COMMAND), random, clock.wallMs())
        // Only the last part says that the report was taken: a crash before it lets the agent say all of it again.
        const isLast = from + REPORTS_PER_COMMAND >= reports.length
        leader.propose([isLast ? { ...update, number: request.number } : update])
      }
    }
    const answer: ReportResponse = { ...this.#envelope(), number: request.number, isKnown }
    this.#answer(question, answer)
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
      reports: reports.map(withoutServices),
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
  #onSilent(nodeIds: readonly string[], missing: number): void {
    const { leader, brake } = this.#deps
    if (leader.isStopped) return
    const isNew = (id: string) => leader.state.nodes.get(id)?.Status === 'ready'
    const lost = nodeIds.filter(isNew)
    const isHeld = lost.length > 0 && brake.holds(lost, missing)
    if (isHeld) leader.propose([{ kind: 'loss-hold', nodeIds: lost }])
    for (const nodeId of nodeIds) this.#callSilent(nodeId, isHeld && lost.includes(nodeId))
  }

  #callSilent(nodeId: string, isHeld: boolean): void {
    const { leader, random, logger, clock } = this.#deps
    const node = leader.state.nodes.get(nodeId)
    if (node === undefined || node.Status === 'down') return
    const status = mayComeBack(leader.state, nodeId, clock.wallMs()) ? 'disconnected' : 'down'
    if (status === 'disconnected') this.#monitor.heard(nodeId)
    if (status === node.Status) return
    logger.warn({ nodeId, name: node.Name, status }, 'node is silent')
    const evaluations = isHeld ? [] : nodeEvaluations(leader.state, node, random)
    leader.propose([{ kind: 'node-status', nodeId, status, description: 'heartbeat missed', evaluations }])
  }

  get #ttlMs(): number {
    const { leader, options } = this.#deps
    return options.heartbeatTtlMs ?? heartbeatTtlMs(leader.state.nodes.count)
  }

  get #serverKeys(): readonly string[] {
    const { signer, nextServerKeys } = this.#deps.options
    return [signer.publicKey, ...nextServerKeys]
  }

  #envelope(): { readonly clusterId: string; readonly epoch: number } {
    return { clusterId: this.#deps.leader.state.clusterId, epoch: this.#deps.leader.epoch }
  }

  /** Answers once everything decided up to now is durable. */
  #answer<Kind extends QuestionKind>(question: HostQuestion<Kind>, answer: Parameters<HostQuestion<Kind>['answer']>[0]): void {
    this.#deps.leader.release(this.#deps.leader.state.index, question.answer(answer))
  }
}
