/**
 * Carries out changes that had to wait (docs/order.md) as soon as nothing speaks against them any more: when what they depend on has
 * become healthy, when a suspension is over, when the rest of their bundle can be read. Looks when something of that has happened.
 *
 * I29 A change that waits is carried out only when nothing is there that it waits for.  test/controller/order/change-gate.test.ts
 */
import { namespacedKey, sourced, sourceIdOf, type ToldWait, type WaitingChange } from '../../domain/index.js'
import { type CommandBody, ownerKey, type StateView, sourcedKey } from '../../state/index.js'
import { deregisterCommand, registerCommand } from '../job-commands.js'
import type { ReconcilerDeps } from '../reconciler-deps.js'
import { specHash } from '../spec-hash.js'
import { dispatchHook } from './hooks.js'
import { type OrderedChange, WaitJudge } from './wait-judge.js'

export interface ChangeGateDeps extends ReconcilerDeps {
  /** Whether all that the newest commit of a source wants is in the state. */
  readonly isSettled: (sourceId: string) => boolean
}

/** The wall clock may jump, and timers do not see it. */
const LOOK_AGAIN_MS = 10_000
/** Of one turn; the others follow in the next. A bundle is not cut. */
const CHANGES_PER_TURN = 200

export class ChangeGate {
  readonly #deps: ChangeGateDeps
  /** Jobs that something waits for. */
  #awaited: ReadonlySet<string> = new Set()
  /** Sources whose changes were passed over. */
  #unsettled: ReadonlySet<string> = new Set()
  #isDue = true
  #cancel = () => {}
  #isStopped = false

  constructor(deps: ChangeGateDeps) {
    this.#deps = deps
    const { view } = deps
    view.waitingChanges.observe(() => this.#mark())
    view.frozenFiles.observe(() => this.#mark())
    view.namespaceOrders.observe(() => this.#mark())
    view.hookRuns.observe(() => this.#mark())
    view.jobs.observe((_before, _after, key) => this.#markAwaited(key))
    view.deployments.observe((before, after) => this.#markOwner(after ?? before))
    view.allocations.observe((before, after) => this.#markOwner(after ?? before))
    view.evaluations.observe((before, after) => this.#markOwner(after ?? before))
  }

  reconcile(): void {
    const { isSettled } = this.#deps
    if (!this.#isDue && ![...this.#unsettled].some(isSettled)) return
    this.#isDue = false
    const { view, logger, propose, onDue } = this.#deps
    const all = view.waitingChanges.all()
    this.#unsettled = new Set(all.map(({ source }) => sourceIdOf(source)).filter((id) => !isSettled(id)))
    const waiting = all.filter(({ source }) => !this.#unsettled.has(sourceIdOf(source)))
    this.#awaited = new Set(
      waiting.flatMap(({ source }) => (source.order?.dependsOn ?? []).map((on) => namespacedKey(on.namespace, on.jobId))),
    )
    this.#cancel()
    if (waiting.length === 0) return
    const judge = judgeNow(view, this.#deps.clock.wallMs())
    const open = waiting.filter((change) => judge.reasonsOf(asOrdered(change)).length === 0)
    for (const change of waiting) this.#dispatchHooks(judge, change)
    const now = firstOf(open)
    for (const { namespace, jobId, commit } of now) logger.info({ namespace, jobId, commit }, 'nothing is waited for any more')
    if (now.length > 0) propose(now.map((change) => this.#commandOf(change)))
    if (now.length < open.length) {
      this.#isDue = true
      onDue()
    }
    this.#arm(judge.nextMs)
  }

  #dispatchHooks(judge: WaitJudge, change: WaitingChange): void {
    const { view, clock, random, logger, propose } = this.#deps
    for (const occasion of judge.dueHooks(asOrdered(change))) {
      const { namespace, jobId, source } = change
      const known = view.jobs.get(namespacedKey(namespace, jobId))
      const version = String(known === undefined ? 0 : known.Version + 1)
      logger.info({ hook: occasion.hook.jobId, target: jobId, phase: occasion.phase }, 'hook is dispatched')
      const about = { drover_job: jobId, drover_version: version, drover_commit: source.commit.id }
      propose(dispatchHook(view, { random, nowMs: clock.wallMs() }, occasion, about))
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #commandOf({ namespace, jobId, job, source }: WaitingChange): CommandBody {
    const { view, random } = this.#deps
    if (job !== null) return registerCommand(view, random, { job, source })
    const known = view.jobs.get(namespacedKey(namespace, jobId))
    // Somebody else was quicker.
    if (known === undefined || known.Stop) return { kind: 'changes-drop', changes: [{ namespace, jobId }] }
    return deregisterCommand(random, known)
  }

  #markAwaited(key: string): void {
    if (this.#awaited.has(key)) this.#mark()
  }

  #markOwner(row: { readonly Namespace: string; readonly JobID: string } | undefined): void {
    if (this.#awaited.size > 0 && row !== undefined) this.#markAwaited(ownerKey(row))
  }

  #mark(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#deps.onDue()
  }

  /** For the next reason that ends by the clock alone. */
  #arm(nextMs: number): void {
    if (this.#isStopped || nextMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#deps
    this.#cancel = clock.after(Math.min(LOOK_AGAIN_MS, Math.max(1, nextMs - clock.wallMs())), () => this.#mark())
  }
}

/** All that waits, and why. */
export function tellWaiting(view: StateView, nowMs: number): readonly ToldWait[] {
  const judge = judgeNow(view, nowMs)
  return view.waitingChanges.all().map((change): ToldWait => {
    const { namespace, jobId, job, source, commit, sinceMs } = change
    const known = view.jobs.get(namespacedKey(namespace, jobId))
    const kind = job === null ? 'removed' : known === undefined || known.Stop ? 'new' : 'changed'
    return {
      namespace,
      jobId,
      source: sourceIdOf(source),
      path: source.path,
      change: kind,
      commit,
      sinceMs,
      reasons: judge.reasonsOf(asOrdered(change)),
    }
  })
}

function judgeNow(view: StateView, nowMs: number): WaitJudge {
  return new WaitJudge(view, nowMs, { changes: view.waitingChanges.all().map(asOrdered), frozen: view.frozenFiles.all() })
}

function asOrdered({ namespace, jobId, job, source }: WaitingChange): OrderedChange {
  return { namespace, jobId, ...sourced(sourceIdOf(source)), order: source.order, spec: job === null ? undefined : () => specHash(job) }
}

function firstOf(open: readonly WaitingChange[]): readonly WaitingChange[] {
  const first = open.slice(0, CHANGES_PER_TURN)
  const begun = new Set(first.map(bundleOf))
  return [...first, ...open.slice(CHANGES_PER_TURN).filter((change) => change.bundle !== '' && begun.has(bundleOf(change)))]
}

function bundleOf({ namespace, bundle, source }: WaitingChange): string {
  return sourcedKey(sourceIdOf(source), namespacedKey(namespace, bundle))
}
