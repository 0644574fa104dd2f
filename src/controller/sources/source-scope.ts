/** One source among several: what is its own, and what others have. Read off the state, so that it holds after a restart. */
import { type FrozenFile, namespacedKey, SOURCE_DEFAULT, type SourceClaim, type SourceLimits, sourceIdOf } from '../../domain/index.js'
import { claimKey, jobSourceKey, type StateView, variableKey } from '../../state/index.js'
import { isPlainNamespace } from '../namespaces/namespaces-folder.js'
import { classifyPath } from '../repository-layout.js'

export interface SourceScope {
  readonly id: string
  /** What its files may say; absent: anything. */
  readonly limits?: SourceLimits | undefined
  /** What a source has that nobody follows any more, others may take over. */
  readonly isFollowed: (sourceId: string) => boolean
}

/** Of a cluster with one source, which may do everything. */
export const FIRST_SOURCE: SourceScope = { id: SOURCE_DEFAULT, isFollowed: (id) => id === SOURCE_DEFAULT }

type Claimed = Pick<SourceClaim, 'kind' | 'namespace' | 'path'>

/** The source that a job is from, or is to be as soon as nothing keeps it waiting; undefined: of none. */
export function jobOwner(view: StateView, key: string): string | undefined {
  const source = view.jobSources.get(key) ?? view.waitingChanges.get(key)?.source
  return source === undefined ? undefined : sourceIdOf(source)
}

/** The other source that has the job; undefined: this one may have it. */
export function jobTaker(view: StateView, scope: SourceScope, key: string): string | undefined {
  return otherThan(scope, jobOwner(view, key))
}

/** The other source that describes the namespace or sets the variable; undefined: this one may. */
export function claimTaker(view: StateView, scope: SourceScope, what: Claimed): string | undefined {
  return otherThan(scope, claimOwner(view, what))
}

/** The first claims nothing: what is there and claimed by nobody is its. */
export function claimOwner(view: StateView, what: Claimed): string | undefined {
  return view.sourceClaims.get(claimKey(what))?.sourceId ?? (isThere(view, what) ? SOURCE_DEFAULT : undefined)
}

function isThere(view: StateView, { kind, namespace, path }: Claimed): boolean {
  if (kind === 'variable') return view.variables.get(variableKey({ Namespace: namespace, Path: path })) !== undefined
  const known = view.namespaces.get(namespace)
  const isDescribed = known !== undefined && !isPlainNamespace(known)
  return isDescribed || view.namespaceOrders.get(namespace) !== undefined
}

function otherThan({ id, isFollowed }: SourceScope, owner: string | undefined): string | undefined {
  return owner === undefined || owner === id || !isFollowed(owner) ? undefined : owner
}

/** Whether trailers of the source's commits may act on a job, or on what was made from it. */
export function mayActOn(view: StateView, { id, limits }: SourceScope, key: string): boolean {
  if (limits === undefined) return true
  let root = key
  for (let job = view.jobs.get(root); job !== undefined && job.ParentID !== ''; job = view.jobs.get(root))
    root = jobSourceKey({ namespace: job.Namespace, jobId: job.ParentID })
  return jobOwner(view, root) === id
}

/**
 * Whether what other sources have, or are rid of, makes another verdict of the same commit: a file was refused for what somebody else has or
 * nobody defines, or depends on what is gone.
 */
export function isVerdictOver(view: StateView, scope: SourceScope): boolean {
  const frozen = [...view.frozenFiles.valuesBy('source', scope.id)]
  if (frozen.some((file) => isMended(view, scope, file))) return true
  const own = [...view.jobSources.valuesBy('source', scope.id)]
  // Handed over by another one, and not read here yet.
  if (own.some(({ inputs }) => inputs.length === 0)) return true
  // One of them may define it.
  if (frozen.some(({ path, jobId }) => jobId === null && classifyPath(path).kind === 'job')) return false
  const isFrozen = new Set(frozen.map(({ path }) => path))
  const defined = new Set(frozen.flatMap(({ namespace, jobId }) => (jobId === null ? [] : [namespacedKey(namespace!, jobId)])))
  for (const { path, order } of own) {
    if (order === undefined || isFrozen.has(path)) continue
    const named = [...order.dependsOn, ...order.hooks.map(({ target }) => target)]
    if (named.some((job) => jobOwner(view, jobSourceKey(job)) === undefined && !defined.has(jobSourceKey(job)))) return true
  }
  return false
}

function isMended(view: StateView, scope: SourceScope, { path, namespace, jobId, takenBy, missing = [] }: FrozenFile): boolean {
  if (missing.some((job) => jobTaker(view, scope, jobSourceKey(job)) !== undefined)) return true
  if (takenBy === undefined) return false
  if (namespace !== null && jobId !== null) return jobTaker(view, scope, jobSourceKey({ namespace, jobId })) === undefined
  const claimed = claimedBy(path)
  return claimed !== undefined && claimTaker(view, scope, claimed) === undefined
}

/** What a file of that path would say of the cluster, beside jobs. */
export function claimedBy(path: string): Claimed | undefined {
  const meaning = classifyPath(path)
  if (meaning.kind === 'namespace') return { kind: 'namespace', namespace: meaning.namespace, path: '' }
  return meaning.kind === 'variable' ? { kind: 'variable', namespace: meaning.namespace, path: meaning.path } : undefined
}
