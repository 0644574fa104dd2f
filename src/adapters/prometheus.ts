/** The text format of Prometheus, as its client for Node writes it. */
import type { Metric } from 'prom-client'
import type { Family, PrometheusText, SummaryReading } from '../api/index.js'
import type { HistogramReading } from '../domain/index.js'

/** What the registry prints of one metric. */
interface Line {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

export const prometheusText: PrometheusText = {
  async format(families) {
    // Loaded with the first question: most servers are never asked.
    const { default: client } = await import('prom-client')
    const registry = new client.Registry()
    for (const family of families) registry.registerMetric(new Read(family) as unknown as Metric)
    return { contentType: registry.contentType, text: await registry.metrics() }
  },
}

/**
 * A metric that was counted elsewhere: the library's own ones count themselves, and its types know no others
 * (findings/prom-client-metric-type-only-in-types.sh). The registry asks of each its name, help, type and values.
 */
class Read {
  readonly name: string
  readonly #family: Family

  constructor(family: Family) {
    this.name = nameOf(family)
    this.#family = family
  }

  async get() {
    const { kind, help } = this.#family
    return { name: this.name, help, type: kind, aggregator: 'sum', values: linesOf(this.name, this.#family) }
  }
}

function nameOf({ name, kind }: Family): string {
  const written = name.replaceAll(/[.-]/g, '_')
  if (kind === 'counter') return `${written}_total`
  return kind === 'summary' ? `${written}_milliseconds` : written
}

function linesOf(name: string, family: Family): readonly Line[] {
  switch (family.kind) {
    case 'summary':
      return family.values.flatMap(({ labels, value }) => sumOf(name, labels, value))
    case 'histogram':
      return family.values.flatMap(({ labels, value }) => [...bucketsOf(name, labels, value), ...sumOf(name, labels, value)])
    default:
      return family.values
  }
}

function bucketsOf(name: string, labels: Line['labels'], { bounds, counts, count }: HistogramReading): readonly Line[] {
  const upTo = (le: number | string, value: number): Line => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value })
  return [...bounds.map((bound, at) => upTo(bound, counts[at]!)), upTo('+Inf', count)]
}

function sumOf(name: string, labels: Line['labels'], { sum, count }: SummaryReading): readonly Line[] {
  return [
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
