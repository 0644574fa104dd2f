import type { Clock, Logger, Random } from '../domain/index.js'
import type { CommandBody, StateView } from '../state/index.js'

/** What a reconciler of the leader works with: it reads the state, proposes Commands, and asks for another turn when a time has come. */
export interface ReconcilerDeps {
  readonly view: StateView
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly propose: (bodies: readonly CommandBody[]) => void
  readonly onDue: () => void
}
