/** The `drover` meta of a job: names of variables files, and settings that say when the job's changes are carried out. */
import { type Job, type JobOrder, type JobRef, parseRfc3339Ms, readWords, rfc3339 } from '../domain/index.js'
import type { Problem } from './validate/problem.js'

export const META_NAME = 'drover'
const SETTINGS = 'depends_on=, bundle=, before=, after=, on_failure=, suspend_until= and suspend_reason='
const BUNDLE_NAME = /^[A-Za-z0-9_.-]{1,128}$/

export interface OrderReading {
  /** Without the `drover` meta: what it says is no part of what runs. */
  readonly job: Job
  /** Undefined: nothing is said of order. */
  readonly order: JobOrder | undefined
  readonly problems: readonly Problem[]
  /** Names of variables files, as written. */
  readonly variableFiles: readonly string[]
}

export function takeJobOrder(job: Job): OrderReading {
  const text = job.Meta?.[META_NAME]
  if (text === undefined) return { job, order: undefined, problems: [], variableFiles: [] }
  const { [META_NAME]: _, ...meta } = job.Meta!
  const said = readSettings(text)
  const { order, problems } = orderOf(said.settings, job)
  return {
    job: { ...job, Meta: Object.keys(meta).length === 0 ? null : meta },
    order,
    problems: [...said.problems, ...problems].map((problem) => ({ text: `meta "${META_NAME}": ${problem}` })),
    variableFiles: said.variableFiles,
  }
}

/** Words that are variables files of the job, separated by blanks or commas. */
export function variableFilesIn(text: string): readonly string[] {
  return readSettings(text).variableFiles
}

/** Of a text that may have mistakes. */
export function bundleIn(text: string): string {
  return readSettings(text).settings.get('bundle') ?? ''
}

interface Settings {
  readonly settings: ReadonlyMap<string, string>
  readonly variableFiles: readonly string[]
  readonly problems: readonly string[]
}

function readSettings(text: string): Settings {
  const settings = new Map<string, string>()
  const variableFiles: string[] = []
  const problems: string[] = []
  for (const { name, value } of readWords(text)) {
    if (name === null) {
      for (const word of value.split(',').filter((each) => each !== '')) {
        if (word.endsWith('.vars.hcl')) variableFiles.push(word)
        else problems.push(`"${word}" is no setting and no variables file; there are ${SETTINGS}, and names that end in .vars.hcl`)
      }
    } else if (!KNOWN.has(name)) problems.push(`there is no setting "${name}"; there are ${SETTINGS}`)
    else if (settings.has(name)) problems.push(`${name}= is said twice; say it once, with commas between names`)
    else settings.set(name, value)
  }
  return { settings, variableFiles, problems }
}

const PHASES = ['before', 'after', 'on_failure'] as const
const KNOWN: ReadonlySet<string> = new Set(['depends_on', 'bundle', ...PHASES, 'suspend_until', 'suspend_reason'])

function orderOf(settings: Settings['settings'], job: Job): { order: JobOrder | undefined; problems: readonly string[] } {
  if (settings.size === 0) return { order: undefined, problems: [] }
  const problems: string[] = []
  const dependsOn = readNames('depends_on', settings, job, problems)
  const hooks = PHASES.flatMap((phase) => readNames(phase, settings, job, problems).map((target) => ({ phase, target })))
  if (hooks.length > 0) problems.push(...hookProblems(job))
  const bundle = settings.get('bundle') ?? ''
  if (settings.has('bundle') && !BUNDLE_NAME.test(bundle))
    problems.push(`"${bundle}" is no name of a bundle; write letters, digits, ".", "_" and "-", at most 128`)
  const suspend = readSuspension(settings, problems)
  return { order: { dependsOn, bundle, suspend, hooks }, problems }
}

function readNames(setting: string, settings: Settings['settings'], job: Job, problems: string[]): readonly JobRef[] {
  const text = settings.get(setting)
  if (text === undefined) return []
  const names = new Set(text.split(/[\s,]+/).filter((name) => name !== ''))
  if (names.size === 0) problems.push(`${setting}= names no job; leave it out, or name jobs with commas between them`)
  return [...names].map((name) => {
    const ref = refOf(name, job.Namespace)
    if (ref.namespace === job.Namespace && ref.jobId === job.ID) problems.push(`${setting}= names the job itself`)
    return ref
  })
}

/** What is dispatched of a hook is told by these. */
export const HOOK_META = ['drover_job', 'drover_version', 'drover_commit'] as const

function hookProblems({ Type, Periodic, ParameterizedJob }: Job): readonly string[] {
  const isBatch = Type === 'batch' || Type === 'sysbatch'
  if (!isBatch || ParameterizedJob === null || Periodic !== null)
    return ['a hook is a parameterized batch job: write type = "batch" and parameterized {}']
  const missing = (ParameterizedJob.MetaRequired ?? []).filter((key) => !(HOOK_META as readonly string[]).includes(key))
  return [
    ...(ParameterizedJob.Payload === 'required' ? ['a hook is dispatched without a payload: it must not require one'] : []),
    ...(missing.length > 0 ? [`a hook is told ${HOOK_META.join(', ')}, and must not require the meta ${missing.join(', ')}`] : []),
  ]
}

/** `db`, or `ops/db` of another namespace. */
function refOf(name: string, namespace: string): JobRef {
  const at = name.indexOf('/')
  return at < 0 ? { namespace, jobId: name } : { namespace: name.slice(0, at), jobId: name.slice(at + 1) }
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/

/** Undefined for what is no instant, February 30 included. */
function readInstant(text: string): number | undefined {
  const day = INSTANT.exec(text)?.[1]
  const midnightMs = parseRfc3339Ms(`${day}T00:00:00Z`)
  return day === undefined || midnightMs === undefined || !rfc3339(midnightMs).startsWith(day) ? undefined : parseRfc3339Ms(text)
}

function readSuspension(settings: Settings['settings'], problems: string[]): JobOrder['suspend'] {
  const until = settings.get('suspend_until')
  const reason = settings.get('suspend_reason')
  if (until === undefined && reason === undefined) return null
  const untilMs = until === undefined ? undefined : readInstant(until)
  if (until === undefined) problems.push('suspend_reason= needs suspend_until=: a suspension ends by itself')
  else if (untilMs === undefined)
    problems.push(`suspend_until="${until}" is no instant; write one as in 2026-12-24T08:00:00Z or 2026-12-24T09:00:00+01:00`)
  if (reason === undefined || reason.trim() === '')
    problems.push('suspend_until= needs suspend_reason="…": whoever finds the job as it was wants to know why')
  return { untilMs: untilMs ?? 0, reason: reason ?? '' }
}
