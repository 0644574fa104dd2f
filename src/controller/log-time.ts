/** The time that Commands carry: the wall clock's, but never before what the log has said already. */
import type { Clock } from '../domain/index.js'
import type { StateView } from '../state/index.js'

export function logTimeMs(view: Pick<StateView, 'atMs'>, clock: Clock): number {
  return Math.max(view.atMs, clock.wallMs())
}
