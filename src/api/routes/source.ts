/** Drover's own reads, `/drover/v1/…`: what the repository says, where it cannot be read, what waits. */
import { type CommitTrace, type Drift, type FrozenFile, type JobSource, namespacedKey, placeText, sourceIdOf } from '../../domain/index.js'
import { type StateView, standingOf } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { notFound } from '../errors.js'
import { NAMESPACE_ALL } from '../parameters.js'
import type { CommitMemory, SourceHealth, WaitingChanges } from '../ports.js'
import type { Call, Route } from '../router.js'
import { blameFields } from '../views/blame.js'
import { computeDrift, DRIFT_TABLES } from '../views/drift.js'
import { reading } from './reading.js'

const WATCH_SOURCES = [{ table: 'sources' }, { table: 'frozenFiles' }] as const

export interface SourceDeps extends ReadDeps {
  readonly sourceHealth: SourceHealth
  readonly waitingChanges: WaitingChanges
  readonly commitMemory: CommitMemory
}

export function sourceRoutes(deps: SourceDeps): readonly Route[] {
  const { sourceHealth, waitingChanges } = deps
  return [
    { pattern: '/drover/v1/source', methods: { GET: reading(deps, (view) => readSource(view, sourceHealth)) } },
    { pattern: '/drover/v1/jobs', methods: { GET: reading(deps, listOwned) } },
    { pattern: '/drover/v1/history/:id', methods: { GET: reading(deps, readHistory) } },
    { pattern: '/drover/v1/waiting', methods: { GET: reading(deps, (view, call) => listWaiting(view, call, waitingChanges)) } },
    { pattern: '/drover/v1/drift', methods: { GET: reading(deps, (view, call) => listDrift(view, call, waitingChanges)) } },
    { pattern: '/drover/v1/blame/:id', methods: { GET: reading(deps, readBlame) } },
    { pattern: '/drover/v1/held', methods: { GET: reading(deps, readHeld) } },
    { pattern: '/drover/v1/trace/:id', methods: { GET: reading(deps, (view, call) => readTrace(view, call, deps.commitMemory)) } },
    { pattern: '/drover/v1/commits/:id', methods: { GET: reading(deps, readCommit) } },
  ]
}

/** The sources of this cluster, the first one first; `mistakes` of a frozen file carry its place as `file:line:column`. */
function readSource(view: StateView, { sourceHealth }: SourceHealth): Reading {
  const followed = sourceHealth.map(({ id, ref, overlay, problem, remote, limits }) => {
    const known = view.sources.get(id) ?? { id, ref, commit: null, held: null, modifyIndex: 0 }
    return { ...known, overlay, isFollowed: true, problem, remote, limits }
  })
  const isFollowed = new Set(followed.map(({ id }) => id))
  const left = view.sources.all().filter(({ id }) => !isFollowed.has(id))
  const rows = [...followed, ...left.map((source) => ({ ...source, isFollowed: false, problem: null, remote: null, limits: null }))]
  const sources = rows.map((row) => ({
    ...row,
    jobs: view.jobSources.countBy('source', row.id),
    frozen: view.frozenFiles.by('source', row.id).map(describeFrozen),
  }))
  return { index: Math.max(view.sources.index, view.frozenFiles.index), watch: WATCH_SOURCES, body: encodeJson(sources) }
}

function describeFrozen({ path, namespace, jobId, mistakes }: FrozenFile): object {
  return { path, namespace, jobId, mistakes: mistakes.map((mistake) => ({ place: placeText(mistake), ...mistake })) }
}

/** What each job owes to the repository: file, commit, version; what of it runs, and how much of it is wanted. */
function listOwned(view: StateView, call: Call): Reading {
  const { namespace } = call.parameters
  const owned = view.jobSources.all().filter((source) => namespace === NAMESPACE_ALL || source.namespace === namespace)
  const index = Math.max(view.jobSources.index, view.jobs.index, view.deployments.index)
  const watch = [{ table: 'jobSources' }, { table: 'jobs' }, { table: 'deployments' }] as const
  return { index, watch, body: encodeJson(owned.map((source) => describeOwned(view, source))) }
}

function describeOwned(view: StateView, source: JobSource): Readonly<Record<string, unknown>> {
  const job = view.jobs.get(namespacedKey(source.namespace, source.jobId))
  return { ...source, source: sourceIdOf(source), standing: job === undefined ? null : standingOf(view, job) }
}

/** Tables by which a reason may come or go; suspensions end and windows open without any of them changing. */
const WATCH_WAITING = ['waitingChanges', 'namespaceOrders', 'frozenFiles', 'jobs', 'deployments', 'allocations'] as const

function listWaiting(view: StateView, call: Call, waitingChanges: WaitingChanges): Reading {
  const { namespace } = call.parameters
  const told = waitingChanges.waiting(view).filter((change) => namespace === NAMESPACE_ALL || change.namespace === namespace)
  const index = Math.max(...WATCH_WAITING.map((table) => view[table].index))
  return { index, watch: WATCH_WAITING.map((table) => ({ table })), body: encodeJson(told) }
}

/** What differs from the repository; `job` narrows it to one, a namespace to its jobs, what is of none being told everywhere. */
function listDrift(view: StateView, call: Call, waitingChanges: WaitingChanges): Reading {
  const { namespace } = call.parameters
  const jobId = call.parameters.text('job')
  const isWanted = ({ subject }: Drift) =>
    subject.kind === 'job'
      ? (namespace === NAMESPACE_ALL || subject.namespace === namespace) && (jobId === '' || subject.jobId === jobId)
      : jobId === ''
  const drift = computeDrift(view, waitingChanges.waiting(view)).filter(isWanted)
  const index = Math.max(...DRIFT_TABLES.map((table) => view[table].index))
  return { index, watch: DRIFT_TABLES.map((table) => ({ table })), body: encodeJson(drift) }
}

/** Which commit each kept version of a job comes from, the newest first. */
function readHistory(view: StateView, call: Call): Reading {
  const { namespace } = call.parameters
  const job = view.jobs.get(namespacedKey(namespace, call.id))
  const index = Math.max(view.versionSources.index, view.jobs.index)
  const watch = [{ table: 'versionSources' }, { table: 'jobs' }] as const
  if (job === undefined) return { index, watch, body: notFound('job not found') }
  const versions = view.versionSources
    .by('job', namespacedKey(namespace, call.id))
    .filter(({ createIndex }) => createIndex === job.CreateIndex)
    .sort((a, b) => b.version - a.version)
  return { index, watch, body: encodeJson(versions.map(({ namespace: _, jobId: __, createIndex: ___, ...source }) => source)) }
}

/** Which commit each field of a job comes from, as far as its versions are kept. */
function readBlame(view: StateView, call: Call): Reading {
  const key = namespacedKey(call.parameters.namespace, call.id)
  const job = view.jobs.get(key)
  const index = Math.max(view.versionSources.index, view.jobs.index)
  const watch = [{ table: 'versionSources' }, { table: 'jobs' }] as const
  if (job === undefined) return { index, watch, body: notFound('job not found') }
  const versions = view.jobVersions
    .by('job', key)
    .filter(({ CreateIndex }) => CreateIndex === job.CreateIndex)
    .sort((a, b) => b.Version - a.Version)
  const sources = view.versionSources.by('job', key).filter(({ createIndex }) => createIndex === job.CreateIndex)
  const commits = new Map(sources.map(({ version, commit }) => [version, commit]))
  const fields = blameFields(versions).map((field) => ({ ...field, commit: commits.get(field.version) ?? null }))
  return { index, watch, body: encodeJson(fields) }
}

function readHeld(view: StateView): Reading {
  const held = view.sources.all().flatMap((source) => (source.held === null ? [] : [{ source: source.id, ...source.held }]))
  return { index: view.sources.index, watch: WATCH_SOURCES, body: encodeJson(held) }
}

/** The jobs that stand as this commit made them, named by the whole id or its beginning. */
function readCommit(view: StateView, call: Call): Reading {
  const isMeant = (id: string) => call.id.length >= 4 && id.startsWith(call.id.toLowerCase())
  const sources = view.jobSources.all().filter(({ commit }) => isMeant(commit.id))
  const commit = sources[0]?.commit ?? view.sources.all().find((source) => source.commit !== null && isMeant(source.commit.id))?.commit
  const watch = [{ table: 'sources' }, { table: 'jobSources' }] as const
  const index = Math.max(view.sources.index, view.jobSources.index)
  if (commit === undefined || commit === null) return { index, watch, body: notFound('commit not found among those that jobs stand at') }
  const jobs = sources.map(({ namespace, jobId, path, version }) => ({ namespace, jobId, path, version }))
  return { index, watch, body: encodeJson({ commit, jobs }) }
}

const WATCH_TRACE = ['commitTraces', 'versionTimes', 'versionSources', 'sources', ...WATCH_WAITING] as const

/** How a commit got here and what became of its jobs, named by the whole id or its beginning. One that is held is told as such. */
function readTrace(view: StateView, call: Call, memory: CommitMemory): Reading {
  const watch = WATCH_TRACE.map((table) => ({ table }))
  const index = Math.max(...WATCH_TRACE.map((table) => view[table].index))
  const isMeant = (id: string) => call.id.length >= 4 && id.startsWith(call.id.toLowerCase())
  const held = view.sources.all().find((source) => {
    return source.held !== null && isMeant(source.held.commit) && (call.parameters.text('source') || source.id) === source.id
  })?.held
  const wanted = call.parameters.text('source')
  const traces = [...view.commitTraces.values()].filter((trace) => {
    return isMeant(trace.commit.id) && (wanted === '' || sourceIdOf(trace) === wanted)
  })
  if (traces.length > 1) return { index, watch, body: notFound(ambiguous(call.id, traces)) }
  const trace = traces[0]
  if (trace === undefined && held === undefined) return { index, watch, body: notFound('this server has not applied a commit of that id') }
  const jobs = trace === undefined ? [] : memory.tracedJobs(view, sourceIdOf(trace), trace.commit.id)
  const told = trace === undefined ? null : { ...trace, source: sourceIdOf(trace) }
  return { index, watch, body: encodeJson({ trace: told, held: held ?? null, jobs }) }
}

function ambiguous(id: string, traces: readonly CommitTrace[]): string {
  const isOne = traces.every(({ commit }) => commit.id === traces[0]!.commit.id)
  if (!isOne) return `${id} is the beginning of ${traces.length} commits, give more of it`
  return `several sources have applied this commit; name one of them, as in ?source=${sourceIdOf(traces[0]!)}`
}
