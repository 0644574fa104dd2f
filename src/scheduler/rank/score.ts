/** How good a node is for one more allocation (`reference/scheduler.md` §4.2–4.3; `balanced` is Drover's own). */
import type { SchedulerAlgorithm } from '../../domain/index.js'

const MAX_SCORE = 18

/**
 * @param usedCpu, usedMemory shares of the node's capacity in use after the placement, in [0, 1]
 * @returns in [0, 1]: higher is better
 */
export function fitScore(algorithm: SchedulerAlgorithm, usedCpu: number, usedMemory: number): number {
  if (algorithm === 'balanced') return balancedFit(usedCpu, usedMemory)
  return powerFit(algorithm, 10 ** (1 - usedCpu) + 10 ** (1 - usedMemory))
}

/** Full in both dimensions alike: neither is left over when the other runs out. */
export function balancedFit(usedCpu: number, usedMemory: number): number {
  return 0.5 * (1 - Math.abs(usedCpu - usedMemory)) + 0.5 * Math.min(usedCpu, usedMemory)
}

/** @param total 10 to the power of the free share of cpu, plus the same of memory */
export function powerFit(algorithm: 'binpack' | 'spread', total: number): number {
  const score = algorithm === 'spread' ? total - 2 : 20 - total
  return Math.min(MAX_SCORE, Math.max(0, score)) / MAX_SCORE
}

/** What there is none of is used up. */
export function shareOf(used: number, capacity: number): number {
  return capacity <= 0 ? 1 : used / capacity
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
