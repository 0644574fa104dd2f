/**
 * Chooses the node for one more allocation of a group: every feasible node is looked at, the best one wins. Scores are kept in a
 * column and only those rows are worked out again that the plan has touched since, so a placement costs one pass over numbers.
 */
import type {
  AllocatedResources,
  Allocation,
  AllocMetric,
  Job,
  Node,
  NodeScoreMeta,
  SchedulerAlgorithm,
  TaskGroup,
} from '../../domain/index.js'
import { isClientTerminal, isReady } from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import { type Claims, claimsOf } from '../feasible/claims.js'
import { DistinctRules } from '../feasible/distinct.js'
import { claimsOnce, hashId, type NodeTable } from '../feasible/node-table.js'
import { checkStatically, failingCheck, type StaticFeasibility } from '../feasible/static-checks.js'
import type { PlanBuilder } from '../plan-builder.js'
import { findVictims } from '../preempt.js'
import { askOf, grant, needsChoice } from '../resources.js'
import { affinitiesOf, affinityScore } from './affinity.js'
import { fitScore, preemptionScore, SCORE_NAMES } from './score.js'
import { SpreadScorer } from './spread.js'

export interface Choice {
  readonly node: Node
  readonly resources: AllocatedResources
  readonly victims: readonly Allocation[]
  readonly metric: AllocMetric
}

export type Selection = { readonly kind: 'chosen'; readonly choice: Choice } | { readonly kind: 'none'; readonly metric: AllocMetric }

export interface SelectRequest {
  /** Tried before all others. */
  readonly preferred?: Node | undefined
  /** Where it failed before. */
  readonly penalized: ReadonlySet<string>
  readonly mayPreempt: boolean
}

export interface SelectorDeps {
  readonly view: StateView
  readonly table: NodeTable
  readonly plan: PlanBuilder
  readonly job: Job
  readonly group: TaskGroup
  readonly algorithm: SchedulerAlgorithm
  readonly hasOversubscription: boolean
  /** System jobs look at one node at a time. */
  readonly onlyNode?: Node
}

const SCORES_KEPT = 5
const INFEASIBLE = Number.NEGATIVE_INFINITY

export class Selector {
  readonly statics: StaticFeasibility
  readonly #deps: SelectorDeps
  readonly #ask: AllocatedResources
  readonly #claims: Claims
  readonly #needsChoice: boolean
  readonly #rows: Int32Array
  readonly #scores: Float64Array
  /** For each row the reason it cannot take one more now; undefined when it can. */
  readonly #exhausted: (string | undefined)[]
  readonly #affinity: Float64Array | undefined
  readonly #spread: SpreadScorer
  readonly #distinct: DistinctRules
  readonly #positions = new Map<string, number>()
  readonly #seed: number
  /** Rows whose neighbourhood the plan has changed since they were scored. */
  readonly #dirty = new Set<number>()

  constructor(deps: SelectorDeps) {
    const { view, job, group, table, plan } = deps
    this.#deps = deps
    this.statics = checkStatically(view, job, group)
    const feasible =
      deps.onlyNode === undefined ? this.statics.feasible : this.statics.feasible.filter((node) => node.ID === deps.onlyNode!.ID)
    this.#ask = askOf(group, deps.hasOversubscription)
    this.#claims = claimsOf(this.#ask)
    this.#needsChoice = needsChoice(group)
    this.#rows = Int32Array.from(feasible, (node) => table.rowOf(node.ID)!)
    this.#scores = new Float64Array(feasible.length)
    this.#exhausted = new Array(feasible.length)
    for (const [position, node] of feasible.entries()) this.#positions.set(node.ID, position)
    const affinities = affinitiesOf(job, group)
    this.#affinity = affinities.length === 0 ? undefined : Float64Array.from(feasible, (node) => affinityScore(node, affinities))
    this.#spread = new SpreadScorer(job, group)
    this.#distinct = new DistinctRules(view, plan, job, group)
    this.#seed = hashId(plan.evaluation.ID)
    this.#countResidents()
    for (let position = 0; position < feasible.length; position++) this.#rescore(position)
  }

  /** The plan has placed, stopped or changed something on the node. */
  touch(nodeId: string): void {
    const position = this.#positions.get(nodeId)
    if (position !== undefined) this.#dirty.add(position)
  }

  /** Counts an allocation of this group that the plan adds to (or takes from) a node. */
  countSpread(nodeId: string, by: 1 | -1): void {
    this.#spread.count(this.#deps.view.nodes.get(nodeId), by)
    this.touch(nodeId)
  }

  select(request: SelectRequest): Selection {
    for (const position of this.#dirty) this.#rescore(position)
    this.#dirty.clear()
    const preferred = request.preferred === undefined ? undefined : this.#positions.get(request.preferred.ID)
    if (preferred !== undefined && this.#scores[preferred]! > INFEASIBLE) {
      const choice = this.#tryPosition(preferred, request)
      if (choice !== undefined) return { kind: 'chosen', choice }
    }
    // A node that is best by numbers may still lack a port, a core or a device: then the next best is tried.
    const refused = new Map<number, string>()
    for (;;) {
      const position = this.#best(request, refused)
      if (position < 0) break
      const choice = this.#tryPosition(position, request, refused)
      if (choice !== undefined) return { kind: 'chosen', choice }
    }
    if (request.mayPreempt) {
      const choice = this.#preempt(request)
      if (choice !== undefined) return { kind: 'chosen', choice }
    }
    return { kind: 'none', metric: this.#metric(refused, []) }
  }

  /** Whether the node of a running allocation takes it with what the group asks now. */
  fitInPlace(allocation: Allocation, node: Node): AllocatedResources | undefined {
    const { group } = this.#deps
    if (!this.statics.feasible.some((candidate) => candidate.ID === node.ID) && !this.#passesWhileBusy(node)) return undefined
    const others = this.#deps.plan.proposedOn(node.ID).filter(({ ID }) => ID !== allocation.ID)
    const used = others.reduce(
      (sum, other) => ({
        cpu: sum.cpu + claimsOnce(other).cpuShares,
        memory: sum.memory + claimsOnce(other).memoryMb,
        disk: sum.disk + claimsOnce(other).diskMb,
      }),
      { cpu: 0, memory: 0, disk: 0 },
    )
    const row = this.#deps.table.rowOf(node.ID)!
    const { table } = this.#deps
    const fits =
      used.cpu + this.#claims.cpuShares <= table.capacityCpu[row]! &&
      used.memory + this.#claims.memoryMb <= table.capacityMemory[row]! &&
      used.disk + this.#claims.diskMb <= table.capacityDisk[row]!
    if (!fits) return undefined
    const kept = allocation.AllocatedResources
    const tasks = group.Tasks.map((task) => {
      const old = kept.Tasks[task.Name]
      const asked = this.#ask.Tasks[task.Name]!
      return [
        task.Name,
        {
          ...asked,
          Cpu: task.Resources.Cores > 0 && old !== undefined ? old.Cpu : asked.Cpu,
          Networks: old?.Networks ?? null,
          Devices: old?.Devices ?? null,
        },
      ] as const
    })
    return {
      Tasks: Object.fromEntries(tasks),
      TaskLifecycles: this.#ask.TaskLifecycles,
      Shared: { ...kept.Shared, DiskMB: this.#ask.Shared.DiskMB },
    }
  }

  /** A node that takes nothing new keeps what it has, as long as the group's conditions hold there. */
  #passesWhileBusy(node: Node): boolean {
    return !this.#isCandidate(node) && failingCheck(node, this.#deps.group) === undefined
  }

  #isCandidate(node: Node): boolean {
    return isReady(node)
  }

  #countResidents(): void {
    if (!this.#spread.isActive) return
    const { view, job, group, plan } = this.#deps
    for (const allocation of view.allocations.valuesBy('job', ownerKey({ Namespace: job.Namespace, JobID: job.ID }))) {
      if (
        allocation.TaskGroup !== group.Name ||
        isClientTerminal(allocation) ||
        allocation.DesiredStatus !== 'run' ||
        plan.stops.has(allocation.ID)
      )
        continue
      this.#spread.count(view.nodes.get(allocation.NodeID), 1)
    }
  }

  #nodeAt(position: number): Node {
    return this.#deps.table.nodes[this.#rows[position]!]!
  }

  /** Fit, anti-affinity and affinity; penalty and spread depend on the request and are added while choosing. */
  #rescore(position: number): void {
    const { table, plan, algorithm } = this.#deps
    const row = this.#rows[position]!
    const node = this.#nodeAt(position)
    let cpu = table.usedCpu[row]! + this.#claims.cpuShares
    let memory = table.usedMemory[row]! + this.#claims.memoryMb
    let disk = table.usedDisk[row]! + this.#claims.diskMb
    const change = plan.changeOn(node.ID)
    if (change !== undefined) {
      cpu += change.cpu
      memory += change.memory
      disk += change.disk
    }
    this.#exhausted[position] = this.#shortOf(row, node, cpu, memory, disk, change?.count ?? 0)
    this.#scores[position] =
      this.#exhausted[position] === undefined
        ? fitScore(algorithm, share(cpu, table.capacityCpu[row]!), share(memory, table.capacityMemory[row]!))
        : INFEASIBLE
  }

  #shortOf(row: number, node: Node, cpu: number, memory: number, disk: number, added: number): string | undefined {
    const { table } = this.#deps
    if (cpu > table.capacityCpu[row]!) return 'cpu'
    if (memory > table.capacityMemory[row]!) return 'memory'
    if (disk > table.capacityDisk[row]!) return 'disk'
    return node.NodeMaxAllocs > 0 && table.allocationCount[row]! + added + 1 > node.NodeMaxAllocs ? 'max allocation exceeded' : undefined
  }

  #best(request: SelectRequest, refused: ReadonlyMap<number, string>): number {
    let best = -1
    let bestScore = INFEASIBLE
    for (let position = 0; position < this.#rows.length; position++) {
      if (this.#scores[position] === INFEASIBLE || refused.has(position)) continue
      const score = this.#finalScore(position, request)
      if (score > bestScore || (score === bestScore && this.#isBefore(position, best))) {
        best = position
        bestScore = score
      }
    }
    return best
  }

  /** Equal nodes are told apart by their ids and the evaluation, so that nobody is always first. */
  #isBefore(a: number, b: number): boolean {
    const { tieBreak } = this.#deps.table
    return (tieBreak[this.#rows[a]!]! ^ this.#seed) >>> 0 < (tieBreak[this.#rows[b]!]! ^ this.#seed) >>> 0
  }

  /** The mean of what applies. */
  #finalScore(position: number, request: SelectRequest): number {
    const { plan, group } = this.#deps
    const node = this.#nodeAt(position)
    let sum = this.#scores[position]!
    let count = 1
    const same = plan.residentsOn(node.ID, group.Name)
    if (same > 0) {
      sum -= (same + 1) / Math.max(1, group.Count)
      count++
    }
    if (request.penalized.has(node.ID)) {
      sum -= 1
      count++
    }
    if (this.#affinity !== undefined) {
      sum += this.#affinity[position]!
      count++
    }
    if (this.#spread.isActive) {
      const boost = this.#spread.score(node)
      if (boost !== 0) {
        sum += boost
        count++
      }
    }
    return sum / count
  }

  #tryPosition(position: number, request: SelectRequest, refused?: Map<number, string>): Choice | undefined {
    const node = this.#nodeAt(position)
    const reason = this.#distinct.refusal(node)
    if (reason !== undefined) {
      refused?.set(position, reason)
      return undefined
    }
    const proposed = this.#needsChoice ? this.#deps.plan.proposedOn(node.ID) : []
    const granted = this.#needsChoice
      ? grant(node, this.#deps.group, proposed, this.#ask, this.#startAt(position))
      : ({ kind: 'granted', resources: this.#ask } as const)
    if (granted.kind === 'exhausted' || !this.#coresFit(position, granted.resources)) {
      refused?.set(position, granted.kind === 'exhausted' ? granted.dimension : 'cpu')
      return undefined
    }
    return {
      node,
      resources: granted.resources,
      victims: [],
      metric: this.#metric(refused ?? new Map(), this.#scoreMeta(position, request)),
    }
  }

  /** Whole cores bring their own shares of cpu, known only when they are chosen. */
  #coresFit(position: number, resources: AllocatedResources): boolean {
    if (resources === this.#ask) return true
    const row = this.#rows[position]!
    const { table, plan } = this.#deps
    return (
      table.usedCpu[row]! + (plan.changeOn(this.#nodeAt(position).ID)?.cpu ?? 0) + claimsOf(resources).cpuShares <= table.capacityCpu[row]!
    )
  }

  #startAt(position: number): number {
    const { tieBreak } = this.#deps.table
    return ((((tieBreak[this.#rows[position]!]! ^ this.#seed) >>> 0) + this.#deps.plan.placements.length * 7919) % 4096) / 4096
  }

  #preempt(request: SelectRequest): Choice | undefined {
    const { plan, job, group, view, algorithm, table } = this.#deps
    let best: { choice: Choice; score: number } | undefined
    for (let position = 0; position < this.#rows.length; position++) {
      const node = this.#nodeAt(position)
      if (this.#distinct.refusal(node) !== undefined) continue
      const proposed = plan.proposedOn(node.ID)
      const found = findVictims({
        view,
        job,
        group,
        node,
        proposed,
        ask: this.#ask,
        startAt: this.#startAt(position),
        preempted: plan.preemptions,
      })
      if (found === undefined) continue
      const row = this.#rows[position]!
      const left = proposed.filter((allocation) => !found.victims.includes(allocation))
      const sum = left.reduce(
        (total, allocation) => ({
          cpu: total.cpu + claimsOnce(allocation).cpuShares,
          memory: total.memory + claimsOnce(allocation).memoryMb,
        }),
        { cpu: this.#claims.cpuShares, memory: this.#claims.memoryMb },
      )
      const fit = fitScore(algorithm, share(sum.cpu, table.capacityCpu[row]!), share(sum.memory, table.capacityMemory[row]!))
      const cost = preemptionScore(found.priorities)
      const score = (fit + cost) / 2
      if (best !== undefined && best.score >= score) continue
      const meta: NodeScoreMeta = {
        NodeID: node.ID,
        Scores: { ...this.#scoresOf(position, request, fit), [SCORE_NAMES.preemption]: cost },
        NormScore: score,
      }
      best = { score, choice: { node, resources: found.resources, victims: found.victims, metric: this.#metric(new Map(), [meta]) } }
    }
    return best?.choice
  }

  /** The chosen node, and the next best as far as there are few enough to be worth looking at. */
  #scoreMeta(chosen: number, request: SelectRequest): readonly NodeScoreMeta[] {
    const metaOf = (position: number): NodeScoreMeta => ({
      NodeID: this.#nodeAt(position).ID,
      Scores: this.#scoresOf(position, request, this.#scores[position]!),
      NormScore: this.#finalScore(position, request),
    })
    if (this.#rows.length > SCORES_LISTED_AMONG) return [metaOf(chosen)]
    const positions = [...this.#rows.keys()].filter((position) => this.#scores[position] !== INFEASIBLE)
    return positions
      .map(metaOf)
      .sort(
        (a, b) => b.NormScore - a.NormScore || Number(b.NodeID === this.#nodeAt(chosen).ID) - Number(a.NodeID === this.#nodeAt(chosen).ID),
      )
      .slice(0, SCORES_KEPT)
  }

  #scoresOf(position: number, request: SelectRequest, fit: number): Readonly<Record<string, number>> {
    const { plan, group } = this.#deps
    const node = this.#nodeAt(position)
    const same = plan.residentsOn(node.ID, group.Name)
    const boost = this.#spread.isActive ? this.#spread.score(node) : 0
    return {
      [SCORE_NAMES.fit]: fit,
      [SCORE_NAMES.antiAffinity]: same > 0 ? -(same + 1) / Math.max(1, group.Count) : 0,
      [SCORE_NAMES.penalty]: request.penalized.has(node.ID) ? -1 : 0,
      [SCORE_NAMES.affinity]: this.#affinity?.[position] ?? 0,
      ...(boost === 0 ? {} : { [SCORE_NAMES.spread]: boost }),
    }
  }

  #metric(refused: ReadonlyMap<number, string>, scores: readonly NodeScoreMeta[]): AllocMetric {
    const { statics } = this
    const filtered: Record<string, number> = { ...statics.filteredByReason }
    const exhausted: Record<string, number> = {}
    const exhaustedByClass: Record<string, number> = {}
    let filteredCount = statics.candidateCount - statics.feasible.length
    let exhaustedCount = 0
    const note = (position: number, reason: string) => {
      if (this.#distinct.isRefusal(reason)) {
        filtered[reason] = (filtered[reason] ?? 0) + 1
        filteredCount++
        return
      }
      exhausted[reason] = (exhausted[reason] ?? 0) + 1
      exhaustedCount++
      const { NodeClass } = this.#nodeAt(position)
      if (NodeClass !== '') exhaustedByClass[NodeClass] = (exhaustedByClass[NodeClass] ?? 0) + 1
    }
    for (const [position, reason] of this.#exhausted.entries()) if (reason !== undefined) note(position, reason)
    for (const [position, reason] of refused) note(position, reason)
    return {
      NodesEvaluated: statics.candidateCount,
      NodesFiltered: filteredCount,
      NodesInPool: statics.inPoolCount,
      NodePool: this.#deps.job.NodePool,
      NodesAvailable: statics.byDatacenter,
      ClassFiltered: orNull(statics.filteredByClass),
      ConstraintFiltered: orNull(filtered),
      NodesExhausted: exhaustedCount,
      ClassExhausted: orNull(exhaustedByClass),
      DimensionExhausted: orNull(exhausted),
      QuotaExhausted: null,
      ResourcesExhausted: null,
      Scores: null,
      ScoreMetaData: scores.length === 0 ? null : scores.map((meta) => ({ ...meta, Scores: { ...meta.Scores } })),
      AllocationTime: 0,
      CoalescedFailures: 0,
    }
  }
}

/** Beyond this many feasible nodes only the chosen one is told. */
const SCORES_LISTED_AMONG = 64

function share(used: number, capacity: number): number {
  return capacity <= 0 ? 1 : used / capacity
}

function orNull(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> | null {
  return Object.keys(counts).length === 0 ? null : counts
}
