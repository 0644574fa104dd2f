/** Durations as texts of the form `1h30m`, `1.5s`, `-2ms`: in query parameters, job files and messages. Exact to the nanosecond. */
import { type Nanoseconds, SECOND } from './units.js'

export type DurationReading =
  | { readonly kind: 'duration'; readonly nanoseconds: Nanoseconds }
  /** In the words of Go's parser, which users of Nomad know. */
  | { readonly kind: 'invalid'; readonly message: string }

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const INT64_MAX = 2n ** 63n - 1n

export function readDuration(text: string): DurationReading {
  const invalid = (problem: string) => ({ kind: 'invalid', message: `time: ${problem} ${quote(text)}` }) as const
  const sign = text.startsWith('-') ? -1n : 1n
  let rest = /^[+-]/.test(text) ? text.slice(1) : text
  if (rest === '0') return { kind: 'duration', nanoseconds: 0 }
  if (rest === '') return invalid('invalid duration')
  let total = 0n
  while (rest !== '') {
    const amount = /^(\d*)(?:\.(\d*))?/.exec(rest)!
    const [number, whole = '', fraction = ''] = amount
    if (whole === '' && fraction === '') return invalid('invalid duration')
    rest = rest.slice(number.length)
    const unit = /^[^.\d]*/.exec(rest)![0]
    if (unit === '') return invalid('missing unit in duration')
    const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
    if (scale === undefined) return invalid(`unknown unit ${quote(unit)} in duration`)
    rest = rest.slice(unit.length)
    total += BigInt(whole || '0') * scale + (fraction === '' ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length))
    if (total > (sign < 0n ? INT64_MAX + 1n : INT64_MAX)) return invalid('invalid duration')
  }
  return { kind: 'duration', nanoseconds: Number(sign * total) }
}

/** The shortest form: `1m30s`, `1.5s`, `0s`. */
export function formatDuration(nanoseconds: Nanoseconds): string {
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 0) return nanoseconds <= -(2 ** 63) ? `-${formatExact(INT64_MAX + 1n)}` : `-${formatDuration(-nanoseconds)}`
  const exact = BigInt(Math.trunc(nanoseconds))
  return formatExact(exact > INT64_MAX ? INT64_MAX : exact)
}

/** The same in whole seconds, the half ones away from zero. */
export function formatSeconds(nanoseconds: Nanoseconds): string {
  const seconds = Math.round(Math.abs(nanoseconds) / SECOND)
  const text = seconds === 0 ? '0s' : formatExact(BigInt(seconds) * BigInt(SECOND))
  return nanoseconds < 0 && seconds !== 0 ? `-${text}` : text
}

function formatExact(value: bigint): string {
  if (value < 1_000n) return `${value}ns`
  if (value < 1_000_000n) return `${decimal(value, 3)}µs`
  if (value < 1_000_000_000n) return `${decimal(value, 6)}ms`
  const minutes = value / UNITS['m']!
  const seconds = `${decimal(value % UNITS['m']!, 9)}s`
  if (minutes === 0n) return seconds
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** `value` with the point `digits` from the right, without trailing zeros. */
function decimal(value: bigint, digits: number): string {
  const text = String(value).padStart(digits + 1, '0')
  const fraction = text.slice(-digits).replace(/0+$/, '')
  return fraction === '' ? text.slice(0, -digits) : `${text.slice(0, -digits)}.${fraction}`
}

/** Bytes outside printable ASCII are shown as such. */
function quote(text: string): string {
  const bytes = [...new TextEncoder().encode(text)]
  const inner = bytes.map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `"${inner.join('')}"`
}
