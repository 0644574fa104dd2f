/** Counts of what there is, as gauges: `/v1/metrics`, also in the format of Prometheus. */
import { DRIFT_POLICIES, type LookCounts, rfc3339 } from '../../domain/index.js'
import { listSetAside, type StateView } from '../../state/index.js'
import type { ReadDeps } from '../blocking.js'
import { encodeJson } from '../encode.js'
import type { ApiSettings, BusHealth, CommitMemory, SchedulingHealth, SourceHealth, WaitingChanges, Webhooks } from '../ports.js'
import { jsonAnswer, textAnswer } from '../request.js'
import type { Call, Route } from '../router.js'
import { computeDrift } from '../views/drift.js'

interface Gauge {
  readonly Name: string
  readonly Value: number
  readonly Labels: Readonly<Record<string, string>>
}

export interface MetricsDeps extends ReadDeps {
  readonly settings: ApiSettings
  readonly busHealth: BusHealth
  readonly schedulingHealth: SchedulingHealth
  readonly sourceHealth: SourceHealth
  readonly webhooks: Webhooks
  readonly commitMemory: CommitMemory
  readonly waitingChanges: WaitingChanges
}

export function metricsRoutes(deps: MetricsDeps): readonly Route[] {
  return [{ pattern: '/v1/metrics', methods: { GET: (call) => readMetrics(deps, call) } }]
}

async function readMetrics(deps: MetricsDeps, call: Call) {
  const { reader, clock, settings, busHealth, schedulingHealth, sourceHealth, webhooks, commitMemory, waitingChanges } = deps
  const { gauges } = await reader.read((view) => ({
    index: 0,
    gauges: [
      ...computeGauges(view, settings),
      ...countDrift(view, waitingChanges, settings),
      ...computeBusGauges(busHealth, settings),
      ...sourceHealth.sourceHealth.flatMap((source) => computeSourceGauges(source, settings)),
      ...countWebhooks(webhooks, settings),
    ],
  }))
  const samples = sampleTimes(schedulingHealth, settings)
  if (call.parameters.text('format') === 'prometheus') {
    return textAnswer(200, formatPrometheus(gauges) + formatSamples(samples) + formatHistograms(commitMemory, settings), {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
    })
  }
  const Timestamp = `${rfc3339(clock.wallMs())
    .replace('T', ' ')
    .replace(/(\.\d+)?Z$/, '')} +0000 UTC`
  const Samples = [...samples, ...samplesOf(commitMemory, settings)]
  return jsonAnswer(encodeJson({ Timestamp, Gauges: gauges, Points: [], PrecisionGauges: [], Counters: [], Samples }))
}

function computeGauges(view: StateView, settings: ApiSettings): readonly Gauge[] {
  const Labels = { host: settings.name, region: settings.region }
  const count = <Row>(rows: Iterable<Row>, prefix: string, statusOf: (row: Row) => string) => {
    const counts = new Map<string, number>()
    for (const row of rows) counts.set(statusOf(row), (counts.get(statusOf(row)) ?? 0) + 1)
    return [...counts].sort().map(([status, Value]) => ({ Name: `${prefix}.${status}`, Value, Labels }))
  }
  return [
    ...count(view.jobs.values(), 'nomad.nomad.job_status', (job) => job.Status),
    ...count(view.allocations.values(), 'nomad.nomad.allocations', (allocation) => allocation.ClientStatus),
    ...count(view.evaluations.values(), 'nomad.nomad.evaluations', (evaluation) => evaluation.Status),
    ...count(view.deployments.values(), 'nomad.nomad.deployments', (deployment) => deployment.Status),
    ...count(view.nodes.values(), 'nomad.nomad.nodes', (node) => node.Status),
    { Name: 'drover.replacement.paused', Value: view.heldLosses.count > 0 ? 1 : 0, Labels },
    { Name: 'drover.replacement.held_hosts', Value: view.heldLosses.count, Labels },
    { Name: 'drover.changes.waiting', Value: view.waitingChanges.count, Labels },
    { Name: 'drover.versions.set_aside', Value: listSetAside(view).length, Labels },
    ...[...view.sources.values()].flatMap(({ id, held }) => [
      { Name: 'drover.source.jobs', Value: view.jobSources.countBy('source', id), Labels: { ...Labels, source: id } },
      { Name: 'drover.source.frozen_files', Value: view.frozenFiles.countBy('source', id), Labels: { ...Labels, source: id } },
      // Whose removal waits for a trailer.
      { Name: 'drover.source.held_jobs', Value: held?.jobs.length ?? 0, Labels: { ...Labels, source: id } },
    ]),
    { Name: 'drover.leader.epoch', Value: view.epoch, Labels },
    { Name: 'nomad.raft.appliedIndex', Value: view.index, Labels },
  ]
}

/** Differences from the repository, by what will become of them. */
function countDrift(view: StateView, changes: WaitingChanges, settings: ApiSettings): readonly Gauge[] {
  const drift = computeDrift(view, changes.waiting(view))
  return DRIFT_POLICIES.map((policy) => ({
    Name: 'drover.drift',
    Value: drift.filter((one) => one.policy === policy).length,
    Labels: { host: settings.name, region: settings.region, policy },
  }))
}

/** What was dropped counts since the start of this server. */
function computeBusGauges({ awayMs, droppedMessages }: BusHealth, settings: ApiSettings): readonly Gauge[] {
  const Labels = { host: settings.name, region: settings.region }
  const dropped = [...droppedMessages].sort()
  return [
    { Name: 'drover.broker.connected', Value: awayMs === 0 ? 1 : 0, Labels },
    { Name: 'drover.broker.away_seconds', Value: awayMs / 1000, Labels },
    ...dropped.map(([reason, Value]) => ({ Name: 'drover.bus.dropped_messages', Value, Labels: { ...Labels, reason } })),
  ]
}

/** What was never looked at, or fetched, since this server runs has no age yet. */
function computeSourceGauges(
  { id, problem, remote, looks }: SourceHealth['sourceHealth'][number],
  settings: ApiSettings,
): readonly Gauge[] {
  const Labels = { host: settings.name, region: settings.region, source: id }
  const readable: Gauge = { Name: 'drover.source.readable', Value: problem === null ? 1 : 0, Labels }
  const own = [readable, ...(looks === null ? [] : computeLookGauges(looks, Labels))]
  if (remote === null) return own
  const gauges = {
    'drover.source.remote_reachable': remote.problem === null ? 1 : 0,
    ...(remote.ageMs === null ? {} : { 'drover.source.remote_age_seconds': remote.ageMs / 1000 }),
    'drover.source.remote_fetches': remote.fetches,
    'drover.source.remote_fetch_seconds': remote.fetchMs / 1000,
    'drover.source.remote_failures_in_a_row': remote.failuresInARow,
  }
  return [...own, ...Object.entries(gauges).map(([Name, Value]) => ({ Name, Value, Labels }))]
}

function computeLookGauges({ succeeded, failed, lastMs, ageMs, signatures }: LookCounts, Labels: Gauge['Labels']): readonly Gauge[] {
  const looks = Object.entries({ succeeded, failed })
  return [
    ...looks.map(([result, Value]) => ({ Name: 'drover.source.reconciles', Value, Labels: { ...Labels, result } })),
    { Name: 'drover.source.reconcile_seconds', Value: lastMs / 1000, Labels },
    ...(ageMs === null ? [] : [{ Name: 'drover.source.reconcile_age_seconds', Value: ageMs / 1000, Labels }]),
    ...Object.entries(signatures)
      .sort()
      .map(([result, Value]) => ({ Name: 'drover.source.signatures', Value, Labels: { ...Labels, result } })),
  ]
}

/** Since the start of this server. */
function countWebhooks({ counts }: Webhooks, settings: ApiSettings): readonly Gauge[] {
  return [...counts].flatMap(([source, results]) =>
    Object.entries(results).map(([result, Value]) => {
      return { Name: 'drover.source.webhooks', Value, Labels: { host: settings.name, region: settings.region, source, result } }
    }),
  )
}

/** Milliseconds, as clients of Nomad expect them: they make of sum and count what they want to know. */
interface Sample {
  readonly Name: string
  readonly Count: number
  readonly Sum: number
  readonly Min: number
  readonly Max: number
  readonly Mean: number
  readonly Labels: Readonly<Record<string, string>>
}

const SAMPLE_NAMES = { wait: 'nomad.nomad.broker.eval_waiting', schedule: 'nomad.nomad.worker.invoke_scheduler' } as const

/** Since the start of this server. */
function sampleTimes({ evaluationTimes }: SchedulingHealth, settings: ApiSettings): readonly Sample[] {
  return evaluationTimes.map(({ stage, type, count, sumMs, leastMs, mostMs }) => ({
    Name: SAMPLE_NAMES[stage],
    Count: count,
    Sum: sumMs,
    Min: leastMs,
    Max: mostMs,
    Mean: sumMs / count,
    Labels: { host: settings.name, region: settings.region, type },
  }))
}

function formatSamples(samples: readonly Sample[]): string {
  const lines = samples.flatMap(({ Name, Count, Sum, Labels }, at) => {
    const name = `${Name.replaceAll(/[.-]/g, '_')}_milliseconds`
    const isFirst = samples[at - 1]?.Name !== Name
    const labels = labelsOf(Labels)
    return [...(isFirst ? [`# TYPE ${name} summary`] : []), `${name}_sum{${labels}} ${Sum}`, `${name}_count{${labels}} ${Count}`]
  })
  return lines.map((line) => `${line}\n`).join('')
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(',')
}

function formatPrometheus(gauges: readonly Gauge[]): string {
  const lines = gauges.flatMap(({ Name, Value, Labels }, at) => {
    const name = Name.replaceAll(/[.-]/g, '_')
    const isFirst = gauges[at - 1]?.Name !== Name
    return [...(isFirst ? [`# TYPE ${name} gauge`] : []), `${name}{${labelsOf(Labels)}} ${Value}`]
  })
  return `${lines.join('\n')}\n`
}

function nameOfStep(step: string): string {
  return `drover.commit.to_${step}_seconds`
}

function formatHistograms({ commitSeconds }: CommitMemory, settings: ApiSettings): string {
  const labels = labelsOf({ host: settings.name, region: settings.region })
  const lines = Object.entries(commitSeconds).flatMap(([step, { bounds, counts, count, sum }]) => {
    const name = nameOfStep(step).replaceAll('.', '_')
    const buckets = bounds.map((bound, at) => `${name}_bucket{${labels},le="${bound}"} ${counts[at]}`)
    const all = `${name}_bucket{${labels},le="+Inf"} ${count}`
    return [`# TYPE ${name} histogram`, ...buckets, all, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`]
  })
  return lines.map((line) => `${line}\n`).join('')
}

function samplesOf({ commitSeconds }: CommitMemory, settings: ApiSettings): readonly Sample[] {
  return Object.entries(commitSeconds)
    .filter(([, { count }]) => count > 0)
    .map(([step, { count, sum, min, max }]) => ({
      Name: nameOfStep(step),
      Count: count,
      Sum: sum,
      Min: min,
      Max: max,
      Mean: sum / count,
      Labels: { host: settings.name, region: settings.region },
    }))
}
