/** The shortcomings of a job as its author is told of them. */
import type { Job } from '../../domain/index.js'
import type { ApiJob, ApiObject } from '../decode/api-job.js'
import { type BlockPlace, jobPlace } from '../locate/block-place.js'
import { type Fault, fault, placeOf } from '../mistakes.js'
import type { Span, Syntax } from '../syntax.js'
import { type PlaceStep, type Shortcoming, shortcomingsOf } from './shortcomings.js'

export interface SupportContext {
  /** The server's own; absent where it is not known, as for a file alone. */
  readonly region?: string
}

export interface SupportReading {
  readonly faults: readonly Fault[]
  readonly warnings: readonly string[]
}

/** Refusals as mistakes of the file, at their places; what has no effect as warnings. */
export function readSupport(syntax: Syntax, job: Job, written: ApiJob, context: SupportContext): SupportReading {
  const all = [...shortcomingsOf(job as unknown as ApiObject, written), ...regionShortcomings(job, context)]
  const faults = all.filter(({ support }) => support.kind === 'refused').map((one) => toFault(syntax, one))
  const idle = all.filter(({ support }) => support.kind === 'without-effect')
  const differing = firstOfEach(all.toSorted((a, b) => spanOf(syntax, a.place).start - spanOf(syntax, b.place).start))
  return { faults, warnings: [...new Set([...idle, ...differing].map((one) => toWarning(syntax, one)))] }
}

/** For a job without a file: one sentence each. */
export function supportTexts(job: Job): readonly string[] {
  const all = shortcomingsOf(job as unknown as ApiObject, {})
  const others = all.filter(({ support }) => support.kind !== 'differs')
  return [...new Set([...others, ...firstOfEach(all)].map((one) => `${whereOf(one)}${sentenceOf(one)}`))]
}

/** What differs is told where it is met first. */
function firstOfEach(all: readonly Shortcoming[]): readonly Shortcoming[] {
  const seen = new Map<string, Shortcoming>()
  for (const one of all) {
    if (one.support.kind === 'differs' && !seen.has(one.support.because)) seen.set(one.support.because, one)
  }
  return [...seen.values()]
}

/** What keeps one task from being run, and the group and the job that it is in; undefined: nothing. */
export function taskRefusal(job: Job, group: string, task: string): string | undefined {
  const concerns = ({ place }: Shortcoming): boolean =>
    place.every(
      (step) => step.kind !== 'block' || (step.type === 'group' ? step.which === group : step.type !== 'task' || step.which === task),
    )
  // A dispatched job has its payload from whoever dispatched it.
  const written = job.Dispatched ? { ...job, Payload: null } : job
  const refused = shortcomingsOf(written as unknown as ApiObject, {}).filter((one) => one.support.kind === 'refused' && concerns(one))
  return refused.length === 0 ? undefined : [...new Set(refused.map(sentenceOf))].join('; ')
}

function regionShortcomings(job: Job, { region }: SupportContext): readonly Shortcoming[] {
  if (job.Region === region || job.Region === 'global') return []
  const place: readonly PlaceStep[] = [{ kind: 'attribute', name: 'region', apiName: 'Region' }]
  if (region === undefined) {
    const because = `only a server of the region ${JSON.stringify(job.Region)} takes the job`
    return [{ support: { kind: 'without-effect', because }, name: 'region', place }]
  }
  const because = `this server is that of the region ${JSON.stringify(region)}`
  return [
    {
      support: { kind: 'refused', because, instead: 'Leave the region out, or commit the job to the repository of its region.' },
      name: 'region',
      place,
    },
  ]
}

function toFault(syntax: Syntax, one: Shortcoming): Fault {
  const { support } = one
  const instead = support.kind === 'refused' ? ` ${support.instead}` : ''
  return fault(
    syntax,
    spanOf(syntax, one.place),
    `${JSON.stringify(one.name)} is not carried out`,
    `${capitalized(support.because)}.${instead}`,
  )
}

function toWarning(syntax: Syntax, one: Shortcoming): string {
  const { line } = placeOf(syntax.text, spanOf(syntax, one.place).start)
  return `line ${line}: ${sentenceOf(one)}`
}

function sentenceOf({ name, support }: Shortcoming): string {
  if (support.kind === 'differs') return support.because
  if (support.kind === 'without-effect') return `${JSON.stringify(name)} has no effect: ${support.because}`
  return `${JSON.stringify(name)} is not carried out: ${support.because}`
}

/** `group "web", task "run": ` */
function whereOf({ place }: Shortcoming): string {
  const blocks = place.flatMap((step) => (step.kind === 'block' && (step.type === 'group' || step.type === 'task') ? [step] : []))
  return blocks.length === 0 ? '' : `${blocks.map(({ type, which }) => `${type} ${JSON.stringify(which)}`).join(', ')}: `
}

/** As near as the file lets it be pointed at. */
function spanOf(syntax: Syntax, steps: readonly PlaceStep[]): Span {
  let place: BlockPlace | undefined = jobPlace(syntax)
  if (place === undefined) return { start: 0, end: 0 }
  for (const step of steps) {
    if (step.kind === 'attribute')
      return place.attribute(step.name, step.apiName) ?? place.block(step.name, 0, step.apiName)?.span ?? place.span
    const inner: BlockPlace | undefined = place.block(step.type, step.which, step.apiName)
    // A task that stands in the job itself makes a group of its own name.
    if (inner === undefined && step.type !== 'group') return place.span
    place = inner ?? place
  }
  return place.span
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
