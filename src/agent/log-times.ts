/** Where in a log a time is, and what time a place is of. */
import type { LogSpan } from './ports.js'

/** Nothing before it was written at or after that time; undefined: nothing at all was. */
export function firstSpanSince(spans: readonly LogSpan[], sinceMs: number): LogSpan | undefined {
  return spans.find(({ untilMs }) => untilMs > sinceMs)
}

/** When the span that holds the place was begun (undefined: nobody knows), and where in that file the next one begins. */
export function spanAt(
  spans: readonly LogSpan[],
  number: number,
  offsetBytes: number,
): { readonly fromMs: number | undefined; readonly endBytes: number } {
  let found: LogSpan | undefined
  for (const span of spans) {
    if (span.number > number) break
    if (span.number === number && span.offsetBytes > offsetBytes) return { fromMs: found?.fromMs, endBytes: span.offsetBytes }
    found = span
  }
  return { fromMs: found?.fromMs, endBytes: Number.POSITIVE_INFINITY }
}
