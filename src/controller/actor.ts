/** Carries out acts that are asked for over the API, and tells of each in the log who asked for what. */
import type { ActName, ActOutcome, ActRequests, Logger, Random } from '../domain/index.js'
import { ACTS } from './acts/index.js'
import type { Leader } from './leader.js'

export interface ActorDeps {
  readonly leader: Leader
  readonly random: Random
  readonly logger: Logger
}

export class Actor {
  readonly #deps: ActorDeps

  constructor(deps: ActorDeps) {
    this.#deps = deps
  }

  /** Resolves when what was done is durable. @throws OrchestratorError NO_LEADER */
  async perform<Name extends ActName>(name: Name, request: ActRequests[Name]): Promise<ActOutcome<Name>> {
    const { leader, random, logger } = this.#deps
    await leader.room()
    const decision = ACTS[name](leader.state, request, { random, nowMs: leader.clock.wallMs() })
    if (decision.kind === 'decided') leader.propose(decision.commands)
    const { index } = leader.state
    await leader.whenDurable(index)
    if (decision.kind === 'refused') {
      logger.info({ act: name, ...subjectOf(request), reason: decision.text }, 'act refused')
      return decision
    }
    logger.info({ act: name, ...subjectOf(request), index }, 'act done')
    return { kind: 'done', answer: decision.answer, index }
  }
}

/** Payloads and metadata may hold secrets: only what they were given to is told. */
function subjectOf(request: ActRequests[ActName]): object {
  return Object.fromEntries(Object.entries(request).filter(([name]) => name !== 'payload' && name !== 'meta' && name !== 'token'))
}
