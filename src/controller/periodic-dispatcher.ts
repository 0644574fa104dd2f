/**
 * Launches periodic jobs at their times: a child for each, at most once, whatever server leads. Of several times that passed unseen one is
 * made up for.
 *
 * L9 Every time of a periodic job is launched or passed over for a reason, at most ten seconds after the clock has come to it.
 */
import { isTimed, type Job, MILLISECOND } from '../domain/index.js'
import { nextLaunch } from '../jobspec/index.js'
import { jobKey, type StateView } from '../state/index.js'
import { freeLaunchMs, periodicChild } from './child-jobs.js'
import { newEvaluation } from './new-evaluation.js'
import type { ReconcilerDeps } from './reconciler-deps.js'

/** The wall clock may jump, and timers do not see it. */
const LOOK_AGAIN_MS = 10_000
const MS_PER_TURN = 5
const NEVER_MS = Number.POSITIVE_INFINITY

export class PeriodicDispatcher {
  readonly #deps: ReconcilerDeps
  /** The next time of each job, in milliseconds. */
  readonly #dueMs = new Map<string, number>()
  readonly #changed = new Set<string>()
  #nextMs = NEVER_MS
  #cancel = () => {}
  #isStopped = false

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
    const { view } = deps
    for (const [key, job] of view.jobs.entries()) if (isTimed(job)) this.#changed.add(key)
    view.jobs.observe((before, after, key) => {
      if (after?.Periodic === before?.Periodic && after?.Stop === before?.Stop) return
      this.#changed.add(key)
      deps.onDue()
    })
    view.periodicLaunches.observe((_before, _after, key) => this.#changed.add(key))
    this.#arm()
  }

  /** Computes anew what has changed, and launches what is due. */
  reconcile(): void {
    const nowMs = this.#nowMs()
    this.#computeChanged()
    if (this.#nextMs <= nowMs) {
      const due = [...this.#dueMs].filter(([, dueMs]) => dueMs <= nowMs)
      for (const [key, dueMs] of due.sort(([a], [b]) => (a < b ? -1 : 1))) this.#launch(key, dueMs, nowMs)
      this.#computeChanged()
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  /** As many as a turn has room for; the others wait for the next one. */
  #computeChanged(): void {
    if (this.#changed.size === 0) return
    const { view, clock, onDue } = this.#deps
    const beganMs = clock.monotonicMs()
    for (const key of this.#changed) {
      if (clock.monotonicMs() - beganMs > MS_PER_TURN) {
        clock.after(0, onDue)
        break
      }
      this.#changed.delete(key)
      const job = view.jobs.get(key)
      if (job === undefined || !isTimed(job)) this.#dueMs.delete(key)
      else this.#dueMs.set(key, this.#dueOf(job))
    }
    this.#nextMs = earliestOf(this.#dueMs.values())
    this.#arm()
  }

  /** After the last launch, and after this version was registered: it says nothing of times before. */
  #dueOf(job: Job & { readonly Periodic: NonNullable<Job['Periodic']> }): number {
    const launchedMs = this.#deps.view.periodicLaunches.get(jobKey(job))?.launchMs ?? 0
    const next = nextLaunch(job.Periodic, Math.max(launchedMs, job.SubmitTime / MILLISECOND))
    return next.kind === 'mistake' ? NEVER_MS : (next.atMs ?? NEVER_MS)
  }

  #launch(key: string, dueMs: number, nowMs: number): void {
    const { view, random, logger, propose } = this.#deps
    const job = view.jobs.get(key)
    if (job === undefined || !isTimed(job)) return
    const { Namespace: namespace, ID: jobId } = job
    const overlapping = job.Periodic.ProhibitOverlap ? findLiving(view, job) : undefined
    // The clock has come to a later time too: one launch now stands for all of them.
    const following = nextLaunch(job.Periodic, dueMs)
    const hasMissed = following.kind === 'at' && following.atMs !== null && following.atMs <= nowMs
    const launchMs = hasMissed ? nowMs : dueMs
    if (overlapping !== undefined) {
      logger.info({ namespace, jobId, dueMs, childId: overlapping.ID }, 'launch passed over: the one before it still runs')
      return propose([{ kind: 'periodic-launch', namespace, jobId, launchMs, child: null, evaluations: [] }])
    }
    const child = periodicChild(job, freeLaunchMs(view, job, launchMs))
    const evaluation = newEvaluation(random.uuid(), child, 'periodic-job')
    propose([{ kind: 'periodic-launch', namespace, jobId, launchMs, child, evaluations: [evaluation] }])
    if (hasMissed) logger.warn({ namespace, jobId, dueMs, childId: child.ID }, 'launches were missed: one is made up for')
  }

  #arm(): void {
    this.#cancel()
    if (this.#isStopped) return
    const waitMs = Math.min(LOOK_AGAIN_MS, Math.max(1, this.#nextMs - this.#nowMs()))
    this.#cancel = this.#deps.clock.after(waitMs, () => {
      this.#arm()
      this.#deps.onDue()
    })
  }

  #nowMs(): number {
    return this.#deps.clock.wallMs()
  }
}

function earliestOf(timesMs: Iterable<number>): number {
  let earliestMs = NEVER_MS
  for (const ms of timesMs) earliestMs = Math.min(earliestMs, ms)
  return earliestMs
}

function findLiving(view: StateView, parent: Job): Job | undefined {
  for (const child of view.jobs.valuesBy('parent', jobKey(parent))) if (child.Status !== 'dead') return child
  return undefined
}
