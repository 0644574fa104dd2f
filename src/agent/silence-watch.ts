/**
 * Ends what is not to go on without a server (`stop_on_client_after`): who was not heard for so long may have been replaced elsewhere.
 * The start of the agent counts as heard. Source: Nomad docs, "disconnect Block".
 */
import type { Clock, Logger } from '../domain/index.js'
import type { AllocationShell } from './allocation-shell.js'

export interface SilenceWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly shells: () => Iterable<AllocationShell>
  /** Monotonic ms. */
  readonly lastHeardMs: () => number
}

const LOOK_MS_MAX = 5_000
const NANOSECONDS_PER_MS = 1e6

export class SilenceWatch {
  readonly #deps: SilenceWatchDeps
  #cancel = () => {}

  constructor(deps: SilenceWatchDeps) {
    this.#deps = deps
  }

  /** Looks now, and from now on. */
  start(): void {
    const { clock, logger, lastHeardMs } = this.#deps
    const silentMs = clock.monotonicMs() - lastHeardMs()
    let lookMs = LOOK_MS_MAX
    for (const shell of this.#deps.shells()) {
      const limitMs = stopAfterMs(shell)
      if (limitMs === undefined) continue
      lookMs = Math.min(lookMs, limitMs)
      if (silentMs < limitMs) continue
      logger.warn({ allocationId: shell.id, silentMs }, 'no server was heard for longer than the allocation may go on alone')
      shell.post({ kind: 'absent' })
    }
    this.#cancel = clock.after(lookMs, () => this.start())
  }

  close(): void {
    this.#cancel()
  }
}

/** Undefined for what goes on, whoever is silent, and for what is being ended already. */
function stopAfterMs({ runner }: AllocationShell): number | undefined {
  const limit = runner.group.Disconnect?.StopOnClientAfter ?? 0
  if (limit <= 0 || runner.hasEnded || runner.record.want === 'stop') return undefined
  return limit / NANOSECONDS_PER_MS
}
