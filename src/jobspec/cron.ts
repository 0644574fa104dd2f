/**
 * Cron texts as Nomad reads them: five fields, a year after them, seconds before them. Written anew as lists of numbers, so that
 * nothing is left to how a library reads ranges, steps and names. Source: Nomad docs, "periodic block"
 */
interface FieldRule {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const ABBREVIATION_LENGTH = 3

const SECOND: FieldRule = { name: 'second', min: 0, max: 59, names: [] }
const DAY_OF_MONTH: FieldRule = { name: 'day-of-month', min: 1, max: 31, names: [] }
const DAY_OF_WEEK: FieldRule = { name: 'day-of-week', min: 0, max: 7, names: DAYS }
const YEAR: FieldRule = { name: 'year', min: 1970, max: 2099, names: [] }
const FIELDS: readonly FieldRule[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  DAY_OF_MONTH,
  { name: 'month', min: 1, max: 12, names: MONTHS },
  DAY_OF_WEEK,
  YEAR,
]
const FIELDS_MIN = 5
const SATURDAY = 6

const SHORTCUTS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@hourly': '0 * * * *',
}

export type CronReading =
  | {
      readonly kind: 'sound'
      /** Seven fields, each a wildcard or a list, for the library that finds the times; null: no time matches. */
      readonly pattern: string | null
    }
  /** `problem`: the sentence of Nomad's parser. */
  | { readonly kind: 'mistake'; readonly problem: string }

export function readCron(spec: string): CronReading {
  const fields = (SHORTCUTS[spec.trim()] ?? spec).split(/\s+/).filter((field) => field !== '')
  if (fields.length < FIELDS_MIN) return { kind: 'mistake', problem: 'missing field(s)' }
  const hasSeconds = fields.length > FIELDS.length
  const rules = hasSeconds ? [SECOND, ...FIELDS] : FIELDS
  const lists: (readonly string[] | undefined)[] = hasSeconds ? [] : [['0']]
  for (const [at, rule] of rules.entries()) {
    const list = readField(fields[at] ?? '*', rule)
    if (typeof list === 'string') return { kind: 'mistake', problem: list }
    lists.push(list)
  }
  return { kind: 'sound', pattern: patternOf(lists) }
}

/** Where both days are restricted one that matches is enough: then one of which nothing is left says no more. */
function patternOf(lists: readonly (readonly string[] | undefined)[]): string | null {
  const [second, minute, hour, dayOfMonth, month, dayOfWeek, year] = lists
  const isEmpty = (list: readonly string[] | undefined) => list !== undefined && list.length === 0
  if ([second, minute, hour, month, year].some(isEmpty)) return null
  if (isEmpty(dayOfMonth) && (dayOfWeek === undefined || isEmpty(dayOfWeek))) return null
  if (isEmpty(dayOfWeek) && dayOfMonth === undefined) return null
  const text = (list: readonly string[] | undefined) => (list === undefined || list.length === 0 ? '*' : list.join(','))
  const years = year === undefined ? `${YEAR.min}-${YEAR.max}` : text(year)
  return [...[second, minute, hour, dayOfMonth, month, dayOfWeek].map(text), years].join(' ')
}

/** What the field allows, undefined for everything, or what is wrong with it. */
function readField(field: string, rule: FieldRule): readonly string[] | undefined | string {
  const items = field.split(',').filter((item) => item !== '')
  const list = new Set<string>()
  let isWild = false
  for (const item of items) {
    if (item === '*' || item === '?') {
      isWild = true
      continue
    }
    const values = readDayItem(item.toLowerCase(), rule) ?? readItem(item, rule)
    if (typeof values === 'string') return values
    for (const value of values) list.add(value)
  }
  if (!isWild) return [...list]
  // Together with something else a wildcard is a restriction that allows everything.
  return items.length === 1 ? undefined : numbersBetween(rule.min, lastOf(rule), 1)
}

/** What only days know: the last one, the weekday nearest to one, the second Friday. */
function readDayItem(item: string, rule: FieldRule): readonly string[] | undefined {
  if (rule === DAY_OF_MONTH) {
    if (item === 'l' || item === 'lw') return [item.toUpperCase()]
    const near = /^(\d{1,2})w$/.exec(item)?.[1]
    const day = near === undefined ? undefined : readValue(near, rule)
    return day === undefined ? undefined : [`${day}W`]
  }
  if (rule !== DAY_OF_WEEK) return undefined
  const [, name = '', which = ''] = /^(\d|[a-z]+?)(l|#[1-5])$/.exec(item) ?? []
  const day = readValue(name, rule)
  return day === undefined ? undefined : [`${day % DAYS.length}${which === 'l' ? '#L' : which}`]
}

function readItem(item: string, rule: FieldRule): readonly string[] | string {
  const [, range, step] = /^([^/]+)(?:\/(\d+))?$/.exec(item.toLowerCase()) ?? []
  const ends = range === undefined ? undefined : readRange(range, step !== undefined, rule)
  if (ends === undefined) return `syntax error in ${rule.name} field: '${item}'`
  const every = step === undefined ? 1 : Number(step)
  return every >= 1 && every <= rule.max ? numbersBetween(ends[0], ends[1], every) : `invalid interval ${item}`
}

function readRange(range: string, hasStep: boolean, rule: FieldRule): readonly [number, number] | undefined {
  if (range === '*' || range === '?') return [rule.min, lastOf(rule)]
  const ends = range.split('-').map((end) => readValue(end, rule))
  const [from, to] = ends
  if (from === undefined || ends.length > 2) return undefined
  // A single Sunday has two numbers; a range that ends with one ends before it.
  if (ends.length === 1) return hasStep ? [from, lastOf(rule)] : [from % modulusOf(rule), from % modulusOf(rule)]
  if (to === undefined) return undefined
  return [from, rule === DAY_OF_WEEK && to % DAYS.length === 0 ? SATURDAY : to]
}

function readValue(text: string, rule: FieldRule): number | undefined {
  const digits = rule === YEAR ? /^\d{4}$/ : rule === DAY_OF_WEEK ? /^\d$/ : /^\d{1,2}$/
  if (digits.test(text)) return Number(text) >= rule.min && Number(text) <= rule.max ? Number(text) : undefined
  const at = rule.names.findIndex((name) => name === text || name.slice(0, ABBREVIATION_LENGTH) === text)
  return at === -1 ? undefined : at + rule.min
}

function lastOf(rule: FieldRule): number {
  return rule === DAY_OF_WEEK ? SATURDAY : rule.max
}

function modulusOf(rule: FieldRule): number {
  return rule === DAY_OF_WEEK ? DAYS.length : Number.POSITIVE_INFINITY
}

/** Nothing, where the range runs backwards. */
function numbersBetween(from: number, to: number, every: number): readonly string[] {
  const numbers: string[] = []
  for (let number = from; number <= to; number += every) numbers.push(String(number))
  return numbers
}
