/** `cron.json`: what is said of a periodic block, and when it is launched. */
import type { PeriodicConfig } from '../../../src/domain/index.js'
import { nextLaunch } from '../../../src/jobspec/next-launch.js'
import { periodicProblem } from '../../../src/jobspec/validate/periodic.js'
import { compareJson } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

interface Case {
  readonly name: string
  readonly spec?: string
  readonly specs?: readonly string[]
  readonly zone: string
  readonly from: string
  readonly count: number
  readonly validate?: string
  readonly next?: readonly string[]
  readonly error?: string
}

export const pureCron: VectorKind = {
  kind: 'pure/cron',
  *run(content) {
    for (const each of content as readonly Case[]) yield runCase(each)
  },
}

function runCase({ name, spec, specs, zone, from, count, validate, next, error }: Case): CaseResult {
  const config: PeriodicConfig = {
    Enabled: true,
    Spec: spec ?? '',
    Specs: specs ?? null,
    SpecType: 'cron',
    ProhibitOverlap: false,
    TimeZone: zone,
  }
  const isZoneKnown = next !== undefined || error !== undefined
  const expected = { validate, next, error }
  const got = { validate: periodicProblem(config), ...(isZoneKnown ? launches(config, from, count) : {}) }
  return { name, mismatches: compareJson(expected, got, { zeroEqualsAbsent: true }) }
}

function launches(config: PeriodicConfig, from: string, count: number): { readonly next?: readonly string[]; readonly error?: string } {
  const next: string[] = []
  let fromMs = Date.parse(from)
  while (next.length < count) {
    const launch = nextLaunch(config, fromMs)
    if (launch.kind === 'mistake') return { error: launch.problem }
    if (launch.atMs === null) break
    next.push(withOffset(launch.atMs, config.TimeZone))
    fromMs = launch.atMs
  }
  return { next }
}

/** RFC 3339 with the offset that the zone has then. */
function withOffset(atMs: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone === '' ? 'UTC' : zone, timeZoneName: 'longOffset' }).formatToParts(atMs)
  const offset = /GMT([+-]\d\d:\d\d)/.exec(parts.find(({ type }) => type === 'timeZoneName')!.value)?.[1]
  const minutes = offset === undefined ? 0 : Number(`${offset[0]}1`) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4)))
  return `${new Date(atMs + minutes * 60_000).toISOString().slice(0, 19)}${minutes === 0 ? 'Z' : offset}`
}
