/** What becomes of an allocation of a system job that lives: it is kept as it is or changed, ended, or is to be replaced. */
import { type Allocation, isReady, isTerminal, type Job, type Node, rfc3339, type TaskGroup } from '../../domain/index.js'
import { jobOfAllocation, type StateView } from '../../state/index.js'
import { IN_PLACE, LOST, NOT_NEEDED, OUT_OF_SIGHT, TAINTED } from '../descriptions.js'
import type { PlanBuilder } from '../plan-builder.js'
import type { Sites } from '../rank/sites.js'
import { disconnectRulesOf, lastUnknownMs, needsReconnect, taintOf } from '../reconcile/classify.js'
import { isLost, stopCounted } from '../reconcile/lost.js'
import { judgeUpdate } from '../reconcile/update.js'

export type Verdict = 'kept' | 'replace'

export class LivingJudge {
  readonly #view: StateView
  readonly #sites: Sites
  readonly #plan: PlanBuilder
  readonly #nowMs: number

  constructor(sites: Sites, nowMs: number) {
    this.#view = sites.view
    this.#sites = sites
    this.#plan = sites.plan
    this.#nowMs = nowMs
  }

  /** First match wins. */
  judge(job: Job, group: TaskGroup, allocation: Allocation, candidates: ReadonlySet<string>): Verdict {
    const plan = this.#plan
    const keep = () => {
      plan.count(group.Name, 'Ignore', 1)
      return 'kept' as const
    }
    if (isTerminal(allocation)) return 'kept'
    if (allocation.DesiredTransition?.Migrate === true) {
      plan.stop(allocation, TAINTED, isLost(this.#view, allocation) ? { ClientStatus: 'lost' } : {})
      plan.count(group.Name, 'Migrate', 1)
      return 'kept'
    }
    const taint = taintOf(this.#view, allocation.NodeID)
    if (this.#isExpired(allocation)) {
      plan.stop(allocation, LOST, { ClientStatus: 'lost' })
      return 'kept'
    }
    if (allocation.ClientStatus === 'unknown') return keep()
    if (taint === undefined && needsReconnect(allocation)) return this.#reconnect(group, allocation)
    if (taint !== undefined) return this.#judgeTainted(group, allocation, taint, keep)
    const node = this.#view.nodes.get(allocation.NodeID)!
    if (!isReady(node)) return allocation.JobVersion === job.Version ? keep() : this.#stopNotNeeded(allocation)
    if (!candidates.has(node.ID)) return this.#stopNotNeeded(allocation)
    return this.#judgeUpdate(job, group, allocation, keep)
  }

  #stopNotNeeded(allocation: Allocation): 'kept' {
    stopCounted(this.#view, this.#plan, allocation, NOT_NEEDED)
    return 'kept'
  }

  #judgeTainted(group: TaskGroup, allocation: Allocation, taint: Node | null, keep: () => 'kept'): 'kept' {
    if (taint === null || taint.Status === 'down') {
      this.#plan.stop(allocation, LOST, { ClientStatus: 'lost' })
      return 'kept'
    }
    if (taint.Status === 'disconnected' && allocation.ClientStatus === 'running') return this.#disconnect(group, allocation)
    return keep()
  }

  #isExpired(allocation: Allocation): boolean {
    const rules = disconnectRulesOf(allocation, this.#jobOf(allocation))
    const sinceMs = lastUnknownMs(allocation)
    return (
      allocation.ClientStatus === 'unknown' &&
      rules !== undefined &&
      rules.lostAfterMs > 0 &&
      sinceMs !== undefined &&
      this.#nowMs >= sinceMs + rules.lostAfterMs
    )
  }

  /** Nobody takes its place elsewhere, so there is nothing to wait for but the node. */
  #disconnect(group: TaskGroup, allocation: Allocation): 'kept' {
    this.#plan.count(group.Name, 'Disconnect', 1)
    this.#plan.update({
      ...allocation,
      ClientStatus: 'unknown',
      ClientDescription: OUT_OF_SIGHT,
      AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: 'unknown', Time: rfc3339(this.#nowMs) }],
    })
    return 'kept'
  }

  #reconnect(group: TaskGroup, allocation: Allocation): 'kept' {
    this.#plan.count(group.Name, 'Reconnect', 1)
    this.#plan.count(group.Name, 'InPlaceUpdate', 1)
    this.#plan.update({
      ...allocation,
      AllocStates: [...(allocation.AllocStates ?? []), { Field: 0, Value: allocation.ClientStatus, Time: rfc3339(this.#nowMs) }],
    })
    return 'kept'
  }

  #judgeUpdate(job: Job, group: TaskGroup, allocation: Allocation, keep: () => 'kept'): Verdict {
    const fitInPlace = (row: Allocation, of: TaskGroup): Allocation | undefined => {
      const node = this.#view.nodes.get(row.NodeID)
      const resources = node === undefined ? undefined : this.#sites.fitInPlace(job, of, row, node)
      return resources === undefined
        ? undefined
        : {
            ...row,
            JobVersion: job.Version,
            JobCreateIndex: job.CreateIndex,
            AllocatedResources: resources,
            DesiredDescription: IN_PLACE,
          }
    }
    const verdict = judgeUpdate({ job, view: this.#view, jobOf: (row) => this.#jobOf(row), fitInPlace }, group, allocation)
    if (verdict === 'ignore') return keep()
    if (verdict === 'destructive') return 'replace'
    this.#plan.update(verdict)
    this.#plan.count(group.Name, 'InPlaceUpdate', 1)
    return 'kept'
  }

  #jobOf(allocation: Allocation): Job | undefined {
    return jobOfAllocation(this.#view, allocation)
  }
}
