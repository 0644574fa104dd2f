/**
 * Chooses nodes for the allocations of one group: every feasible node is considered, the best one wins. Each row's own score is worked
 * out once and again only when the plan changes something on its node.
 */
import {
  type AllocatedResources,
  type Allocation,
  type AllocMetric,
  allocationNameIndex,
  isClientTerminal,
  isServerTerminal,
  type Node,
  type NodeScoreMeta,
} from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import { hashId, type NodeTable } from '../feasible/node-table.js'
import type { PlanBuilder } from '../plan-builder.js'
import { findVictims, type Victims } from '../preempt.js'
import { RefusalCounts } from './metrics.js'
import type { PositionSet } from './position-set.js'
import { HeapedRanking, type Ranking, ScannedRanking } from './ranking.js'
import type { Refusal } from './refusal.js'
import { preemptionScore, SCORE_NAMES } from './score.js'
import type { Shortlist } from './shortlist.js'
import type { Site, Sites } from './sites.js'
import { Spreading } from './spread.js'
import { combine, isBetter, type Standing, type Terms } from './standing.js'

export interface Choice {
  readonly node: Node
  readonly resources: AllocatedResources
  readonly victims: readonly Allocation[]
  readonly metric: AllocMetric
}

export type Selection = { readonly kind: 'chosen'; readonly choice: Choice } | { readonly kind: 'none'; readonly metric: AllocMetric }

export interface SelectRequest {
  /** Of the allocation that is to be placed. */
  readonly name: string
  /** Tried before all others. */
  readonly preferred?: Node | undefined
  /** Ids of nodes where it failed before. */
  readonly penalized: ReadonlySet<string>
  readonly mayPreempt: boolean
}

export interface SelectorDeps {
  readonly sites: Sites
  readonly site: Site
  /** How many are to be chosen: few are looked for, many are worth an order. */
  readonly wanted: number
}

/** So many nodes are told with their scores. */
const SCORES_KEPT = 5
const FEW = 3
const NOBODY: readonly number[] = []

export class Selector implements Terms {
  readonly #site: Site
  readonly #view: StateView
  readonly #table: NodeTable
  readonly #plan: PlanBuilder
  readonly #spreading: Spreading
  readonly #rows: Int32Array
  /** How well each row fits by amount, and the sum of that and its other own scores. */
  readonly #fits: Float64Array
  readonly #sums: Float64Array
  readonly #neighbours: Int32Array
  readonly #zones: Int32Array | undefined
  readonly #seed: number
  readonly #affinity: Float64Array | undefined
  /** Why a row cannot take one more; undefined when it can. */
  readonly #refusals: (Refusal | undefined)[]
  readonly #counts = new RefusalCounts()
  /** How many scores every row has. */
  readonly #ownCount: number
  /** Rows on whose nodes the plan has changed something since they were looked at. */
  readonly #stale: PositionSet
  /** What is told of rows as they stand: the runners-up of one choice are those of the next. */
  readonly #told: (NodeScoreMeta | undefined)[]
  readonly #ranking: Ranking
  #seenTurns: number

  constructor({ sites, site, wanted }: SelectorDeps) {
    const { statics, appraiser, job, group } = site
    this.#site = site
    this.#view = sites.view
    this.#table = sites.index.table
    this.#plan = sites.plan
    this.#rows = statics.rows
    this.#affinity = statics.affinity
    this.#spreading = new Spreading(sites.index.columns, job, group)
    const count = this.#rows.length
    const scratch = sites.index.scratches.lend(count)
    this.#fits = scratch.fits
    this.#sums = scratch.sums
    this.#neighbours = scratch.neighbours
    this.#refusals = scratch.refusals
    this.#stale = scratch.stale
    this.#told = scratch.told
    this.#seed = hashId(this.#plan.evaluation.ID)
    this.#zones = this.#spreading.isActive ? this.#spreading.zonesOf(this.#rows) : undefined
    this.#ownCount = 1 + (this.#affinity === undefined ? 0 : 1) + (appraiser.needs.hasDeviceAffinities ? 1 : 0)
    this.#seenTurns = site.distinct.turns
    this.#fill()
    this.#ranking = wanted <= FEW || appraiser.dependsOnIndex ? new ScannedRanking(this, SCORES_KEPT) : new HeapedRanking(this, SCORES_KEPT)
    this.#plan.observe((allocation, by) => this.#note(allocation, by))
  }

  #fill(): void {
    const [plan, { group }] = [this.#plan, this.#site]
    if (this.#zones !== undefined) this.#countForSpread()
    for (const [nodeId, count] of plan.residentsOf(group.Name)) {
      const position = this.#positionOf(nodeId)
      if (position >= 0) this.#neighbours[position] = count
    }
    if (this.#site.appraiser.canScan) this.#scan()
    else for (let position = 0; position < this.#rows.length; position++) this.#appraise(position, false)
    for (const nodeId of plan.changes.keys()) {
      const position = this.#positionOf(nodeId)
      if (position >= 0) this.#appraise(position, true)
    }
  }

  #scan(): void {
    const [fits, sums, neighbours] = [this.#fits, this.#sums, this.#neighbours]
    const hasAffinity = this.#affinity !== undefined
    this.#site.appraiser.scan(this.#rows, fits, (position, refusal) => this.#refuse(position, refusal))
    sums.set(fits.subarray(0, this.#rows.length))
    if (!hasAffinity && this.#plan.residentsOf(this.#site.group.Name).size === 0) return
    // Added as `#appraise` adds it, so that equals are equal to the last bit.
    for (let position = 0; position < this.#rows.length; position++)
      if (hasAffinity || neighbours[position]! > 0) sums[position]! += this.#extras(position)
  }

  #countForSpread(): void {
    const [view, table, plan, { job, group }] = [this.#view, this.#table, this.#plan, this.#site]
    const count = (allocation: Allocation) => {
      const row = table.rowOf(allocation.NodeID)
      if (row !== undefined) this.#spreading.count(row, 1)
    }
    for (const allocation of view.allocations.valuesBy('job', ownerKey({ Namespace: job.Namespace, JobID: job.ID }))) {
      const isLiving = allocation.DesiredStatus === 'run' && !isClientTerminal(allocation) && !plan.stops.has(allocation.ID)
      if (isLiving && allocation.TaskGroup === group.Name) count(allocation)
    }
    for (const allocation of plan.placements) if (allocation.TaskGroup === group.Name) count(allocation)
  }

  #positionOf(nodeId: string): number {
    const row = this.#table.rowOf(nodeId)
    return row === undefined ? -1 : (this.#site.statics.positions[row] ?? -1)
  }

  #nodeAt(position: number): Node {
    return this.#table.nodes[this.#rows[position]!]!
  }

  /** Works out the row's own sum and whether it can take one more. */
  #appraise(position: number, hasChanged: boolean): void {
    const row = this.#rows[position]!
    const node = this.#nodeAt(position)
    const change = hasChanged ? this.#plan.changeOn(node.ID) : undefined
    const refusal = this.#site.appraiser.refusalOf(row, node, change)
    this.#refuse(position, refusal)
    if (refusal !== undefined) return
    const { appraiser } = this.#site
    const fit = appraiser.fitOf(row, change)
    this.#fits[position] = fit
    this.#sums[position] = fit + this.#extras(position) + appraiser.deviceScoreOf(node)
  }

  #extras(position: number): number {
    const neighbours = this.#neighbours[position]!
    let extras = neighbours > 0 ? this.#antiAffinity(neighbours) : 0
    if (this.#affinity !== undefined) extras += this.#affinity[position]!
    return extras
  }

  #antiAffinity(neighbours: number): number {
    return -(neighbours + 1) / Math.max(1, this.#site.group.Count)
  }

  #refuse(position: number, refusal: Refusal | undefined): void {
    const before = this.#refusals[position]
    if (before === refusal) return
    const { NodeClass } = this.#nodeAt(position)
    if (before !== undefined) this.#counts.count(before, NodeClass, -1)
    if (refusal !== undefined) this.#counts.count(refusal, NodeClass, 1)
    this.#refusals[position] = refusal
  }

  /** The plan has given or taken a share of a node, or (0) only a neighbour. */
  #note(allocation: Allocation, by: 1 | 0 | -1): void {
    const { job, group } = this.#site
    const row = this.#table.rowOf(allocation.NodeID)
    if (row === undefined) return
    const position = this.#site.statics.positions[row] ?? -1
    if (position >= 0) {
      this.#neighbours[position] = this.#plan.residentsOn(allocation.NodeID, group.Name)
      this.#stale.add(position)
    }
    if (by === 0 || !this.#spreading.isActive || isServerTerminal(allocation)) return
    const isOwnJob = allocation.JobID === job.ID && allocation.Namespace === job.Namespace
    if (isOwnJob && allocation.TaskGroup === group.Name) this.#spreading.count(row, by)
  }

  #doubtAll(): void {
    for (let position = 0; position < this.#rows.length; position++) this.#stale.add(position)
  }

  #refresh(name: string): void {
    if (this.#site.appraiser.dependsOnIndex) {
      this.#site.appraiser.index = allocationNameIndex(name)
      this.#doubtAll()
    }
    if (this.#site.distinct.turns !== this.#seenTurns) {
      this.#seenTurns = this.#site.distinct.turns
      this.#doubtAll()
    }
    for (let at = 0; at < this.#stale.size; at++) {
      const position = this.#stale.at(at)
      this.#told[position] = undefined
      this.#appraise(position, true)
      this.#ranking.update(position)
    }
    this.#stale.clear()
  }

  select(request: SelectRequest): Selection {
    this.#refresh(request.name)
    const penalized = this.#positionsOf(request.penalized)
    const preferred = request.preferred === undefined ? -1 : this.#positionOf(request.preferred.ID)
    if (preferred >= 0 && this.isOpen(preferred)) {
      const resources = this.#grant(preferred)
      if (resources !== undefined) return this.#chosen(preferred, resources, penalized, this.#ranking.top(penalized))
    }
    // A node that is best by numbers may still lack a port or a core: then the next best is tried.
    for (;;) {
      const top = this.#ranking.top(penalized)
      if (top.size === 0) break
      const best = top.positionAt(0)
      const resources = this.#grant(best)
      if (resources !== undefined) return this.#chosen(best, resources, penalized, top)
    }
    const choice = request.mayPreempt ? this.#preempt(penalized) : undefined
    return choice === undefined ? { kind: 'none', metric: this.#metric(null) } : { kind: 'chosen', choice }
  }

  #positionsOf(nodeIds: ReadonlySet<string>): readonly number[] {
    if (nodeIds.size === 0) return NOBODY
    return [...nodeIds].map((id) => this.#positionOf(id)).filter((position) => position >= 0)
  }

  #grant(position: number): AllocatedResources | undefined {
    const granted = this.#site.appraiser.grantOn(this.#nodeAt(position), this.#startAt(position))
    if (granted.kind === 'granted') return granted.resources
    this.#refuse(position, { reason: granted.dimension, isFiltered: false })
    this.#ranking.update(position)
    return undefined
  }

  /** Two evaluations, and two allocations of one, seldom look for a dynamic port at the same place first. */
  #startAt(position: number): number {
    return ((this.tieOf(position) + this.#plan.placements.length * 7_919) % 4_096) / 4_096
  }

  #chosen(position: number, resources: AllocatedResources, penalized: readonly number[], top: Shortlist): Selection {
    const scores = new Array<NodeScoreMeta>(top.size)
    for (let place = 0; place < top.size; place++) scores[place] = this.#tell(top.positionAt(place), top.scoreAt(place), penalized)
    return { kind: 'chosen', choice: { node: this.#nodeAt(position), resources, victims: [], metric: this.#metric(scores) } }
  }

  #metric(scores: readonly NodeScoreMeta[] | null): AllocMetric {
    return this.#counts.toMetric(this.#site.statics, this.#site.job.NodePool, scores)
  }

  /** Boosts and penalties belong to one choice only. */
  #tell(position: number, score: number, penalized: readonly number[]): NodeScoreMeta {
    if (this.#zones !== undefined || penalized.length > 0) return this.#scoreMeta(position, score, penalized)
    let meta = this.#told[position]
    if (meta === undefined) {
      meta = this.#scoreMeta(position, score, penalized)
      this.#told[position] = meta
    }
    return meta
  }

  #scoreMeta(position: number, score: number, penalized: readonly number[]): NodeScoreMeta {
    return { NodeID: this.#nodeAt(position).ID, Scores: this.#scoresOf(position, this.#fits[position]!, penalized), NormScore: score }
  }

  /** Written out, so that all of them have one shape: a placement tells five. */
  #scoresOf(position: number, fit: number, penalized: readonly number[]): Record<string, number> {
    const neighbours = this.#neighbours[position]!
    const scores: Record<string, number> = {
      binpack: fit,
      'job-anti-affinity': neighbours > 0 ? this.#antiAffinity(neighbours) : 0,
      'node-reschedule-penalty': penalized.length > 0 && penalized.includes(position) ? -1 : 0,
      'node-affinity': this.#affinity === undefined ? 0 : this.#affinity[position]!,
    }
    if (this.#site.appraiser.needs.hasDeviceAffinities)
      scores[SCORE_NAMES.devices] = this.#site.appraiser.deviceScoreOf(this.#nodeAt(position))
    const boost = this.boostOf(this.zoneOf(position))
    if (boost !== 0) scores[SCORE_NAMES.spread] = boost
    return scores
  }

  /** Only where nothing is free at all: the node whose victims cost least for what it gives. */
  #preempt(penalized: readonly number[]): Choice | undefined {
    const found: { readonly standing: Standing; readonly meta: NodeScoreMeta; readonly victims: Victims }[] = []
    for (let position = 0; position < this.#rows.length; position++) {
      const refusal = this.#refusals[position]
      if (refusal === undefined || refusal.isFiltered) continue
      const victims = this.#victimsAt(position)
      if (victims === undefined) continue
      this.#refuse(position, undefined)
      const { standing, meta } = this.#scorePreemption(position, victims, penalized)
      found.push({ standing, meta, victims })
    }
    found.sort((a, b) => (isBetter(this, a.standing, b.standing) ? -1 : 1))
    const best = found[0]
    const metric = this.#metric(found.slice(0, SCORES_KEPT).map(({ meta }) => meta))
    for (const { standing } of found) this.#appraise(standing.position, true)
    if (best === undefined) return undefined
    return { node: this.#nodeAt(best.standing.position), resources: best.victims.resources, victims: best.victims.victims, metric }
  }

  #victimsAt(position: number): Victims | undefined {
    const { job, group, appraiser } = this.#site
    const node = this.#nodeAt(position)
    return findVictims({
      view: this.#view,
      job,
      group,
      node,
      proposed: this.#plan.proposedOn(node.ID),
      ask: appraiser.needs.ask,
      startAt: this.#startAt(position),
      preempted: this.#plan.preemptions,
    })
  }

  #scorePreemption(position: number, found: Victims, penalized: readonly number[]) {
    const node = this.#nodeAt(position)
    const fit = this.#site.appraiser.fitAfter(this.#rows[position]!, this.#plan.changeOn(node.ID), found)
    const cost = preemptionScore(found.priorities)
    this.#sums[position] = fit + this.#extras(position) + this.#site.appraiser.deviceScoreOf(node) + cost
    const penalty = penalized.includes(position) ? 1 : 0
    const own = combine(this.#sums[position]! - penalty, this.countOf(position) + 1 + penalty, this.boostOf(this.zoneOf(position)))
    const Scores = { ...this.#scoresOf(position, fit, penalized), [SCORE_NAMES.preemption]: cost }
    return { standing: { position, score: own }, meta: { NodeID: node.ID, Scores, NormScore: own } }
  }

  get length(): number {
    return this.#rows.length
  }

  scoreOf(position: number): number {
    if (this.#zones !== undefined) return combine(this.#sums[position]!, this.countOf(position), this.boostOf(this.#zones[position]!))
    return this.#sums[position]! / this.countOf(position)
  }

  sumOf(position: number): number {
    return this.#sums[position]!
  }

  countOf(position: number): number {
    return this.#neighbours[position]! > 0 ? this.#ownCount + 1 : this.#ownCount
  }

  zoneOf(position: number): number {
    return this.#zones === undefined ? 0 : this.#zones[position]!
  }

  boostOf(zone: number): number {
    return this.#zones === undefined ? 0 : this.#spreading.boostOf(zone)
  }

  tieOf(position: number): number {
    return (this.#table.tieBreak[this.#rows[position]!]! ^ this.#seed) >>> 0
  }

  isOpen(position: number): boolean {
    return this.#refusals[position] === undefined
  }
}
