/** Reading from the leader: answers leave when what they tell is durable; waiting readers are woken by durability. */
import type { LogIndex } from '../domain/index.js'
import type { StateEvents, StateView } from '../state/index.js'
import type { ChangeKey } from './change-feed.js'
import type { Leader } from './leader.js'

export class LeaderReader {
  readonly #leader: Leader
  readonly lastContactMs = 0

  constructor(leader: Leader) {
    this.#leader = leader
  }

  get isLeader(): boolean {
    return !this.#leader.isStopped
  }

  isCurrent(index: LogIndex): boolean {
    return this.#leader.isCurrent(index)
  }

  /** Runs `query` now, in one turn. @throws OrchestratorError NO_LEADER when its answer does not become durable */
  async read<Answer extends { readonly index: LogIndex }>(query: (view: StateView) => Answer): Promise<Answer> {
    const answer = query(this.#leader.state)
    await this.#leader.whenDurable(answer.index)
    return answer
  }

  changed(keys: readonly ChangeKey[], viewIndex: LogIndex, signal: AbortSignal): Promise<void> {
    return this.#leader.changes.changed(keys, viewIndex, signal)
  }

  /** What happens from `fromIndex` on, Command by Command, when it is durable. */
  events(fromIndex: LogIndex, signal: AbortSignal): AsyncIterable<readonly StateEvents[]> {
    return this.#leader.events.follow(fromIndex, signal)
  }
}
