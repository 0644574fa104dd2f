/**
 * What one completely read commit asks for, compared with what is registered: pure, so that every rule of the repository
 * contract (design §5) is tried without a repository.
 *
 * I11 Nothing is removed without a complete reading and the guard.  test/controller/desired-state.test.ts
 */
import { type Commit, type FrozenFile, type Held, type Job, type JobSource, type Mistake, namespacedKey } from '../domain/index.js'
import { isSpecChanged } from '../jobspec/index.js'
import { jobKey, type StateView } from '../state/index.js'

/** What reading one job file gave. `unchanged`: same blobs as when the job was last registered from there. */
export type FileReading =
  | { readonly kind: 'unchanged'; readonly path: string; readonly source: JobSource }
  | {
      readonly kind: 'job'
      readonly path: string
      readonly blob: string
      readonly job: Job
      readonly inputs: Readonly<Record<string, string>>
    }
  | { readonly kind: 'mistakes'; readonly path: string; readonly blob: string; readonly mistakes: readonly Mistake[] }

export interface DesiredChanges {
  readonly registrations: readonly { readonly job: Job; readonly source: JobSource }[]
  /** Sources whose path or inputs changed while the job did not. */
  readonly moved: readonly JobSource[]
  readonly removals: readonly Job[]
  readonly frozen: readonly FrozenFile[]
  readonly held: Held | null
}

/** A commit may remove this many jobs, or this share of all, without being asked. */
const REMOVALS_FREE = 3
const REMOVALS_FREE_SHARE = 0.2

export function computeChanges(
  view: StateView,
  commit: Commit,
  trailers: Commit['trailers'],
  readings: readonly FileReading[],
): DesiredChanges {
  const { sound, frozen } = setDuplicatesAside(view, readings)
  const wanted = new Map<string, FileReading>()
  for (const reading of sound) {
    if (reading.kind === 'job') wanted.set(jobKey(reading.job), reading)
    if (reading.kind === 'unchanged') wanted.set(namespacedKey(reading.source.namespace, reading.source.jobId), reading)
  }
  const registrations: DesiredChanges['registrations'][number][] = []
  const moved: JobSource[] = []
  for (const reading of wanted.values()) {
    if (reading.kind !== 'job') continue
    const change = compareWithRegistered(view, commit, reading)
    if (change.isNew) registrations.push({ job: change.job, source: change.source })
    else if (change.isMoved) moved.push(change.source)
  }
  const { removals, held } = guardRemovals(view, commit, trailers, computeRemovals(view, wanted, frozen))
  return { registrations, moved, removals, frozen, held }
}

/** The same job in two files: both are mistakes, and the job stays as it is. */
function setDuplicatesAside(
  view: StateView,
  readings: readonly FileReading[],
): { sound: readonly FileReading[]; frozen: readonly FrozenFile[] } {
  const byJob = new Map<string, FileReading[]>()
  const frozen: FrozenFile[] = []
  for (const reading of readings) {
    if (reading.kind === 'mistakes') {
      frozen.push(freeze(view, reading.path, reading.blob, reading.mistakes))
      continue
    }
    const key = reading.kind === 'job' ? jobKey(reading.job) : namespacedKey(reading.source.namespace, reading.source.jobId)
    byJob.set(key, [...(byJob.get(key) ?? []), reading])
  }
  const sound: FileReading[] = []
  for (const same of byJob.values()) {
    if (same.length === 1) sound.push(same[0]!)
    else for (const reading of same) frozen.push(freezeDuplicate(view, reading, same))
  }
  return { sound, frozen: frozen.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

function freezeDuplicate(view: StateView, reading: FileReading, same: readonly FileReading[]): FrozenFile {
  const others = same.filter((other) => other !== reading).map((other) => other.path)
  const [namespace, jobId] =
    reading.kind === 'job'
      ? [reading.job.Namespace, reading.job.ID]
      : reading.kind === 'unchanged'
        ? [reading.source.namespace, reading.source.jobId]
        : ['', '']
  const mistake: Mistake = {
    path: reading.path,
    line: 0,
    column: 0,
    summary: `job "${jobId}" of namespace "${namespace}" is also defined in ${others.join(', ')}`,
    detail: 'Keep one of the files, or give one of the jobs another ID; until then the job stays as it is.',
    snippet: '',
  }
  const blob = reading.kind === 'unchanged' ? (reading.source.inputs[reading.path] ?? '') : reading.blob
  return { ...freeze(view, reading.path, blob, [mistake]), namespace, jobId }
}

function freeze(view: StateView, path: string, blob: string, mistakes: readonly Mistake[]): FrozenFile {
  const source = view.jobSources.by('path', path)[0]
  return { path, blob, namespace: source?.namespace ?? null, jobId: source?.jobId ?? null, mistakes }
}

function compareWithRegistered(
  view: StateView,
  commit: Commit,
  reading: Extract<FileReading, { kind: 'job' }>,
): { isNew: boolean; isMoved: boolean; job: Job; source: JobSource } {
  const key = jobKey(reading.job)
  const registered = view.jobs.get(key)
  const known = view.jobSources.get(key)
  const base = { namespace: reading.job.Namespace, jobId: reading.job.ID, path: reading.path, inputs: reading.inputs }
  if (registered !== undefined && !registered.Stop && known !== undefined) {
    // Compared with what git last asked for, not with what runs: a version that was reverted for failing must not come
    // back before the file says something new.
    const asked = view.findJobVersion(base.namespace, base.jobId, registered.CreateIndex, known.version) ?? registered
    if (!isSpecChanged(asked, reading.job)) {
      const isMoved = known.path !== reading.path || !sameInputs(known.inputs, reading.inputs)
      return { isNew: false, isMoved, job: registered, source: { ...known, ...base } }
    }
  }
  const version = registered === undefined ? reading.job.Version : registered.Version + 1
  return { isNew: true, isMoved: false, job: { ...reading.job, Version: version }, source: { ...base, commit, version } }
}

function sameInputs(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const paths = Object.keys(a)
  return paths.length === Object.keys(b).length && paths.every((path) => a[path] === b[path])
}

/**
 * Jobs that came from a file and are in none any more. A file that cannot be read and that never defined a job may be any
 * of them under a new name, so while there is one, nothing is absent for sure.
 */
function computeRemovals(
  view: StateView,
  wanted: ReadonlyMap<string, FileReading>,
  frozen: readonly FrozenFile[],
): { certain: readonly Job[]; doubtful: readonly Job[] } {
  const kept = new Set(frozen.flatMap((file) => (file.jobId === null ? [] : [namespacedKey(file.namespace!, file.jobId)])))
  const absent = view.jobSources
    .all()
    .map((source) => namespacedKey(source.namespace, source.jobId))
    .filter((key) => !wanted.has(key) && !kept.has(key))
    .flatMap((key) => view.jobs.get(key) ?? [])
    .filter((job) => !job.Stop)
  return frozen.some((file) => file.jobId === null) ? { certain: [], doubtful: absent } : { certain: absent, doubtful: [] }
}

function guardRemovals(
  view: StateView,
  commit: Commit,
  trailers: Commit['trailers'],
  { certain, doubtful }: { certain: readonly Job[]; doubtful: readonly Job[] },
): { removals: readonly Job[]; held: Held | null } {
  const allowed = trailers.filter((trailer) => trailer.key === 'Drover-Allow-Delete').flatMap((trailer) => trailer.value.split(/[\s,]+/))
  const isAllowed = (job: Job) => allowed.includes('*') || allowed.includes(job.ID) || allowed.includes(`${job.Namespace}/${job.ID}`)
  if (doubtful.length > 0) {
    const remedy = 'mend the files that cannot be read: one of them may be a removed job under a new name'
    return { removals: [], held: heldRemovals('unreadable-files', commit, doubtful, remedy) }
  }
  const unasked = certain.filter((job) => !isAllowed(job))
  const isMass = unasked.length > REMOVALS_FREE && unasked.length > REMOVALS_FREE_SHARE * view.jobSources.count
  if (!isMass) return { removals: certain, held: null }
  const remedy = `commit with the trailer "Drover-Allow-Delete: ${unasked.length > 5 ? '*' : unasked.map((job) => job.ID).join(' ')}", or bring the files back`
  return { removals: certain.filter(isAllowed), held: heldRemovals('mass-deletion', commit, unasked, remedy) }
}

function heldRemovals(reason: Held['reason'], commit: Commit, jobs: readonly Job[], remedy: string): Held {
  return { reason, commit: commit.id, jobs: jobs.map((job) => ({ namespace: job.Namespace, jobId: job.ID })), remedy }
}
