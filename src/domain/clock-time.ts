/**
 * Instants. Inside stored objects an instant is either whole milliseconds × 10⁶ (a double that prints exactly) or an
 * RFC 3339 text, as the wire has it (Nomad API docs, "HTTP API").
 */
import { MILLISECOND, type Nanoseconds } from './units.js'

/** What Go prints for the zero instant; stands for "never" in every RFC 3339 member. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/** Milliseconds since the epoch as the wire's nanoseconds. */
export function unixNanoseconds(wallMs: number): Nanoseconds {
  return Math.round(wallMs) * MILLISECOND
}

/** RFC 3339 in UTC with trailing zeros of the fraction trimmed, as Go prints it. */
export function rfc3339(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.?0*Z$/, 'Z')
}

/** Milliseconds since the epoch; `undefined` for the zero instant, an absent one, or a text that is no instant. */
export function parseRfc3339Ms(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === ZERO_TIME) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
