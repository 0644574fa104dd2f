/**
 * Writes down when versions that commits have made came to their end, once each, and counts how long commits take to get there.
 * Allocations and evaluations are forgotten long before versions are.
 */
import {
  Histogram,
  type Job,
  sourceIdOf,
  type ToldWait,
  type TracedJob,
  type VersionSource,
  type VersionTimes,
} from '../../domain/index.js'
import { jobKey, jobVersionKey, ownerKey, type StateView } from '../../state/index.js'
import type { ReconcilerDeps } from '../reconciler-deps.js'
import { versionProgress, wholeMs } from './version-progress.js'

export type CommitTracerDeps = Pick<ReconcilerDeps, 'view' | 'clock' | 'propose' | 'onDue'>

const STEPS = ['detected', 'planned', 'placed', 'healthy'] as const
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800]

export class CommitTracer {
  readonly #deps: CommitTracerDeps
  /** Jobs with a version that has not come to its end, and those to be looked at. */
  readonly #open = new Set<string>()
  readonly #due = new Set<string>()
  readonly #startedMs: number
  /** Seconds from the time of the commit, since this server runs. Of planned and placed only what came to an end. */
  readonly seconds: Readonly<Record<(typeof STEPS)[number], Histogram>> = {
    detected: new Histogram(SECONDS),
    planned: new Histogram(SECONDS),
    placed: new Histogram(SECONDS),
    healthy: new Histogram(SECONDS),
  }

  constructor(deps: CommitTracerDeps) {
    this.#deps = deps
    this.#startedMs = deps.clock.wallMs()
    const { view } = deps
    for (const source of view.versionSources.values()) this.#follow(source)
    view.versionSources.observe((before, after) => before === undefined && after !== undefined && this.#follow(after))
    view.commitTraces.observe((before, after) => {
      if (before === undefined && after !== undefined) this.seconds.detected.add((after.detectedMs - after.commit.atMs) / 1000)
    })
    view.jobs.observe((_before, _after, key) => this.#mark(key))
    view.deployments.observe((before, after) => this.#markOwner(after ?? before))
    view.allocations.observe((before, after) => this.#markOwner(after ?? before))
    view.evaluations.observe((before, after) => this.#markOwner(after ?? before))
  }

  reconcile(): void {
    const { view, propose } = this.#deps
    if (this.#due.size === 0) return
    const ended: VersionTimes[] = []
    for (const key of [...this.#due].sort()) {
      this.#due.delete(key)
      const job = view.jobs.get(key)
      const open = job === undefined ? [] : openVersions(view, job)
      const news = open.flatMap((source) => this.#end(job!, source))
      if (news.length === open.length) this.#open.delete(key)
      ended.push(...news)
    }
    if (ended.length > 0) propose([{ kind: 'version-times', times: ended }])
    for (const times of ended) this.#count(times)
  }

  #end(job: Job, { version, commit }: VersionSource): readonly VersionTimes[] {
    const { view, clock } = this.#deps
    const { outcome, plannedMs, placedMs } = versionProgress(view, job, version)
    if (outcome === null) return []
    const { Namespace: namespace, ID: jobId, CreateIndex: createIndex } = job
    const registeredMs = submittedMs(view, namespace, jobId, createIndex, version)
    return [
      { namespace, jobId, createIndex, version, commit: commit.id, registeredMs, plannedMs, placedMs, endedMs: clock.wallMs(), outcome },
    ]
  }

  /** What began before this server ran may have come to its end unseen. */
  #count({ namespace, jobId, createIndex, version, registeredMs, plannedMs, placedMs, endedMs, outcome }: VersionTimes): void {
    if (registeredMs < this.#startedMs) return
    const fromMs = this.#deps.view.versionSources.get(jobVersionKey(namespace, jobId, createIndex, version))?.commit.atMs
    if (fromMs === undefined) return
    if (plannedMs !== null) this.seconds.planned.add((plannedMs - fromMs) / 1000)
    if (placedMs !== null) this.seconds.placed.add((placedMs - fromMs) / 1000)
    if (outcome === 'healthy') this.seconds.healthy.add((endedMs - fromMs) / 1000)
  }

  #follow(source: VersionSource): void {
    const { namespace, jobId } = source
    if (!isMadeByCommit(source) || this.#deps.view.versionTimes.get(timesKey(source)) !== undefined) return
    const key = jobKey({ Namespace: namespace, ID: jobId })
    this.#open.add(key)
    this.#due.add(key)
    this.#deps.onDue()
  }

  #mark(key: string): void {
    if (!this.#open.has(key)) return
    this.#due.add(key)
    this.#deps.onDue()
  }

  #markOwner(row: { readonly Namespace: string; readonly JobID: string } | undefined): void {
    if (row !== undefined && this.#open.size > 0) this.#mark(ownerKey(row))
  }
}

/** Made by a commit, and not at their end yet as far as anybody has written down. */
function openVersions(view: StateView, job: Job): readonly VersionSource[] {
  return view.versionSources
    .by('job', jobKey(job))
    .filter(
      (source) => source.createIndex === job.CreateIndex && isMadeByCommit(source) && view.versionTimes.get(timesKey(source)) === undefined,
    )
}

function isMadeByCommit({ revertOf, isScaled }: VersionSource): boolean {
  return revertOf === null && isScaled === undefined
}

function timesKey({
  namespace,
  jobId,
  createIndex,
  version,
}: Pick<VersionSource, 'namespace' | 'jobId' | 'createIndex' | 'version'>): string {
  return jobVersionKey(namespace, jobId, createIndex, version)
}

/** The jobs that a commit has changed, or is to: by namespace and id. */
export function tracedJobs(view: StateView, sourceId: string, commitId: string, waiting: readonly ToldWait[]): readonly TracedJob[] {
  const made: TracedJob[] = []
  for (const source of view.versionSources.values()) {
    const { namespace, jobId, path, version, createIndex, commit } = source
    const isMeant = commit.id === commitId && isMadeByCommit(source) && sourceIdOf(source) === sourceId
    const job = isMeant ? view.jobs.get(jobKey({ Namespace: namespace, ID: jobId })) : undefined
    if (job === undefined || job.CreateIndex !== createIndex) continue
    const known = view.versionTimes.get(timesKey(source))
    const registeredMs = known?.registeredMs ?? submittedMs(view, namespace, jobId, createIndex, version)
    const { plannedMs, placedMs, outcome, missing } = known === undefined ? versionProgress(view, job, version) : { ...known, missing: '' }
    made.push({
      namespace,
      jobId,
      path,
      version,
      registeredMs,
      plannedMs,
      placedMs,
      endedMs: known?.endedMs ?? null,
      outcome: outcome ?? 'in-progress',
      waitsFor: missing === '' ? [] : [missing],
    })
  }
  const none = { version: null, registeredMs: null, plannedMs: null, placedMs: null, endedMs: null }
  const held = waiting
    .filter(({ commit, source }) => commit === commitId && source === sourceId)
    .map(({ namespace, jobId, path, reasons }): TracedJob => {
      return { namespace, jobId, path, ...none, outcome: 'waiting', waitsFor: reasons.map(({ text }) => text) }
    })
  const nameOf = ({ namespace, jobId }: TracedJob) => `${namespace}/${jobId}`
  return [...made, ...held].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

function submittedMs(view: StateView, namespace: string, jobId: string, createIndex: number, version: number): number {
  return wholeMs(view.findJobVersion(namespace, jobId, createIndex, version)?.SubmitTime ?? 0)
}
