/**
 * What one completely read commit asks for, compared with what is registered: pure, so that every rule of the repository
 * contract (docs/repository.md) is tried without a repository.
 *
 * I11 Nothing is removed without a complete reading and the guard.  test/controller/desired-state.test.ts
 */
import {
  type Commit,
  type FrozenFile,
  type Held,
  type Job,
  type JobOrder,
  type JobSource,
  type Mistake,
  mistakeOfFile,
  namespacedKey,
  parseNamespacedKey,
  sourced,
  sourceIdOf,
} from '../domain/index.js'
import { isSpecChanged, type JobName, transitionProblem } from '../jobspec/index.js'
import { jobKey, jobSourceKey, type StateView, sourcedKey } from '../state/index.js'
import { bundleMember, checkDependencies, type OrderedJob } from './order/check-dependencies.js'
import { asAsked } from './owned-counts.js'
import { FIRST_SOURCE, jobTaker, type SourceScope } from './sources/source-scope.js'
import { ALLOW_DELETE, isJobNamed, isTrailer, trailerWords } from './trailers.js'

/** As much of a job that was read as the comparison needs: the job itself, or what stands for it in a question about a commit. */
export type ReadJob = Pick<Job, 'Namespace' | 'ID' | 'Version'>

/** What reading one job file gave. */
export type FileReading<Read extends ReadJob = Job> =
  | {
      readonly kind: 'job'
      readonly path: string
      readonly blob: string
      readonly job: Read
      readonly inputs: JobSource['inputs']
      readonly order?: JobOrder | undefined
    }
  | {
      readonly kind: 'mistakes'
      readonly path: string
      readonly blob: string
      readonly mistakes: readonly Mistake[]
      /** The job that the text names, where that much can be read. */
      readonly names?: JobName | undefined
    }

/** One commit, read completely. */
export interface SourceReadings<Read extends ReadJob = Job> {
  /** Sources with the same blobs as when their job was last registered from them, by job key. */
  readonly unchanged: ReadonlyMap<string, JobSource>
  readonly read: readonly FileReading<Read>[]
}

export interface DesiredChanges<Read extends ReadJob = Job> {
  readonly registrations: readonly { readonly job: Read; readonly source: JobSource }[]
  /** Sources whose path or inputs changed while the job did not. */
  readonly moved: readonly JobSource[]
  /** Sources of jobs that are gone here while another source says them: they are that one's now, and run on. */
  readonly handedOver: readonly JobSource[]
  readonly removals: readonly Job[]
  readonly frozen: readonly FrozenFile[]
  readonly held: Held | null
}

/** How a job that was read is held against the one that is registered. */
export interface ComparisonRules<Read> {
  /** Whose commit it is. */
  readonly scope: SourceScope
  readonly isChanged: (asked: Job, read: Read) => boolean
  /** Why the one may not become the other, in Nomad's words. */
  readonly transitionProblem: (registered: Job, read: Read) => string | undefined
}

export const FULL_RULES: ComparisonRules<Job> = { scope: FIRST_SOURCE, isChanged: isSpecChanged, transitionProblem }

/** A commit may remove this many jobs, or this share of all, without being asked. */
const REMOVALS_FREE = 3
const REMOVALS_FREE_SHARE = 0.2

/** Jobs compared before others get their turn. */
const COMPARISONS_PER_SLICE = 64

export function computeChanges(
  view: StateView,
  commit: Commit,
  trailers: Commit['trailers'],
  readings: SourceReadings,
  rules = FULL_RULES,
): DesiredChanges {
  const slices = computeChangesInSlices(view, commit, trailers, readings, rules)
  for (;;) {
    const { done, value } = slices.next()
    if (done === true) return value
  }
}

/** The same, with places where others may get their turn: thousands of jobs take a while to compare. */
export function* computeChangesInSlices<Read extends ReadJob>(
  view: StateView,
  commit: Commit,
  trailers: Commit['trailers'],
  readings: SourceReadings<Read>,
  rules: ComparisonRules<Read>,
): Generator<undefined, DesiredChanges<Read>> {
  const { scope } = rules
  const { wanted, frozen: unsound } = setDuplicatesAside(view, scope, readings)
  const frozen = [...unsound]
  for (const [key, reading] of wanted) {
    const taker = jobTaker(view, scope, key)
    if (taker === undefined) continue
    frozen.push(freezeTaken(reading, taker))
    wanted.delete(key)
  }
  for (const file of mistakenDependencies(view, scope, { unchanged: readings.unchanged, wanted, unsound })) {
    frozen.push(file)
    wanted.delete(namespacedKey(file.namespace!, file.jobId!))
  }
  const registrations: DesiredChanges<Read>['registrations'][number][] = []
  const moved: JobSource[] = []
  let compared = 0
  for (const reading of wanted.values()) {
    if (++compared % COMPARISONS_PER_SLICE === 0) yield
    const forbidden = forbidTransition(view, reading, rules)
    if (forbidden !== undefined) {
      frozen.push(forbidden)
      continue
    }
    const change = compareWithRegistered(view, commit, reading, rules)
    if (change.isNew) registrations.push({ job: { ...reading.job, Version: change.source.version }, source: change.source })
    else if (change.isMoved) moved.push(change.source)
  }
  const gone = computeRemovals(view, scope, (key) => wanted.has(key) || readings.unchanged.has(key), frozen)
  const { removals, held } = guardRemovals(view, commit, trailers, scope, gone)
  return { registrations, moved, handedOver: gone.handedOver, removals, frozen, held }
}

type JobReading<Read extends ReadJob> = Extract<FileReading<Read>, { kind: 'job' }>

/** What was read, by job. The same job in two files: both are mistakes, and the job stays as it is. */
function setDuplicatesAside<Read extends ReadJob>(
  view: StateView,
  scope: SourceScope,
  { unchanged, read }: SourceReadings<Read>,
): { wanted: Map<string, JobReading<Read>>; frozen: readonly FrozenFile[] } {
  const wanted = new Map<string, JobReading<Read>>()
  const duplicates = new Map<string, Definition[]>()
  const frozen: FrozenFile[] = []
  for (const reading of read) {
    if (reading.kind === 'mistakes') {
      frozen.push(freeze(view, scope, reading))
      continue
    }
    const key = jobKey(reading.job)
    const source = unchanged.get(key)
    const first = source === undefined ? wanted.get(key) : { path: source.path, blob: source.inputs[0]?.blob ?? '' }
    if (first === undefined) wanted.set(key, reading)
    else duplicates.set(key, [...(duplicates.get(key) ?? [first]), reading])
  }
  for (const [key, same] of duplicates) {
    wanted.delete(key)
    for (const definition of same) frozen.push(freezeDuplicate(key, definition, same))
  }
  return { wanted, frozen: frozen.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** Of the commit as a whole: also files that did not change may depend on what is gone. */
function mistakenDependencies<Read extends ReadJob>(
  view: StateView,
  scope: SourceScope,
  { unchanged, wanted, unsound }: Wanted<Read>,
): readonly FrozenFile[] {
  const jobs = new Map<string, OrderedJob>([...wanted].map(([key, { path, blob, order }]) => [key, { path, blob, order }]))
  for (const [key, { path, inputs, order }] of unchanged)
    if (order !== undefined && !jobs.has(key)) jobs.set(key, { path, blob: inputs[0]?.blob ?? '', order })
  const beside = ordersBeside(view, scope, jobs)
  // One of them may define it.
  if (unsound.some(({ jobId }) => jobId === null)) return checkDependencies(jobs, () => true, beside)
  const mistaken = new Set(unsound.map(({ namespace, jobId }) => namespacedKey(namespace!, jobId!)))
  const isElsewhere = (key: string) => jobTaker(view, scope, key) !== undefined
  const isDefined = (key: string) => wanted.has(key) || unchanged.has(key) || mistaken.has(key) || isElsewhere(key)
  return checkDependencies(jobs, isDefined, beside)
}

interface Wanted<Read extends ReadJob> {
  readonly unchanged: SourceReadings<Read>['unchanged']
  readonly wanted: ReadonlyMap<string, JobReading<Read>>
  readonly unsound: readonly FrozenFile[]
}

/** What jobs of other sources wait for: a circle may lead through them. Only where one of these waits for such a job. */
function ordersBeside(view: StateView, scope: SourceScope, jobs: ReadonlyMap<string, OrderedJob>): ReadonlyMap<string, OrderedJob> {
  const named = [...jobs.values()].flatMap(({ order }) => [
    ...(order?.dependsOn ?? []),
    ...(order?.hooks ?? []).map(({ target }) => target),
  ])
  const beside = new Map<string, OrderedJob>()
  if (named.every((job) => jobTaker(view, scope, jobSourceKey(job)) === undefined)) return beside
  const others = [...view.jobSources.values(), ...[...view.waitingChanges.values()].map(({ source }) => source)]
  for (const source of others) {
    const { path, inputs, order } = source
    if (order !== undefined && sourceIdOf(source) !== scope.id)
      beside.set(jobSourceKey(source), { path, blob: inputs[0]?.blob ?? '', order })
  }
  return beside
}

/** Where a job is defined. */
interface Definition {
  readonly path: string
  readonly blob: string
}

/** Of the other files that define the same job. */
const DUPLICATES_NAMED_MAX = 5

function freezeDuplicate(key: string, { path, blob }: Definition, same: readonly Definition[]): FrozenFile {
  const others = same.filter((other) => other.path !== path).slice(0, DUPLICATES_NAMED_MAX)
  const unnamed = same.length - 1 - others.length
  const places = `${others.map((other) => other.path).join(', ')}${unnamed > 0 ? ` and ${unnamed} more files` : ''}`
  const [namespace, jobId] = parseNamespacedKey(key)
  const mistake = mistakeOfFile(
    path,
    `job "${jobId}" of namespace "${namespace}" is also defined in ${places}`,
    'Keep one of the files, or give one of the jobs another ID; until then the job stays as it is.',
  )
  return { path, blob, namespace, jobId, mistakes: [mistake] }
}

/** The job stays as the other source has it; this file is looked at again when that one lets it go. */
function freezeTaken<Read extends ReadJob>({ path, blob, job, order }: JobReading<Read>, taker: string): FrozenFile {
  const mistake = mistakeOfFile(
    path,
    `job "${job.ID}" of namespace "${job.Namespace}" is already defined by the source "${taker}"`,
    'Give the job another ID, or have it taken out of the other source; until then it stays as that one has it.',
  )
  return { path, blob, namespace: job.Namespace, jobId: job.ID, ...bundleMember(order?.bundle), takenBy: taker, mistakes: [mistake] }
}

function freeze(
  view: StateView,
  scope: SourceScope,
  { path, blob, mistakes, names }: Extract<FileReading<ReadJob>, { kind: 'mistakes' }>,
): FrozenFile {
  const source = view.jobSources.by('path', sourcedKey(scope.id, path))[0]
  const job = source ?? names
  const bundle = names?.bundle ?? source?.order?.bundle
  return { path, blob, namespace: job?.namespace ?? null, jobId: job?.jobId ?? null, ...bundleMember(bundle), mistakes }
}

/** What a job is, a service or launched at times, is fixed for as long as it is there. */
function forbidTransition<Read extends ReadJob>(
  view: StateView,
  { job, path, blob, order }: JobReading<Read>,
  rules: ComparisonRules<Read>,
): FrozenFile | undefined {
  const registered = view.jobs.get(jobKey(job))
  const summary = registered === undefined || registered.Stop ? undefined : rules.transitionProblem(registered, job)
  if (summary === undefined) return undefined
  const detail = 'Give the job another ID, or commit its file without it first: the job is stopped, and may be registered anew.'
  const mistake = mistakeOfFile(path, summary, detail)
  return { path, blob, namespace: job.Namespace, jobId: job.ID, ...bundleMember(order?.bundle), mistakes: [mistake] }
}

function compareWithRegistered<Read extends ReadJob>(
  view: StateView,
  commit: Commit,
  reading: JobReading<Read>,
  { scope, isChanged }: ComparisonRules<Read>,
): { isNew: boolean; isMoved: boolean; source: JobSource } {
  const key = jobKey(reading.job)
  const registered = view.jobs.get(key)
  const known = view.jobSources.get(key)
  const { path, inputs, order } = reading
  const job = { namespace: reading.job.Namespace, jobId: reading.job.ID }
  const base = { ...job, ...sourced(scope.id), path, inputs, ...(order === undefined ? {} : { order }) }
  if (registered !== undefined && !registered.Stop && known !== undefined) {
    // Compared with what git last asked for, not with what runs: a version that was reverted for failing must not come
    // back before the file says something new.
    const asked = asAsked(
      view.findJobVersion(base.namespace, base.jobId, registered.CreateIndex, known.version) ?? registered,
      known.counts,
    )
    if (!isChanged(asked, reading.job)) {
      const isMoved = sourceIdOf(known) !== scope.id || known.path !== path || !sameInputs(known.inputs, inputs)
      const { commit: since, version: made, counts } = known
      const source = { ...base, commit: since, version: made, ...(counts === undefined ? {} : { counts }) }
      return { isNew: false, isMoved, source }
    }
  }
  const version = registered === undefined ? reading.job.Version : registered.Version + 1
  return { isNew: true, isMoved: false, source: { ...base, commit, version } }
}

function sameInputs(a: JobSource['inputs'], b: JobSource['inputs']): boolean {
  return a.length === b.length && a.every(({ path, blob }, at) => path === b[at]!.path && blob === b[at]!.blob)
}

interface Gone {
  readonly certain: readonly Job[]
  readonly doubtful: readonly Job[]
  readonly handedOver: readonly JobSource[]
}

/**
 * Jobs that came from a file and are in none any more. A file of which nobody knows the job may be any of them under a new name, so
 * while there is one, nothing is absent for sure.
 */
function computeRemovals(view: StateView, scope: SourceScope, isWanted: (key: string) => boolean, frozen: readonly FrozenFile[]): Gone {
  const kept = new Set(frozen.flatMap((file) => (file.jobId === null ? [] : [namespacedKey(file.namespace!, file.jobId)])))
  const absent: Job[] = []
  for (const source of view.jobSources.valuesBy('source', scope.id)) {
    const key = jobSourceKey(source)
    if (isWanted(key) || kept.has(key)) continue
    const job = view.jobs.get(key)
    if (job !== undefined && !job.Stop) absent.push(job)
  }
  absent.sort((a, b) => (jobKey(a) < jobKey(b) ? -1 : 1))
  if (frozen.some((file) => file.jobId === null)) return { certain: [], doubtful: absent, handedOver: [] }
  const handedOver = absent.length === 0 ? [] : findHandedOver(view, scope, absent)
  const isElsewhere = new Set(handedOver.map(jobSourceKey))
  return { certain: absent.filter((job) => !isElsewhere.has(jobKey(job))), doubtful: [], handedOver }
}

/** Without inputs, so that the source which has such a job now reads its file. */
function findHandedOver(view: StateView, scope: SourceScope, absent: readonly Job[]): readonly JobSource[] {
  const wanted = saidElsewhere(view, scope)
  return absent.flatMap((job): readonly JobSource[] => {
    const file = wanted.get(jobKey(job))
    if (file === undefined) return []
    const { sourceId: _, ...source } = view.jobSources.get(jobKey(job))!
    return [{ ...source, ...sourced(sourceIdOf(file)), path: file.path, inputs: [] }]
  })
}

/** Files of other sources that wait for this one to let go of their jobs, by job key. */
export function saidElsewhere(view: StateView, { id, isFollowed }: SourceScope): ReadonlyMap<string, FrozenFile> {
  const said = [...view.frozenFiles.values()].filter((file) => file.takenBy === id && file.jobId !== null && isFollowed(sourceIdOf(file)))
  return new Map(said.map((file) => [namespacedKey(file.namespace!, file.jobId!), file]))
}

function guardRemovals(
  view: StateView,
  commit: Commit,
  trailers: Commit['trailers'],
  scope: SourceScope,
  { certain, doubtful }: { certain: readonly Job[]; doubtful: readonly Job[] },
): { removals: readonly Job[]; held: Held | null } {
  const allowed = trailers.filter((trailer) => isTrailer(trailer, ALLOW_DELETE)).flatMap(({ value }) => trailerWords(value))
  // What an earlier commit removed, and what waits since, is not asked about again.
  const isAllowed = (job: Job) =>
    allowed.some((word) => word === '*' || isJobNamed(job, word)) || view.waitingChanges.get(jobKey(job))?.job === null
  if (doubtful.length > 0) {
    const remedy = 'mend the files that cannot be read: one of them may be a removed job under a new name'
    return { removals: [], held: heldRemovals('unreadable-files', commit, doubtful, remedy) }
  }
  const unasked = certain.filter((job) => !isAllowed(job))
  const isMass = unasked.length > REMOVALS_FREE && unasked.length > REMOVALS_FREE_SHARE * view.jobSources.countBy('source', scope.id)
  if (!isMass) return { removals: certain, held: null }
  const remedy = `commit with the trailer "${ALLOW_DELETE}: ${unasked.length > 5 ? '*' : unasked.map((job) => job.ID).join(' ')}", or bring the files back`
  return { removals: certain.filter(isAllowed), held: heldRemovals('mass-deletion', commit, unasked, remedy) }
}

function heldRemovals(reason: Held['reason'], commit: Commit, jobs: readonly Job[], remedy: string): Held {
  return { reason, commit: commit.id, jobs: jobs.map((job) => ({ namespace: job.Namespace, jobId: job.ID })), remedy }
}
