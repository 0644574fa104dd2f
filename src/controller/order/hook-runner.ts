/**
 * Dispatches hooks for what has become of versions: `after` for each that is healthy, `on_failure` for each whose roll-out or work has failed.
 * And notes how dispatches end, also those that were made before a change, so that none is made twice after its job was forgotten.
 */
import { type HookRun, type Job, namespacedKey } from '../../domain/index.js'
import { jobKey, ownerKey, type StateView, standingOf } from '../../state/index.js'
import type { ReconcilerDeps } from '../reconciler-deps.js'
import { dispatchHook, type HookOccasion, hookJob, hooksByTarget, runFor } from './hooks.js'
import { healthProblem } from './job-health.js'

export class HookRunner {
  readonly #deps: ReconcilerDeps
  /** Hooks by the job that they follow. */
  #followed: ReturnType<typeof hooksByTarget> = new Map()
  /** Dispatches that have not ended, by the job that was made. */
  readonly #running = new Map<string, HookRun>()
  #areHooksKnown = false
  /** Jobs to be looked at. */
  readonly #due = new Set<string>()

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
    const { view } = deps
    for (const run of view.hookRuns.values()) this.#follow(run)
    view.hookRuns.observe((_before, after) => after !== undefined && this.#follow(after))
    view.jobSources.observe((before, after) => {
      if ((before?.order?.hooks.length ?? 0) + (after?.order?.hooks.length ?? 0) > 0) this.#areHooksKnown = false
    })
    view.jobs.observe((_before, _after, key) => this.#mark(key))
    view.deployments.observe((before, after) => this.#markOwner(after ?? before))
    view.allocations.observe((before, after) => this.#markOwner(after ?? before))
  }

  reconcile(): void {
    const { view } = this.#deps
    if (!this.#areHooksKnown) {
      this.#followed = hooksByTarget(view.jobSources.values())
      for (const key of this.#followed.keys()) this.#due.add(key)
      this.#areHooksKnown = true
    }
    for (const key of [...this.#due].sort()) {
      this.#due.delete(key)
      this.#noteEnd(key)
      this.#dispatchFor(key)
    }
  }

  #follow(run: HookRun): void {
    const key = namespacedKey(run.hook.namespace, run.childId)
    if (run.outcome === 'running') this.#running.set(key, run)
    else this.#running.delete(key)
    this.#due.add(key)
    this.#deps.onDue()
  }

  #mark(key: string): void {
    if (!this.#followed.has(key) && !this.#running.has(key)) return
    this.#due.add(key)
    this.#deps.onDue()
  }

  #markOwner(row: { readonly Namespace: string; readonly JobID: string } | undefined): void {
    if (row !== undefined && this.#followed.size + this.#running.size > 0) this.#mark(ownerKey(row))
  }

  #noteEnd(childKey: string): void {
    const run = this.#running.get(childKey)
    if (run === undefined) return
    const { view, logger, propose } = this.#deps
    const child = view.jobs.get(childKey)
    const isDone = healthProblem(view, childKey, run.childId) === undefined
    // Whoever stopped or removed it has not let it do its work.
    if (!isDone && child !== undefined && !child.Stop && child.Status !== 'dead') return
    const outcome = isDone ? 'done' : 'failed'
    logger.info({ hook: run.hook.jobId, childId: run.childId, target: run.target.jobId, outcome }, 'hook has ended')
    propose([{ kind: 'hook-run', run: { ...run, outcome } }])
  }

  #dispatchFor(targetKey: string): void {
    const { view, clock, random, logger, propose } = this.#deps
    const target = view.jobs.get(targetKey)
    if (target === undefined || target.Stop) return
    for (const one of this.#followed.get(targetKey) ?? []) {
      const version =
        one.phase === 'after' ? healthyVersion(view, target) : one.phase === 'on_failure' ? failedVersion(view, target) : undefined
      if (version === undefined || hookJob(view, one.hook) === undefined) continue
      const occasion: HookOccasion = { ...one, mark: `${target.CreateIndex}.${version}` }
      if (runFor(view, occasion) !== undefined) continue
      logger.info({ hook: one.hook.jobId, target: target.ID, version, phase: one.phase }, 'hook is dispatched')
      const commit = view.jobSources.get(targetKey)?.commit.id ?? ''
      const about = { drover_job: target.ID, drover_version: String(version), drover_commit: commit }
      propose(dispatchHook(view, { random, nowMs: clock.wallMs() }, occasion, about))
    }
  }
}

function healthyVersion(view: StateView, job: Job): number | undefined {
  return healthProblem(view, jobKey(job), job.ID) === undefined ? job.Version : undefined
}

/** The version whose roll-out failed, also where an older one runs in its place; of work that ends, one that has ended without being done. */
function failedVersion(view: StateView, job: Job): number | undefined {
  const { setAside } = standingOf(view, job)
  if (setAside !== null) return setAside.version
  const key = jobKey(job)
  const hasFailed = view.deployments
    .by('job', key)
    .some((row) => row.JobCreateIndex === job.CreateIndex && row.JobVersion === job.Version && row.Status === 'failed')
  const isUndone = job.Status === 'dead' && healthProblem(view, key, job.ID) !== undefined
  return hasFailed || isUndone ? job.Version : undefined
}
