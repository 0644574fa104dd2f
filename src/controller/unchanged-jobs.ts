/**
 * Which registered jobs still are what their files say. Kept from commit to commit, so that a look costs what has changed and
 * not what there is; the answer is always the one that looking at everything would give.
 */
import { type JobSource, sourceIdOf } from '../domain/index.js'
import { isCompanion } from '../jobspec/index.js'
import { jobSourceKey, type StateView, sourcedKey } from '../state/index.js'
import type { TreeEntry } from './ports.js'
import { classifyPath } from './repository-layout.js'
import type { SourceTree } from './source-tree.js'

export interface Look {
  /** Wanted jobs whose every input is still the same, by job key. */
  readonly unchanged: ReadonlyMap<string, JobSource>
  /** Job files that no unchanged job comes from, ordered by path. */
  readonly unread: readonly UnreadFile[]
}

export interface UnreadFile {
  readonly entry: TreeEntry
  /** What its folder means. */
  readonly namespace: string
}

export class UnchangedJobs {
  readonly #view: StateView
  /** Whose jobs these are. */
  readonly #sourceId: string
  readonly #unchanged = new Map<string, JobSource>()
  /** Keys of jobs whose rows changed since the last look. */
  readonly #touched: Set<string>
  /** Keys of jobs that were made from more than their own file. */
  readonly #manifold = new Set<string>()
  /** Paths that may need to be read. */
  readonly #unsettled = new Set<string>()
  #entries: readonly TreeEntry[] = []

  constructor(view: StateView, sourceId: string) {
    this.#view = view
    this.#sourceId = sourceId
    this.#touched = new Set([...view.jobSources.valuesBy('source', sourceId)].map(jobSourceKey))
    const touch = (key: string, ...rows: readonly (JobSource | undefined)[]) => {
      if (rows.some((row) => row !== undefined && sourceIdOf(row) === sourceId)) this.#touched.add(key)
    }
    view.jobs.observe((_before, _after, key) => touch(key, view.jobSources.get(key)))
    view.jobSources.observe((before, after, key) => touch(key, before, after))
  }

  /** @param isTrusted false: what jobs were made from was chosen otherwise, so that all are read anew */
  look(tree: SourceTree, isTrusted = true): Look {
    if (!isTrusted) return this.#lookAnew(tree)
    const changed = changedPaths(this.#entries, tree.entries)
    this.#entries = tree.entries
    for (const key of this.#suspects(changed)) this.#check(tree, key)
    this.#touched.clear()
    for (const path of changed) this.#unsettled.add(path)
    return { unchanged: this.#unchanged, unread: this.#findUnread(tree) }
  }

  #lookAnew(tree: SourceTree): Look {
    this.#unchanged.clear()
    this.#entries = tree.entries
    for (const { path } of tree.entries) this.#unsettled.add(path)
    // Next time their inputs are compared again.
    for (const source of this.#view.jobSources.valuesBy('source', this.#sourceId)) this.#touched.add(jobSourceKey(source))
    return { unchanged: this.#unchanged, unread: this.#findUnread(tree) }
  }

  #suspects(changed: readonly string[]): ReadonlySet<string> {
    const { jobSources } = this.#view
    // A companion may belong to any job.
    const own = () => [...jobSources.valuesBy('source', this.#sourceId)].map(jobSourceKey)
    const byPath = changed.some(isCompanion) ? own() : changed.flatMap((path) => this.#sourcesAt(path).map(jobSourceKey))
    return new Set([...this.#touched, ...this.#manifold, ...byPath])
  }

  #check(tree: SourceTree, key: string): void {
    const { jobs, jobSources } = this.#view
    const found = jobSources.get(key)
    const source = found !== undefined && sourceIdOf(found) === this.#sourceId ? found : undefined
    const before = this.#unchanged.get(key)
    if (source !== undefined && source.inputs.length > 1) this.#manifold.add(key)
    else this.#manifold.delete(key)
    if (source !== undefined && jobs.get(key)?.Stop === false && tree.matches(source)) this.#unchanged.set(key, source)
    else this.#unchanged.delete(key)
    for (const path of [source?.path, before?.path]) if (path !== undefined) this.#unsettled.add(path)
  }

  #findUnread(tree: SourceTree): readonly UnreadFile[] {
    const unread: UnreadFile[] = []
    for (const path of this.#unsettled) {
      const entry = tree.find(path)
      const meaning = classifyPath(path)
      if (entry === undefined || meaning.kind !== 'job' || this.#isSettled(path)) this.#unsettled.delete(path)
      else unread.push({ entry, namespace: meaning.namespace })
    }
    return unread.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1))
  }

  #sourcesAt(path: string): readonly JobSource[] {
    return this.#view.jobSources.by('path', sourcedKey(this.#sourceId, path))
  }

  #isSettled(path: string): boolean {
    return this.#sourcesAt(path).some((source) => this.#unchanged.has(jobSourceKey(source)))
  }
}

/** Paths that are new, gone or other than before. Both lists are ordered by path, and what is the same is mostly the same object. */
function changedPaths(before: readonly TreeEntry[], after: readonly TreeEntry[]): readonly string[] {
  const changed: string[] = []
  let old = 0
  for (const entry of after) {
    if (entry === before[old]) {
      old++
      continue
    }
    while (old < before.length && before[old]!.path < entry.path) changed.push(before[old++]!.path)
    const known = before[old]
    if (known?.path === entry.path) old++
    if (known?.path !== entry.path || known.blob !== entry.blob || known.mode !== entry.mode) changed.push(entry.path)
  }
  for (; old < before.length; old++) changed.push(before[old]!.path)
  return changed
}
