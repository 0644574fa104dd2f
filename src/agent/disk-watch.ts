/** Whether this host's disk takes new work, looked at every other second. */
import type { Clock, Logger, Node } from '../domain/index.js'

export interface DiskWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** What keeps the disk from taking new work, in a sentence that stays the same as long as it does; null: nothing. */
  readonly look: () => string | null
  readonly onChange: (problem: string | null) => void
}

const LOOK_MS = 2_000

export class DiskWatch {
  readonly #deps: DiskWatchDeps
  #cancel = () => {}
  /** As it was when it was last looked at. */
  problem: string | null = null

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps
  }

  /** Looks now, and from now on. */
  start(): void {
    const { clock, logger, look, onChange } = this.#deps
    this.#cancel = clock.after(LOOK_MS, () => this.start())
    const problem = look()
    if (problem === this.problem) return
    this.problem = problem
    if (problem === null) logger.info({}, 'the disk takes new work again')
    else logger.warn({ problem }, 'no new work is taken until there is room')
    onChange(problem)
  }

  close(): void {
    this.#cancel()
  }
}

/** No driver can start anything: the scheduler places nothing new here and leaves what runs alone. */
export function withoutRoom(node: Node, problem: string): Node {
  const drivers = Object.entries(node.Drivers).map(([name, driver]) => [name, { ...driver, Healthy: false, HealthDescription: problem }])
  return { ...node, Drivers: Object.fromEntries(drivers) }
}
