/** Instants and durations as Go's package time writes and reads them, in UTC. */

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** Milliseconds since 1970 and nanoseconds below them; seconds that a zone is east of UTC. */
export interface Instant {
  readonly ms: number
  readonly nanos: number
  readonly offsetSeconds: number
  readonly zone: string
}

export const ZERO_INSTANT: Instant = { ms: -62_135_596_800_000, nanos: 0, offsetSeconds: 0, zone: 'UTC' }

const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|01|02|03|04|05|06|002|__2|_2006|_2|15|PM|pm|[.,]0+(?![0-9])|[.,]9+(?![0-9])|1|2|3|4|5/g

const two = (value: number): string => String(value).padStart(2, '0')

export function formatInstant(instant: Instant, layout: string): string {
  const date = new Date(instant.ms + instant.offsetSeconds * 1000)
  return layout.replace(LAYOUT, (token, at: number) => formatPart(token, date, instant, layout, at))
}

function formatPart(token: string, date: Date, instant: Instant, layout: string, at: number): string {
  const parts: Readonly<Record<string, () => string>> = {
    January: () => MONTHS[date.getUTCMonth()] ?? '',
    Jan: () => (/^[a-z]/.test(layout.slice(at + 3)) ? 'Jan' : (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3)),
    Monday: () => DAYS[date.getUTCDay()] ?? '',
    Mon: () => (/^[a-z]/.test(layout.slice(at + 3)) ? 'Mon' : (DAYS[date.getUTCDay()] ?? '').slice(0, 3)),
    MST: () => instant.zone || zoneText(instant.offsetSeconds, ''),
    '2006': () => String(date.getUTCFullYear()).padStart(4, '0'),
    _2006: () => `_${String(date.getUTCFullYear()).padStart(4, '0')}`,
    '06': () => two(date.getUTCFullYear() % 100),
    '01': () => two(date.getUTCMonth() + 1),
    '1': () => String(date.getUTCMonth() + 1),
    '02': () => two(date.getUTCDate()),
    _2: () => String(date.getUTCDate()).padStart(2, ' '),
    '2': () => String(date.getUTCDate()),
    '002': () => String(dayOfYear(date)).padStart(3, '0'),
    __2: () => String(dayOfYear(date)).padStart(3, ' '),
    '15': () => two(date.getUTCHours()),
    '03': () => two(twelve(date)),
    '3': () => String(twelve(date)),
    '04': () => two(date.getUTCMinutes()),
    '4': () => String(date.getUTCMinutes()),
    '05': () => two(date.getUTCSeconds()),
    '5': () => String(date.getUTCSeconds()),
    PM: () => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
    pm: () => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  }
  const part = parts[token]
  if (part !== undefined) return part()
  if (/^[.,]/.test(token)) return fraction(token, date, instant.nanos)
  if (token.startsWith('Z') && instant.offsetSeconds === 0) return 'Z'
  return zoneText(instant.offsetSeconds, token)
}

const twelve = (date: Date): number => date.getUTCHours() % 12 || 12

export function dayOfYear(date: Date): number {
  return Math.floor(
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 0)) / 86_400_000,
  )
}

function fraction(token: string, date: Date, nanos: number): string {
  const all = String(date.getUTCMilliseconds() * 1_000_000 + nanos).padStart(9, '0')
  const digits = all.slice(0, token.length - 1)
  if (token[1] === '0') return token[0] + digits
  const short = digits.replace(/0+$/, '')
  return short === '' ? '' : token[0] + short
}

function zoneText(offsetSeconds: number, token: string): string {
  const sign = offsetSeconds < 0 ? '-' : '+'
  const seconds = Math.abs(offsetSeconds)
  const [hours, minutes] = [two(Math.floor(seconds / 3600)), two(Math.floor(seconds / 60) % 60)]
  if (token === '') return sign + hours + (minutes === '00' ? '' : minutes)
  const colon = token.includes(':') ? ':' : ''
  const isShort = token.length === 3
  const isLong = token.length >= 7 && token !== '-07:00' && token !== 'Z07:00'
  return `${sign}${hours}${isShort ? '' : colon + minutes}${isLong ? colon + two(seconds % 60) : ''}`
}

const READERS: Readonly<Record<string, string>> = {
  '2006': '(?<year>\\d{4})',
  '06': '(?<shortYear>\\d{2})',
  '01': '(?<month>\\d{2})',
  '1': '(?<month>\\d{1,2})',
  '02': '(?<day>\\d{2})',
  _2: ' ?(?<day>\\d{1,2})',
  '2': '(?<day>\\d{1,2})',
  '15': '(?<hour>\\d{2})',
  '03': '(?<twelve>\\d{2})',
  '3': '(?<twelve>\\d{1,2})',
  '04': '(?<minute>\\d{2})',
  '4': '(?<minute>\\d{1,2})',
  '05': '(?<second>\\d{2})(?:[.,](?<fraction>\\d{1,9}))?',
  '5': '(?<second>\\d{1,2})(?:[.,](?<fraction>\\d{1,9}))?',
  PM: '(?<half>AM|PM)',
  pm: '(?<half>am|pm)',
  January: `(?<longMonth>${MONTHS.join('|')})`,
  Jan: `(?<shortMonth>${MONTHS.map((name) => name.slice(0, 3)).join('|')})`,
  Monday: `(?:${DAYS.join('|')})`,
  Mon: `(?:${DAYS.map((name) => name.slice(0, 3)).join('|')})`,
  MST: '(?<zone>[A-Z]{3,5})',
}

/** `undefined` when `text` is not of that layout, or no date. */
export function parseInstant(text: string, layout: string): Instant | undefined {
  let pattern = ''
  let last = 0
  for (const match of layout.matchAll(LAYOUT)) {
    pattern += escapePattern(layout.slice(last, match.index)) + readerOf(match[0])
    last = match.index + match[0].length
  }
  const found = safeMatch(`^${pattern}${escapePattern(layout.slice(last))}$`, text)
  return found === undefined ? undefined : toInstant(found)
}

function readerOf(token: string): string {
  const reader = READERS[token]
  if (reader !== undefined) return reader
  if (/^[.,]/.test(token)) return token[1] === '9' ? '' : `[.,](?<fraction>\\d{${token.length - 1}})`
  const colon = token.includes(':') ? ':' : ''
  const offset = `[+-]\\d{2}${token.length === 3 ? '' : `${colon}\\d{2}`}`
  return `(?<offset>${token.startsWith('Z') ? `Z|${offset}` : offset})`
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

/** A layout that names a part twice cannot be matched. */
function safeMatch(pattern: string, text: string): Readonly<Record<string, string | undefined>> | undefined {
  try {
    return new RegExp(pattern).exec(text)?.groups ?? undefined
  } catch {
    return undefined
  }
}

function toInstant(parts: Readonly<Record<string, string | undefined>>): Instant | undefined {
  const year = parts.year !== undefined ? Number(parts.year) : shortYear(parts.shortYear)
  const month = monthOf(parts)
  const day = Number(parts.day ?? 1)
  const hour = hourOf(parts)
  const fields = [Number(parts.minute ?? 0), Number(parts.second ?? 0)] as const
  const nanos = Number((parts.fraction ?? '').padEnd(9, '0'))
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, fields[0], fields[1], Math.floor(nanos / 1e6))
  const isReal = month >= 1 && month <= 12 && date.getUTCDate() === day && hour < 24 && fields[0] < 60 && fields[1] < 60
  if (!isReal) return undefined
  const offsetSeconds = offsetOf(parts.offset)
  const zone = parts.zone ?? (offsetSeconds === 0 ? 'UTC' : '')
  return { ms: date.getTime() - offsetSeconds * 1000, nanos: nanos % 1e6, offsetSeconds, zone }
}

function shortYear(text: string | undefined): number {
  if (text === undefined) return 0
  return Number(text) >= 69 ? 1900 + Number(text) : 2000 + Number(text)
}

function monthOf(parts: Readonly<Record<string, string | undefined>>): number {
  if (parts.longMonth !== undefined) return MONTHS.indexOf(parts.longMonth) + 1
  if (parts.shortMonth !== undefined) return MONTHS.findIndex((name) => name.startsWith(parts.shortMonth ?? '')) + 1
  return Number(parts.month ?? 1)
}

function hourOf(parts: Readonly<Record<string, string | undefined>>): number {
  if (parts.twelve === undefined) return Number(parts.hour ?? 0)
  const isAfternoon = parts.half?.toLowerCase() === 'pm'
  if (Number(parts.twelve) > 12) return Number.NaN
  return (Number(parts.twelve) % 12) + (isAfternoon ? 12 : 0)
}

function offsetOf(text: string | undefined): number {
  if (text === undefined || text === 'Z') return 0
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3).replace(':', '') || 0)]
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60)
}

/** `2017-12-31 00:00:00 +0000 UTC`, as Go prints an instant. */
export function printInstant(instant: Instant): string {
  return formatInstant(instant, '2006-01-02 15:04:05.999999999 -0700 MST')
}

export { DAYS, MONTHS }
