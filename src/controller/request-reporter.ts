/**
 * Tells a forge what merging each open request would do, in one comment that is kept up to date and a status of its commit, and what became
 * of the commits that were applied. Level-triggered: each look lists what is open and reports what was not reported as it is now.
 */
import { type Clock, explainError, type Logger } from '../domain/index.js'
import type { SyncOutcome } from './git-reconciler.js'
import type { CommitStatus, Forge } from './ports.js'
import { ReconcileLoop } from './reconcile-loop.js'
import { situationOf } from './situation.js'

/** What merging a request would do, for people. */
export interface RequestPlan {
  /** As it was fetched; the request may have moved on since. */
  readonly headId: string
  readonly markdown: string
  readonly status: CommitStatus
}

export interface RequestReporterDeps {
  readonly forge: Forge
  readonly branch: string
  readonly clock: Clock
  readonly logger: Logger
  readonly everyMs: number
  /** Plans are made against this commit; null: there is none yet. */
  readonly appliedId: () => string | null
  readonly plan: (ref: string) => Promise<RequestPlan>
}

export const COMMENT_MARKER = '<!-- drover: plan -->'
const REQUESTS_MAX = 50
const FAILURES_IN_A_ROW_MAX = 3
const BACK_OFF_MS_MIN = 2_000

export class RequestReporter {
  readonly #deps: RequestReporterDeps
  readonly #loop: ReconcileLoop
  /** By request: what was planned, and the comment and status that told it. */
  readonly #reported = new Map<number, { readonly key: string; readonly comment: string; readonly status: string }>()
  /** Statuses of applied commits that were not told yet; the newest of each commit. */
  readonly #applied = new Map<string, CommitStatus>()
  #seen = ''
  #problem = ''

  constructor(deps: RequestReporterDeps) {
    this.#deps = deps
    const { clock, everyMs } = deps
    this.#loop = new ReconcileLoop(clock, { everyMs, backOffMsMin: BACK_OFF_MS_MIN, backOffMsMax: everyMs }, () => this.#report())
  }

  /** Something was pushed, or a request was opened. */
  lookNow(): void {
    this.#loop.ask()
  }

  /** A commit of the branch was looked at; what is as it was is not told again. */
  onSync(outcome: SyncOutcome): void {
    const { commit } = outcome
    const seen = situationOf(outcome)
    if (seen === this.#seen) return
    this.#seen = seen
    this.#applied.set(commit.id, statusOf(outcome))
    this.#loop.ask()
  }

  stop(): void {
    this.#loop.stop()
  }

  /** @returns whether all of it was told */
  async #report(): Promise<boolean> {
    const { forge, branch, logger } = this.#deps
    try {
      await this.#tellApplied()
      const open = await forge.openRequests(branch)
      const numbers = new Set(open.map(({ number }) => number))
      for (const number of this.#reported.keys()) if (!numbers.has(number)) this.#reported.delete(number)
      const problems = await this.#reportEach(open.slice(0, REQUESTS_MAX))
      if (problems.length > 0) throw new Error(problems.join('; '))
      this.#problem = ''
      return true
    } catch (error) {
      const problem = explainError(error)
      if (problem !== this.#problem) logger.warn({ problem }, 'the forge could not be told')
      this.#problem = problem
      return false
    }
  }

  /** One that cannot be planned or told keeps nobody from being told of the others. @returns what went wrong */
  async #reportEach(requests: Awaited<ReturnType<Forge['openRequests']>>): Promise<readonly string[]> {
    const problems: string[] = []
    let failuresInARow = 0
    for (const request of requests) {
      try {
        await this.#reportRequest(request)
        failuresInARow = 0
      } catch (error) {
        problems.push(`request ${request.number}: ${explainError(error)}`)
        // It is more likely the forge, or the remote.
        if (++failuresInARow === FAILURES_IN_A_ROW_MAX) break
      }
    }
    return problems
  }

  async #tellApplied(): Promise<void> {
    for (const [id, status] of [...this.#applied]) {
      await this.#deps.forge.setStatus(id, status)
      if (this.#applied.get(id) === status) this.#applied.delete(id)
    }
  }

  async #reportRequest({ number, headId, ref }: Awaited<ReturnType<Forge['openRequests']>>[number]): Promise<void> {
    const { forge, plan, appliedId } = this.#deps
    const key = `${headId} ${appliedId()}`
    const before = this.#reported.get(number)
    if (before?.key === key) return
    const planned = await plan(ref)
    const comment = `${COMMENT_MARKER}\n${planned.markdown}`
    const status = `${planned.headId} ${JSON.stringify(planned.status)}`
    if (before?.comment !== comment) await forge.putComment(number, COMMENT_MARKER, comment)
    if (before?.status !== status) await forge.setStatus(planned.headId, planned.status)
    this.#reported.set(number, { key, comment, status })
  }
}

function statusOf({ registered, removed, frozen, held }: SyncOutcome): CommitStatus {
  if (held !== null) return { state: 'failure', description: `held (${held.reason}): ${held.remedy}` }
  if (frozen.length > 0)
    return { state: 'failure', description: `${frozen.length} file(s) have mistakes and stay as they were: ${frozen[0]!.path}` }
  const counts = registered + removed === 0 ? '' : `: ${registered} registered, ${removed} removed`
  return { state: 'success', description: `applied${counts}` }
}
