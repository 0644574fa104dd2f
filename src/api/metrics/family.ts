/** Metrics of one name. Names and labels are those of Nomad where it has them: dots, which Prometheus sees as `_`. */
import type { HistogramReading } from '../../domain/index.js'

export type Labels = Readonly<Record<string, string>>

export interface Labelled<Value> {
  readonly labels: Labels
  readonly value: Value
}

/** Milliseconds of what was done, as clients of Nomad expect them: they make of sum and count what they want to know. */
export type SummaryReading = Pick<HistogramReading, 'count' | 'sum' | 'min' | 'max'>

interface Named {
  readonly name: string
  /** One sentence without a full stop. */
  readonly help: string
}

export type Family = Named &
  (
    | { readonly kind: 'gauge' | 'counter'; readonly values: readonly Labelled<number>[] }
    | { readonly kind: 'summary'; readonly values: readonly Labelled<SummaryReading>[] }
    | { readonly kind: 'histogram'; readonly values: readonly Labelled<HistogramReading>[] }
  )

export function gauge(name: string, help: string, values: number | readonly Labelled<number>[]): Family {
  return { kind: 'gauge', name, help, values: typeof values === 'number' ? [{ labels: {}, value: values }] : values }
}

/** Since the start of this server. */
export function counter(name: string, help: string, values: readonly Labelled<number>[]): Family {
  return { kind: 'counter', name, help, values }
}

export function histogram(name: string, help: string, values: readonly Labelled<HistogramReading>[]): Family {
  return { kind: 'histogram', name, help, values }
}
