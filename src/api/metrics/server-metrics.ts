/** How this server does, since it runs. */
import { compareText, type FollowedHealth } from '../../domain/index.js'
import type { BusHealth, CommitMemory, SchedulingHealth, SourceHealth, Webhooks } from '../ports.js'
import { counter, type Family, gauge, histogram, type Labelled } from './family.js'

export interface ServerMetricsDeps {
  readonly busHealth: BusHealth
  readonly schedulingHealth: SchedulingHealth
  readonly sourceHealth: SourceHealth
  readonly webhooks: Webhooks
  readonly commitMemory: CommitMemory
}

export function serverMetrics(deps: ServerMetricsDeps): readonly Family[] {
  return [
    ...busMetrics(deps.busHealth),
    ...sourceMetrics(deps.sourceHealth.sourceHealth),
    webhookMetrics(deps.webhooks),
    ...schedulingMetrics(deps.schedulingHealth),
    ...Object.entries(deps.commitMemory.commitSeconds).map(([step, value]) =>
      histogram(`drover.commit.to_${step}_seconds`, `From the time of a commit until its jobs are ${step}`, [{ labels: {}, value }]),
    ),
  ]
}

function busMetrics({ awayMs, droppedMessages }: BusHealth): readonly Family[] {
  const dropped = [...droppedMessages].sort().map(([reason, value]) => ({ labels: { reason }, value }))
  return [
    gauge('drover.broker.connected', 'Whether the broker is there', awayMs === 0 ? 1 : 0),
    gauge('drover.broker.away_seconds', 'How long the broker has been away', awayMs / 1000),
    counter('drover.bus.dropped_messages', 'Messages that were not heeded, by reason', dropped),
  ]
}

/** What was never looked at, or fetched, since this server runs has no age yet. */
function sourceMetrics(sources: readonly FollowedHealth[]): readonly Family[] {
  const each = <Value>(read: (source: FollowedHealth) => Value | null | undefined): readonly Labelled<Value>[] =>
    sources.flatMap((source) => {
      const value = read(source)
      return value === null || value === undefined ? [] : [{ labels: { source: source.id }, value }]
    })
  const eachOf = <Value>(readAll: (source: FollowedHealth) => Readonly<Record<string, Value>> | undefined): readonly Labelled<Value>[] =>
    sources.flatMap((source) =>
      Object.entries(readAll(source) ?? {})
        .sort(([one], [other]) => compareText(one, other))
        .map(([result, value]) => ({ labels: { source: source.id, result }, value })),
    )
  return [
    gauge(
      'drover.source.readable',
      'Whether the repository could be read the last time',
      each(({ problem }) => (problem === null ? 1 : 0)),
    ),
    histogram(
      'drover.source.reconcile_seconds',
      'How long looks at the repository take',
      eachOf(({ looks }) => looks?.seconds),
    ),
    gauge(
      'drover.source.reconcile_age_seconds',
      'Since the last look that succeeded',
      each(({ looks }) => seconds(looks?.ageMs)),
    ),
    counter(
      'drover.source.signatures',
      'Signatures that were read, by what was found of them',
      eachOf(({ looks }) => looks?.signatures),
    ),
    gauge(
      'drover.source.remote_reachable',
      'Whether the remote could be fetched the last time',
      each(({ remote }) => remote && (remote.problem === null ? 1 : 0)),
    ),
    gauge(
      'drover.source.remote_age_seconds',
      'Since the remote was last fetched',
      each(({ remote }) => seconds(remote?.ageMs)),
    ),
    histogram(
      'drover.source.remote_fetch_seconds',
      'How long the remote takes to answer',
      eachOf(({ fetchSeconds }) => fetchSeconds ?? undefined),
    ),
    gauge(
      'drover.source.remote_failures_in_a_row',
      'Fetches that failed since the last that did not',
      each(({ remote }) => remote?.failuresInARow),
    ),
  ]
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000
}

function webhookMetrics({ counts }: Webhooks): Family {
  const values = [...counts].flatMap(([source, results]) =>
    Object.entries(results).map(([result, value]) => ({ labels: { source, result }, value })),
  )
  return counter('drover.source.webhooks', 'Webhooks, by what was done with them', values)
}

const STAGES = {
  wait: ['nomad.nomad.broker.eval_waiting', 'How long evaluations wait until they are worked on'],
  schedule: ['nomad.nomad.worker.invoke_scheduler', 'How long the scheduler takes for an evaluation'],
} as const

function schedulingMetrics({ evaluationTimes, assignmentSeconds }: SchedulingHealth): readonly Family[] {
  const stages = Object.entries(STAGES).map(([stage, [name, help]]): Family => {
    const values = evaluationTimes
      .filter((time) => time.stage === stage)
      .map(({ type, count, sumMs, leastMs, mostMs }) => ({ labels: { type }, value: { count, sum: sumMs, min: leastMs, max: mostMs } }))
    return { kind: 'summary', name, help, values }
  })
  const help = 'From a placement until its host first tells of it'
  return [...stages, histogram('drover.assignment.ack_seconds', help, [{ labels: {}, value: assignmentSeconds }])]
}
