/**
 * A commit as spans of a trace: detected, verified, parsed, applied, and of each job planned, placed and its end. Told once, when all its jobs
 * have come to an end, or after an hour with what there is. Ids are made of the commit's, so that anybody finds the trace, and telling twice is
 * telling once.
 */
import { createHash } from 'node:crypto'
import { type CommitTrace, sourceIdOf, type ToldWait, type TracedJob } from '../../domain/index.js'
import { type StateEvents, type StateView, sourcedKey } from '../../state/index.js'
import { tracedJobs } from './commit-tracer.js'

export interface Span {
  readonly name: string
  /** 16 hexadecimal digits. */
  readonly id: string
  /** Undefined: it is the whole. */
  readonly parentId: string | undefined
  readonly fromMs: number
  readonly untilMs: number
  readonly attributes: Readonly<Record<string, string | number>>
  /** What went wrong; undefined: nothing. */
  readonly error: string | undefined
}

export interface SpanTree {
  /** The first 32 digits of the commit's id. */
  readonly traceId: string
  /** The whole first. */
  readonly spans: readonly Span[]
}

const GIVE_UP_MS = 3_600_000
/** A commit that changes more is told with its first jobs only; how many there were is an attribute. */
const JOBS_MAX = 1_000

export class CommitSpans {
  readonly #view: StateView
  readonly #waiting: (view: StateView) => readonly ToldWait[]
  /** Commits that are not told yet. */
  readonly #open = new Set<string>()

  /** @param nowMs commits of the last hour whose jobs are under way are followed on */
  constructor(view: StateView, waiting: (view: StateView) => readonly ToldWait[], nowMs: number) {
    this.#view = view
    this.#waiting = waiting
    for (const trace of view.commitTraces.values())
      if (nowMs - trace.appliedMs < GIVE_UP_MS && !isOver(this.#jobsOf(trace))) this.#open.add(keyOf(trace))
  }

  hear(events: readonly StateEvents[]): void {
    for (const { kind, changes } of events)
      if (kind === 'commit-trace')
        for (const { table, after } of changes.values())
          if (table === 'commitTraces' && after !== undefined) this.#open.add(keyOf(after as CommitTrace))
  }

  /** Those that are to be told now. */
  take(nowMs: number): readonly SpanTree[] {
    return [...this.#open].flatMap((key) => {
      const trace = this.#view.commitTraces.get(key)
      const jobs = trace === undefined ? [] : this.#jobsOf(trace)
      if (trace !== undefined && !isOver(jobs) && nowMs - trace.appliedMs < GIVE_UP_MS) return []
      this.#open.delete(key)
      return trace === undefined ? [] : [spansOf(trace, jobs, nowMs)]
    })
  }

  #jobsOf(trace: CommitTrace): readonly TracedJob[] {
    return tracedJobs(this.#view, sourceIdOf(trace), trace.commit.id, this.#waiting(this.#view))
  }
}

function keyOf(trace: CommitTrace): string {
  return sourcedKey(sourceIdOf(trace), trace.commit.id)
}

function isOver(jobs: readonly TracedJob[]): boolean {
  return jobs.every(({ endedMs }) => endedMs !== null)
}

export function spansOf(trace: CommitTrace, jobs: readonly TracedJob[], nowMs: number): SpanTree {
  const { commit, detectedMs, verifiedMs, parsedMs, appliedMs, registered, waiting, removed, frozen } = trace
  const untilMs = Math.max(appliedMs, ...jobs.map(({ endedMs }) => endedMs ?? nowMs))
  const idOf = (name: string) =>
    createHash('sha256')
      .update(`${keyOf(trace)} ${name}`)
      .digest('hex')
      .slice(0, 16)
  const rootId = idOf('')
  const span = (name: string, parentId: string | undefined, fromMs: number, toMs: number, more: Partial<Span> = {}): Span => ({
    name,
    id: parentId === undefined ? rootId : idOf(`${parentId} ${name}`),
    parentId,
    // An author's clock may be ahead of ours.
    fromMs: Math.min(fromMs, toMs),
    untilMs: toMs,
    attributes: {},
    error: undefined,
    ...more,
  })
  const failed = jobs.filter(({ outcome }) => outcome === 'failed').map(({ jobId }) => jobId)
  const whole = span(`commit ${commit.id.slice(0, 12)}`, undefined, commit.atMs, untilMs, {
    attributes: {
      'drover.source': sourceIdOf(trace),
      'drover.commit.id': commit.id,
      'drover.commit.author': commit.author,
      'drover.commit.subject': commit.subject,
      'drover.jobs.registered': registered,
      'drover.jobs.waiting': waiting,
      'drover.jobs.removed': removed,
      'drover.files.frozen': frozen,
    },
    error: failed.length === 0 ? undefined : `failed: ${failed.slice(0, 10).join(', ')}`,
  })
  const steps = [
    span('detected', rootId, commit.atMs, detectedMs),
    ...(verifiedMs === null ? [] : [span('verified', rootId, detectedMs, verifiedMs)]),
    span('parsed', rootId, verifiedMs ?? detectedMs, parsedMs),
    span('applied', rootId, parsedMs, appliedMs),
  ]
  return {
    traceId: commit.id.slice(0, 32).padEnd(32, '0'),
    spans: [whole, ...steps, ...jobs.slice(0, JOBS_MAX).flatMap((job) => jobSpans(job, rootId, appliedMs, nowMs, span))],
  }
}

type MakeSpan = (name: string, parentId: string | undefined, fromMs: number, toMs: number, more?: Partial<Span>) => Span

function jobSpans(job: TracedJob, rootId: string, appliedMs: number, nowMs: number, span: MakeSpan): readonly Span[] {
  const { namespace, jobId, path, version, registeredMs, plannedMs, placedMs, endedMs, outcome, waitsFor } = job
  const fromMs = registeredMs ?? appliedMs
  const whole = span(`job ${namespace}/${jobId}`, rootId, fromMs, endedMs ?? nowMs, {
    attributes: {
      'drover.namespace': namespace,
      'drover.job.id': jobId,
      'drover.job.path': path,
      ...(version === null ? {} : { 'drover.job.version': version }),
      'drover.outcome': outcome,
      ...(waitsFor.length === 0 ? {} : { 'drover.waits_for': waitsFor.join('; ') }),
    },
    error: outcome === 'failed' ? `version ${version} failed` : undefined,
  })
  return [
    whole,
    ...(plannedMs === null ? [] : [span('planned', whole.id, fromMs, plannedMs)]),
    ...(placedMs === null ? [] : [span('placed', whole.id, plannedMs ?? fromMs, placedMs)]),
    ...(endedMs === null ? [] : [span(outcome, whole.id, placedMs ?? plannedMs ?? fromMs, endedMs)]),
  ]
}
