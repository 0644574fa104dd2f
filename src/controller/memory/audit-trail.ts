/**
 * The audit trail: the last entries in memory, for whoever reads or follows them, and each as a line to where lines are kept. What is
 * refused over and over is told once a minute with its count, so that a flood does not wash everything else away.
 */
import type { AuditEntry, AuditFact, AuditSink, Clock } from '../../domain/index.js'
import { News } from '../news.js'

const KEPT_MAX = 10_000
const AT_ONCE = 100
const REPEAT_MS = 60_000
const REPEATS_KNOWN_MAX = 1_000
/** Different ones, a minute. */
const REFUSALS_MAX = 120

export interface AuditTrailDeps {
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>
  /** Entries of earlier lives, oldest first. */
  readonly earlier?: readonly AuditEntry[]
  readonly write?: (entry: AuditEntry) => void
}

export class AuditTrail implements AuditSink {
  readonly #deps: AuditTrailDeps
  readonly #kept: AuditEntry[]
  readonly #news = new News()
  readonly #refused = new Map<string, { toldMs: number; count: number }>()
  #number: number
  #minute = { beganMs: Number.NEGATIVE_INFINITY, refusals: 0 }

  constructor(deps: AuditTrailDeps) {
    this.#deps = deps
    this.#kept = (deps.earlier ?? []).slice(-KEPT_MAX)
    this.#number = this.#kept.at(-1)?.number ?? 0
  }

  record(fact: AuditFact): void {
    this.#tellDropped()
    const repeats = fact.outcome === 'refused' ? this.#repeatsOf(fact) : 0
    if (repeats === undefined) return
    if (fact.outcome === 'refused' && ++this.#minute.refusals > REFUSALS_MAX) return
    this.#add(fact, repeats)
  }

  /** In a new minute, how many refusals of the last one were too many. */
  #tellDropped(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - this.#minute.beganMs < REPEAT_MS) return
    const count = this.#minute.refusals - REFUSALS_MAX
    this.#minute = { beganMs: nowMs, refusals: 0 }
    if (count <= 0) return
    const reason = `${count} more refusals were too many to be told one by one`
    this.#add({ actor: { kind: 'server' }, action: 'audit', subject: { count }, outcome: 'refused', reason }, 0)
  }

  #add(fact: AuditFact, repeats: number): void {
    const { clock, write } = this.#deps
    const entry: AuditEntry = { number: ++this.#number, atMs: clock.wallMs(), ...fact, ...(repeats === 0 ? {} : { repeats }) }
    this.#kept.push(entry)
    if (this.#kept.length > KEPT_MAX) this.#kept.shift()
    write?.(entry)
    this.#news.tell()
  }

  /** Those that are kept, from this number on. */
  kept(from: number): readonly AuditEntry[] {
    // Who follows wants the newest: looked for from there.
    return this.#kept.slice(this.#kept.findLastIndex(({ number }) => number < from) + 1)
  }

  /** From this number on, and what comes, until abort. A reader that is too slow misses what is no longer kept, which the numbers show. */
  async *follow(from: number, signal: AbortSignal): AsyncIterable<readonly AuditEntry[]> {
    for (let next = from; !signal.aborted; ) {
      const entries = this.kept(next).slice(0, AT_ONCE)
      if (entries.length === 0) {
        await this.#news.next(signal)
        continue
      }
      next = entries.at(-1)!.number + 1
      yield entries
    }
  }

  /** Undefined: it was told a moment ago. */
  #repeatsOf(fact: AuditFact): number | undefined {
    const nowMs = this.#deps.clock.monotonicMs()
    const key = JSON.stringify([fact.actor, fact.action, fact.subject, fact.reason])
    const known = this.#refused.get(key)
    if (known !== undefined && nowMs - known.toldMs < REPEAT_MS) {
      known.count++
      return undefined
    }
    if (this.#refused.size >= REPEATS_KNOWN_MAX) this.#refused.delete(this.#refused.keys().next().value!)
    this.#refused.delete(key)
    this.#refused.set(key, { toldMs: nowMs, count: 0 })
    return known?.count ?? 0
  }
}
