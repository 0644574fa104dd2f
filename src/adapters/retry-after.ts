/** How long another server asks to be left alone. */

/** Whoever says more is asked again all the same. */
export const RETRY_AFTER_MS_MAX = 3_600_000

/** Seconds, or a date (RFC 9110, 10.2.3); null for anything else. */
export function parseRetryAfter(value: string, nowMs: number): number | null {
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX)
}
