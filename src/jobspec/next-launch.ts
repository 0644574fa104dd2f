/** When a periodic job is launched next. */
import { Cron } from 'croner'
import type { PeriodicConfig } from '../domain/index.js'
import { readCron } from './cron.js'

export type NextLaunch =
  | {
      readonly kind: 'at'
      /** Whole seconds, in milliseconds; null: never again. */
      readonly atMs: number | null
    }
  | { readonly kind: 'mistake'; readonly problem: string }

type Schedule = Pick<PeriodicConfig, 'Spec' | 'Specs' | 'TimeZone'>

/** The first launch after `fromMs`. `problem` is Nomad's sentence. */
export function nextLaunch({ Spec, Specs, TimeZone }: Schedule, fromMs: number): NextLaunch {
  if (Spec !== '' || (Specs ?? []).length === 0) return Spec === '' ? { kind: 'at', atMs: null } : nextOf(Spec, TimeZone, fromMs)
  let earliest: number | null = null
  for (const spec of Specs ?? []) {
    const next = nextOf(spec, TimeZone, fromMs)
    if (next.kind === 'mistake') return { ...next, problem: `failed parsing cron expression ${spec}: ${next.problem}` }
    // As Nomad has it: one that never fires hides those before it.
    if (earliest === null || next.atMs === null || next.atMs < earliest) earliest = next.atMs
  }
  return { kind: 'at', atMs: earliest }
}

function nextOf(spec: string, timeZone: string, fromMs: number): NextLaunch {
  const reading = readCron(spec)
  if (reading.kind === 'mistake') return { kind: 'mistake', problem: `failed parsing cron expression: ${spec}: ${reading.problem}` }
  if (reading.pattern === null) return { kind: 'at', atMs: null }
  const wholeSeconds = new Date(Math.floor(fromMs / 1000) * 1000)
  const next = cronOf(reading.pattern, timeZone).nextRun(wholeSeconds)
  return { kind: 'at', atMs: next === null ? null : next.getTime() }
}

function cronOf(pattern: string, timeZone: string): Cron {
  const zone = timeZone === '' ? 'UTC' : timeZone
  return new Cron(pattern, { mode: '7-part', paused: true, ...(zone === 'Local' ? {} : { timezone: zone }) })
}
