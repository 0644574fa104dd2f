/** Why work could not be placed: one line for each reason. */
import type { PlacementMetrics } from './wire.js'

export function describeFailures(failures: Readonly<Record<string, PlacementMetrics>>): string {
  return Object.entries(failures)
    .map(([group, metrics]) => `group ${group}: ${metrics.CoalescedFailures + 1} not placed\n${reasonsOf(metrics)}`)
    .join('')
}

function reasonsOf(metrics: PlacementMetrics): string {
  const reasons = [
    ...(metrics.NodesEvaluated === 0 ? ['no node is ready in the job’s pool and datacenters'] : []),
    ...counted(metrics.ConstraintFiltered).map(([name, count]) => `${count} node(s) turned away by ${name}`),
    ...counted(metrics.DimensionExhausted).map(([name, count]) => `${count} node(s) without enough ${name}`),
  ]
  return reasons.map((reason) => `  ${reason}\n`).join('')
}

function counted(counts: Readonly<Record<string, number>> | null): readonly (readonly [string, number])[] {
  return Object.entries(counts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}
