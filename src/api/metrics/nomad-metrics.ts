/** Metrics as `/v1/metrics` of Nomad tells them. Source: Nomad docs, "Metrics HTTP API". */
import { rfc3339 } from '../../domain/index.js'
import type { Family, Labelled, SummaryReading } from './family.js'

interface Sample {
  readonly Name: string
  readonly Count: number
  readonly Sum: number
  readonly Min: number
  readonly Max: number
  readonly Mean: number
  readonly Labels: Readonly<Record<string, string>>
}

export function nomadMetrics(families: readonly Family[], wallMs: number) {
  return {
    Timestamp: `${rfc3339(wallMs)
      .replace('T', ' ')
      .replace(/(\.\d+)?Z$/, '')} +0000 UTC`,
    Gauges: families.flatMap((family) =>
      family.kind === 'gauge' ? family.values.map(({ labels, value }) => ({ Name: family.name, Value: value, Labels: labels })) : [],
    ),
    Points: [],
    PrecisionGauges: [],
    Counters: families.flatMap((family) =>
      family.kind === 'counter' ? family.values.flatMap((value) => countOf(family.name, value)) : [],
    ),
    Samples: families.flatMap((family) =>
      family.kind === 'summary' || family.kind === 'histogram' ? family.values.flatMap((value) => sampleOf(family.name, value)) : [],
    ),
  }
}

/** Each is one more of something. */
function countOf(name: string, { labels, value }: Labelled<number>): readonly Sample[] {
  return sampleOf(name, { labels, value: { count: value, sum: value, min: 1, max: 1 } })
}

/** Without what never happened. */
function sampleOf(name: string, { labels, value: { count, sum, min, max } }: Labelled<SummaryReading>): readonly Sample[] {
  return count === 0 ? [] : [{ Name: name, Count: count, Sum: sum, Min: min, Max: max, Mean: sum / count, Labels: labels }]
}
