/** Does a cron text have the form that Nomad's parser takes? When it fires is for others to say. */
interface FieldRule {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

const MONTHS = [
  'jan',
  'feb',
  'mar',
  'apr',
  'may',
  'jun',
  'jul',
  'aug',
  'sep',
  'oct',
  'nov',
  'dec',
  'january',
  'february',
  'march',
  'april',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

const SECOND: FieldRule = { name: 'second', min: 0, max: 59, names: [] }
const FIELDS: readonly FieldRule[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day-of-month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day-of-week', min: 0, max: 7, names: DAYS },
  { name: 'year', min: 1970, max: 2099, names: [] },
]
const SHORTCUTS: ReadonlySet<string> = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly'])

/** The parser's own sentence, or `undefined` for a sound text. */
export function cronProblem(spec: string): string | undefined {
  if (SHORTCUTS.has(spec.trim().toLowerCase())) return undefined
  const fields = spec
    .trim()
    .split(/\s+/)
    .filter((field) => field !== '')
  if (fields.length < 5) return 'missing field(s)'
  const rules = fields.length >= 7 ? [SECOND, ...FIELDS] : FIELDS
  for (const [at, rule] of rules.entries()) {
    const field = fields[at]
    if (field === undefined) break
    const bad = field.split(',').find((item) => !isItem(item.toLowerCase(), rule))
    if (bad !== undefined) return `syntax error in ${rule.name} field: '${bad}'`
  }
  return undefined
}

function isItem(item: string, rule: FieldRule): boolean {
  if (item === '*' || item === '?') return true
  if (rule.name === 'day-of-month' && (/^(?:l|lw)$/.test(item) || /^(?:[1-9]|[12][0-9]|3[01])w$/.test(item))) return true
  if (rule.name === 'day-of-week' && /^(?:[0-7]|[a-z]+)(?:l|#[1-5])$/.test(item)) return isValue(item.replace(/(?:l|#[1-5])$/, ''), rule)
  const [range = '', step, ...rest] = item.split('/')
  if (rest.length > 0 || (step !== undefined && (!/^[0-9]+$/.test(step) || Number(step) < 1 || Number(step) > rule.max))) return false
  if (range === '*' || range === '?') return step !== undefined
  const ends = range.split('-')
  return ends.length <= 2 && ends.every((end) => isValue(end, rule))
}

function isValue(text: string, rule: FieldRule): boolean {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text) >= rule.min && Number(text) <= rule.max
  return rule.names.includes(text)
}
