/**
 * Any commit of the repository, read as the reconciler would read it and told in the words of a plan. One at a time: whoever may read the
 * API may ask, and what lies in a branch costs what its author likes.
 */
import { type Commit, type CommitSummary, type Job, type Mistake, OrchestratorError, SOURCE_DEFAULT } from '../domain/index.js'
import { jobKey, type StateView } from '../state/index.js'
import { AgentsFolderReader } from './agents/agents-folder.js'
import { type JobRules, jobRules, namespacesOf } from './namespaces/enforce-namespaces.js'
import { NamespaceFilesReader } from './namespaces/namespaces-folder.js'
import { bundleMember } from './order/check-dependencies.js'
import type { GitSource, JobFileOptions, JobReader, SyntaxReader } from './ports.js'
import { classifyPath, nodePoolsIn } from './repository-layout.js'
import { findHiddenJobs, SourceTree } from './source-tree.js'
import { ownNamespaces, ownVariables } from './sources/claims.js'
import { foreignHosts } from './sources/foreign-hosts.js'
import { needsOf } from './sources/job-needs.js'
import type { SourceScope } from './sources/source-scope.js'
import { readHistory, summarizeTree, type TreeFileReading } from './tree-summary.js'
import { VariablesFolderReader } from './variables/variables-folder.js'

export interface RefReading {
  readonly commit: Commit
  /** What it is held against; null: nothing was applied yet. */
  readonly appliedId: string | null
  readonly summary: CommitSummary
  /** Sound jobs by key, each with what is doubtful about it. */
  readonly jobs: ReadonlyMap<string, { readonly job: Job; readonly warnings: readonly string[] }>
  readonly mistakes: readonly Mistake[]
}

export interface ReadSource {
  readonly overlay?: string | undefined
  readonly scope: SourceScope
  /** Of this reader alone: it keeps the listing that it made last. */
  readonly git: GitSource
  /** The id of the commit that a ref or an id means, fetched where the repository is elsewhere. @throws OrchestratorError GIT_* */
  readonly find: (ref: string) => Promise<string>
}

export interface RefReaderDeps {
  readonly view: StateView
  /** @throws OrchestratorError UNKNOWN_SOURCE */
  readonly sourceOf: (sourceId: string) => ReadSource
  readonly jobs: JobReader
  readonly syntax: SyntaxReader
  readonly region: string
}

const FILES_READ_AT_ONCE = 16
const WAITING_MAX = 8

export class RefReader {
  readonly #deps: RefReaderDeps
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(deps: RefReaderDeps) {
    this.#deps = deps
  }

  /** @throws OrchestratorError GIT_* for a ref that is none, TOO_BUSY, UNKNOWN_SOURCE */
  async read(sourceId: string, ref: string): Promise<RefReading> {
    const source = this.#deps.sourceOf(sourceId)
    if (this.#waiting >= WAITING_MAX) throw new OrchestratorError('TOO_BUSY', 'too many plans at once; ask again')
    this.#waiting++
    const turn = this.#last.then(() => this.#readRef(source, ref))
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }

  async #readRef({ scope, overlay, git, find }: ReadSource, ref: string): Promise<RefReading> {
    const { view, syntax } = this.#deps
    const id = await find(ref)
    const [commit] = await git.commitsBetween(null, id, 1)
    const tree = new SourceTree(git, await git.list(id), overlay)
    const namespaces = ownNamespaces(view, scope, tree, await new NamespaceFilesReader(syntax).read(tree))
    if (namespaces.aborted.length > 0)
      throw new OrchestratorError('TOO_BUSY', `${namespaces.aborted.join(', ')} could not be read this time; ask again`)
    const isFirst = scope.id === SOURCE_DEFAULT
    const nodePools = isFirst ? nodePoolsIn(tree.entries) : new Set(view.nodePools.keys())
    const rules = jobRules(namespacesOf(view, scope, namespaces), scope)
    const { readings, jobs, mistakes } = await this.#readJobs(tree, { nodePools, overlay }, rules)
    const agents = isFirst ? await new AgentsFolderReader(syntax).read(tree) : null
    const variables = ownVariables(view, scope, tree, await new VariablesFolderReader().read(tree))
    const appliedId = view.sources.get(scope.id)?.commit?.id ?? null
    const summary = { ...summarizeTree(readings, agents, await readHistory(git, id, appliedId), true), source: scope.id }
    const others = [...(agents?.frozen ?? foreignHosts(scope, tree)), ...namespaces.frozen, ...variables.frozen].flatMap(
      (file) => file.mistakes,
    )
    return { commit: commit!, appliedId, summary, jobs, mistakes: [...mistakes, ...others] }
  }

  async #readJobs(tree: SourceTree, options: Pick<JobFileOptions, 'nodePools' | 'overlay'>, rules: JobRules | undefined) {
    const readings: TreeFileReading[] = []
    const jobs = new Map<string, { readonly job: Job; readonly warnings: readonly string[] }>()
    const mistakes: Mistake[] = []
    const refuse = (path: string, found: readonly Mistake[], names?: Extract<TreeFileReading, { kind: 'mistakes' }>['names']) => {
      mistakes.push(...found)
      readings.push({ kind: 'mistakes', path, names })
    }
    for (const { entry, mistake } of findHiddenJobs(tree.entries)) refuse(entry.path, [mistake])
    const files = tree.entries.flatMap(({ path }) => {
      const meaning = classifyPath(path)
      return meaning.kind === 'job' ? [{ path, namespace: meaning.namespace }] : []
    })
    for (let from = 0; from < files.length; from += FILES_READ_AT_ONCE) {
      const batch = files.slice(from, from + FILES_READ_AT_ONCE)
      await tree.prefetch(batch.map(({ path }) => path))
      const support = { region: this.#deps.region }
      const outcomes = await Promise.all(
        batch.map(async ({ path, namespace }) => ({
          path,
          outcome: await this.#deps.jobs.read(path, tree, { ...options, namespace, support }),
        })),
      )
      for (const { path, outcome } of outcomes) {
        if (outcome.kind === 'aborted')
          throw new OrchestratorError('TOO_BUSY', `${path} could not be read this time (${outcome.reason}); ask again`)
        if (outcome.kind === 'mistakes') {
          refuse(path, outcome.mistakes, outcome.names)
          continue
        }
        const { job, order, warnings } = outcome
        const forbidden = rules?.(job.Namespace, needsOf(job, order), path) ?? []
        if (forbidden.length > 0) {
          refuse(path, forbidden, { namespace: job.Namespace, jobId: job.ID, ...bundleMember(order?.bundle) })
          continue
        }
        jobs.set(jobKey(job), { job, warnings })
        readings.push({ kind: 'job', path, namespace: job.Namespace, id: job.ID, job, order })
      }
    }
    return { readings, jobs, mistakes }
  }
}
