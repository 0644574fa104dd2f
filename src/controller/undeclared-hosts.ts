/** Hosts that are there and whose file is gone: they get nothing new, keep what they run for a while, and hand it on then. */
import { type Clock, isTerminal, type Logger, type Node, type Random, STOP_AFTER_UNDECLARED_MS_DEFAULT } from '../domain/index.js'
import { ownerKey } from '../state/index.js'
import type { DeclaredHosts } from './declared-hosts.js'
import type { Leader } from './leader.js'
import { newEvaluation } from './new-evaluation.js'

export interface UndeclaredHostsDeps {
  readonly leader: Leader
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly declarations: DeclaredHosts
}

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
    const { leader, logger, clock, declarations } = this.#deps
    if (declarations.findOf(nodeId) !== undefined) {
      this.#sinceMs.delete(nodeId)
      return
    }
    const node = leader.state.nodes.get(nodeId)!
    const nowMs = clock.monotonicMs()
    const sinceMs = this.#sinceMs.get(nodeId) ?? nowMs
    this.#sinceMs.set(nodeId, sinceMs)
    if (nowMs - sinceMs >= this.stopAfterMs) return this.#moveAway(node)
    if (node.SchedulingEligibility === 'ineligible') return
    logger.warn({ nodeId, name: node.Name, stopAfterMs: this.stopAfterMs }, 'host is not declared any more')
    leader.propose([{ kind: 'node-eligibility', nodeId, eligibility: 'ineligible', evaluations: [] }])
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
