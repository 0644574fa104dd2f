/**
 * Empties hosts that are being drained: services group by group, as fast as the health of what replaces them allows, at the deadline all
 * that is left; system jobs last. A drain is complete when the host's agent has said of everything that it has ended.
 *
 * L8 A drain with a deadline ends: at the deadline all that is left is stopped, and a host that is silent loses what it ran,
 * unless many are lost at once and that is held: then it ends with the pause.
 */
import type { Allocation, Evaluation, Job, Node } from '../domain/index.js'
import { type CommandBody, drainDeadlineMs, isDrainForced, type LeftOnNode, leftOnNode, ownerKey } from '../state/index.js'
import { newEvaluation } from './new-evaluation.js'
import type { ReconcilerDeps } from './reconciler-deps.js'

const LOOK_AGAIN_MS = 10_000

export class Drainer {
  readonly #deps: ReconcilerDeps
  readonly #draining = new Set<string>()
  #isDue = false
  #cancel = () => {}
  #isStopped = false

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
    const { view } = deps
    for (const node of view.nodes.values()) this.#note(node.ID, node)
    view.nodes.observe((_before, after, id) => this.#note(id, after))
    view.allocations.observe((before, after) => {
      if (this.#draining.size > 0 && isMoved(before, after)) this.#isDue = true
    })
    // A lower count, or a greater `max_parallel`, lets more go.
    view.jobs.observe((before, after) => {
      if (this.#draining.size > 0 && before?.TaskGroups !== after?.TaskGroups) this.#isDue = true
    })
  }

  /** Looks at all hosts that are being drained, when anything that may concern them has happened. */
  reconcile(): void {
    if (!this.#isDue) return
    this.#isDue = false
    const nowMs = this.#deps.clock.wallMs()
    for (const id of [...this.#draining].sort()) this.#look(this.#deps.view.nodes.get(id)!, nowMs)
    this.#arm(nowMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #note(id: string, node: Node | undefined): void {
    const isDraining = node !== undefined && node.DrainStrategy !== null
    if (isDraining) this.#draining.add(id)
    else if (!this.#draining.delete(id)) return
    this.#isDue = true
    this.#deps.onDue()
  }

  #look(node: Node, nowMs: number): void {
    const { view, logger, propose } = this.#deps
    const left = leftOnNode(view, node, nowMs)
    const isForced = isDrainForced(node, nowMs)
    if (left.length === 0) {
      logger.info({ nodeId: node.ID, name: node.Name, isDeadlineReached: isForced }, 'host is drained')
      return propose([{ kind: 'node-drain-complete', nodeId: node.ID, isDeadlineReached: isForced && node.DrainStrategy!.Deadline > 0 }])
    }
    const moving = left.filter(({ wait }) => wait === 'move-now')
    if (moving.length > 0) propose([this.#moveCommand(moving)])
  }

  #moveCommand(moving: readonly LeftOnNode[]): CommandBody {
    const { view, random } = this.#deps
    const jobs = new Map<string, Job>()
    const transitions: Record<string, NonNullable<Allocation['DesiredTransition']>> = {}
    for (const { allocation } of moving) {
      const job = view.jobs.get(ownerKey(allocation))
      if (job !== undefined) jobs.set(ownerKey(allocation), job)
      // Work that was to end by itself is not begun again elsewhere: whoever wants it again says so.
      const isEnding = job?.Type === 'batch' || job?.Type === 'sysbatch'
      transitions[allocation.ID] = { Migrate: true, ...(isEnding ? { MigrateDisablePlacement: true } : {}) }
    }
    const evaluations: Evaluation[] = [...jobs.keys()].sort().map((key) => newEvaluation(random.uuid(), jobs.get(key)!, 'node-drain'))
    return { kind: 'allocation-transition', transitions, evaluations }
  }

  #arm(nowMs: number): void {
    this.#cancel()
    if (this.#isStopped || this.#draining.size === 0) return
    const deadlines = [...this.#draining].map(
      (id) => drainDeadlineMs(this.#deps.view.nodes.get(id)!.DrainStrategy!) ?? nowMs + LOOK_AGAIN_MS,
    )
    const waitMs = deadlines.reduce((least, ms) => (ms > nowMs ? Math.min(least, ms - nowMs) : least), LOOK_AGAIN_MS)
    this.#cancel = this.#deps.clock.after(waitMs, () => {
      this.#isDue = true
      this.#deps.onDue()
    })
  }
}

function isMoved(before: Allocation | undefined, after: Allocation | undefined): boolean {
  return (
    before?.ClientStatus !== after?.ClientStatus ||
    before?.DesiredStatus !== after?.DesiredStatus ||
    before?.DeploymentStatus !== after?.DeploymentStatus
  )
}
