/** The periodic block by itself. */
import type { PeriodicConfig } from '../../domain/index.js'
import { readCron } from '../cron.js'
import { listText, quote } from './problem.js'

/** Nomad's list of what is wrong; undefined for a sound block. */
export function periodicProblem({ Spec, Specs, SpecType, TimeZone }: PeriodicConfig): string | undefined {
  const texts: string[] = []
  const specs = Specs ?? []
  if (Spec !== '' && specs.length > 0) texts.push('Only cron or crons may be used')
  if (Spec === '' && specs.length === 0) texts.push('Must specify a spec')
  const zoneProblem = timeZoneProblem(TimeZone)
  if (zoneProblem !== undefined) texts.push(`Invalid time zone ${quote(TimeZone)}: ${zoneProblem}`)
  if (SpecType === 'cron') {
    for (const spec of [...(Spec === '' ? [] : [Spec]), ...specs]) {
      const reading = readCron(spec)
      if (reading.kind === 'mistake') texts.push(`Invalid cron spec ${quote(spec)}: ${reading.problem}`)
    }
  } else texts.push(`Unknown periodic specification type ${quote(SpecType)}`)
  return texts.length === 0 ? undefined : listText(texts)
}

function timeZoneProblem(name: string): string | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return undefined
  if (/^[/\\]|\.\./.test(name)) return 'time: invalid location name'
  const unknown = `unknown time zone ${name}`
  if (/^[+-]/.test(name) || isMisspelt(name)) return unknown
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return undefined
  } catch {
    // The one thing that this throws is that it does not know the zone.
    return unknown
  }
}

const ZONES: ReadonlyMap<string, string> = new Map(Intl.supportedValuesOf('timeZone').map((zone) => [zone.toLowerCase(), zone]))

/** Names of zones are names of files: `Intl` takes them in any case, and lists those that are not older names of others. */
function isMisspelt(name: string): boolean {
  const zone = ZONES.get(name.toLowerCase())
  if (zone !== undefined) return zone !== name
  return !/^[A-Z]/.test(name) || /\/[A-Z]{4,}$/.test(name) || UPPER_CASE.test(name)
}

/** Older names in capitals are short: `ROC`, `EST5EDT`, `W-SU`; the others have small letters. */
const UPPER_CASE = /^[A-Z]{4,}(\/[A-Z]+)?$/
