/**
 * Makes registered jobs match the newest commit (docs/repository.md). Level-triggered: an event says "look again", a slow timer says
 * so too, and each look resolves the ref, reads what is not known yet, compares, and proposes. Safe to run twice.
 *
 * L5 The newest commit is the one that is evaluated, at most two poll intervals late.
 */
import {
  assertNever,
  type Commit,
  type CommitTrace,
  explainError,
  type FrozenFile,
  type Held,
  type JobRef,
  type JobSource,
  type Logger,
  type Random,
  type SourceStatus,
  sourced,
  sourceIdOf,
  type VerifiedCommit,
} from '../domain/index.js'
import { type CommandBody, jobKey, jobSourceKey, sourcedKey } from '../state/index.js'
import { computeAgentsChanges } from './agents/agents-changes.js'
import { AgentsFolderReader } from './agents/agents-folder.js'
import {
  computeChangesInSlices,
  type DesiredChanges,
  type FileReading,
  FULL_RULES,
  type SourceReadings,
  saidElsewhere,
} from './desired-state.js'
import { payloadPaths } from './dispatch-trailer.js'
import { deregisterCommand, registerCommand } from './job-commands.js'
import { KnownMistakes } from './known-mistakes.js'
import type { Leader } from './leader.js'
import { traceCommand } from './memory/trace-command.js'
import { enforceRules, jobRules, namespacesOf } from './namespaces/enforce-namespaces.js'
import { computeNamespaceChanges } from './namespaces/namespace-changes.js'
import { NamespaceFilesReader } from './namespaces/namespaces-folder.js'
import { type OneShotActs, performTrailers } from './one-shot-acts.js'
import { divideChanges } from './order/divide-changes.js'
import type { BlobContent, CommitSignatures, GitSource, JobReader, SyntaxReader } from './ports.js'
import { nodePoolsIn } from './repository-layout.js'
import { guardRewind } from './rewind.js'
import { briefCommit, sourceFilesCommand } from './source-changes.js'
import { findHiddenJobs, SourceTree } from './source-tree.js'
import { claimCommand, ownNamespaces, ownVariables, releaseCommand } from './sources/claims.js'
import { foreignHosts } from './sources/foreign-hosts.js'
import { FIRST_SOURCE, isVerdictOver, jobTaker, type SourceScope } from './sources/source-scope.js'
import { CommitTrust, type TrustVerdict } from './trust/commit-trust.js'
import type { TrustRules } from './trust/trust-rules.js'
import { UnchangedJobs, type UnreadFile } from './unchanged-jobs.js'
import { computeVariableChanges } from './variables/variable-changes.js'
import { VariablesFolderReader } from './variables/variables-folder.js'

export interface GitReconcilerOptions {
  /** `hold` waits for a trailer when the new commit does not descend from the applied one. */
  readonly rewind: 'hold' | 'follow'
  readonly ref: string
  /** Files that carry this name count, too. */
  readonly overlay?: string | undefined
}

export interface GitReconcilerDeps {
  readonly leader: Leader
  readonly git: GitSource
  readonly syntax: SyntaxReader
  readonly jobs: JobReader
  readonly random: Random
  readonly logger: Logger
  readonly options: GitReconcilerOptions
  /** Whose commits count; absent: everybody's. */
  readonly trust?: { readonly rules: TrustRules; readonly signatures: CommitSignatures } | undefined
  /** Which source this is; absent: the only one, which may do everything. */
  readonly scope?: SourceScope | undefined
  /** Whether another source has a commit that was not looked at yet: it may say what is gone here. Absent: there is no other. */
  readonly isNewElsewhere?: () => Promise<boolean>
  /** Of this server: jobs of other regions are refused. */
  readonly region: string
  /** False: a cluster that begins again takes over what runs, in whatever order it was begun. Absent: changes may always wait. */
  readonly mayWait?: () => boolean
}

/** How a look ended; `isComplete` false asks for another one soon. */
export interface SyncOutcome {
  readonly sourceId: string
  readonly isComplete: boolean
  readonly commit: Commit
  readonly registered: number
  /** Changes that are not carried out at once. */
  readonly waiting: number
  readonly removed: number
  readonly frozen: readonly FrozenFile[]
  readonly held: Held | null
  /** Acts asked for by trailer that came to nothing, and why. */
  readonly ignored: readonly string[]
  /** Those that were carried out. */
  readonly acts: readonly string[]
}

const FILES_READ_AT_ONCE = 64
const COMMANDS_PER_TURN = 50
/** Of a commit's frozen files; all of them can be read over the API. */
const FILES_LOGGED_MAX = 100
const COMMITS_SEARCHED_FOR_TRAILERS = 1_000
const NOT_ASKED: TrustVerdict = { kind: 'trusted', verified: null }

export class GitReconciler {
  readonly #deps: GitReconcilerDeps
  readonly #scope: SourceScope
  readonly #unchanged: UnchangedJobs
  readonly #mistakes = new KnownMistakes()
  readonly #agents: AgentsFolderReader
  readonly #namespaces: NamespaceFilesReader
  readonly #variables = new VariablesFolderReader()
  readonly #trust: CommitTrust | undefined
  /** Why the last look failed, for people; null when it went well. */
  problem: string | null = null
  /** All that the newest commit wants is in the state: before the first look, and in the middle of one, only a part may be. */
  isSettled = false
  /** What other sources have done may make another verdict of the same commit. */
  #areOthersChanged = true
  /** The same commit has to be judged once more: at the start, since what the source may do may have changed, and when pools or namespaces have. */
  #isStale: boolean

  constructor(deps: GitReconcilerDeps) {
    this.#deps = deps
    this.#scope = deps.scope ?? FIRST_SOURCE
    this.#unchanged = new UnchangedJobs(deps.leader.state, this.#scope.id)
    this.#isStale = this.#scope.limits !== undefined
    this.#agents = new AgentsFolderReader(deps.syntax)
    this.#namespaces = new NamespaceFilesReader(deps.syntax)
    this.#trust = deps.trust === undefined ? undefined : new CommitTrust(deps.git, deps.trust.signatures, deps.trust.rules)
  }

  get id(): string {
    return this.#scope.id
  }

  get ref(): string {
    return this.#deps.options.ref
  }

  /** Signatures that were read, by what was found of them. */
  get signatureCounts(): ReadonlyMap<string, number> {
    return this.#trust?.counts ?? new Map()
  }

  /** @returns whether another look at the same commit comes to something else now */
  isConcernedByOthers(): boolean {
    this.#areOthersChanged = true
    return this.#isStale || isVerdictOver(this.#deps.leader.state, this.#scope)
  }

  /** What every job is judged by, pools or namespaces, has become something else. */
  judgeAnew(): void {
    this.#isStale = true
  }

  /** One look. What goes wrong is kept in `problem` and thrown. */
  async reconcile(): Promise<SyncOutcome> {
    try {
      const outcome = await this.#sync()
      this.problem = null
      const wasSettled = this.isSettled
      this.isSettled = outcome.isComplete
      // Somebody may have waited for that.
      if (!wasSettled && this.isSettled) this.#deps.leader.nudge()
      return outcome
    } catch (error) {
      this.problem = explainError(error)
      throw error
    }
  }

  async #sync(): Promise<SyncOutcome> {
    const { git, leader } = this.#deps
    const commit = briefCommit(await git.resolve())
    const status = leader.state.sources.get(this.id)
    const applied = status?.commit ?? null
    if (status !== undefined && applied?.id === commit.id && !this.#isToBeJudgedAnew()) return this.#stay(status, commit)
    if (this.#seen?.commitId !== commit.id) this.#seen = { commitId: commit.id, detectedMs: leader.clock.wallMs(), verifiedMs: null }
    const verdict = (await this.#trust?.judge(commit, status?.verified ?? null)) ?? NOT_ASKED
    if (verdict.kind === 'refused')
      return this.#hold(commit, applied, { reason: 'untrusted', commit: commit.id, jobs: [], remedy: verdict.why })
    if (this.#trust !== undefined) this.#seen = { ...this.#seen, verifiedMs: this.#seen.verifiedMs ?? leader.clock.wallMs() }
    const asked = await this.#askedSince(applied, commit)
    const rewind = await this.#findRewind(applied, commit, asked)
    if (rewind !== null) return this.#hold(commit, applied, rewind)
    return this.#apply(commit, applied, asked, verdict.verified)
  }

  #isToBeJudgedAnew(): boolean {
    const areOthersChanged = this.#areOthersChanged
    this.#areOthersChanged = false
    const isOverlayOther = this.#deps.leader.state.sources.get(this.id)?.overlay !== this.#deps.options.overlay
    return isOverlayOther || this.#isStale || (areOthersChanged && isVerdictOver(this.#deps.leader.state, this.#scope))
  }

  /** When the newest commit that is not applied yet was seen, and found to count; it may wait for somebody's word since. */
  #seen: { readonly commitId: string; readonly detectedMs: number; readonly verifiedMs: number | null } | undefined

  /** A commit that could not be read whole (a worker died), with what it asks for: it is read again, and does not act again. */
  #unfinished: { readonly commitId: string; readonly asked: readonly Commit[] } | undefined

  async #apply(commit: Commit, applied: Commit | null, asked: readonly Commit[], verified: VerifiedCommit | null): Promise<SyncOutcome> {
    const { git, leader } = this.#deps
    this.isSettled = false
    this.#isStale = false
    const isFirstLook = this.#unfinished?.commitId !== commit.id
    const trailers = asked.flatMap((each) => each.trailers)
    const entries = await git.list(commit.id)
    const { overlay } = this.#deps.options
    const tree = new SourceTree(git, entries, overlay)
    const { readings, aborted } = await this.#readJobs(tree)
    const agents = this.id === FIRST_SOURCE.id ? await this.#agents.read(tree) : undefined
    const namespaces = ownNamespaces(leader.state, this.#scope, tree, await this.#namespaces.read(tree))
    const isRead = aborted.length + (agents?.aborted.length ?? 0) + namespaces.aborted.length === 0
    const variables = ownVariables(leader.state, this.#scope, tree, await this.#variables.read(tree))
    const rules = jobRules(namespacesOf(leader.state, this.#scope, namespaces), this.#scope)
    const forbidden = enforceRules(leader.state, rules, readings)
    const changes = await this.#compare(commit, trailers, { ...readings, read: forbidden.read })
    const isComplete = isRead && !(changes.removals.length > 0 && (await this.#deps.isNewElsewhere?.()) === true)
    this.#unfinished = isComplete ? undefined : { commitId: commit.id, asked }
    const parsedMs = leader.clock.wallMs()
    const frozen = [
      ...changes.frozen,
      ...forbidden.frozen,
      ...(agents?.frozen ?? foreignHosts(this.#scope, tree)),
      ...namespaces.frozen,
      ...variables.frozen,
    ]
    await this.#propose(agents === undefined ? [] : computeAgentsChanges(leader.state, agents), itself)
    await this.#propose([claimCommand(leader.state, this.#scope, namespaces, variables)], itself)
    const used = changes.registrations.map(({ job }) => job.Namespace)
    await this.#propose(computeNamespaceChanges(leader.state, this.#scope, namespaces, used), itself)
    // Before the jobs that read them.
    await this.#propose(computeVariableChanges(leader.state, this.#scope, variables), itself)
    await this.#propose([releaseCommand(leader.state, this.#scope, namespaces, variables)], itself)
    const now = divideChanges(leader.state, changes, {
      sourceId: this.id,
      commit,
      nowMs: leader.clock.wallMs(),
      isComplete,
      mayWait: this.#deps.mayWait?.() ?? true,
    })
    await this.#propose(now.registrations, (registration) =>
      this.#isStillFree(registration.source) ? registerCommand(leader.state, this.#deps.random, registration) : undefined,
    )
    await this.#propose(now.commands, (command) => {
      if (command.kind !== 'change-wait') return command
      const { change } = command
      const isRight = change.job === null ? this.#isStillGone(jobSourceKey(change)) : this.#isStillFree(change)
      return isRight ? command : undefined
    })
    // What is new goes in before what is gone goes out. With something unread, absence is not certain.
    await this.#propose(now.removals, (job) => (this.#isStillGone(jobKey(job)) ? deregisterCommand(this.#deps.random, job) : undefined))
    const acts = await this.#act(isFirstLook ? asked : [], tree)
    const moved = changes.moved.filter((source) => this.#isStillFree(source))
    const handedOver = isComplete ? changes.handedOver : []
    await this.#propose([moved], () => {
      const given = handedOver.filter((source) => this.#isStillWanted(source))
      return sourceFilesCommand(leader.state, this.id, frozen, [...moved, ...given])
    })
    const waiting = now.commands.filter(({ kind }) => kind === 'change-wait').length
    const counts = { registered: now.registrations.length, waiting, removed: now.removals.length, frozen: frozen.length }
    if (isComplete && applied?.id !== commit.id)
      await this.#propose([{ ...counts, parsedMs }], (trace) => this.#traceCommand(commit, trace))
    // A cursor that stays where it was has the commit read again, also by a server that is started anew.
    const cursor = isComplete ? commit : applied
    await this.#closeSync({
      id: this.id,
      ref: this.#deps.options.ref,
      commit: cursor,
      held: changes.held,
      // As long as something is unread, jobs may be what another overlay made of them.
      ...overlayOf(isComplete ? overlay : leader.state.sources.get(this.id)?.overlay),
      ...(verified === null ? {} : { verified }),
    })
    const outcome: SyncOutcome = {
      sourceId: this.id,
      // Somebody else was quicker, or the rules have changed meanwhile.
      isComplete: isComplete && !this.#isStale,
      commit,
      ...counts,
      frozen,
      held: changes.held,
      ignored: acts.ignored,
      acts: acts.done,
    }
    this.#log(outcome)
    return outcome
  }

  #traceCommand(commit: Commit, counts: Pick<CommitTrace, 'registered' | 'waiting' | 'removed' | 'frozen' | 'parsedMs'>): CommandBody {
    const { leader } = this.#deps
    const appliedMs = leader.clock.wallMs()
    const { detectedMs, verifiedMs } = this.#seen ?? { detectedMs: appliedMs, verifiedMs: null }
    return traceCommand(leader.state, { commit, ...sourced(this.id), detectedMs, verifiedMs, appliedMs, ...counts })
  }

  /** All in one turn with the note that it was done: a crash before it is durable takes back both. */
  async #act(asked: readonly Commit[], tree: SourceTree): Promise<OneShotActs> {
    const acting = asked.filter(({ trailers }) => trailers.length > 0)
    if (acting.length === 0) return { done: [], ignored: [] }
    const { leader, random } = this.#deps
    const trailers = acting.flatMap((commit) => commit.trailers)
    const payloads = new Map<string, BlobContent | { readonly kind: 'unreadable'; readonly reason: string }>()
    for (const path of payloadPaths(trailers)) {
      const content = await tree.readBytes(path)
      if (content !== undefined) payloads.set(path, content)
    }
    await leader.room()
    leader.propose([{ kind: 'commits-acted', commits: acting.map(({ id }) => id), ...sourced(this.id) }])
    const env = { random, nowMs: leader.clock.wallMs() }
    return performTrailers(leader.state, trailers, {
      env,
      payloads,
      scope: this.#scope,
      propose: (commands) => void leader.propose(commands),
    })
  }

  async #compare(commit: Commit, trailers: Commit['trailers'], readings: SourceReadings): Promise<DesiredChanges> {
    const slices = computeChangesInSlices(this.#deps.leader.state, commit, trailers, readings, { ...FULL_RULES, scope: this.#scope })
    for (;;) {
      const { done, value } = slices.next()
      if (done === true) return value
      await this.#deps.leader.breathe()
    }
  }

  async #readJobs(tree: SourceTree): Promise<{ readings: SourceReadings; aborted: readonly string[] }> {
    const isTrusted = this.#deps.leader.state.sources.get(this.id)?.overlay === this.#deps.options.overlay
    const look = this.#unchanged.look(tree, isTrusted)
    const nodePools = this.#nodePoolsOf(tree)
    const read: FileReading[] = findHiddenJobs(tree.entries).map(({ entry: { path, blob }, mistake }) => {
      return { kind: 'mistakes', path, blob, mistakes: [mistake] }
    })
    this.#mistakes.retain(tree)
    const unread = look.unread.filter(({ entry: { path } }) => {
      const known = this.#mistakes.find(tree, path, nodePools)
      if (known !== undefined) read.push(known)
      return known === undefined
    })
    const aborted: string[] = []
    for (let from = 0; from < unread.length; from += FILES_READ_AT_ONCE) {
      const batch = unread.slice(from, from + FILES_READ_AT_ONCE)
      await tree.prefetch(batch.map(({ entry }) => entry.path))
      const outcomes = await Promise.all(batch.map((file) => this.#readJob(tree, file, nodePools)))
      for (const reading of outcomes)
        if (typeof reading === 'string') aborted.push(reading)
        else read.push(reading)
    }
    return { readings: { unchanged: look.unchanged, read }, aborted }
  }

  /** The path alone when the reading was aborted. */
  async #readJob(tree: SourceTree, { entry, namespace }: UnreadFile, nodePools: ReadonlySet<string>): Promise<FileReading | string> {
    const outcome = await this.#deps.jobs.read(entry.path, tree, {
      namespace,
      nodePools,
      overlay: this.#deps.options.overlay,
      support: { region: this.#deps.region },
    })
    switch (outcome.kind) {
      case 'job':
        return { kind: 'job', path: entry.path, blob: entry.blob, job: outcome.job, order: outcome.order, inputs: outcome.inputs }
      case 'mistakes': {
        const { mistakes, names, inputs } = outcome
        const reading = { kind: 'mistakes', path: entry.path, blob: entry.blob, mistakes, names } as const
        if (inputs !== undefined) this.#mistakes.keep({ reading, inputs, nodePools })
        return reading
      }
      case 'aborted':
        this.#deps.logger.warn({ path: entry.path, reason: outcome.reason }, 'file not read yet')
        return entry.path
      default:
        return assertNever(outcome)
    }
  }

  /** Hosts are declared by the first source: for the others there are the pools that it has made. */
  #nodePoolsOf(tree: SourceTree): ReadonlySet<string> {
    return this.id === FIRST_SOURCE.id ? nodePoolsIn(tree.entries) : new Set(this.#deps.leader.state.nodePools.keys())
  }

  /** Since the comparison another source may have taken the job: then this commit is judged once more. */
  #isStillFree(job: JobRef): boolean {
    const isFree = jobTaker(this.#deps.leader.state, this.#scope, jobSourceKey(job)) === undefined
    this.#isStale ||= !isFree
    return isFree
  }

  /** Since the comparison another source may have said it: then it is handed over by the next look. */
  #isStillGone(key: string): boolean {
    const isGone = !saidElsewhere(this.#deps.leader.state, this.#scope).has(key)
    this.#isStale ||= !isGone
    return isGone
  }

  /** By the source that it is to be handed over to. */
  #isStillWanted(source: JobSource): boolean {
    const { frozenFiles } = this.#deps.leader.state
    const isWanted = frozenFiles.get(sourcedKey(sourceIdOf(source), source.path))?.takenBy === this.id
    this.#isStale ||= !isWanted
    return isWanted
  }

  async #propose<Change>(changes: readonly Change[], asCommand: (change: Change) => CommandBody | undefined): Promise<void> {
    for (let from = 0; from < changes.length; from += COMMANDS_PER_TURN) {
      if (from > 0) await this.#deps.leader.breathe()
      await this.#deps.leader.room()
      const commands = changes.slice(from, from + COMMANDS_PER_TURN).flatMap((change) => asCommand(change) ?? [])
      if (commands.length > 0) this.#deps.leader.propose(commands)
    }
  }

  /** Without a word where a second look at the same commit finds what the first one found. */
  async #closeSync(status: Omit<SourceStatus, 'modifyIndex'>): Promise<void> {
    const { modifyIndex: _, ...known } = this.#deps.leader.state.sources.get(this.id) ?? { modifyIndex: 0 }
    if (JSON.stringify(known) === JSON.stringify(status)) return
    await this.#propose([status], () => ({ kind: 'source-sync', status }))
  }

  /** The commits whose trailers count now: all that are new, except those that were heeded before (the ref may come back to them). */
  async #askedSince(applied: Commit | null, commit: Commit): Promise<readonly Commit[]> {
    if (this.#unfinished?.commitId === commit.id) return this.#unfinished.asked
    const commits = await this.#deps.git.commitsBetween(applied?.id ?? null, commit.id, COMMITS_SEARCHED_FOR_TRAILERS)
    return commits.filter(({ id }) => this.#deps.leader.state.actedCommits.get(sourcedKey(this.id, id)) === undefined)
  }

  async #findRewind(applied: Commit | null, commit: Commit, asked: readonly Commit[]): Promise<Held | null> {
    if (applied === null || (await this.#deps.git.isAncestor(applied.id, commit.id))) return null
    const trailers = asked.flatMap((each) => each.trailers)
    const held = guardRewind(applied.id, commit.id, trailers, { ...this.#deps.options, isShallow: await this.#deps.git.isShallow() })
    if (held === null) this.#deps.logger.warn({ from: applied.id, to: commit.id }, 'following a rewind')
    return held
  }

  /** Says that it waits, once, and changes nothing. */
  async #hold(commit: Commit, applied: Commit | null, held: Held): Promise<SyncOutcome> {
    const status = this.#deps.leader.state.sources.get(this.id)
    const known = status?.held
    if (known?.commit !== held.commit || known.reason !== held.reason || known.remedy !== held.remedy) {
      const { modifyIndex: _, ...rest } = status ?? { id: this.id, ref: this.#deps.options.ref, modifyIndex: 0 }
      await this.#closeSync({ ...rest, commit: applied, held })
      this.#deps.logger.warn({ ...held }, 'commit held')
    }
    return this.#nothingNew(commit, held)
  }

  /** The ref is where desired state is. A commit that waited, and that the ref has left, waits no more. */
  async #stay(status: SourceStatus, commit: Commit): Promise<SyncOutcome> {
    const isOver = status.held !== null && status.held.commit !== commit.id
    const held = isOver ? null : status.held
    if (isOver) {
      const { modifyIndex: _, ...rest } = status
      await this.#closeSync({ ...rest, held })
    }
    return this.#nothingNew(commit, held)
  }

  #nothingNew(commit: Commit, held: Held | null): SyncOutcome {
    const frozen = this.#deps.leader.state.frozenFiles.by('source', this.id)
    return { sourceId: this.id, isComplete: true, commit, registered: 0, waiting: 0, removed: 0, frozen, held, ignored: [], acts: [] }
  }

  #log({ commit, registered, waiting, removed, frozen, held, ignored }: SyncOutcome): void {
    const { logger } = this.#deps
    logger.info({ commit: commit.id, subject: commit.subject, registered, waiting, removed, frozen: frozen.length }, 'commit applied')
    for (const { path, mistakes } of frozen.slice(0, FILES_LOGGED_MAX)) {
      const { line, column, summary } = mistakes[0]!
      logger.warn({ path, line, column, summary, mistakes: mistakes.length }, 'file frozen')
    }
    if (ignored.length > 0) logger.warn({ ignored }, 'trailers that came to nothing')
    if (held !== null) logger.warn({ reason: held.reason, jobs: held.jobs.length, remedy: held.remedy }, 'removal held')
  }
}

function overlayOf(overlay: string | undefined): { readonly overlay?: string } {
  return overlay === undefined ? {} : { overlay }
}

function itself(body: CommandBody | undefined): CommandBody | undefined {
  return body
}
