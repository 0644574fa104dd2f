/** Counts why rows are not chosen, and puts the counts into the form that is stored with an allocation or a failure. */
import type { AllocMetric, NodeScoreMeta } from '../../domain/index.js'
import { orNull, type StaticFeasibility } from '../feasible/static-feasibility.js'
import type { Refusal } from './refusal.js'

export class RefusalCounts {
  readonly #filtered = new Map<string, number>()
  readonly #exhausted = new Map<string, number>()
  readonly #filteredByClass = new Map<string, number>()
  readonly #exhaustedByClass = new Map<string, number>()
  filteredCount = 0
  exhaustedCount = 0

  count({ reason, isFiltered }: Refusal, nodeClass: string, by: 1 | -1): void {
    if (isFiltered) this.filteredCount += by
    else this.exhaustedCount += by
    add(isFiltered ? this.#filtered : this.#exhausted, reason, by)
    if (nodeClass !== '') add(isFiltered ? this.#filteredByClass : this.#exhaustedByClass, nodeClass, by)
  }

  toMetric(statics: StaticFeasibility, pool: string, scores: readonly NodeScoreMeta[] | null): AllocMetric {
    return {
      NodesEvaluated: statics.candidateCount,
      NodesFiltered: statics.filteredCount + this.filteredCount,
      NodesInPool: statics.candidateCount,
      NodePool: pool,
      NodesAvailable: statics.byDatacenter,
      ClassFiltered: merged(statics.filteredByClass, this.#filteredByClass),
      ConstraintFiltered: merged(statics.filteredByReason, this.#filtered),
      NodesExhausted: this.exhaustedCount,
      ClassExhausted: merged(null, this.#exhaustedByClass),
      DimensionExhausted: merged(null, this.#exhausted),
      QuotaExhausted: null,
      ResourcesExhausted: null,
      Scores: null,
      ScoreMetaData: scores,
      AllocationTime: 0,
      CoalescedFailures: 0,
    }
  }
}

/** What is told of a system job's placement: only its own node was looked at. */
export function singleNodeMetric(
  statics: StaticFeasibility,
  pool: string,
  refusal: Refusal | undefined,
  nodeClass: string,
  scores: readonly NodeScoreMeta[] | null,
): AllocMetric {
  const count = refusal === undefined ? null : { [refusal.reason]: 1 }
  const byClass = refusal === undefined || nodeClass === '' ? null : { [nodeClass]: 1 }
  const isFiltered = refusal?.isFiltered === true
  return {
    NodesEvaluated: 1,
    NodesFiltered: isFiltered ? 1 : 0,
    NodesInPool: statics.candidateCount,
    NodePool: pool,
    NodesAvailable: statics.byDatacenter,
    ClassFiltered: isFiltered ? byClass : null,
    ConstraintFiltered: isFiltered ? count : null,
    NodesExhausted: refusal !== undefined && !isFiltered ? 1 : 0,
    ClassExhausted: isFiltered ? null : byClass,
    DimensionExhausted: isFiltered ? null : count,
    QuotaExhausted: null,
    ResourcesExhausted: null,
    Scores: null,
    ScoreMetaData: scores,
    AllocationTime: 0,
    CoalescedFailures: 0,
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}

function merged(base: Readonly<Record<string, number>> | null, more: ReadonlyMap<string, number>): Readonly<Record<string, number>> | null {
  if (more.size === 0) return base
  const counts: Record<string, number> = { ...base }
  for (const [key, count] of more) counts[key] = (counts[key] ?? 0) + count
  return orNull(counts)
}
