/** What a change waits for, read off the state: for carrying it out, for telling it, and for plans of commits that are not there yet. */
import { type FrozenFile, type JobOrder, type JobRef, namespacedKey, refText, rfc3339, type WaitReason } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { frozenFileOf, healthProblem } from './job-health.js'
import { closedWindows } from './sync-windows.js'

/** What is to change, as far as its order is concerned. */
export interface OrderedChange extends JobRef {
  readonly order: JobOrder | undefined
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
  readonly #pending: ReadonlySet<string>
  readonly #bundles = new Map<string, OrderedChange[]>()
  readonly #problems = new Map<string, string | null>()
  readonly #closed = new Map<string, readonly WaitReason[]>()
  /** The earliest instant at which a reason ends that was given by the clock alone; Infinity: there is none. */
  nextMs = Number.POSITIVE_INFINITY

  constructor(view: StateView, nowMs: number, { changes, frozen }: Pending) {
    this.#view = view
    this.#nowMs = nowMs
    this.#frozen = frozen
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

  #ownReasons({ namespace, order }: OrderedChange): WaitReason[] {
    const suspended = this.#suspension(order?.suspend ?? null, '')
    const waiting = (order?.dependsOn ?? []).flatMap((on): readonly WaitReason[] => {
      const text = this.#problemOf(on, namespace)
      return text === undefined ? [] : [{ code: 'dependency-not-healthy', text, facts: { ...on } }]
    })
    return [...suspended, ...this.#closedReasons(namespace), ...waiting]
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
      const file = frozenFileOf(this.#frozen, key)
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
      .filter((file) => file.bundle === bundle && (file.namespace ?? change.namespace) === change.namespace)
      .map(({ path }) => say(`${path} has mistakes`, { path }))
    const members = this.#bundles.get(key) ?? []
    const held = members
      .filter((member) => member.jobId !== change.jobId)
      .flatMap((member) => {
        const isInside = (on: WaitReason['facts']) =>
          members.some(({ namespace, jobId }) => on['namespace'] === namespace && on['jobId'] === jobId)
        const [first] = this.#ownReasons(member).filter(({ facts }) => !isInside(facts))
        return first === undefined ? [] : [say(`${member.jobId} waits: ${first.text}`, { jobId: member.jobId })]
      })
    return [...mistaken, ...held]
  }
}

function keyOf({ namespace, jobId }: JobRef): string {
  return namespacedKey(namespace, jobId)
}

function bundleKey({ namespace, order }: OrderedChange): string | undefined {
  return order === undefined || order.bundle === '' ? undefined : namespacedKey(namespace, order.bundle)
}
