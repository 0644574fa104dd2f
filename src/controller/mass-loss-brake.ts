/**
 * When many hosts are lost at once it is seldom they that are gone: a switch, a broker, this server's own network. What they run would be begun
 * a second time on the few that are left, which cannot hold it. So replacement waits: until most are back, for five minutes at most, or until
 * somebody says that they are gone (`Drover-Replace-Lost`).
 *
 * I27 While replacement is paused nothing takes the place of what a held host runs.
 */
import type { Evaluation, Random } from '../domain/index.js'
import { type CommandBody, ownerKey, type StateView } from '../state/index.js'
import { nodeEvaluations } from './node-evaluations.js'
import type { ReconcilerDeps } from './reconciler-deps.js'
import { isSilent } from './silence.js'

/** More than both of these, within a minute. */
const HOSTS_MAX = 3
const SHARE_MAX = 0.2
const WITHIN_MS = 60_000
/** Nobody waits longer for hosts that may never come back. */
export const PAUSE_MS_MAX = 5 * 60_000
/** Hosts come back one after the other: those that are still away are given so long after the last of them. */
const SETTLE_MS = 10_000
const LOOK_AGAIN_MS = 2_000

export class MassLossBrake {
  readonly #deps: ReconcilerDeps
  /** When each host was last called silent, on the monotonic clock. */
  readonly #lostMs = new Map<string, number>()
  #returnedMs = Number.NEGATIVE_INFINITY
  #isDue = true
  #cancel = () => {}
  #isStopped = false

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
    deps.view.nodes.observe((before, after, id) => {
      if (after !== undefined && isSilent(after)) return
      this.#lostMs.delete(id)
      if (before !== undefined && isSilent(before)) this.#returnedMs = deps.clock.monotonicMs()
    })
    deps.view.heldLosses.observe(() => {
      this.#isDue = true
    })
  }

  /**
   * Hosts that are about to be called silent.
   * @param missing how many others have not been heard for so long that they are as good as silent
   * @returns whether what they run is not to be replaced for now
   */
  holds(nodeIds: readonly string[], missing: number): boolean {
    const { view, clock, logger } = this.#deps
    const nowMs = clock.monotonicMs()
    for (const [id, lostMs] of this.#lostMs) if (nowMs - lostMs > WITHIN_MS) this.#lostMs.delete(id)
    for (const id of nodeIds) this.#lostMs.set(id, nowMs)
    if (view.heldLosses.count > 0) return true
    const lost = this.#lostMs.size + missing
    const known = view.nodes.countBy('status', 'ready') + [...this.#lostMs.keys()].filter((id) => isGone(view, id)).length
    if (!isMass(lost, known)) return false
    logger.error({ lost, known }, 'many hosts are lost at once: what they run is not replaced for now')
    return true
  }

  /** Ends the pause when its time has come. */
  reconcile(): void {
    const { view, clock, logger, propose, random } = this.#deps
    if (!this.#isDue) return
    this.#isDue = false
    this.#cancel()
    if (view.heldLosses.count === 0 || this.#isStopped) return
    const reason = this.#reasonToEnd(clock.monotonicMs())
    if (reason !== undefined) {
      const nodeIds = [...view.heldLosses.keys()].sort()
      logger.warn({ hosts: nodeIds.length }, reason)
      return propose([releaseCommand(view, nodeIds, random)])
    }
    this.#cancel = clock.after(LOOK_AGAIN_MS, () => {
      this.#isDue = true
      this.#deps.onDue()
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #reasonToEnd(nowMs: number): string | undefined {
    const { view, clock } = this.#deps
    const { count: held } = view.heldLosses
    const known = view.nodes.countBy('status', 'ready') + held
    if (!isMass(held, known) && nowMs - this.#returnedMs >= SETTLE_MS) return 'most hosts are back: what the others ran is replaced'
    // The log's clock never goes back, and the wall clock may.
    if (Math.max(view.atMs, clock.wallMs()) - sinceMs(view)! >= PAUSE_MS_MAX)
      return 'the hosts have been away for long: what they ran is replaced'
    return undefined
  }
}

/** Since when replacement is paused; undefined: it is not. */
export function sinceMs(view: StateView): number | undefined {
  let earliest: number | undefined
  for (const loss of view.heldLosses.values()) earliest = Math.min(earliest ?? loss.sinceMs, loss.sinceMs)
  return earliest
}

/** One evaluation for each job that ran on any of these hosts. */
export function releaseCommand(view: StateView, nodeIds: readonly string[], random: Random): CommandBody {
  const evaluations = new Map<string, Evaluation>()
  for (const id of nodeIds) {
    const node = view.nodes.get(id)
    if (node !== undefined) for (const evaluation of nodeEvaluations(view, node, random)) evaluations.set(ownerKey(evaluation), evaluation)
  }
  return { kind: 'loss-release', nodeIds, evaluations: [...evaluations.values()] }
}

function isMass(lost: number, known: number): boolean {
  return lost > HOSTS_MAX && lost > SHARE_MAX * known
}

function isGone(view: StateView, nodeId: string): boolean {
  const node = view.nodes.get(nodeId)
  return node !== undefined && isSilent(node)
}
