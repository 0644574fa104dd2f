/** What there is, read off the tables. */
import { compareText, DRIFT_OWNERS, DRIFT_POLICIES, type Drift, namespacedKey, sourceIdOf } from '../../domain/index.js'
import { jobKey, listSetAside, type StateView } from '../../state/index.js'
import type { JobHealth, WaitingChanges } from '../ports.js'
import { computeDrift } from '../views/drift.js'
import { type Family, gauge, type Labelled, type Labels } from './family.js'

export function stateMetrics(view: StateView, changes: WaitingChanges, health: JobHealth): readonly Family[] {
  const drift = computeDrift(view, changes.waiting(view))
  const sources = [...view.sources.values()]
  const perSource = (read: (source: (typeof sources)[number]) => number) =>
    sources.map((source) => ({ labels: { source: source.id }, value: read(source) }))
  return [
    ...byStatus(view.jobs.values(), 'nomad.nomad.job_status', 'Jobs', (job) => job.Status),
    ...byStatus(view.allocations.values(), 'nomad.nomad.allocations', 'Allocations', (allocation) => allocation.ClientStatus),
    ...byStatus(view.evaluations.values(), 'nomad.nomad.evaluations', 'Evaluations', (evaluation) => evaluation.Status),
    ...byStatus(view.deployments.values(), 'nomad.nomad.deployments', 'Deployments', (deployment) => deployment.Status),
    ...byStatus(view.nodes.values(), 'nomad.nomad.nodes', 'Hosts', (node) => node.Status),
    gauge(
      'drover.jobs',
      'Jobs by source, by what becomes of their differences from the repository, and by health',
      countJobs(view, drift, health),
    ),
    gauge('drover.drift', 'Differences from the repository by what becomes of them and by who decides', countDrift(drift)),
    gauge(
      'drover.replacement.paused',
      'Whether nothing is replaced, since many hosts were lost at once',
      view.heldLosses.count > 0 ? 1 : 0,
    ),
    gauge('drover.replacement.held_hosts', 'Lost hosts whose work is not replaced', view.heldLosses.count),
    gauge('drover.changes.waiting', 'Changes that the newest commit asks for and that wait', view.waitingChanges.count),
    gauge('drover.versions.set_aside', 'Versions that failed and are not tried again', listSetAside(view).length),
    gauge(
      'drover.source.jobs',
      'Jobs that come from a source',
      perSource(({ id }) => view.jobSources.countBy('source', id)),
    ),
    gauge(
      'drover.source.frozen_files',
      'Files with mistakes, whose jobs stay as they are',
      perSource(({ id }) => view.frozenFiles.countBy('source', id)),
    ),
    gauge(
      'drover.source.held_jobs',
      'Jobs whose removal waits for a trailer',
      perSource(({ held }) => held?.jobs.length ?? 0),
    ),
    gauge('drover.leader.epoch', 'Epoch of the leader', view.epoch),
    gauge('nomad.raft.appliedIndex', 'Changes that were written to the log', view.index),
  ]
}

/** The status is a part of the name, as in Nomad. */
function byStatus<Row>(rows: Iterable<Row>, prefix: string, what: string, statusOf: (row: Row) => string): readonly Family[] {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(statusOf(row), (counts.get(statusOf(row)) ?? 0) + 1)
  return [...counts].sort().map(([status, count]) => gauge(`${prefix}.${status}`, `${what} that are ${status}`, count))
}

function countDrift(drift: readonly Drift[]): readonly Labelled<number>[] {
  return DRIFT_POLICIES.flatMap((policy) =>
    DRIFT_OWNERS.map((owner) => ({
      labels: { policy, owner },
      value: drift.filter((one) => one.policy === policy && one.owner === owner).length,
    })),
  )
}

function countJobs(view: StateView, drift: readonly Drift[], health: JobHealth): readonly Labelled<number>[] {
  const policies = new Map<string, Set<Drift['policy']>>()
  for (const { subject, policy } of drift) {
    if (subject.kind !== 'job') continue
    const key = namespacedKey(subject.namespace, subject.jobId)
    policies.set(key, (policies.get(key) ?? new Set()).add(policy))
  }
  const counts = new Map<string, { labels: Labels; value: number }>()
  for (const job of view.jobs.values()) {
    const key = jobKey(job)
    const labels = {
      source: sourceOf(view, key),
      sync: worstOf(policies.get(key)),
      health: health.isHealthy(view, key) ? 'healthy' : 'unhealthy',
    }
    const name = Object.values(labels).join(' ')
    const known = counts.get(name)
    if (known === undefined) counts.set(name, { labels, value: 1 })
    else known.value++
  }
  return [...counts].sort(([one], [other]) => compareText(one, other)).map(([, count]) => count)
}

/** None: it was registered over the API. */
function sourceOf(view: StateView, key: string): string {
  const source = view.jobSources.get(key)
  return source === undefined ? '' : sourceIdOf(source)
}

/** What waits for somebody comes before what stays, and that before what mends itself. */
function worstOf(policies: ReadonlySet<Drift['policy']> | undefined): string {
  return (['waits', 'left', 'healed'] as const).find((policy) => policies?.has(policy)) ?? 'synced'
}
