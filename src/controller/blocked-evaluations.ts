/**
 * Wakes evaluations that could not place everything, when something they may use becomes free (Nomad docs, "Scheduling"):
 * indexed by computed class, so that a node that none of them can use wakes nobody.
 */
import { type Allocation, type Evaluation, isClientTerminal, isReady, type Node } from '../domain/index.js'
import type { StateView } from '../state/index.js'

export class BlockedEvaluations {
  readonly #view: StateView
  readonly #wake: (evaluation: Evaluation) => void
  /** Classes and nodes on which something became free since the last turn. */
  readonly #freedClasses = new Set<string>()
  readonly #freedNodes = new Set<string>()

  constructor(view: StateView, wake: (evaluation: Evaluation) => void, onFreed: () => void) {
    this.#view = view
    this.#wake = wake
    view.nodes.observe((before, after) => {
      if (after === undefined || !isReady(after) || (before !== undefined && isReady(before) && !hasMoreToOffer(before, after))) return
      this.#free(after)
      onFreed()
    })
    view.allocations.observe((before, after) => {
      if (before === undefined || isClientTerminal(before) || (after !== undefined && !hasFreedSomething(before, after))) return
      // What became free on a host that takes nothing is of use when it takes work again, and is told then.
      const node = view.nodes.get(before.NodeID)
      if (node === undefined || !isReady(node)) return
      this.#free(node)
      onFreed()
    })
  }

  /** At the end of a turn: every blocked evaluation that may use what became free is worked on again. */
  wakeFreed(): void {
    if (this.#freedClasses.size === 0) return
    for (const evaluation of this.#view.evaluations.by('status', 'blocked')) if (this.#mayUse(evaluation)) this.#wake(evaluation)
    this.#freedClasses.clear()
    this.#freedNodes.clear()
  }

  /** The slow timer's look: whatever event was missed, a blocked evaluation is tried again in the end. */
  wakeAll(): void {
    for (const evaluation of this.#view.evaluations.by('status', 'blocked')) this.#wake(evaluation)
  }

  #free(node: Node): void {
    this.#freedClasses.add(node.ComputedClass)
    this.#freedNodes.add(node.ID)
  }

  #mayUse(evaluation: Evaluation): boolean {
    if (evaluation.NodeID !== undefined && (evaluation.Type === 'system' || evaluation.Type === 'sysbatch'))
      return this.#freedNodes.has(evaluation.NodeID)
    if (evaluation.EscapedComputedClass === true) return true
    const eligibility = evaluation.ClassEligibility ?? {}
    return [...this.#freedClasses].some((nodeClass) => eligibility[nodeClass] !== false)
  }
}

function hasFreedSomething(before: Allocation, after: Allocation): boolean {
  return isClientTerminal(after) || before.AllocatedResources !== after.AllocatedResources
}

function hasMoreToOffer(before: Node, after: Node): boolean {
  return (
    before.ComputedClass !== after.ComputedClass ||
    before.NodeResources !== after.NodeResources ||
    before.ReservedResources !== after.ReservedResources ||
    before.Drivers !== after.Drivers
  )
}
