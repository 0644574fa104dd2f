/** How good a node is for one more allocation (Nomad docs, "Placement"; `balanced` is Drover's own). */
import type { SchedulerAlgorithm } from '../../domain/index.js'

const MAX_SCORE = 18

type NomadAlgorithm = Exclude<SchedulerAlgorithm, 'balanced'>

/**
 * Nomad's own scores.
 * @param usedCpu, usedMemory shares of the node's capacity in use after the placement, in [0, 1]
 * @returns in [0, 1]: higher is better
 */
export function fitScore(algorithm: NomadAlgorithm, usedCpu: number, usedMemory: number): number {
  return powerFit(algorithm, 10 ** (1 - usedCpu) + 10 ** (1 - usedMemory))
}

/** What an empty node scores: less than any other on which the placement does some good. */
const EMPTY = 0.3
/** From this share in use a node counts as taken; below it, the more it is used the better it is. */
const TAKEN = 0.2

/**
 * Evens nodes out: it is good to use more of what a node has more of, so that neither cpu nor memory is left over when the other runs
 * out. How full a node is counts only while it is nearly empty: filling the fullest first would leave few nodes with room, and a large job
 * would have to open many at once. Half of a taken node's score, which is what remains where a large job has a neighbour, is not much
 * more than an empty node's: such a job shares a few nodes before it opens new ones, a small one does not. (B2 of docs/benchmarks.md.)
 * @param heldCpu, heldMemory shares of the node's capacity in use before the placement, and `asked…` what it adds to them
 * @returns in [0, 1]: higher is better
 */
export function balancedFit(heldCpu: number, heldMemory: number, askedCpu: number, askedMemory: number): number {
  const asked = askedCpu + askedMemory
  const tilt = Math.abs(askedCpu - askedMemory)
  const opposite = askedCpu > askedMemory ? heldMemory - heldCpu : heldCpu - heldMemory
  // By how much the node gets more even. Nodes that lean far enough to the other side are exactly alike: the tie-break spreads over them.
  const evened = Math.min(tilt, 2 * Math.max(0, opposite) - tilt)
  // From 0, all that is asked makes the node more uneven, to 1, all of it makes it more even.
  const evenness = asked > 0 ? 0.5 + (0.5 * evened) / asked : 0.5
  const held = Math.max(heldCpu, heldMemory)
  return EMPTY + (1 - EMPTY) * evenness * (held < TAKEN ? held / TAKEN : 1)
}

/** @param total 10 to the power of the free share of cpu, plus the same of memory */
export function powerFit(algorithm: NomadAlgorithm, total: number): number {
  const score = algorithm === 'spread' ? total - 2 : 20 - total
  return Math.min(MAX_SCORE, Math.max(0, score)) / MAX_SCORE
}

/** What there is none of is used up. */
export function shareOf(used: number, capacity: number): number {
  return capacity <= 0 ? 1 : used / capacity
}

/** What one of something is as a share of all there is; nothing, where there is none. Dividing once is quicker than for each amount. */
export function unitOf(capacity: number): number {
  return capacity > 0 ? 1 / capacity : 0
}

/** The name under which Nomad's clients know each score. */
export const SCORE_NAMES = {
  fit: 'binpack',
  antiAffinity: 'job-anti-affinity',
  penalty: 'node-reschedule-penalty',
  affinity: 'node-affinity',
  spread: 'allocation-spread',
  preemption: 'preemption',
  devices: 'devices',
} as const

/** Preempting costs more the more important the victims are. */
export function preemptionScore(priorities: readonly number[]): number {
  const max = Math.max(...priorities)
  const net = max === 0 ? 0 : max + priorities.reduce((sum, priority) => sum + priority, 0) / max
  return 1 / (1 + Math.exp(0.0048 * (net - 2048)))
}
