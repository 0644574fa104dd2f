/** `/v1/metrics`, also in the format of Prometheus. */
import type { ReadDeps } from '../blocking.js'
import { encodeJson } from '../encode.js'
import type { Family } from '../metrics/family.js'
import { nomadMetrics } from '../metrics/nomad-metrics.js'
import { type ServerMetricsDeps, serverMetrics } from '../metrics/server-metrics.js'
import { stateMetrics } from '../metrics/state-metrics.js'
import type { ApiSettings, JobHealth, PrometheusText, WaitingChanges } from '../ports.js'
import { jsonAnswer, textAnswer } from '../request.js'
import type { Call, Route } from '../router.js'

export interface MetricsDeps extends ReadDeps, ServerMetricsDeps {
  readonly settings: ApiSettings
  readonly waitingChanges: WaitingChanges
  readonly jobHealth: JobHealth
  readonly prometheus: PrometheusText
}

export function metricsRoutes(deps: MetricsDeps): readonly Route[] {
  return [{ pattern: '/v1/metrics', methods: { GET: (call) => readMetrics(deps, call) } }]
}

async function readMetrics(deps: MetricsDeps, call: Call) {
  const { reader, clock, settings, waitingChanges, jobHealth, prometheus } = deps
  const { ofState } = await reader.read((view) => ({ index: 0, ofState: stateMetrics(view, waitingChanges, jobHealth) }))
  const families = [...ofState, ...serverMetrics(deps)].map((family) => from(family, settings))
  if (call.parameters.text('format') !== 'prometheus') return jsonAnswer(encodeJson(nomadMetrics(families, clock.wallMs())))
  const { contentType, text } = await prometheus.format(families)
  return textAnswer(200, text, { 'Content-Type': contentType })
}

/** Which server tells it. */
function from(family: Family, { name, region }: ApiSettings): Family {
  const common = { host: name, region }
  return { ...family, values: family.values.map(({ labels, value }) => ({ labels: { ...common, ...labels }, value })) } as Family
}
