/**
 * Hands out evaluations: one job at a time, the most important first, the oldest among equals. It only mirrors the table
 * of evaluations and is rebuilt from it.
 *
 * I10 At most one evaluation of a job is worked on; of several that wait only the newest is, the others are canceled.
 */
import { type Clock, type Evaluation, parseRfc3339Ms } from '../domain/index.js'
import { ownerKey, type StateView } from '../state/index.js'
import type { EvaluationTimes } from './evaluation-times.js'

export interface NextWork {
  readonly evaluation: Evaluation
  /** Waited for the same job and say nothing that the newest one does not. */
  readonly superseded: readonly Evaluation[]
}

export class EvaluationBroker {
  readonly #view: StateView
  readonly #clock: Clock
  readonly #onReady: () => void
  readonly #times: EvaluationTimes | undefined
  /** Since when each may be worked on, monotonic. */
  readonly #readySinceMs = new Map<string, number>()
  /** Ids of pending evaluations that may be worked on, by job. */
  readonly #ready = new Map<string, Set<string>>()
  /** Keys of ready jobs, the next one last; made anew when something was added. */
  #keysInOrder: string[] = []
  #isOrderOld = false
  readonly #timers = new Map<string, () => void>()
  #isStopped = false

  constructor(view: StateView, clock: Clock, onReady: () => void, times?: EvaluationTimes) {
    this.#view = view
    this.#clock = clock
    this.#onReady = onReady
    this.#times = times
    for (const evaluation of view.evaluations.values()) this.#consider(evaluation)
    view.evaluations.observe((before, after) => {
      if (before !== undefined && (after === undefined || after.Status !== 'pending')) this.#forget(before)
      if (after !== undefined) this.#consider(after)
    })
  }

  get readyJobCount(): number {
    return this.#ready.size
  }

  /** Works on a blocked evaluation again, because something that it waits for may be there now. */
  unblock(evaluation: Evaluation): void {
    this.#add(evaluation)
  }

  next(): NextWork | undefined {
    if (this.#isOrderOld) this.#order()
    for (;;) {
      const key = this.#keysInOrder.pop()
      if (key === undefined) return undefined
      const work = this.#newestOf(key)
      if (work === undefined) continue
      this.#ready.delete(key)
      this.#noteWait(work)
      return work
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#ready.clear()
  }

  #consider(evaluation: Evaluation): void {
    if (evaluation.Status !== 'pending' || this.#isStopped) return
    if (evaluation.TriggeredBy === 'node-update') return this.#gather(evaluation)
    const waitMs = this.#untilDueMs(evaluation)
    if (waitMs <= 0) this.#add(evaluation)
    else this.#wait(evaluation, this.#clock.monotonicMs() + waitMs)
  }

  /** Hosts seldom come or go alone: what concerns one of them is worked on together with what follows at once. */
  #gather({ ID }: Evaluation): void {
    if (this.#timers.has(ID)) return
    const look = () => {
      this.#timers.delete(ID)
      const current = this.#view.evaluations.get(ID)
      if (current?.Status === 'pending') this.#add(current)
    }
    this.#timers.set(ID, this.#clock.after(GATHER_MS, look))
  }

  #untilDueMs(evaluation: Evaluation): number {
    return (parseRfc3339Ms(evaluation.WaitUntil) ?? 0) - this.#clock.wallMs()
  }

  /**
   * Until the time has come, or so much has passed: a wall clock that is set back prolongs nothing, and one that goes on while the
   * machine sleeps is heeded.
   */
  #wait(evaluation: Evaluation, dueMs: number): void {
    this.#timers.get(evaluation.ID)?.()
    const leftMs = Math.min(dueMs - this.#clock.monotonicMs(), this.#untilDueMs(evaluation))
    const look = () => {
      this.#timers.delete(evaluation.ID)
      const current = this.#view.evaluations.get(evaluation.ID)
      if (current?.Status !== 'pending') return
      if (this.#clock.monotonicMs() >= dueMs || this.#untilDueMs(current) <= 0) this.#add(current)
      else this.#wait(current, dueMs)
    }
    this.#timers.set(evaluation.ID, this.#clock.after(Math.min(leftMs, LOOK_AGAIN_MS), look))
  }

  #add(evaluation: Evaluation): void {
    const key = ownerKey(evaluation)
    const ids = this.#ready.get(key)
    if (!this.#readySinceMs.has(evaluation.ID)) this.#readySinceMs.set(evaluation.ID, this.#clock.monotonicMs())
    if (ids === undefined) this.#ready.set(key, new Set([evaluation.ID]))
    else ids.add(evaluation.ID)
    this.#isOrderOld = true
    this.#onReady()
  }

  #noteWait({ evaluation, superseded }: NextWork): void {
    const sinceMs = this.#readySinceMs.get(evaluation.ID)
    if (sinceMs !== undefined) this.#times?.note('wait', evaluation.Type, this.#clock.monotonicMs() - sinceMs)
    for (const { ID } of [evaluation, ...superseded]) this.#readySinceMs.delete(ID)
  }

  #order(): void {
    const works = [...this.#ready.keys()].flatMap((key) => {
      const work = this.#newestOf(key)
      return work === undefined ? [] : [{ key, evaluation: work.evaluation }]
    })
    this.#keysInOrder = works.sort((a, b) => (isBefore(a.evaluation, b.evaluation) ? 1 : -1)).map(({ key }) => key)
    this.#isOrderOld = false
  }

  /** Of one job: the most important, then the newest; a blocked one only when nothing else waits. */
  #newestOf(key: string): NextWork | undefined {
    const open = [...(this.#ready.get(key) ?? [])].flatMap((id) => this.#view.evaluations.get(id) ?? []).filter(isOpen)
    const [evaluation, ...rest] = open.sort(byUrgency)
    return evaluation === undefined ? undefined : { evaluation, superseded: rest.filter((other) => other.Status === 'pending') }
  }

  #forget(evaluation: Evaluation): void {
    this.#timers.get(evaluation.ID)?.()
    this.#timers.delete(evaluation.ID)
    this.#readySinceMs.delete(evaluation.ID)
    const key = ownerKey(evaluation)
    const ids = this.#ready.get(key)
    ids?.delete(evaluation.ID)
    if (ids?.size === 0) this.#ready.delete(key)
  }
}

const LOOK_AGAIN_MS = 10_000
const GATHER_MS = 50

function isOpen(evaluation: Evaluation): boolean {
  return evaluation.Status === 'pending' || evaluation.Status === 'blocked'
}

function byUrgency(a: Evaluation, b: Evaluation): number {
  return (
    Number(a.Status === 'blocked') - Number(b.Status === 'blocked') ||
    b.Priority - a.Priority ||
    b.CreateIndex - a.CreateIndex ||
    (a.ID < b.ID ? -1 : 1)
  )
}

/** Between jobs: by priority, then by age. */
function isBefore(a: Evaluation, b: Evaluation): boolean {
  if (a.Priority !== b.Priority) return a.Priority > b.Priority
  return a.CreateIndex !== b.CreateIndex ? a.CreateIndex < b.CreateIndex : a.ID < b.ID
}
