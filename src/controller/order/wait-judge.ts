/** What a change waits for, read off the state: for carrying it out, for telling it, and for plans of commits that are not there yet. */
import {
  type FrozenFile,
  type JobOrder,
  type JobRef,
  namespacedKey,
  refText,
  rfc3339,
  type Sourced,
  sourceIdOf,
  type WaitReason,
} from '../../domain/index.js'
import { type StateView, sourcedKey } from '../../state/index.js'
import { jobOwner } from '../sources/source-scope.js'
import { type HookOccasion, hookJob, hooksByTarget, runFor } from './hooks.js'
import { healthProblem } from './job-health.js'
import { closedWindows } from './sync-windows.js'

/** What is to change, as far as its order is concerned. */
export interface OrderedChange extends JobRef, Sourced {
  readonly order: JobOrder | undefined
  /** Stands for what the job is to become; absent: it is to be stopped, and no hook comes before that. */
  readonly spec?: (() => string) | undefined
}

export interface Pending {
  /** All that has not changed yet and is to. */
  readonly changes: readonly OrderedChange[]
  readonly frozen: readonly FrozenFile[]
}

/** Of one moment: what was found out for one change is known for the others. */
export class WaitJudge {
  readonly #view: StateView
  readonly #nowMs: number
  readonly #frozen: readonly FrozenFile[]
  readonly #frozenByJob: ReadonlyMap<string, FrozenFile>
  readonly #pending: ReadonlySet<string>
  readonly #bundles = new Map<string, OrderedChange[]>()
  readonly #problems = new Map<string, string | null>()
  #hooks: ReturnType<typeof hooksByTarget> | undefined
  readonly #changes: readonly OrderedChange[]
  readonly #closed = new Map<string, readonly WaitReason[]>()
  /** The earliest instant at which a reason ends that was given by the clock alone; Infinity: there is none. */
  nextMs = Number.POSITIVE_INFINITY

  constructor(view: StateView, nowMs: number, { changes, frozen }: Pending) {
    this.#view = view
    this.#nowMs = nowMs
    this.#frozen = frozen
    this.#frozenByJob = new Map(
      frozen.flatMap((file) => {
        if (file.jobId === null) return []
        const key = namespacedKey(file.namespace!, file.jobId)
        // What another source says of a job that is not its own keeps nobody waiting.
        return (jobOwner(view, key) ?? sourceIdOf(file)) === sourceIdOf(file) ? [[key, file] as const] : []
      }),
    )
    this.#changes = changes
    this.#pending = new Set(changes.map(keyOf))
    for (const change of changes) {
      const key = bundleKey(change)
      if (key !== undefined) this.#bundles.set(key, [...(this.#bundles.get(key) ?? []), change])
    }
  }

  /** None: it may be carried out. */
  reasonsOf(change: OrderedChange): readonly WaitReason[] {
    return [...this.#ownReasons(change), ...this.#bundleReasons(change)]
  }

  /** Hooks that are to be dispatched now: nothing but hooks is waited for any more. */
  dueHooks(change: OrderedChange): readonly HookOccasion[] {
    const isLast = this.reasonsOf(change).every(({ code, facts }) => isOfHook(code) || isOfHook(facts['code']))
    return isLast ? this.#occasions(change).filter((occasion) => runFor(this.#view, occasion) === undefined) : []
  }

  #ownReasons(change: OrderedChange): WaitReason[] {
    const { namespace, order } = change
    const suspended = this.#suspension(order?.suspend ?? null, '')
    const waiting = (order?.dependsOn ?? []).flatMap((on): readonly WaitReason[] => {
      const text = this.#problemOf(on, namespace)
      return text === undefined ? [] : [{ code: 'dependency-not-healthy', text, facts: { ...on } }]
    })
    // Hooks come last: what they do may need what else is waited for.
    return [...suspended, ...this.#closedReasons(namespace), ...waiting, ...this.#hookReasons(change)]
  }

  /** Of hooks that come before the change. One that is itself to change is waited for like a dependency. */
  #hookReasons(change: OrderedChange): readonly WaitReason[] {
    return this.#hooksOf(change).flatMap((one): readonly WaitReason[] => {
      const name = refText(one.hook, change.namespace)
      if (this.#pending.has(keyOf(one.hook)))
        return [{ code: 'dependency-not-healthy', text: `${name} is to change first`, facts: { ...one.hook } }]
      if (hookJob(this.#view, one.hook) === undefined) return []
      const run = runFor(this.#view, { ...one, mark: this.#markOf(one.hook, change) })
      if (run?.outcome === 'done') return []
      const facts = { hook: name, child: run?.childId ?? '' }
      if (run?.outcome !== 'failed')
        return [{ code: 'hook-running', text: `${name} comes before it${run === undefined ? '' : ` and runs (${run.childId})`}`, facts }]
      const text = `${name}, which comes before it, failed (${run.childId || 'it could not be dispatched'}): it is tried again when its file or that of ${change.jobId} changes`
      return [{ code: 'hook-failed', text, facts }]
    })
  }

  #occasions(change: OrderedChange): readonly HookOccasion[] {
    return this.#hooksOf(change)
      .filter(({ hook }) => !this.#pending.has(keyOf(hook)) && hookJob(this.#view, hook) !== undefined)
      .map((one) => ({ ...one, mark: this.#markOf(one.hook, change) }))
  }

  #hooksOf(change: OrderedChange): readonly Omit<HookOccasion, 'mark'>[] {
    if (change.spec === undefined) return []
    this.#hooks ??= hooksByTarget([
      ...[...this.#view.jobSources.values()].filter((source) => !this.#pending.has(keyOf(source))),
      ...this.#changes,
    ])
    return (this.#hooks.get(keyOf(change)) ?? []).filter(({ phase }) => phase === 'before')
  }

  /** A hook that has changed is another one. */
  #markOf(hook: JobRef, { spec }: OrderedChange): string {
    return `${hookJob(this.#view, hook)?.Version} ${spec?.()}`
  }

  #suspension(suspend: JobOrder['suspend'], what: string): readonly WaitReason[] {
    if (suspend === null || suspend.untilMs <= this.#nowMs) return []
    const { untilMs, reason } = suspend
    this.nextMs = Math.min(this.nextMs, untilMs)
    const until = rfc3339(untilMs)
    return [{ code: 'suspended', text: `${what}suspended until ${until}: ${reason}`, facts: { until, reason } }]
  }

  /** What keeps all changes of a namespace. */
  #closedReasons(namespace: string): readonly WaitReason[] {
    const known = this.#closed.get(namespace)
    if (known !== undefined) return known
    const order = this.#view.namespaceOrders.get(namespace)
    const suspended = this.#suspension(order?.suspend ?? null, `namespace ${namespace} is `)
    const closed = closedWindows(order?.windows ?? [], this.#nowMs)
    if (closed?.opensMs != null) this.nextMs = Math.min(this.nextMs, closed.opensMs)
    const opens = closed?.opensMs == null ? '' : rfc3339(closed.opensMs)
    const text =
      closed === undefined ? '' : `${closed.because}; ${opens === '' ? 'none is going to' : `changes are carried out from ${opens} on`}`
    const reasons = [...suspended, ...(closed === undefined ? [] : [{ code: 'window-closed' as const, text, facts: { opens } }])]
    this.#closed.set(namespace, reasons)
    return reasons
  }

  #problemOf(on: JobRef, from: string): string | undefined {
    const key = keyOf(on)
    const name = refText(on, from)
    if (this.#pending.has(key)) return `${name} is to change first`
    let problem = this.#problems.get(key)
    if (problem === undefined) {
      const file = this.#frozenByJob.get(key)
      problem = file === undefined ? (healthProblem(this.#view, key, name) ?? null) : `the file of ${name} has mistakes (${file.path})`
      this.#problems.set(key, problem)
    }
    return problem ?? undefined
  }

  /** Members wait for each other; in what order they begin then is for `depends_on` to say. */
  #bundleReasons(change: OrderedChange): readonly WaitReason[] {
    const key = bundleKey(change)
    if (key === undefined) return []
    const bundle = change.order!.bundle
    const say = (text: string, facts: WaitReason['facts']): WaitReason => {
      return { code: 'bundle-incomplete', text: `bundle ${bundle}: ${text}`, facts: { bundle, ...facts } }
    }
    const mistaken = this.#frozen
      .filter((file) => file.bundle === bundle && sourceIdOf(file) === sourceIdOf(change))
      .filter((file) => (file.namespace ?? change.namespace) === change.namespace)
      .map(({ path }) => say(`${path} has mistakes`, { path }))
    const members = this.#bundles.get(key) ?? []
    const held = members
      .filter((member) => member.jobId !== change.jobId)
      .flatMap((member) => {
        const isInside = (on: WaitReason['facts']) =>
          members.some(({ namespace, jobId }) => on['namespace'] === namespace && on['jobId'] === jobId)
        const [first] = this.#ownReasons(member).filter(({ facts }) => !isInside(facts))
        return first === undefined ? [] : [say(`${member.jobId} waits: ${first.text}`, { jobId: member.jobId, code: first.code })]
      })
    return [...mistaken, ...held]
  }
}

function isOfHook(code: string | undefined): boolean {
  return code === 'hook-running' || code === 'hook-failed'
}

function keyOf({ namespace, jobId }: JobRef): string {
  return namespacedKey(namespace, jobId)
}

function bundleKey({ namespace, order, ...change }: OrderedChange): string | undefined {
  return order === undefined || order.bundle === '' ? undefined : sourcedKey(sourceIdOf(change), namespacedKey(namespace, order.bundle))
}
