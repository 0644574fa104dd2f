import type { Affinity, Job, Node, TaskGroup } from '../../domain/index.js'
import { satisfies } from '../feasible/constraints.js'

export function affinitiesOf(job: Job, group: TaskGroup): readonly Affinity[] {
  return [...(job.Affinities ?? []), ...(group.Affinities ?? []), ...group.Tasks.flatMap((task) => task.Affinities ?? [])]
}

/** Weight of what matches over all weight, in [-1, 1]. */
export function affinityScore(node: Node, affinities: readonly Affinity[]): number {
  const total = affinities.reduce((sum, affinity) => sum + Math.abs(affinity.Weight), 0)
  if (total === 0) return 0
  return affinities.reduce((sum, affinity) => sum + (satisfies(node, affinity) ? affinity.Weight : 0), 0) / total
}
