/** Asks the scheduler what it would do, and why things are as they are. Nothing of it is proposed. */
import { type Clock, type Job, type JobExplanation, type JobForecast, type LogIndex, namespacedKey, type Random } from '../domain/index.js'
import { isSpecChanged } from '../jobspec/index.js'
import { explainPlan, jobUsage, type Scheduler } from '../scheduler/index.js'
import { jobKey } from '../state/index.js'
import type { Leader } from './leader.js'
import { newEvaluation } from './new-evaluation.js'
import { keepScaledCounts } from './owned-counts.js'

export class Planner {
  readonly #leader: Leader
  readonly #scheduler: Scheduler
  readonly #clock: Clock
  readonly #random: Random

  constructor(leader: Leader, scheduler: Scheduler, clock: Clock, random: Random) {
    this.#leader = leader
    this.#scheduler = scheduler
    this.#clock = clock
    this.#random = random
  }

  /** What would happen if the job were registered now, and why when `isExplained`; `job` has the counts that scalers have moved. */
  async plan(job: Job, isExplained: boolean): Promise<JobForecast> {
    const { state } = this.#leader
    const registered = state.jobs.get(jobKey(job))
    const next = asRegistered(registered, keepScaledCounts(state, job), state.index + 1)
    const evaluation = { ...newEvaluation(this.#random.uuid(), next, 'job-register'), AnnotatePlan: true }
    const nowMs = this.#clock.wallMs()
    const result = this.#scheduler.schedule(evaluation, { nowMs, newId: () => this.#random.uuid(), job: next })
    const usage = jobUsage(state, next, result)
    const reasons = isExplained ? explainPlan(state, next, result) : []
    await this.#leader.whenDurable(state.index)
    return { result, reasons, index: registered?.JobModifyIndex ?? 0, job: next, usage }
  }

  /** Undefined: there is no such job. */
  async explain(namespace: string, id: string): Promise<JobExplanation | undefined> {
    const { state } = this.#leader
    const job = state.jobs.get(namespacedKey(namespace, id))
    const explanation = job === undefined ? undefined : this.#scheduler.explain(job, this.#clock.wallMs())
    await this.#leader.whenDurable(state.index)
    return explanation
  }
}

/** As registering would store it: what says the same stays the version that it is. */
function asRegistered(registered: Job | undefined, job: Job, index: LogIndex): Job {
  if (registered !== undefined && !registered.Stop && !isSpecChanged(registered, job)) return registered
  const { CreateIndex, Version } =
    registered === undefined ? { CreateIndex: index, Version: 0 } : { ...registered, Version: registered.Version + 1 }
  return { ...job, CreateIndex, Version, ModifyIndex: index, JobModifyIndex: index }
}
