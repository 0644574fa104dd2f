/** Random stories of a small cluster: jobs come and change, nodes come, change and go, allocations run and fail, evaluations decide. */
import fc from 'fast-check'
import {
  type Allocation,
  type ClientStatus,
  type Evaluation,
  isClientTerminal,
  isEvaluationTerminal,
  type Job,
  parseRfc3339Ms,
  SCHEDULER_CONFIGURATION_DEFAULT,
  type SchedulerAlgorithm,
  type SchedulingResult,
} from '../../../src/domain/index.js'
import { createScheduler, type ScheduleEnv, type Scheduler } from '../../../src/scheduler/index.js'
import { apply, type CommandBody, jobKey, ownerKey, State } from '../../../src/state/index.js'
import { evaluation, FIXTURE_MS, uuid } from '../../fixtures.js'
import type { Feature } from './feature.js'
import { jobCase, makeJob } from './job-case.js'
import { makeNode, nodeCase, nodeId } from './node-case.js'

const NODES_MAX = 6
const JOB_IDS = ['first', 'second']
const FEATURES: readonly Feature[] = ['spreads', 'holdings', 'history', 'preemption']
/** Jobs may go anywhere, so that much happens. */
const ANYWHERE = { pool: 'all', datacenters: ['*'] } as const
const ALGORITHMS: readonly SchedulerAlgorithm[] = ['balanced', 'binpack', 'spread']
const NODE_TURNS = ['down', 'disconnected', 'ready', 'ineligible', 'eligible', 'drain', 'calm'] as const
const REPORTS: readonly ClientStatus[] = ['running', 'running', 'failed', 'complete']

const job = fc.nat(JOB_IDS.length - 1)
const any = fc.nat(30)
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('evaluate' as const), job }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), job, count: fc.nat(5), environment: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      of: any,
      status: fc.constantFrom(...REPORTS),
      isHealthy: fc.constantFrom(true, true, false, undefined),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('turn' as const), node: fc.nat(NODES_MAX - 1), to: fc.constantFrom(...NODE_TURNS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('register' as const), node: fc.nat(NODES_MAX - 1), as: nodeCase(FEATURES) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), node: fc.nat(NODES_MAX - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('migrate' as const), of: any }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(2_000, 10_000, 40_000, 4_000_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('promote' as const), job }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), job, purge: fc.boolean() }) },
)

export const historyCase = fc.record({
  nodes: fc.array(nodeCase(FEATURES), { minLength: 2, maxLength: NODES_MAX, size: 'max' }),
  jobs: fc.tuple(jobCase(FEATURES), fc.oneof(jobCase([...FEATURES, 'distinct']), jobCase([...FEATURES, 'conditions', 'system']))),
  algorithm: fc.constantFrom(...ALGORITHMS),
  mayPreempt: fc.boolean(),
  steps: fc.array(step, { minLength: 4, maxLength: 24, size: 'max' }),
})

export type HistoryCase = typeof historyCase extends fc.Arbitrary<infer T> ? T : never
type Step = HistoryCase['steps'][number]

export interface Decision {
  readonly state: State
  readonly evaluation: Evaluation
  readonly result: SchedulingResult
  readonly env: ScheduleEnv
}

export interface HistoryObserver {
  /** The plan is made and the state is still as it was. */
  planned?(decision: Decision): void
  /** The plan is in the state. */
  applied?(decision: Decision): void
}

export class History {
  readonly state = new State()
  readonly #given: HistoryCase
  readonly #observer: HistoryObserver
  readonly #scheduler: Scheduler
  #atMs = FIXTURE_MS
  #evaluations = 0
  #made = 0

  constructor(given: HistoryCase, observer: HistoryObserver = {}) {
    this.#given = given
    this.#observer = observer
    const { algorithm: SchedulerAlgorithm, mayPreempt } = given
    this.state.schedulerConfiguration = {
      ...SCHEDULER_CONFIGURATION_DEFAULT,
      SchedulerAlgorithm,
      PreemptionConfig: {
        SystemSchedulerEnabled: mayPreempt,
        SysBatchSchedulerEnabled: mayPreempt,
        BatchSchedulerEnabled: mayPreempt,
        ServiceSchedulerEnabled: mayPreempt,
      },
    }
    this.#scheduler = createScheduler(this.state)
    for (const [at, node] of given.nodes.entries())
      this.#do({ kind: 'node-register', node: makeNode(node, at), reportNumber: 0, evaluations: [] })
    for (const at of JOB_IDS.keys()) this.#register(at, undefined)
    for (const at of JOB_IDS.keys()) this.#evaluate(at)
  }

  /** Whatever has happened, every job is looked at again, as a server would. */
  play(): this {
    for (const each of this.#given.steps) {
      this.#play(each)
      if (each.kind === 'evaluate') this.#evaluate(each.job)
      else if (each.kind !== 'pass') for (const at of JOB_IDS.keys()) this.#evaluate(at)
    }
    return this
  }

  #do(body: CommandBody): void {
    apply(this.state, this.state.index + 1, { ...body, atMs: this.#atMs })
  }

  #play(each: Step): void {
    switch (each.kind) {
      case 'evaluate':
        return
      case 'change':
        return this.#register(each.job, each)
      case 'report':
        return this.#report(each)
      case 'turn':
        return this.#turn(each)
      case 'register':
        return this.#do({ kind: 'node-register', node: makeNode(each.as, each.node), reportNumber: 0, evaluations: [] })
      case 'forget':
        return this.state.nodes.delete(this.state.index, nodeId(each.node))
      case 'migrate': {
        const row = this.#pick(each.of)
        if (row !== undefined) this.#do({ kind: 'allocation-transition', transitions: { [row.ID]: { Migrate: true } }, evaluations: [] })
        return
      }
      case 'pass':
        this.#atMs += each.ms
        return
      case 'promote':
        return this.#promote(each.job)
      case 'stop':
        if (this.#jobAt(each.job) !== undefined)
          this.#do({ kind: 'job-deregister', namespace: 'default', jobId: JOB_IDS[each.job]!, purge: each.purge, evaluations: [] })
        return
    }
  }

  #jobAt(at: number): Job | undefined {
    return this.state.jobs.get(jobKey({ Namespace: 'default', ID: JOB_IDS[at]! }))
  }

  #register(at: number, change: { readonly count: number; readonly environment: number } | undefined): void {
    const made = makeJob({ ...this.#given.jobs[at]!, ...ANYWHERE }, 'current')
    const known = this.#jobAt(at)
    const isSystem = made.Type === 'system' || made.Type === 'sysbatch'
    const groups = made.TaskGroups.map((group) => ({
      ...group,
      Count: change === undefined ? group.Count : isSystem ? Math.min(1, change.count) : change.count,
      Tasks: group.Tasks.map((task) => (change === undefined ? task : { ...task, Env: { VERSION: String(change.environment) } })),
    }))
    const job: Job = {
      ...made,
      ID: JOB_IDS[at]!,
      Name: JOB_IDS[at]!,
      TaskGroups: groups,
      Version: known === undefined ? 0 : known.Version + 1,
    }
    this.#do({ kind: 'job-register', job, source: null, evaluations: [] })
  }

  /** Living allocations have their turn in the order of their ids. */
  #pick(of: number): Allocation | undefined {
    const living = this.state.allocations.all().filter((row) => !isClientTerminal(row))
    return living[of % Math.max(1, living.length)]
  }

  #report({ of, status, isHealthy }: Extract<Step, { kind: 'report' }>): void {
    const row = this.#pick(of)
    if (row === undefined) return
    const Timestamp = new Date(this.#atMs).toISOString()
    const DeploymentStatus = isHealthy === undefined ? {} : { DeploymentStatus: { Healthy: isHealthy, Timestamp } }
    const report = { ID: row.ID, ClientStatus: status, ClientDescription: '', TaskStates: {}, ...DeploymentStatus }
    this.#do({ kind: 'allocation-update', nodeId: row.NodeID, reports: [report], services: [], evaluations: [] })
  }

  #turn({ node: at, to }: Extract<Step, { kind: 'turn' }>): void {
    const id = nodeId(at)
    if (this.state.nodes.get(id) === undefined) return
    if (to === 'ineligible' || to === 'eligible')
      return this.#do({ kind: 'node-eligibility', nodeId: id, eligibility: to, evaluations: [] })
    if (to !== 'drain' && to !== 'calm') return this.#do({ kind: 'node-status', nodeId: id, status: to, description: '', evaluations: [] })
    const drain = to === 'drain' ? { Deadline: 0, IgnoreSystemJobs: false, ForceDeadline: '', StartedAt: '2026-01-02T03:00:00Z' } : null
    this.#do({ kind: 'node-drain', nodeId: id, drain, eligibility: to === 'drain' ? 'ineligible' : 'eligible', evaluations: [] })
  }

  #promote(at: number): void {
    const row = this.state.deployments
      .by('job', ownerKey({ Namespace: 'default', JobID: JOB_IDS[at]! }))
      .find(({ Status }) => Status === 'running')
    if (row !== undefined)
      this.#do({ kind: 'deployment-promote', deploymentId: row.ID, groups: Object.keys(row.TaskGroups), evaluations: [] })
  }

  /** What is due of what was put off comes first. */
  #evaluate(at: number): void {
    const key = ownerKey({ Namespace: 'default', JobID: JOB_IDS[at]! })
    const due = this.state.evaluations
      .by('job', key)
      .find((row) => !isEvaluationTerminal(row) && row.Status !== 'blocked' && (parseRfc3339Ms(row.WaitUntil) ?? 0) <= this.#atMs)
    const { type, priority } = this.#given.jobs[at]!
    const asked = due ?? evaluation({ ID: uuid(this.#evaluations++, 9), JobID: JOB_IDS[at]!, Type: type, Priority: priority })
    const from = this.#made
    const env = { nowMs: this.#atMs, newId: () => uuid(this.#made++, 7) }
    const result = this.#scheduler.schedule(asked, env)
    let again = from
    const decision = { state: this.state, evaluation: asked, result, env: { ...env, newId: () => uuid(again++, 7) } }
    this.#observer.planned?.(decision)
    this.#do({ kind: 'plan-apply', plan: result.plan, closes: { evaluation: result.evaluation, created: result.created } })
    this.#observer.applied?.(decision)
  }
}
