/** Jobs that are dispatched on the occasion of changes of others, once each (docs/order.md#hooks). */
import { type HookPhase, type HookRun, type Job, type JobOrder, type JobRef, namespacedKey } from '../../domain/index.js'
import { HOOK_META } from '../../jobspec/index.js'
import { type CommandBody, hookRunKey, type StateView } from '../../state/index.js'
import type { ActEnv } from '../acts/act.js'
import { dispatchJob } from '../acts/job-acts.js'

/** A hook, and the occasion that it has to be dispatched for. */
export interface HookOccasion {
  readonly hook: JobRef
  readonly target: JobRef
  readonly phase: HookPhase
  /** Stands for the change, or the version, of the target: for each the hook is dispatched once. */
  readonly mark: string
}

type Ordered = JobRef & { readonly order?: JobOrder | undefined }

/** Hooks by the key of the job on whose occasion they are dispatched. */
export function hooksByTarget(jobs: Iterable<Ordered>): ReadonlyMap<string, readonly Omit<HookOccasion, 'mark'>[]> {
  const found = new Map<string, Omit<HookOccasion, 'mark'>[]>()
  for (const { namespace, jobId, order } of jobs) {
    for (const { phase, target } of order?.hooks ?? []) {
      const key = namespacedKey(target.namespace, target.jobId)
      found.set(key, [...(found.get(key) ?? []), { hook: { namespace, jobId }, target, phase }])
    }
  }
  return found
}

/** The job that is dispatched; undefined: there is none to dispatch. */
export function hookJob(view: StateView, { namespace, jobId }: JobRef): Job | undefined {
  const job = view.jobs.get(namespacedKey(namespace, jobId))
  return job === undefined || job.Stop ? undefined : job
}

/** The dispatch for this occasion; undefined: there was none yet. */
export function runFor(view: StateView, occasion: HookOccasion): HookRun | undefined {
  const run = view.hookRuns.get(hookRunKey(occasion))
  return run?.mark === occasion.mark ? run : undefined
}

/** @param about what is told of the target, under the names of `HOOK_META` */
export function dispatchHook(
  view: StateView,
  env: ActEnv,
  occasion: HookOccasion,
  about: Readonly<Record<(typeof HOOK_META)[number], string>>,
): readonly CommandBody[] {
  const { namespace, jobId } = occasion.hook
  const rules = hookJob(view, occasion.hook)?.ParameterizedJob
  const permitted = new Set([...(rules?.MetaRequired ?? []), ...(rules?.MetaOptional ?? [])])
  const meta = Object.fromEntries(HOOK_META.filter((key) => permitted.has(key)).map((key) => [key, about[key]]))
  const idPrefix = occasion.phase.replace('_', '-')
  const outcome = dispatchJob(view, { namespace, jobId, payload: '', meta, token: '', idPrefix, priority: 0 }, env)
  const ended = (childId: string, what: HookRun['outcome']): CommandBody => ({
    kind: 'hook-run',
    run: { ...occasion, childId, outcome: what },
  })
  if (outcome.kind === 'refused') return [ended('', 'failed')]
  return [...outcome.commands, ended(outcome.answer.childId, 'running')]
}
