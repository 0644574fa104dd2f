/** Dry run: what the scheduler would do if a job were registered now. Nothing of it is proposed. */
import type { Clock, Job, LogIndex, Random, SchedulingResult } from '../domain/index.js'
import { isSpecChanged } from '../jobspec/index.js'
import type { Scheduler } from '../scheduler/index.js'
import { jobKey } from '../state/index.js'
import type { Leader } from './leader.js'
import { logTimeMs } from './log-time.js'
import { newEvaluation } from './new-evaluation.js'

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

  async plan(job: Job): Promise<{ readonly result: SchedulingResult; readonly index: LogIndex }> {
    const { state } = this.#leader
    const registered = state.jobs.get(jobKey(job))
    const next = registered === undefined ? job : asRegistered(registered, job)
    const evaluation = { ...newEvaluation(this.#random.uuid(), next, 'job-register'), AnnotatePlan: true }
    const nowMs = logTimeMs(state, this.#clock)
    const result = this.#scheduler.schedule(evaluation, { nowMs, newId: () => this.#random.uuid(), job: next })
    await this.#leader.whenDurable(state.index)
    return { result, index: registered?.JobModifyIndex ?? 0 }
  }
}

/** As registering would store it: what says the same stays the version that it is. */
function asRegistered(registered: Job, job: Job): Job {
  if (!registered.Stop && !isSpecChanged(registered, job)) return registered
  return { ...job, CreateIndex: registered.CreateIndex, Version: registered.Version + 1 }
}
