/** Holds what was seen against what was recorded, by the rules of the stories' README. */
import type { Mismatch } from '../vectors/compare.js'
import { compareEvaluations } from './evaluations.js'
import { compareAllocationRows, compareRows, compareStream, type Row } from './histories.js'
import { type Recording, withoutRepeats } from './recording.js'
import type { RecordedAllocation, RecordedEvent, RecordedTask, Story } from './story.js'

type Fields = Readonly<Record<string, unknown>>

export interface Seen {
  readonly answers: readonly { readonly step: number; readonly error?: string; readonly reached?: false; readonly child?: string }[]
  readonly observations: readonly Fields[]
  readonly allocations: readonly Fields[]
  readonly deployments: readonly Fields[]
  readonly jobs: readonly Fields[]
  readonly services: readonly unknown[]
  readonly evaluations: readonly Fields[]
  readonly past: {
    /** All allocations that ever were, by the name of the API. */
    readonly gone: readonly { readonly id: string; readonly name: string; readonly history: readonly Row[] }[]
    readonly services: readonly object[]
    readonly recording: Recording
    /** Seconds, for each of the record. */
    readonly timings: readonly number[]
    readonly keyOf: (topic: string, name: string) => string | undefined
  }
}

/** The API keeps the last ten events of a task. */
const EVENTS_KEPT = 10
/** How far what took a time may be from what it took the reference. */
const SECONDS_APART = 0.7
/** Of a folder's entries: what belongs to the way in which the reference runs tasks. */
const IMPLEMENTATION = /(^|\/)(executor\.out|\.nomad-mount|\..*\.fifo|api\.sock|private)(\/|$)|^alloc$|^[^/]+$/
const ALLOCATION_FIELDS = [
  'alloc',
  'job',
  'group',
  'job_version',
  'node',
  'desired',
  'desired_description',
  'client',
  'client_description',
  'previous',
  'next',
]

export function compareStory(story: Story, seen: Seen): readonly Mismatch[] {
  const comparison = new Comparison(story)
  comparison.answers(seen)
  story.record.observations.forEach((observation, at) => {
    comparison.observation(`/observations/${at}`, observation, seen.observations[at] ?? {}, seen)
  })
  comparison.allocations(seen.allocations)
  comparison.past(seen, comparison.evaluations('', story.record.evaluations ?? [], seen.evaluations, seen))
  comparison.values('/services', byAllocation(story.record.services ?? []), byAllocation(seen.services))
  comparison.byName('/deployments', story.record.deployments, seen.deployments, 'deployment', ['status', 'description', 'groups'])
  comparison.byName('/jobs', story.record.jobs, seen.jobs, 'job', ['type', 'status', 'stop', 'version', 'versions', 'summary'])
  return comparison.mismatches
}

class Comparison {
  readonly mismatches: Mismatch[] = []
  readonly #story: Story
  readonly #unstable: readonly string[]

  constructor(story: Story) {
    this.#story = story
    this.#unstable = story.unstable ?? []
  }

  answers({ answers }: Seen): void {
    for (const { step, error, reached, child } of this.#story.record.steps) {
      const own = answers.find((answer) => answer.step === step)
      const isRefused = own?.error !== undefined
      // A file that is refused is told in words of its own, with file and line.
      const isFile = ['register', 'revert'].includes(this.#story.steps[step]!.do)
      if (error !== undefined && isRefused && !isFile) this.values(`/steps/${step}/error`, error.trim(), own.error!.trim())
      if (child !== undefined) this.values(`/steps/${step}/child`, child, own?.child)
      if ((error !== undefined) !== isRefused) this.#differs(`/steps/${step}`, error ?? 'no error', own?.error ?? 'no error')
      if ((reached === false) !== (own?.reached === false))
        this.#differs(`/steps/${step}/reached`, reached !== false, own?.reached !== false)
    }
  }

  observation(path: string, expected: Fields, got: Fields, seen: Seen): void {
    for (const [what, value] of Object.entries(expected)) {
      if (what === 'as' || what === 'nodes') continue
      if (what === 'evaluations') this.evaluations(path, value as Fields[], (got.evaluations ?? []) as Fields[], seen)
      else if (what === 'tree') this.values(`${path}/tree`, treeOf(value as Fields), treeOf(got.tree as Fields))
      else if (what === 'services') this.values(`${path}/services`, byAllocation(value), byAllocation(got.services))
      else this.values(`${path}/${what}`, value, got[what])
    }
  }

  allocations(seen: readonly Fields[]): void {
    const expected = this.#story.record.allocations
    expected.forEach((allocation, at) => {
      if (allocation.gone === true) return
      const own = seen.find(({ alloc }) => alloc === allocation.alloc)
      if (own === undefined) this.#differs(`/allocations/${at}`, allocation.alloc, 'no such allocation')
      else this.#allocation(`/allocations/${at}`, allocation, own)
    })
    const names = new Set(expected.map(({ alloc }) => alloc))
    for (const { alloc } of seen) if (!names.has(alloc as string)) this.#differs('/allocations/more', 'no more allocations', alloc)
  }

  /** @returns recorded name → id of the one here */
  evaluations(path: string, expected: readonly Fields[], got: readonly Fields[], seen: Seen): ReadonlyMap<unknown, unknown> {
    const creators = new Set(seen.allocations.map(({ creator }) => creator))
    const effective = new Set(got.filter(({ id }) => creators.has(id)).map((own) => own.eval))
    const { mismatches, pairs } = compareEvaluations(expected, got, { ...actsWithoutWork(this.#story), effective })
    // What else is said of one whose end differed between recordings goes with its end.
    const isOpen = (one: Mismatch) => this.#isUnstable(`${path}${one.path.split('/').slice(0, 3).join('/')}/status`)
    this.all(mismatches.filter((one) => !isOpen(one)).map((one) => ({ ...one, path: `${path}${one.path}` })))
    for (const [at, { eval: name, history }] of expected.entries()) {
      const own = pairs.get(name)
      // Who followed the stream of a server that was started again was told of what was over as if it began.
      const isEnd = (history as unknown[] | undefined)?.at(-1) === own?.status
      if (isEnd) this.all(compareRows(`${path}/evaluations/${at}/history`, history as unknown[], own!.history as unknown[]))
    }
    return new Map([...pairs].map(([name, { id }]) => [name, id]))
  }

  /** The pasts of deployments and of allocations that are gone, and what else the event stream told. */
  past({ deployments, past }: Seen, evaluations: ReadonlyMap<unknown, unknown>): void {
    const { record } = this.#story
    record.deployments.forEach(({ deployment, history }, at) => {
      const own = deployments.find((candidate) => candidate.deployment === deployment)?.history ?? []
      this.all(compareRows(`/deployments/${at}/history`, withoutRepeats(history as unknown[]), own as unknown[]))
    })
    record.allocations.forEach(({ alloc, gone, history }, at) => {
      if (gone !== true) return
      const own = past.gone.find(({ name }) => name === alloc)?.history ?? []
      this.all(compareAllocationRows(`/allocations/${at}/history`, history as Row[], own, false))
    })
    // Of an evaluation that is not there nothing was told: that it is missing is told above.
    const isThere = ([object]: [string, unknown]) =>
      !object.startsWith('Evaluation ') || evaluations.has(object.slice('Evaluation '.length))
    const stream = Object.fromEntries(Object.entries(record.stream ?? {}).filter(isThere))
    const keyOf = (topic: string, name: string) =>
      topic === 'Evaluation' ? (evaluations.get(name) as string | undefined) : past.keyOf(topic, name)
    this.all(compareStream(past.recording, stream, keyOf))
    record.timings?.forEach(({ seconds }, at) => {
      const own = past.timings[at]!
      const isNear = own >= Math.min(...seconds) - SECONDS_APART && own <= Math.max(...seconds) + SECONDS_APART
      if (!isNear) this.#differs(`/timings/${at}`, seconds, own)
    })
    if (record.service_events !== undefined) this.values('/service_events', asSet(record.service_events), asSet(past.services))
  }

  all(mismatches: readonly Mismatch[]): void {
    for (const { path, expected, got } of mismatches) this.#differs(path, expected, got)
  }

  byName(path: string, expected: readonly Fields[], seen: readonly Fields[], key: string, fields: readonly string[]): void {
    for (const one of seen)
      if (expected.every((candidate) => candidate[key] !== one[key]))
        this.#differs(`${path}/more`, `no more than ${expected.length}`, one[key])
    expected.forEach((one, at) => {
      const own = seen.find((candidate) => candidate[key] === one[key]) ?? {}
      for (const field of fields) this.values(`${path}/${at}/${field}`, one[field], own[field])
    })
  }

  values(path: string, expected: unknown, got: unknown): void {
    if (this.#isUnstable(path)) return
    if (Array.isArray(expected) && Array.isArray(got)) {
      if (expected.length !== got.length) this.#differs(path, expected, got)
      else for (const [at, item] of expected.entries()) this.values(`${path}/${at}`, item, got[at])
    } else if (isFields(expected) && isFields(got)) {
      for (const name of new Set([...Object.keys(expected), ...Object.keys(got)]))
        this.values(`${path}/${escapePointer(name)}`, expected[name], got[name])
    } else if (!isSame(expected, got)) this.#differs(path, expected, got)
  }

  #allocation(path: string, expected: RecordedAllocation, got: Fields): void {
    this.values(`${path}/created_by`, expected.created_by !== undefined, got.has_creator)
    this.values(`${path}/follow_up`, expected.follow_up !== undefined, got.has_follow_up)
    this.values(`${path}/desired_transition`, expected.desired_transition ?? {}, got.desired_transition)
    this.values(`${path}/reschedules`, expected.reschedules ?? [], got.reschedules)
    const isOfDeployment = expected.deployment !== undefined
    this.all(compareAllocationRows(`${path}/history`, expected.history as Row[], got.history as Row[], isOfDeployment))
    for (const field of ALLOCATION_FIELDS) this.values(`${path}/${field}`, expected[field], got[field])
    // The health of what was stopped before anything was known is an accident of the reference.
    if (got.deployment_status !== undefined || expected.desired === 'run') {
      this.values(`${path}/deployment_status`, expected.deployment_status, got.deployment_status)
    }
    for (const [name, task] of Object.entries(expected.tasks ?? {})) {
      const own = (got.tasks as Readonly<Record<string, RecordedTask>> | undefined)?.[name]
      if (own === undefined) this.#differs(`${path}/tasks/${name}`, task.state, 'no such task')
      else this.#task(`${path}/tasks/${escapePointer(name)}`, task, own)
    }
  }

  #task(path: string, expected: RecordedTask, got: RecordedTask): void {
    for (const field of ['state', 'failed', 'restarts', 'started', 'finished'] as const)
      this.values(`${path}/${field}`, expected[field], got[field])
    if (this.#isUnstable(`${path}/events`)) return
    // That an allocation is unhealthy may be told anywhere after its cause.
    const told = expected.events
      .map((event, at) => ({ event, path: `${path}/events/${at}` }))
      .filter(({ event }) => event.type !== 'Alloc Unhealthy')
    const own = got.events.filter((event) => event.type !== 'Alloc Unhealthy')
    const kept = Math.min(EVENTS_KEPT, told.length)
    const last = told.slice(-kept)
    const gotLast = own.slice(-kept)
    // Ten with an unhealthy one among them are nine others.
    const isCut = got.events.length >= EVENTS_KEPT && gotLast.length === kept - 1
    const shown = (events: readonly RecordedEvent[]) => events.map(({ type, message }) => `${type}: ${message}`)
    if (gotLast.length !== last.length && !isCut)
      return this.#differs(`${path}/events`, shown(last.map(({ event }) => event)), shown(gotLast))
    const aligned = isCut ? last.slice(1) : last
    for (const [index, { event, path: at }] of aligned.entries()) this.#event(at, event, gotLast[index]!)
  }

  #event(path: string, expected: RecordedEvent, got: RecordedEvent): void {
    this.values(`${path}/type`, expected.type, got.type)
    const isOfTheSystem = expected.message.startsWith('failed to') || /Exit Code: -1/.test(expected.message)
    if (isOfTheSystem || this.#isUnstable(`${path}/type`)) return
    this.values(`${path}/message`, expected.message, got.message)
    this.values(`${path}/details`, expected.details, got.details)
    this.values(`${path}/fails_task`, expected.fails_task ?? false, got.fails_task ?? false)
  }

  #isUnstable(path: string): boolean {
    return this.#unstable.some((pointer) => path === pointer || path.startsWith(`${pointer}/`))
  }

  #differs(path: string, expected: unknown, got: unknown): void {
    if (!this.#isUnstable(path)) this.mismatches.push({ path, expected, got })
  }
}

/** How often a file was registered that was just as it stood there, and a job purged that was stopped. */
function actsWithoutWork({ jobs, steps }: Story): { readonly identical: number; readonly purges: number } {
  const standing = new Map<string, string>()
  const counts = { identical: 0, purges: 0 }
  for (const step of steps) {
    if (step.do === 'deregister') {
      if (step.purge === true && !standing.has(step.job as string)) counts.purges++
      standing.delete(step.job as string)
    }
    if (step.do !== 'register') continue
    const text = jobs[step.file as string]?.join('\n') ?? ''
    const jobId = /^\s*job\s+"([^"]+)"/m.exec(text)?.[1] ?? ''
    if (standing.get(jobId) === text) counts.identical++
    standing.set(jobId, text)
  }
  return counts
}

/** A service that is lost with its host is told of as what became of it; the reference tells of the plan that did it. */
function asSet(rows: readonly unknown[]): readonly string[] {
  return rows
    .map((row) => (isFields(row) && row.type === 'PlanResult' ? { ...row, type: 'ServiceDeregistration' } : row))
    .map((row) => JSON.stringify(row, ['type', 'service', 'alloc', 'tags']))
    .sort()
}

/** Their order is that of ids, which are drawn anew in each run. */
function byAllocation(services: unknown): unknown {
  if (!Array.isArray(services)) return services
  const place = ({ service, alloc, id }: Fields) => `${String(service)} ${String(alloc)} ${String(id)}`
  return (services as readonly Fields[]).toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
}

/** Path → mode and kind, without what is an implementation's own. */
function treeOf(tree: Fields | undefined): Fields {
  const entries = (tree?.entries ?? []) as readonly Fields[]
  return Object.fromEntries(
    entries
      .filter(({ path }) => !IMPLEMENTATION.test(path as string))
      .map(({ path, kind, mode, uid, gid }) => [path, { kind, mode, uid, gid }]),
  )
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Words of the record that stand for anything of their shape. */
const ANY: Readonly<Record<string, string>> = {
  '<delay>': '[0-9hmsµn.]+',
  '<time>': '\\S+',
  '<uuid>': '[0-9a-f-]{36}',
  '<unix s>': '\\d+',
  '<unix ns>': '\\d+',
  '<what the Engine says>': '\\S.*',
}
const PLACEHOLDER = /<(?:delay|time|uuid|unix n?s|what the Engine says|port [^>]+|eval \d+)>/g

function isSame(expected: unknown, got: unknown): boolean {
  if (expected === got || (isZero(expected) && isZero(got))) return true
  if (typeof expected !== 'string' || got === undefined || got === null) return false
  let pattern = ''
  let from = 0
  for (const match of expected.matchAll(PLACEHOLDER)) {
    pattern += escapePattern(expected.slice(from, match.index)) + (ANY[match[0]] ?? '\\d+')
    from = match.index + match[0].length
  }
  return new RegExp(`^${pattern}${escapePattern(expected.slice(from))}$`, 's').test(String(got))
}

function isZero(value: unknown): boolean {
  return value === undefined || value === false || value === '' || value === 0
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
