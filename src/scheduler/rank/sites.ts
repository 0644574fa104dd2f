/** What one evaluation knows of where the groups of its job may go: made once for each group of each version of the job. */
import {
  type AllocatedResources,
  type Allocation,
  allocationNameIndex,
  type Job,
  type Node,
  type SchedulerAlgorithm,
  type TaskGroup,
} from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ClusterIndex } from '../feasible/cluster-index.js'
import { DistinctRules } from '../feasible/distinct.js'
import type { StaticFeasibility } from '../feasible/static-feasibility.js'
import type { Eligibility } from '../outcome.js'
import type { PlanBuilder } from '../plan-builder.js'
import { Appraiser } from './appraiser.js'

export interface Site {
  readonly job: Job
  readonly group: TaskGroup
  readonly algorithm: SchedulerAlgorithm
  readonly statics: StaticFeasibility
  readonly distinct: DistinctRules
  readonly appraiser: Appraiser
}

export class Sites {
  readonly view: StateView
  readonly index: ClusterIndex
  readonly plan: PlanBuilder
  readonly #sites = new Map<TaskGroup, Site>()

  constructor(view: StateView, index: ClusterIndex, plan: PlanBuilder) {
    this.view = view
    this.index = index
    this.plan = plan
  }

  of(job: Job, group: TaskGroup): Site {
    let site = this.#sites.get(group)
    if (site === undefined) {
      site = this.#make(job, group)
      this.#sites.set(group, site)
    }
    return site
  }

  #make(job: Job, group: TaskGroup): Site {
    const { view, index, plan } = this
    const { schedulerConfiguration } = view
    const ofPool = view.nodePools.get(job.NodePool)?.SchedulerConfiguration
    const algorithm = (ofPool?.SchedulerAlgorithm || schedulerConfiguration.SchedulerAlgorithm) as SchedulerAlgorithm
    const hasOversubscription = ofPool?.MemoryOversubscriptionEnabled ?? schedulerConfiguration.MemoryOversubscriptionEnabled
    const distinct = new DistinctRules(view, index, plan, job, group)
    const appraiser = new Appraiser({ view, table: index.table, plan, job, group, algorithm, hasOversubscription }, distinct)
    return { job, group, algorithm, statics: index.feasibility.of(job, group), distinct, appraiser }
  }

  /** For every group looked at: which classes of nodes may ever take one of them. */
  get eligibility(): Eligibility {
    const classes: Record<string, boolean> = {}
    let hasEscaped = false
    for (const { statics } of this.#sites.values()) {
      for (const [name, isEligible] of Object.entries(statics.classEligibility)) classes[name] = (classes[name] ?? false) || isEligible
      hasEscaped ||= statics.checks.hasEscaped
    }
    return { classes, hasEscaped }
  }

  /**
   * What a running allocation would hold with the job as it is now, if its node still takes it; ports, devices and cores stay as they are.
   * A node that takes nothing new keeps what it has.
   */
  fitInPlace(job: Job, group: TaskGroup, allocation: Allocation, node: Node): AllocatedResources | undefined {
    const row = this.index.table.rowOf(node.ID)
    const { statics, appraiser } = this.of(job, group)
    if (row === undefined || !statics.checks.judge(node).passes) return undefined
    appraiser.index = allocationNameIndex(allocation.Name)
    const refusal = this.plan.without(allocation, () => appraiser.refusalOf(row, node, this.plan.changeOn(node.ID)))
    return refusal === undefined ? keepChoices(group, allocation.AllocatedResources, appraiser.needs.ask) : undefined
  }
}

function keepChoices(group: TaskGroup, held: AllocatedResources, ask: AllocatedResources): AllocatedResources {
  const tasks = group.Tasks.map((task) => {
    const asked = ask.Tasks[task.Name]!
    const old = held.Tasks[task.Name]
    if (old === undefined) return [task.Name, asked] as const
    return [
      task.Name,
      { ...asked, Cpu: task.Resources.Cores > 0 ? old.Cpu : asked.Cpu, Networks: old.Networks, Devices: old.Devices },
    ] as const
  })
  return { Tasks: Object.fromEntries(tasks), TaskLifecycles: ask.TaskLifecycles, Shared: { ...held.Shared, DiskMB: ask.Shared.DiskMB } }
}
