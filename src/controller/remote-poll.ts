/**
 * Asks a remote from time to time, and at once when somebody says that there is something new. One question at a time; a little sooner or
 * later each time, so that many servers do not ask together; less and less often while it fails, and not before the remote wants it.
 */
import {
  type Clock,
  type Histogram,
  type Logger,
  newOutcomeSeconds,
  type OutcomeSeconds,
  type Random,
  type RemoteStatus,
} from '../domain/index.js'
import type { FetchOutcome, RemoteRepository } from './ports.js'

export interface RemotePollDeps {
  readonly remote: RemoteRepository
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly everyMs: number
  /** There may be something new. `isAnnounced`: somebody has said so. */
  readonly onFetched: (isAnnounced: boolean) => void
  /** The remote has become unreachable, or another reason has come up, or (null) it answers again; told once. */
  readonly onProblem?: ((problem: string | null) => void) | undefined
}

/** Of the interval, up or down. */
const JITTER_SHARE = 0.1
const BACK_OFF_MS_MAX = 600_000
/** While everything new is announced, a question now and then is enough. */
const ANNOUNCED_EVERY_MS = 300_000
/** However many say that there is something new: so many fetches behind each other, and then one in each such pause. */
const BURST = 5
const PAUSE_MS = 500

export class RemotePoll {
  readonly #deps: RemotePollDeps
  /** How long it takes to answer. */
  readonly seconds: OutcomeSeconds<Histogram> = newOutcomeSeconds()
  #isFetching = false
  #isAsked = false
  /** Somebody has said that there is something new, and what is fetched next answers it. */
  #isAnnounced = false
  /** Something new was announced, and since then nothing was found that was not. */
  #areAnnouncementsTrusted = false
  #isStopped = false
  #failures = 0
  #fetches = 0
  #problem: string | null = null
  #fetchedAtMs: number | null = null
  #fetchedAtMonotonicMs = 0
  #fetchMs = 0
  #nextAtMs = 0
  /** On the monotonic clock: it is not to be asked before, since it has said so or was asked too often. */
  #notBeforeMs = 0
  /** When the next fetch would be due if each took a pause of its own: a burst runs ahead of that. */
  #paceMs = 0
  #cancelTimer: () => void = () => {}

  constructor(deps: RemotePollDeps) {
    this.#deps = deps
  }

  get status(): RemoteStatus {
    const { remote, clock } = this.#deps
    return {
      url: remote.url,
      problem: this.#problem,
      fetchedAtMs: this.#fetchedAtMs,
      ageMs: this.#fetchedAtMs === null ? null : clock.monotonicMs() - this.#fetchedAtMonotonicMs,
      fetches: this.#fetches,
      failuresInARow: this.#failures,
      fetchMs: this.#fetchMs,
      nextInMs: this.#isFetching ? 0 : Math.max(0, this.#nextAtMs - clock.monotonicMs()),
    }
  }

  /** Somebody who knows says that there is something new. */
  announce(): void {
    this.#isAnnounced = true
    this.#areAnnouncementsTrusted = true
    this.lookNow()
  }

  /** Something was found that nobody had announced. */
  noteUnannounced(): void {
    this.#areAnnouncementsTrusted = false
  }

  /** Somebody may have said that there is something new, and was not heard: it is asked in its interval again. */
  doubtAnnouncements(): void {
    this.#areAnnouncementsTrusted = false
    const waitMs = this.#intervalMs()
    const isLater = this.#nextAtMs - this.#deps.clock.monotonicMs() > waitMs
    if (isLater && !this.#isFetching && !this.#isStopped) this.#lookIn(waitMs)
  }

  /** Looks now, or as soon as the remote may be asked again: after the look under way, after a pause where there were many, when it said. */
  lookNow(): void {
    if (this.#isStopped) return
    if (this.#isFetching) {
      this.#isAsked = true
      return
    }
    const waitMs = this.#notBeforeMs - this.#deps.clock.monotonicMs()
    if (waitMs <= 0) void this.#run()
    else this.#lookIn(waitMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
  }

  async #run(): Promise<void> {
    this.#cancelTimer()
    this.#isFetching = true
    this.#isAsked = false
    const waitMs = await this.#fetch()
    this.#isFetching = false
    if (this.#isStopped) return
    const isWanted = this.#isAsked && this.#failures === 0
    this.#lookIn(isWanted ? Math.max(0, this.#notBeforeMs - this.#deps.clock.monotonicMs()) : waitMs)
  }

  #lookIn(waitMs: number): void {
    this.#cancelTimer()
    this.#nextAtMs = this.#deps.clock.monotonicMs() + waitMs
    this.#cancelTimer = this.#deps.clock.after(waitMs, () => this.lookNow())
  }

  /** @returns how long to wait before the next one */
  async #fetch(): Promise<number> {
    const { remote, clock, random } = this.#deps
    const startedMs = clock.monotonicMs()
    this.#paceMs = Math.max(this.#paceMs, startedMs) + PAUSE_MS
    const isAnnounced = this.#isAnnounced
    this.#isAnnounced = false
    const outcome = await remote.update(isAnnounced)
    this.#fetches++
    this.#fetchMs = clock.monotonicMs() - startedMs
    this.seconds[outcome.kind === 'failed' ? 'failed' : 'succeeded'].add(this.#fetchMs / 1000)
    this.#take(outcome, isAnnounced)
    const retryAfterMs = outcome.kind === 'failed' ? (outcome.retryAfterMs ?? 0) : 0
    const jitter = 1 + JITTER_SHARE * (2 * random.fraction() - 1)
    const waitMs = Math.max(retryAfterMs, this.#intervalMs() * jitter)
    this.#notBeforeMs = Math.max(this.#paceMs - (BURST - 1) * PAUSE_MS, clock.monotonicMs() + retryAfterMs)
    return waitMs
  }

  #intervalMs(): number {
    const { everyMs } = this.#deps
    if (this.#areAnnouncementsTrusted && this.#failures === 0) return Math.max(everyMs, ANNOUNCED_EVERY_MS)
    return this.#failures < 2 ? everyMs : Math.max(everyMs, Math.min(BACK_OFF_MS_MAX, everyMs * 2 ** (this.#failures - 1)))
  }

  #take(outcome: FetchOutcome, isAnnounced: boolean): void {
    const { clock, logger, remote, onFetched, onProblem } = this.#deps
    const before = this.#problem
    if (outcome.kind === 'fetched') {
      this.#failures = 0
      this.#problem = null
      this.#fetchedAtMs = clock.wallMs()
      this.#fetchedAtMonotonicMs = clock.monotonicMs()
      onFetched(isAnnounced)
    } else {
      this.#failures++
      // It is still to be answered.
      this.#isAnnounced ||= isAnnounced
      this.#problem = outcome.problem
    }
    if (before === this.#problem || this.#isStopped) return
    if (this.#problem === null) logger.info({ remote: remote.url }, 'remote fetched again')
    else logger.warn({ remote: remote.url, problem: this.#problem }, 'remote could not be fetched')
    onProblem?.(this.#problem)
  }
}
