/**
 * Every source that is followed, each with its own reconciler, timers and remote, so that one that is away keeps no other waiting. What one
 * source does may free or take what another asks for: then that one looks again.
 */
import {
  type Clock,
  explainError,
  type FollowedHealth,
  invariant,
  type Logger,
  type Namespace,
  OrchestratorError,
  type Random,
  SOURCE_DEFAULT,
  type Sourced,
  type SourceLimits,
  sourceIdOf,
} from '../../domain/index.js'
import { GitReconciler, type GitReconcilerDeps, type GitReconcilerOptions, type SyncOutcome } from '../git-reconciler.js'
import type { Leader } from '../leader.js'
import type { GitSource, JobReader, RemoteRepository, SyntaxReader } from '../ports.js'
import { ReconcileLoop } from '../reconcile-loop.js'
import { RemotePoll } from '../remote-poll.js'
import { LookMeter } from './look-meter.js'
import { claimOwner, type SourceScope } from './source-scope.js'

/** One source, as the configuration has it. */
export interface FollowedSource {
  readonly id: string
  readonly git: GitSource
  /** What `git` is a copy of; absent: of nothing. */
  readonly remote?: RemoteRepository | undefined
  /** Whose commits count; absent: everybody's. */
  readonly trust?: GitReconcilerDeps['trust']
  /** What its files may say; absent: anything. */
  readonly limits?: SourceLimits | undefined
  readonly options: GitReconcilerOptions
  /** A look at the ref this long after the last, should every event have been lost. */
  readonly pollMs: number
  /** How often the remote is asked, where there is one. */
  readonly remotePollMs?: number
}

export interface SourceEvents {
  /** After every completed look at a repository. */
  readonly onSync?: ((outcome: SyncOutcome) => void) | undefined
  /** After one that failed; it is tried again. */
  readonly onSyncFailed?: ((sourceId: string, problem: string) => void) | undefined
  /** A remote can no longer be fetched, and why; null: it can again. */
  readonly onRemote?: ((sourceId: string, problem: string | null) => void) | undefined
}

export interface SourceFollowersDeps extends SourceEvents {
  readonly leader: Leader
  /** The first is the one that may declare hosts. */
  readonly sources: readonly FollowedSource[]
  readonly syntax: SyntaxReader
  readonly jobs: JobReader
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly region: string
  readonly mayWait: () => boolean
}

const BACK_OFF_MS_MIN = 200
const REMOTE_POLL_MS = 30_000

interface Follower {
  readonly source: FollowedSource
  readonly scope: SourceScope
  readonly reconciler: GitReconciler
  readonly loop: ReconcileLoop
  readonly poll: RemotePoll | undefined
  unwatch: () => Promise<void>
  /** Nobody has said that there would be something new in what was fetched last. */
  isUnannounced: boolean
  commitId: string | undefined
  /** The last look failed: nobody waits for what it would have found. */
  hasFailed: boolean
  readonly looks: LookMeter
}

export class SourceFollowers {
  readonly #deps: SourceFollowersDeps
  readonly #followers = new Map<string, Follower>()
  #areOwnersChanged = false
  #isStopped = false

  constructor(deps: SourceFollowersDeps) {
    this.#deps = deps
    invariant(deps.sources[0]?.id === SOURCE_DEFAULT, `the first source is called ${SOURCE_DEFAULT}`)
    for (const source of deps.sources) this.#followers.set(source.id, this.#follow(source))
    if (deps.sources.length > 1) this.#observe()
  }

  /** @throws as the git sources do when they are watched */
  async begin(): Promise<void> {
    const [first, ...others] = this.#followers.values()
    for (const follower of this.#followers.values()) {
      follower.unwatch = await follower.source.git.watch(() => follower.loop.ask())
      follower.poll?.lookNow()
    }
    first!.loop.ask()
    // The hosts and pools of the first are there, then, when it can be read.
    for (const { loop } of others) loop.ask()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { poll, loop } of this.#followers.values()) {
      poll?.stop()
      loop.stop()
    }
    for (const { unwatch } of this.#followers.values()) await unwatch()
  }

  get health(): readonly FollowedHealth[] {
    return [...this.#followers.values()].map(({ source, reconciler, poll, looks }) => ({
      id: source.id,
      ref: source.options.ref,
      overlay: source.options.overlay ?? null,
      problem: reconciler.problem,
      remote: poll?.status ?? null,
      fetchSeconds: poll?.seconds ?? null,
      limits: source.limits ?? null,
      looks: { ...looks.counts, signatures: Object.fromEntries(reconciler.signatureCounts) },
    }))
  }

  isSettled(sourceId: string): boolean {
    return this.#followers.get(sourceId)?.reconciler.isSettled === true
  }

  /** What a question about a commit of the source has to know. @throws OrchestratorError UNKNOWN_SOURCE */
  rulesOf(sourceId: string): {
    readonly scope: SourceScope
    readonly rewind: GitReconcilerOptions['rewind']
    readonly overlay: string | undefined
  } {
    const { scope, source } = this.#find(sourceId)
    const { rewind, overlay } = source.options
    return { scope, rewind, overlay }
  }

  /** Looks at the repository now; also what a webhook means. @throws OrchestratorError UNKNOWN_SOURCE */
  lookAt(sourceId: string): void {
    const { poll, loop } = this.#find(sourceId)
    if (poll === undefined) loop.ask()
    else poll.announce()
  }

  /** Webhooks of the source were not listened to: what they said is found by the poll. @throws OrchestratorError UNKNOWN_SOURCE */
  doubtWebhooks(sourceId: string): void {
    this.#find(sourceId).poll?.doubtAnnouncements()
  }

  #find(sourceId: string): Follower {
    const follower = this.#followers.get(sourceId)
    if (follower !== undefined) return follower
    const names = [...this.#followers.keys()].join(', ')
    throw new OrchestratorError('UNKNOWN_SOURCE', `there is no source "${sourceId}"; there are: ${names}`, { sourceId })
  }

  #follow(source: FollowedSource): Follower {
    const { leader, clock, random, logger, syntax, jobs, region, mayWait, onRemote } = this.#deps
    const { id, git, remote, trust, limits, options, pollMs } = source
    const own = { leader, syntax, jobs, random, region, mayWait, logger: logger.with({ source: id }) }
    const scope = { id, limits, isFollowed: (other: string) => this.#followers.has(other) }
    const isNewElsewhere = () => this.#isNewElsewhere(id)
    const reconciler = new GitReconciler({ ...own, git, trust, options, scope, isNewElsewhere })
    const loopOptions = { everyMs: pollMs, backOffMsMin: BACK_OFF_MS_MIN, backOffMsMax: pollMs }
    const loop = new ReconcileLoop(clock, loopOptions, () => this.#look(id))
    const everyMs = source.remotePollMs ?? REMOTE_POLL_MS
    const onFetched = (isAnnounced: boolean) => {
      this.#followers.get(id)!.isUnannounced = !isAnnounced
      loop.ask()
    }
    const onProblem = (problem: string | null) => onRemote?.(id, problem)
    const poll = remote === undefined ? undefined : new RemotePoll({ ...own, clock, remote, everyMs, onFetched, onProblem })
    const looks = new LookMeter(clock)
    const start = { unwatch: async () => {}, isUnannounced: false, commitId: undefined, hasFailed: false }
    return { source, scope, reconciler, loop, poll, looks, ...start }
  }

  async #look(id: string): Promise<boolean> {
    const follower = this.#followers.get(id)!
    const { leader, logger, onSync, onSyncFailed } = this.#deps
    try {
      const outcome = await follower.looks.measure(() => follower.reconciler.reconcile())
      const isNew = follower.commitId !== undefined && follower.commitId !== outcome.commit.id
      if (isNew && follower.isUnannounced) follower.poll?.noteUnannounced()
      follower.commitId = outcome.commit.id
      follower.hasFailed = false
      onSync?.(outcome)
      return outcome.isComplete
    } catch (error) {
      follower.hasFailed = true
      // Nothing was fetched yet: that there is nothing here is no news.
      if (leader.isStopped || follower.poll?.status.fetches === 0) throw error
      logger.error({ source: id, error: explainError(error) }, 'source could not be read')
      onSyncFailed?.(id, explainError(error))
      throw error
    }
  }

  /** Of what is in the data folder: nobody is asked. */
  async #isNewElsewhere(sourceId: string): Promise<boolean> {
    for (const { scope, source, loop, commitId, hasFailed } of this.#followers.values()) {
      if (scope.id === sourceId || hasFailed) continue
      const newest = await source.git.resolve().catch(() => undefined)
      if (newest === undefined || newest.id === commitId) continue
      loop.ask()
      return true
    }
    return false
  }

  #observe(): void {
    const { leader } = this.#deps
    const { state } = leader
    const noteOwner = (before: Sourced | undefined, after: Sourced | undefined) => {
      const isSame = before !== undefined && after !== undefined && sourceIdOf(before) === sourceIdOf(after)
      this.#areOwnersChanged ||= !isSame
    }
    state.jobSources.observe(noteOwner)
    state.waitingChanges.observe((before, after) => noteOwner(before?.source, after?.source))
    state.sourceClaims.observe(noteOwner)
    state.variables.observe((before, after) => {
      this.#areOwnersChanged ||= before === undefined || after === undefined
    })
    state.nodePools.observe((before, after) => {
      if (before === undefined || after === undefined) this.#judgeAnew((id) => id !== SOURCE_DEFAULT)
    })
    state.namespaces.observe((before, after, name) => {
      if (rulesText(before) === rulesText(after)) return
      const owner = claimOwner(state, { kind: 'namespace', namespace: name, path: '' })
      this.#judgeAnew((id) => id !== owner)
    })
    leader.onTurnEnd(() => this.#wakeConcerned())
  }

  #judgeAnew(isMeant: (sourceId: string) => boolean): void {
    for (const [id, { reconciler }] of this.#followers) if (isMeant(id)) reconciler.judgeAnew()
    this.#areOwnersChanged = true
  }

  #wakeConcerned(): void {
    if (!this.#areOwnersChanged || this.#isStopped) return
    this.#areOwnersChanged = false
    for (const { reconciler, loop } of this.#followers.values()) if (reconciler.isConcernedByOthers()) loop.ask()
  }
}

/** What a namespace forbids its jobs. */
function rulesText(namespace: Namespace | undefined): string {
  return JSON.stringify([namespace?.Capabilities ?? null, namespace?.NodePoolConfiguration ?? null])
}
