/**
 * Makes registered jobs match the newest commit (design §5). Level-triggered: an event says "look again", a slow timer says
 * so too, and each look resolves the ref, reads what is not known yet, compares, and proposes. Safe to run twice.
 *
 * L5 The newest commit is the one that is evaluated, at most two poll intervals late.
 */
import {
  assertNever,
  type Commit,
  explainError,
  type FrozenFile,
  type Held,
  isTemplateJob,
  type Job,
  type JobSource,
  type Logger,
  type Random,
  type SourceStatus,
} from '../domain/index.js'
import { type CommandBody, jobKey } from '../state/index.js'
import { computeAgentsChanges } from './agents/agents-changes.js'
import { AgentsFolderReader } from './agents/agents-folder.js'
import { computeChangesInSlices, type DesiredChanges, type FileReading, type SourceReadings } from './desired-state.js'
import type { Leader } from './leader.js'
import { newEvaluation } from './new-evaluation.js'
import { refuseWhatDoesNotRunYet } from './not-yet.js'
import { oneShotActs } from './one-shot-acts.js'
import type { GitSource, JobReader, SyntaxReader, TreeEntry } from './ports.js'
import { nodePoolsIn } from './repository-layout.js'
import { briefCommit, sourceFilesCommand } from './source-changes.js'
import { SourceTree } from './source-tree.js'
import { ALLOW_REWIND } from './trailers.js'
import { UnchangedJobs, type UnreadFile } from './unchanged-jobs.js'

export interface GitReconcilerOptions {
  /** `hold` waits for a trailer when the new commit does not descend from the applied one. */
  readonly rewind: 'hold' | 'follow'
  readonly ref: string
}

export interface GitReconcilerDeps {
  readonly leader: Leader
  readonly git: GitSource
  readonly syntax: SyntaxReader
  readonly jobs: JobReader
  readonly random: Random
  readonly logger: Logger
  readonly options: GitReconcilerOptions
}

/** How a look ended; `isComplete` false asks for another one soon. */
export interface SyncOutcome {
  readonly isComplete: boolean
  readonly commit: Commit
  readonly registered: number
  readonly removed: number
  readonly frozen: readonly FrozenFile[]
  readonly held: Held | null
  /** Acts asked for by trailer that came to nothing, and why. */
  readonly ignored: readonly string[]
}

export const SOURCE_ID = 'default'
const FILES_READ_AT_ONCE = 64
const COMMANDS_PER_TURN = 50
/** Of a commit's frozen files; all of them can be read over the API. */
const FILES_LOGGED_MAX = 100
const COMMITS_SEARCHED_FOR_TRAILERS = 1_000

export class GitReconciler {
  readonly #deps: GitReconcilerDeps
  readonly #unchanged: UnchangedJobs
  readonly #agents: AgentsFolderReader
  /** Why the last look failed, for people; null when it went well. */
  problem: string | null = null

  constructor(deps: GitReconcilerDeps) {
    this.#deps = deps
    this.#unchanged = new UnchangedJobs(deps.leader.state)
    this.#agents = new AgentsFolderReader(deps.syntax)
  }

  /** One look. What goes wrong is kept in `problem` and thrown. */
  async reconcile(): Promise<SyncOutcome> {
    try {
      const outcome = await this.#sync()
      this.problem = null
      return outcome
    } catch (error) {
      this.problem = explainError(error)
      throw error
    }
  }

  async #sync(): Promise<SyncOutcome> {
    const { git, leader } = this.#deps
    const commit = briefCommit(await git.resolve())
    const status = leader.state.sources.get(SOURCE_ID)
    const applied = status?.commit ?? null
    if (status !== undefined && applied?.id === commit.id && !this.#hasUnread) return this.#unchangedOutcome(status, commit)
    const isNew = applied?.id !== commit.id
    const trailers = await this.#trailersSince(isNew ? applied : null, commit)
    const rewind = await this.#findRewind(applied, commit, trailers)
    if (rewind !== null) return this.#hold(commit, applied!, rewind)
    return this.#apply(commit, trailers, isNew)
  }

  /** Files whose reading was aborted (a worker died): the same commit is read again for them. */
  #hasUnread = false

  async #apply(commit: Commit, trailers: Commit['trailers'], isNew: boolean): Promise<SyncOutcome> {
    const { git, leader } = this.#deps
    const entries = await git.list(commit.id)
    const tree = new SourceTree(git, entries)
    const { readings, aborted } = await this.#readJobs(tree)
    const agents = await this.#agents.read(tree)
    this.#hasUnread = aborted.length > 0 || agents.aborted.length > 0
    const changes = await this.#compare(commit, trailers, readings)
    const frozen = [...changes.frozen, ...agents.frozen]
    await this.#propose(computeAgentsChanges(leader.state, agents), itself)
    await this.#propose(this.#namespaceCommands(changes), itself)
    await this.#propose(changes.registrations, (registration) => this.#registerCommand(registration))
    // What is new goes in before what is gone goes out. With something unread, absence is not certain.
    const removals = this.#hasUnread ? [] : changes.removals
    await this.#propose(removals, (job) => this.#deregisterCommand(job))
    // A second look at the same commit, for files that were not read, does not act again.
    const acts = oneShotActs(leader.state, isNew ? trailers : [], this.#deps.random)
    await this.#propose(acts.commands, itself)
    const files = sourceFilesCommand(leader.state, frozen, changes.moved)
    if (files !== undefined) await this.#propose([files], itself)
    await this.#closeSync({ id: SOURCE_ID, ref: this.#deps.options.ref, commit, held: changes.held })
    const outcome: SyncOutcome = {
      isComplete: !this.#hasUnread,
      commit,
      registered: changes.registrations.length,
      removed: removals.length,
      frozen,
      held: changes.held,
      ignored: acts.ignored,
    }
    this.#log(outcome)
    return outcome
  }

  async #compare(commit: Commit, trailers: Commit['trailers'], readings: SourceReadings): Promise<DesiredChanges> {
    const slices = computeChangesInSlices(this.#deps.leader.state, commit, trailers, readings)
    for (;;) {
      const { done, value } = slices.next()
      if (done === true) return value
      await this.#deps.leader.breathe()
    }
  }

  async #readJobs(tree: SourceTree): Promise<{ readings: SourceReadings; aborted: readonly string[] }> {
    const { unchanged, unread } = this.#unchanged.look(tree)
    const nodePools = nodePoolsIn(tree.entries)
    const read: FileReading[] = []
    const aborted: string[] = []
    for (let from = 0; from < unread.length; from += FILES_READ_AT_ONCE) {
      const batch = unread.slice(from, from + FILES_READ_AT_ONCE)
      await tree.prefetch(batch.map(({ entry }) => entry.path))
      const outcomes = await Promise.all(batch.map((file) => this.#readJob(tree, file, nodePools)))
      for (const reading of outcomes)
        if (typeof reading === 'string') aborted.push(reading)
        else read.push(reading)
    }
    return { readings: { unchanged, read }, aborted }
  }

  /** The path alone when the reading was aborted. */
  async #readJob(tree: SourceTree, { entry, namespace }: UnreadFile, nodePools: ReadonlySet<string>): Promise<FileReading | string> {
    const outcome = await this.#deps.jobs.read(entry.path, tree, { namespace, nodePools })
    switch (outcome.kind) {
      case 'job':
        return this.#asReading(entry, outcome)
      case 'mistakes':
        return { kind: 'mistakes', path: entry.path, blob: entry.blob, mistakes: outcome.mistakes }
      case 'aborted':
        this.#deps.logger.warn({ path: entry.path, reason: outcome.reason }, 'file not read yet')
        return entry.path
      default:
        return assertNever(outcome)
    }
  }

  #asReading(entry: TreeEntry, { job, inputs }: { readonly job: Job; readonly inputs: JobSource['inputs'] }): FileReading {
    const mistakes = refuseWhatDoesNotRunYet(entry.path, job)
    return mistakes.length > 0
      ? { kind: 'mistakes', path: entry.path, blob: entry.blob, mistakes }
      : { kind: 'job', path: entry.path, blob: entry.blob, job, inputs }
  }

  #registerCommand({ job: wanted, source: { version: _, ...source } }: DesiredChanges['registrations'][number]): CommandBody {
    // Since the commit was compared, a roll-out that failed may have made a version of its own.
    const known = this.#deps.leader.state.jobs.get(jobKey(wanted))
    const version = known === undefined ? wanted.Version : known.Version + 1
    const job = { ...wanted, Version: version }
    const evaluations = isTemplateJob(job) ? [] : [newEvaluation(this.#deps.random.uuid(), job, 'job-register')]
    return { kind: 'job-register', job, source: { ...source, version }, evaluations }
  }

  #deregisterCommand(job: Job): CommandBody {
    const evaluations = isTemplateJob(job) ? [] : [newEvaluation(this.#deps.random.uuid(), job, 'job-deregister')]
    return { kind: 'job-deregister', namespace: job.Namespace, jobId: job.ID, purge: false, evaluations }
  }

  /** A folder of jobs makes its namespace. */
  #namespaceCommands(changes: DesiredChanges): readonly CommandBody[] {
    const wanted = new Set(changes.registrations.map(({ job }) => job.Namespace))
    return [...wanted]
      .filter((name) => this.#deps.leader.state.namespaces.get(name) === undefined)
      .sort()
      .map((Name) => ({
        kind: 'namespace-put',
        namespace: {
          Name,
          Description: '',
          Quota: '',
          Capabilities: null,
          Meta: null,
          NodePoolConfiguration: null,
          CreateIndex: 0,
          ModifyIndex: 0,
        },
      }))
  }

  async #propose<Change>(changes: readonly Change[], asCommand: (change: Change) => CommandBody): Promise<void> {
    for (let from = 0; from < changes.length; from += COMMANDS_PER_TURN) {
      if (from > 0) await this.#deps.leader.breathe()
      await this.#deps.leader.room()
      this.#deps.leader.propose(changes.slice(from, from + COMMANDS_PER_TURN).map(asCommand))
    }
  }

  async #closeSync(status: Omit<SourceStatus, 'modifyIndex'>): Promise<void> {
    await this.#propose([status], () => ({ kind: 'source-sync', status }))
  }

  async #trailersSince(applied: Commit | null, commit: Commit): Promise<Commit['trailers']> {
    const commits = await this.#deps.git.commitsBetween(applied?.id ?? null, commit.id, COMMITS_SEARCHED_FOR_TRAILERS)
    return commits.flatMap((each) => each.trailers)
  }

  async #findRewind(applied: Commit | null, commit: Commit, trailers: Commit['trailers']): Promise<Held | null> {
    if (applied === null || applied.id === commit.id || (await this.#deps.git.isAncestor(applied.id, commit.id))) return null
    const isAllowed = trailers.some(({ key, value }) => key === ALLOW_REWIND && value.length >= 7 && applied.id.startsWith(value))
    if (isAllowed || this.#deps.options.rewind === 'follow') {
      this.#deps.logger.warn({ from: applied.id, to: commit.id, isAllowed }, 'following a rewind')
      return null
    }
    const remedy = `commit with the trailer "${ALLOW_REWIND}: ${applied.id}", or bring ${applied.id.slice(0, 12)} back into the history`
    return { reason: 'rewind', commit: commit.id, jobs: [], remedy }
  }

  /** Says that it waits, once, and changes nothing. */
  async #hold(commit: Commit, applied: Commit, held: Held): Promise<SyncOutcome> {
    const status = this.#deps.leader.state.sources.get(SOURCE_ID)!
    if (status.held?.commit !== held.commit || status.held.reason !== held.reason) {
      const { modifyIndex: _, ...rest } = status
      await this.#closeSync({ ...rest, commit: applied, held })
      this.#deps.logger.warn({ ...held }, 'commit held')
    }
    return { isComplete: true, commit, registered: 0, removed: 0, frozen: this.#knownFrozen(), held, ignored: [] }
  }

  #unchangedOutcome({ held }: SourceStatus, commit: Commit): SyncOutcome {
    return { isComplete: true, commit, registered: 0, removed: 0, frozen: this.#knownFrozen(), held, ignored: [] }
  }

  #knownFrozen(): readonly FrozenFile[] {
    return this.#deps.leader.state.frozenFiles.all()
  }

  #log({ commit, registered, removed, frozen, held, ignored }: SyncOutcome): void {
    const { logger } = this.#deps
    logger.info({ commit: commit.id, subject: commit.subject, registered, removed, frozen: frozen.length }, 'commit applied')
    for (const { path, mistakes } of frozen.slice(0, FILES_LOGGED_MAX)) {
      const { line, column, summary } = mistakes[0]!
      logger.warn({ path, line, column, summary, mistakes: mistakes.length }, 'file frozen')
    }
    if (ignored.length > 0) logger.warn({ ignored }, 'trailers that came to nothing')
    if (held !== null) logger.warn({ reason: held.reason, jobs: held.jobs.length, remedy: held.remedy }, 'removal held')
  }
}

function itself(body: CommandBody): CommandBody {
  return body
}
