/**
 * Removes what nobody needs any more, a little at a time, so that nobody waits for it. All rows are looked at once within the shortest threshold:
 * what may go goes, and what will be due before they are all looked at again is noted and goes when its time has come.
 */
import type { Clock } from '../domain/index.js'
import {
  type CollectedRow,
  countGarbage,
  dueMsOf,
  everyRow,
  findGarbage,
  type Garbage,
  type GarbageThresholds,
  joinGarbage,
  piecesOf,
} from './garbage.js'
import type { Leader } from './leader.js'

const HOUR_MS = 3_600_000
export const GARBAGE_THRESHOLDS: GarbageThresholds = {
  evaluationMs: HOUR_MS,
  batchEvaluationMs: 24 * HOUR_MS,
  jobMs: 4 * HOUR_MS,
  deploymentMs: HOUR_MS,
  nodeMs: 24 * HOUR_MS,
}
const AT_ONCE: GarbageThresholds = { evaluationMs: 0, batchEvaluationMs: 0, jobMs: 0, deploymentMs: 0, nodeMs: 0 }

const EVERY_MS = 60_000
const MS_PER_TURN = 3
/** Rows that one Command removes, more or less. */
const ROWS_PER_COMMAND = 200

export interface GarbageCollectorDeps {
  readonly leader: Pick<Leader, 'state' | 'isStopped' | 'hasRoom' | 'propose'> & { readonly clock: Clock }
  readonly thresholds: GarbageThresholds
}

type Pass = Iterator<Garbage | undefined>

export class GarbageCollector {
  readonly #deps: GarbageCollectorDeps
  readonly #sweepEveryMs: number
  /** Wall time from which on all rows are looked at again. */
  #sweepMs = 0
  /** What is due before that, by the minute of wall time. */
  readonly #upcoming = new Map<number, CollectedRow[]>()
  #pass: Pass | undefined
  #cancel = () => {}
  #isStopped = false

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps
    const shortestMs = Math.min(...Object.values(deps.thresholds))
    this.#sweepEveryMs = Math.min(HOUR_MS, Math.max(EVERY_MS, shortestMs))
    this.#wait(EVERY_MS)
  }

  /** All that has ended goes, whenever that was. */
  collectAll(): void {
    const { leader } = this.#deps
    this.#begin(findGarbage(leader.state, leader.clock.wallMs(), AT_ONCE))
    // The pass that this one takes the place of may not have come to its end.
    this.#sweepMs = 0
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #begin(pass: Pass): void {
    this.#pass = pass
    this.#wait(0)
  }

  #wait(delayMs: number): void {
    this.#cancel()
    if (this.#isStopped) return
    this.#cancel = this.#deps.leader.clock.after(delayMs, () => {
      if (this.#deps.leader.isStopped) return
      if (this.#pass === undefined) this.#begin(this.#nextPass())
      else this.#step(this.#pass)
    })
  }

  #nextPass(): Pass {
    const nowMs = this.#deps.leader.clock.wallMs()
    // A clock that was set back must not put this off.
    const isSweepDue = nowMs >= this.#sweepMs || nowMs < this.#sweepMs - this.#sweepEveryMs
    if (!isSweepDue) return this.#look(this.#takeDue(nowMs), nowMs)
    this.#sweepMs = nowMs + this.#sweepEveryMs
    this.#upcoming.clear()
    return this.#look(everyRow(this.#deps.leader.state), nowMs)
  }

  *#takeDue(nowMs: number): Generator<CollectedRow> {
    for (const [minute, rows] of this.#upcoming) {
      if (minute * EVERY_MS > nowMs) continue
      this.#upcoming.delete(minute)
      yield* rows
    }
  }

  *#look(rows: Iterable<CollectedRow>, nowMs: number): Generator<Garbage | undefined> {
    const { leader, thresholds } = this.#deps
    for (const row of rows) {
      const dueMs = dueMsOf(leader.state, ...row, thresholds)
      if (dueMs <= nowMs) yield* piecesOf(leader.state, ...row)
      else yield undefined
      if (dueMs > nowMs && dueMs < this.#sweepMs) this.#note(dueMs, row)
    }
  }

  #note(dueMs: number, row: CollectedRow): void {
    const minute = Math.ceil(dueMs / EVERY_MS)
    const rows = this.#upcoming.get(minute)
    if (rows === undefined) this.#upcoming.set(minute, [row])
    else rows.push(row)
  }

  #step(pass: Pass): void {
    const { leader } = this.#deps
    if (!leader.hasRoom) return this.#wait(EVERY_MS)
    const beganMs = leader.clock.monotonicMs()
    const pieces: Garbage[] = []
    for (let count = 0; count < ROWS_PER_COMMAND && leader.clock.monotonicMs() - beganMs < MS_PER_TURN; ) {
      const { done, value } = pass.next()
      if (done === true) {
        this.#pass = undefined
        break
      }
      if (value === undefined) continue
      pieces.push(value)
      count += countGarbage(value)
    }
    if (pieces.length > 0) leader.propose([{ kind: 'garbage-collect', ...joinGarbage(pieces) }])
    this.#wait(this.#pass === undefined ? EVERY_MS : 0)
  }
}
