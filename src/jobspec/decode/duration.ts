/** Durations as Go writes them: `1h30m`, `1.5s`, `-2ms`. */
import { HOUR, MICROSECOND, MILLISECOND, MINUTE, type Nanoseconds, SECOND } from '../../domain/index.js'

const UNITS: Readonly<Record<string, Nanoseconds>> = { ns: 1, us: MICROSECOND, µs: MICROSECOND, μs: MICROSECOND, ms: MILLISECOND, s: SECOND, m: MINUTE, h: HOUR }
const INT64_MAX = 2 ** 63

/** `undefined` for what is no duration, or one beyond 292 years. */
export function parseDuration(text: string): Nanoseconds | undefined {
  const match = /^([+-]?)(.+)$/s.exec(text)
  if (match === null) return undefined
  const [, sign, body = ''] = match
  if (body === '0') return 0
  const parts = [...body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)]
  if (parts.length === 0 || parts.reduce((length, part) => length + part[0].length, 0) !== body.length) return undefined
  let total = 0
  for (const [, amount = '0', unit = 'ns'] of parts) total += wholePart(amount, UNITS[unit] ?? 1)
  if (total >= INT64_MAX) return undefined
  return sign === '-' ? -total : total
}

/** Whole units are exact; of the fraction what is below a nanosecond is cut off. */
function wholePart(amount: string, unit: Nanoseconds): Nanoseconds {
  const [whole = '0', fraction = ''] = amount.split('.')
  const fractional = fraction === '' ? 0 : Math.floor(Number(`0.${fraction}`) * unit + 1e-6)
  return Number(whole === '' ? '0' : whole) * unit + fractional
}

/** The shortest form: `1m30s`, `1.5s`, `0s`. */
export function formatDuration(nanoseconds: Nanoseconds): string {
  if (nanoseconds === 0) return '0s'
  const sign = nanoseconds < 0 ? '-' : ''
  const value = Math.abs(nanoseconds)
  if (value < MICROSECOND) return `${sign}${value}ns`
  if (value < MILLISECOND) return `${sign}${trimmed(value / MICROSECOND, 3)}µs`
  if (value < SECOND) return `${sign}${trimmed(value / MILLISECOND, 6)}ms`
  const hours = Math.floor(value / HOUR)
  const minutes = Math.floor((value % HOUR) / MINUTE)
  const seconds = trimmed((value % MINUTE) / SECOND, 9)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '')
}
