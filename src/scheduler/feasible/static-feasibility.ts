/**
 * The rows of the node table that may take a group, whatever is free on them: pool, datacenters, readiness, and the checks of the group.
 * Kept from evaluation to evaluation; only rows whose node has changed since are looked at again.
 */
import { isReady, type Job, NODE_POOL_ALL, NODE_POOL_DEFAULT, type TaskGroup } from '../../domain/index.js'
import { affinitiesOf, affinityScore } from '../rank/affinity.js'
import { datacenterMatcher } from './candidates.js'
import { NodeChecks } from './node-checks.js'
import type { NodeTable } from './node-table.js'

/** Verdicts of rows: no candidate, feasible, or from `FIRST_REASON` on an index into the reasons. */
const NO_CANDIDATE = 0
const FEASIBLE = 1
const FIRST_REASON = 2

export class StaticFeasibility {
  readonly checks: NodeChecks
  readonly #table: NodeTable
  readonly #pool: string
  readonly #isInDatacenters: (datacenter: string) => boolean
  readonly #affinities: ReturnType<typeof affinitiesOf>
  #verdicts = new Uint16Array(0)
  readonly #reasons: string[] = []
  /** For each reason, whether it tells of the whole class. */
  readonly #reasonsByClass: boolean[] = []
  readonly #reasonIds = new Map<string, number>()
  #seen = -1
  /** Feasible rows, ascending. */
  rows = new Int32Array(0)
  /** Row → index in `rows`; -1 for others. */
  positions = new Int32Array(0)
  /** By index in `rows`; undefined when the group has no affinities. */
  affinity: Float64Array | undefined
  candidateCount = 0
  byDatacenter: Readonly<Record<string, number>> = {}
  filteredByReason: Readonly<Record<string, number>> | null = null
  filteredByClass: Readonly<Record<string, number>> | null = null
  /** By computed class: whether some of its nodes may take the group. */
  classEligibility: Readonly<Record<string, boolean>> = {}

  constructor(table: NodeTable, job: Job, group: TaskGroup) {
    this.#table = table
    this.checks = new NodeChecks(job, group)
    this.#pool = job.NodePool || NODE_POOL_DEFAULT
    this.#isInDatacenters = datacenterMatcher(job.Datacenters)
    this.#affinities = affinitiesOf(job, group)
  }

  static keyOf(job: Job, group: TaskGroup): string {
    return JSON.stringify([job.NodePool, job.Datacenters, NodeChecks.keyOf(job, group), affinitiesOf(job, group)])
  }

  get filteredCount(): number {
    return this.candidateCount - this.rows.length
  }

  /** Undefined for a candidate that passes; null for a node that is no candidate. */
  reasonOf(row: number): string | null | undefined {
    const verdict = this.#verdicts[row] ?? NO_CANDIDATE
    if (verdict === NO_CANDIDATE) return null
    return verdict === FEASIBLE ? undefined : this.#reasons[verdict - FIRST_REASON]
  }

  refresh(): this {
    const table = this.#table
    if (this.#seen === table.clock) return this
    if (this.#verdicts.length < table.rowCount) {
      const longer = new Uint16Array(Math.max(64, 2 * table.rowCount))
      longer.set(this.#verdicts)
      this.#verdicts = longer
    }
    for (let row = 0; row < table.rowCount; row++) if (table.changedAt[row]! > this.#seen) this.#verdicts[row] = this.#judge(row)
    this.#seen = table.clock
    this.#summarize()
    return this
  }

  #judge(row: number): number {
    const node = this.#table.nodes[row]
    if (node === undefined || !isReady(node) || !this.#isInDatacenters(node.Datacenter)) return NO_CANDIDATE
    if (this.#pool !== NODE_POOL_ALL && node.NodePool !== this.#pool) return NO_CANDIDATE
    const verdict = this.checks.judge(node)
    return verdict.passes ? FEASIBLE : this.#reasonId(verdict.reason, verdict.byClass)
  }

  #reasonId(reason: string, byClass: boolean): number {
    let id = this.#reasonIds.get(reason)
    if (id === undefined) {
      id = this.#reasons.push(reason) - 1 + FIRST_REASON
      this.#reasonsByClass.push(byClass)
      this.#reasonIds.set(reason, id)
    }
    return id
  }

  #summarize(): void {
    const { nodes, rowCount } = this.#table
    const rows: number[] = []
    const byDatacenter: Record<string, number> = {}
    const byReason: Record<string, number> = {}
    const byClass: Record<string, number> = {}
    const eligibility: Record<string, boolean> = {}
    this.candidateCount = 0
    this.positions = new Int32Array(rowCount).fill(-1)
    for (let row = 0; row < rowCount; row++) {
      const verdict = this.#verdicts[row]!
      if (verdict === NO_CANDIDATE) continue
      const node = nodes[row]!
      this.candidateCount++
      byDatacenter[node.Datacenter] = (byDatacenter[node.Datacenter] ?? 0) + 1
      if (verdict === FEASIBLE) {
        this.positions[row] = rows.push(row) - 1
        eligibility[node.ComputedClass] = true
        continue
      }
      const reason = this.#reasons[verdict - FIRST_REASON]!
      byReason[reason] = (byReason[reason] ?? 0) + 1
      if (node.NodeClass !== '') byClass[node.NodeClass] = (byClass[node.NodeClass] ?? 0) + 1
      // What only this node lacks another of its class may have, and this one may get.
      eligibility[node.ComputedClass] = !this.#reasonsByClass[verdict - FIRST_REASON]! || (eligibility[node.ComputedClass] ?? false)
    }
    this.rows = Int32Array.from(rows)
    this.byDatacenter = byDatacenter
    this.filteredByReason = orNull(byReason)
    this.filteredByClass = orNull(byClass)
    this.classEligibility = eligibility
    this.affinity =
      this.#affinities.length === 0 ? undefined : Float64Array.from(rows, (row) => affinityScore(nodes[row]!, this.#affinities))
  }
}

export function orNull(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> | null {
  for (const _ in counts) return counts
  return null
}

/** Asked again and again for the same groups, so what was found is kept; the longest unused go first. */
const KEPT_MAX = 4_096

export class FeasibilityCache {
  readonly #table: NodeTable
  readonly #kept = new Map<string, StaticFeasibility>()
  /** Stored jobs are frozen: their text is made once. */
  readonly #keys = new WeakMap<Job, Map<TaskGroup, string>>()

  constructor(table: NodeTable) {
    this.#table = table
  }

  of(job: Job, group: TaskGroup): StaticFeasibility {
    const key = this.#keyOf(job, group)
    const known = this.#kept.get(key)
    if (known !== undefined) return known.refresh()
    if (this.#kept.size >= KEPT_MAX)
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest)
        break
      }
    const made = new StaticFeasibility(this.#table, job, group)
    this.#kept.set(key, made)
    return made.refresh()
  }

  #keyOf(job: Job, group: TaskGroup): string {
    let keys = this.#keys.get(job)
    if (keys === undefined) {
      keys = new Map()
      this.#keys.set(job, keys)
    }
    let key = keys.get(group)
    if (key === undefined) {
      key = StaticFeasibility.keyOf(job, group)
      keys.set(group, key)
    }
    return key
  }
}
