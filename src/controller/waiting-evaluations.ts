/**
 * Cancels evaluations that wait for a time whose reason has gone: what was out of sight is back, what was to be replaced has been, or the
 * job is stopped. Otherwise a stopped job would look alive until the time has come.
 */
import { type Allocation, type Evaluation, isServerTerminal } from '../domain/index.js'
import { type CommandBody, ownerKey, type StateView } from '../state/index.js'

export class WaitingEvaluations {
  readonly #view: StateView
  readonly #propose: (bodies: readonly CommandBody[]) => void
  /** Ids by job. */
  readonly #waiting = new Map<string, Set<string>>()
  readonly #due = new Set<string>()

  constructor(view: StateView, propose: (bodies: readonly CommandBody[]) => void) {
    this.#view = view
    this.#propose = propose
    for (const evaluation of view.evaluations.values()) this.#note(undefined, evaluation)
    view.evaluations.observe((before, after) => this.#note(before, after))
    view.jobs.observe((_before, _after, key) => this.#mark(key))
    view.allocations.observe((before, after) => {
      const row = after ?? before
      if (row !== undefined && isOtherwise(before, after)) this.#mark(ownerKey(row))
    })
  }

  reconcile(): void {
    for (const key of [...this.#due].sort()) {
      const ids = [...(this.#waiting.get(key) ?? [])].sort()
      const cancelled = ids.flatMap((id) => this.#cancelled(key, this.#view.evaluations.get(id)) ?? [])
      if (cancelled.length > 0) this.#propose([{ kind: 'evaluation-update', evaluations: cancelled }])
    }
    this.#due.clear()
  }

  #mark(key: string): void {
    if (this.#waiting.has(key)) this.#due.add(key)
  }

  #note(before: Evaluation | undefined, after: Evaluation | undefined): void {
    const row = after ?? before
    if (row === undefined) return
    const key = ownerKey(row)
    const ids = this.#waiting.get(key) ?? new Set()
    if (after !== undefined && isWaiting(after)) {
      this.#waiting.set(key, ids.add(after.ID))
      this.#due.add(key)
      return
    }
    ids.delete(row.ID)
    if (ids.size === 0) this.#waiting.delete(key)
  }

  #cancelled(key: string, evaluation: Evaluation | undefined): Evaluation | undefined {
    if (evaluation === undefined || !isWaiting(evaluation)) return undefined
    const StatusDescription = this.#goneReason(key, evaluation)
    return StatusDescription === undefined ? undefined : { ...evaluation, Status: 'canceled', StatusDescription }
  }

  #goneReason(key: string, evaluation: Evaluation): string | undefined {
    const job = this.#view.jobs.get(key)
    if (job === undefined || job.Stop) return 'job is stopped'
    const allocations = this.#view.allocations.valuesBy('job', key)
    switch (evaluation.TriggeredBy) {
      case 'max-disconnect-timeout':
        return some(allocations, isOutOfSight) ? undefined : 'allocs reconnected'
      case 'alloc-reschedule':
        return some(allocations, mayBeReplaced) ? undefined : 'allocs were replaced or reconnected'
      default:
        return undefined
    }
  }
}

function isWaiting({ Status, WaitUntil }: Evaluation): boolean {
  return Status === 'pending' && WaitUntil !== undefined && WaitUntil !== ''
}

function isOutOfSight(allocation: Allocation): boolean {
  return allocation.ClientStatus === 'unknown' && !isServerTerminal(allocation)
}

const LEFT: ReadonlySet<string> = new Set(['failed', 'lost', 'unknown'])

function mayBeReplaced({ ClientStatus, DesiredStatus, NextAllocation }: Allocation): boolean {
  return LEFT.has(ClientStatus) && DesiredStatus === 'run' && NextAllocation === undefined
}

/** In what a waiting evaluation may wait for. */
function isOtherwise(before: Allocation | undefined, after: Allocation | undefined): boolean {
  return (
    before?.ClientStatus !== after?.ClientStatus ||
    before?.DesiredStatus !== after?.DesiredStatus ||
    before?.NextAllocation !== after?.NextAllocation
  )
}

function some<Row>(rows: Iterable<Row>, holds: (row: Row) => boolean): boolean {
  for (const row of rows) if (holds(row)) return true
  return false
}
