/** Hosts that are there and whose file is gone: they are drained, and forgotten when nothing of theirs runs any more. */
import {
  type Clock,
  isClientTerminal,
  isTerminal,
  type Logger,
  MILLISECOND,
  type Node,
  type Random,
  STOP_AFTER_UNDECLARED_MS_DEFAULT,
  UNDECLARED_STATEMENT,
} from '../domain/index.js'
import { ownerKey } from '../state/index.js'
import type { DeclaredHosts } from './declared-hosts.js'
import { drainCommand } from './drain-command.js'
import type { Leader } from './leader.js'
import { newEvaluation } from './new-evaluation.js'

export interface UndeclaredHostsDeps {
  readonly leader: Leader
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly declarations: DeclaredHosts
}

/** So many files may go, or this share of all, without being taken for a mistake. */
const GONE_FREE = 3
const GONE_FREE_SHARE = 0.2

export class UndeclaredHosts {
  readonly #deps: UndeclaredHostsDeps
  /** Monotonic, by node: since when this leader has known it. */
  readonly #sinceMs = new Map<string, number>()

  constructor(deps: UndeclaredHostsDeps) {
    this.#deps = deps
  }

  /** As `agents/_cluster.hcl` says it. */
  get stopAfterMs(): number {
    return this.#deps.leader.state.schedulerConfiguration.stopAfterUndeclaredMs ?? STOP_AFTER_UNDECLARED_MS_DEFAULT
  }

  /** At each heartbeat of a node. */
  look(nodeId: string): void {
    const { leader, clock, declarations } = this.#deps
    if (declarations.findOf(nodeId) !== undefined) {
      this.#sinceMs.delete(nodeId)
      return
    }
    const node = leader.state.nodes.get(nodeId)!
    const nowMs = clock.monotonicMs()
    const sinceMs = this.#sinceMs.get(nodeId) ?? nowMs
    this.#sinceMs.set(nodeId, sinceMs)
    const isOverdue = nowMs - sinceMs >= this.stopAfterMs
    if (leader.state.hostOrders.get(nodeId)?.statement !== UNDECLARED_STATEMENT) this.#sendAway(node)
    else if (this.#isEmpty(nodeId) && (isOverdue || node.DrainStrategy === null)) this.#forget(node)
    else if (isOverdue) this.#moveAway(node)
  }

  /** Many at once are more likely a mistake: they get nothing new, and keep what they run for as long as may be. */
  #sendAway(node: Node): void {
    const { leader, logger } = this.#deps
    const { ID: nodeId, Name: name } = node
    const isMass = this.#isMass()
    logger.warn({ nodeId, name, stopAfterMs: this.stopAfterMs, isMass }, 'host is not declared any more')
    const terms = { deadline: this.stopAfterMs * MILLISECOND, ignoreSystemJobs: false, meta: { reason: 'its file is gone' } }
    leader.propose([
      { kind: 'host-order', nodeId, statement: UNDECLARED_STATEMENT },
      isMass
        ? { kind: 'node-eligibility', nodeId, eligibility: 'ineligible', evaluations: [] }
        : drainCommand(node, terms, leader.clock.wallMs()),
    ])
  }

  #isMass(): boolean {
    const { leader, declarations } = this.#deps
    const living = [...leader.state.nodes.values()].filter(({ Status }) => Status !== 'down')
    const gone = living.filter(({ ID }) => declarations.findOf(ID) === undefined).length
    return gone > GONE_FREE && gone > GONE_FREE_SHARE * living.length
  }

  #isEmpty(nodeId: string): boolean {
    for (const allocation of this.#deps.leader.state.allocations.valuesBy('node', nodeId)) if (!isClientTerminal(allocation)) return false
    return true
  }

  #forget({ ID: nodeId, Name: name }: Node): void {
    this.#sinceMs.delete(nodeId)
    this.#deps.logger.info({ nodeId, name }, 'a host that is not declared any more runs nothing, and is forgotten')
    this.#deps.leader.propose([{ kind: 'node-deregister', nodeId, evaluations: [] }])
  }

  #moveAway({ ID: nodeId, Name: name }: Node): void {
    const { leader, random, logger } = this.#deps
    const { state } = leader
    const moving = state.allocations
      .by('node', nodeId)
      .filter((allocation) => !isTerminal(allocation) && allocation.DesiredTransition?.Migrate !== true)
    if (moving.length === 0) return
    logger.warn({ nodeId, name, allocations: moving.length }, 'what runs on a host that is not declared any more is moved away')
    const jobs = [...new Set(moving.map(ownerKey))].flatMap((key) => state.jobs.get(key) ?? [])
    const evaluations = jobs.map((job) => newEvaluation(random.uuid(), job, 'node-drain', { NodeID: nodeId }))
    const transitions = Object.fromEntries(moving.map(({ ID }) => [ID, { Migrate: true }]))
    leader.propose([{ kind: 'allocation-transition', transitions, evaluations }])
  }
}
