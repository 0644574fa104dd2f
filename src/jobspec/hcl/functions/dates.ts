/** `formatdate` and `timeadd`, on RFC 3339 instants. The present is not to be had: the same commit means the same job. */
import { readDuration } from '../../../domain/index.js'
import { stringValue } from '../values.js'
import { asText, type FunctionTable, refuse, text } from './signature.js'

interface Instant {
  readonly ms: number
  /** Below a millisecond, nanoseconds. */
  readonly nanos: number
  readonly offsetMinutes: number
  /** `Z` or `+01:00`, as written. */
  readonly zone: string
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/

function parseInstant(input: string, argument: number): Instant {
  const match = RFC3339.exec(input) ?? refuse(`"${input}" is not a valid RFC3339 timestamp`, argument)
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const nanosecond = Number(fraction.padEnd(9, '0'))
  const ms =
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) + Math.floor(nanosecond / 1e6)
  const isReal =
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    new Date(ms).getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  if (!isReal) refuse(`"${input}" is not a valid RFC3339 timestamp`, argument)
  const offsetMinutes = /^[Zz]$/.test(zone)
    ? 0
    : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)))
  return { ms: ms - offsetMinutes * 60_000, nanos: nanosecond % 1e6, offsetMinutes, zone: offsetMinutes === 0 ? 'Z' : zone }
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const two = (value: number): string => String(value).padStart(2, '0')

/** Letters stand for parts of the date; other characters for themselves; quotes protect letters. */
function formatDate(pattern: string, instant: Instant): string {
  const local = new Date(instant.ms + instant.offsetMinutes * 60_000)
  let output = ''
  for (const token of pattern.match(/'(?:[^']|'')*'?|([A-Za-z])\1*|[^A-Za-z']+/g) ?? []) {
    if (token.startsWith("'")) {
      if (!/^'(?:[^']|'')*'$/.test(token)) refuse("unterminated literal '", 0)
      output += token.slice(1, -1).replace(/''/g, "'")
    } else output += /^[A-Za-z]/.test(token) ? datePart(token, local, instant) : token
  }
  return output
}

function datePart(token: string, local: Date, instant: Instant): string {
  const hour = local.getUTCHours()
  const twelve = hour % 12 === 0 ? 12 : hour % 12
  const offset = instant.zone === 'Z' ? '+00:00' : instant.zone
  const month = MONTHS[local.getUTCMonth()] ?? ''
  const day = DAYS[local.getUTCDay()] ?? ''
  const parts: Readonly<Record<string, string>> = {
    YY: two(local.getUTCFullYear() % 100),
    YYYY: String(local.getUTCFullYear()).padStart(4, '0'),
    M: String(local.getUTCMonth() + 1),
    MM: two(local.getUTCMonth() + 1),
    MMM: month.slice(0, 3),
    MMMM: month,
    D: String(local.getUTCDate()),
    DD: two(local.getUTCDate()),
    EEE: day.slice(0, 3),
    EEEE: day,
    h: String(hour),
    hh: two(hour),
    H: String(twelve),
    HH: two(twelve),
    AA: hour < 12 ? 'AM' : 'PM',
    aa: hour < 12 ? 'am' : 'pm',
    m: String(local.getUTCMinutes()),
    mm: two(local.getUTCMinutes()),
    s: String(local.getUTCSeconds()),
    ss: two(local.getUTCSeconds()),
    Z: instant.zone,
    ZZZ: instant.zone === 'Z' ? 'UTC' : offset.replace(':', ''),
    ZZZZ: offset.replace(':', ''),
    ZZZZZ: offset,
  }
  return Object.hasOwn(parts, token) ? (parts[token] ?? '') : refuse(`invalid date format verb "${token}"`, 0)
}

function timeAdd(instant: Instant, duration: string): string {
  const read = readDuration(duration)
  if (read.kind === 'invalid') return refuse(`"${duration}" is not a duration`, 1)
  const total = instant.nanos + read.nanoseconds
  const ms = instant.ms + Math.floor(total / 1e6)
  const nanos = total - Math.floor(total / 1e6) * 1e6
  const local = new Date(ms + instant.offsetMinutes * 60_000)
  if (Number.isNaN(local.getTime())) refuse('the result is out of the range of dates', 1)
  const fraction = `${String(local.getUTCMilliseconds()).padStart(3, '0')}${String(nanos).padStart(6, '0')}`.replace(/0+$/, '')
  return `${local.toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}${instant.zone}`
}

export const DATE_FUNCTIONS: FunctionTable = {
  formatdate: {
    parameters: [text('format'), text('time')],
    run: ([pattern, time]) => stringValue(formatDate(asText(pattern), parseInstant(asText(time), 1))),
  },
  timeadd: {
    parameters: [text('timestamp'), text('duration')],
    run: ([time, duration]) => stringValue(timeAdd(parseInstant(asText(time), 0), asText(duration))),
  },
}
