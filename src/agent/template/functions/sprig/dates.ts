/** Dates and durations. Source: Sprig's documentation, "Date Functions". Those that know the present under another name are not there. */
import { formatDuration, readDuration } from '../../../../domain/index.js'
import { type Bytes, fromText, toText } from '../../bytes.js'
import { refuse } from '../../failure.js'
import { DAYS, dayOfYear, formatInstant, type Instant, MONTHS, parseInstant, printInstant, ZERO_INSTANT } from '../../go-time.js'
import { boolValue, intValue, type Method, stringValue, structValue, type Value } from '../../values.js'
import { anyArguments, bytesOf, type CallContext, type FunctionTable, fixed, ofType } from '../signature.js'
import { toInt64 } from './numbers.js'

const TIME = 'time.Time'

function timeValue(instant: Instant): Value {
  const local = new Date(instant.ms + instant.offsetSeconds * 1000)
  const plain = (run: () => Value): Method => ({ parameters: [], run })
  const whole = (value: number, type = 'int') => plain(() => intValue(value, type))
  const methods: Readonly<Record<string, Method>> = {
    Year: whole(local.getUTCFullYear()),
    Month: plain(() => stringValue(MONTHS[local.getUTCMonth()] ?? '')),
    Day: whole(local.getUTCDate()),
    Hour: whole(local.getUTCHours()),
    Minute: whole(local.getUTCMinutes()),
    Second: whole(local.getUTCSeconds()),
    Nanosecond: whole(local.getUTCMilliseconds() * 1_000_000 + instant.nanos),
    YearDay: whole(dayOfYear(local)),
    Weekday: plain(() => stringValue(DAYS[local.getUTCDay()] ?? '')),
    Unix: whole(Math.floor(instant.ms / 1000), 'int64'),
    UnixMilli: whole(instant.ms, 'int64'),
    UnixNano: plain(() => intValue(BigInt(instant.ms) * 1_000_000n + BigInt(instant.nanos), 'int64')),
    IsZero: plain(() => boolValue(instant.ms === ZERO_INSTANT.ms)),
    UTC: plain(() => timeValue({ ...instant, offsetSeconds: 0, zone: 'UTC' })),
    String: plain(() => stringValue(printInstant(instant))),
    Format: { parameters: ['string'], run: ([layout]) => stringValue(fromText(formatInstant(instant, toText(bytesOf(layout))))) },
  }
  return structValue(TIME, {}, { methods, text: printInstant(instant), instant })
}

function instantOf(value: Value | undefined): Instant | undefined {
  return value?.kind === 'struct' ? value.instant : undefined
}

function toDate([layout, text]: readonly Value[]): Instant | undefined {
  return parseInstant(toText(bytesOf(text)), toText(bytesOf(layout)))
}

function modify([duration, time]: readonly Value[]): Value {
  const read = readDuration(toText(bytesOf(duration)))
  const instant = instantOf(time) ?? refuse('a date is expected')
  return read.kind === 'invalid'
    ? refuse(`time: invalid duration "${bytesOf(duration)}"`)
    : timeValue({ ...instant, ms: instant.ms + read.nanoseconds / 1e6 })
}

/** Whole seconds since then. */
function ago(value: Value | undefined, context: CallContext): Bytes {
  const then = instantOf(value)?.ms ?? (value?.kind === 'int' ? Number(value.value) * 1000 : context.nowMs)
  return formatDuration(Math.round((context.nowMs - then) / 1000) * 1e9)
}

function duration(value: Value | undefined): Bytes {
  const isSeconds = value?.kind === 'string' || (value?.kind === 'int' && value.type === 'int64')
  return formatDuration((isSeconds ? Number(toInt64(value)) : 0) * 1e9)
}

const UNITS: readonly (readonly [suffix: string, nanoseconds: number])[] = [
  ['y', 365 * 24 * 3600e9],
  ['mo', 30 * 24 * 3600e9],
  ['d', 24 * 3600e9],
  ['h', 3600e9],
  ['m', 60e9],
  ['s', 1e9],
]

/** The largest unit that fits, rounded down. */
function durationRound(value: Value | undefined, context: CallContext): Bytes {
  const instant = instantOf(value)
  const read = value?.kind === 'string' ? readDuration(toText(value.value)) : undefined
  const nanoseconds =
    instant !== undefined
      ? (context.nowMs - instant.ms) * 1e6
      : read?.kind === 'duration'
        ? read.nanoseconds
        : Number(toInt64(value?.kind === 'int' ? value : undefined))
  const magnitude = Math.abs(nanoseconds)
  const unit = UNITS.find(([, size]) => magnitude > size)
  return unit === undefined ? '0s' : `${nanoseconds < 0 ? '-' : ''}${Math.floor(magnitude / unit[1])}${unit[0]}`
}

const modified = fixed(['string', TIME], modify)

export const SPRIG_DATES: FunctionTable = {
  toDate: ofType('string', 2, (args) => timeValue(toDate(args) ?? ZERO_INSTANT)),
  mustToDate: ofType('string', 2, (args) =>
    timeValue(toDate(args) ?? refuse(`parsing time "${bytesOf(args[1])}" as "${bytesOf(args[0])}": cannot parse`)),
  ),
  must_date_modify: modified,
  mustDateModify: modified,
  unixEpoch: ofType(TIME, 1, ([time]) => stringValue(String(Math.floor((instantOf(time)?.ms ?? 0) / 1000)))),
  ago: anyArguments(1, ([value], context) => stringValue(ago(value, context))),
  duration: anyArguments(1, ([value]) => stringValue(duration(value))),
  durationRound: anyArguments(1, ([value], context) => stringValue(durationRound(value, context))),
}
