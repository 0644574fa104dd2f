/** Takes evaluations from the broker, asks the scheduler, and proposes what it decided. Runs inside the leader's turn. */
import {
  type Clock,
  type Evaluation,
  type Job,
  type Logger,
  type Plan,
  type Random,
  rfc3339,
  type SchedulingResult,
} from '../domain/index.js'
import type { Scheduler } from '../scheduler/index.js'
import { type CommandBody, ownerKey } from '../state/index.js'
import type { Adoption } from './adoption.js'
import type { EvaluationBroker } from './evaluation-broker.js'
import type { EvaluationTimes } from './evaluation-times.js'
import type { Leader } from './leader.js'
import { newEvaluation } from './new-evaluation.js'

/** Of one turn: what is left waits for the next one, so that heartbeats and readers get their turns. */
const EVALUATIONS_PER_TURN = 64
const MS_PER_TURN = 10
const CAUSE_LENGTH_MAX = 2_000
/** Until an evaluation that failed is tried again (Nomad docs, "server block": `failed_eval_followup`). */
const FOLLOW_UP_MS_MIN = 60_000
const FOLLOW_UP_MS_SPREAD = 300_000

export interface WorkerDeps {
  readonly leader: Leader
  readonly broker: EvaluationBroker
  readonly adoption: Pick<Adoption, 'isHearing'>
  readonly scheduler: Scheduler
  readonly times: EvaluationTimes
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export class Worker {
  readonly #deps: WorkerDeps

  constructor(deps: WorkerDeps) {
    this.#deps = deps
  }

  /** Works until nothing is ready, or the turn is long enough. */
  drain(): void {
    const { leader, broker, clock } = this.#deps
    if (this.#deps.adoption.isHearing) return
    const beganMs = clock.monotonicMs()
    for (let count = 0; count < EVALUATIONS_PER_TURN && leader.hasRoom && clock.monotonicMs() - beganMs < MS_PER_TURN; count++) {
      const work = broker.next()
      if (work === undefined) return
      leader.propose([...cancelSuperseded(work.superseded), ...this.#process(work.evaluation)])
    }
    if (broker.readyJobCount > 0) this.#deps.clock.after(0, () => leader.nudge())
  }

  /** A throw of the scheduler fails this evaluation with its cause and touches nothing else. */
  #process(evaluation: Evaluation): readonly CommandBody[] {
    const { scheduler, times, clock, random, logger } = this.#deps
    try {
      const nowMs = clock.wallMs()
      const beganMs = clock.monotonicMs()
      const result = scheduler.schedule(evaluation, { nowMs, newId: () => random.uuid() })
      times.note('schedule', evaluation.Type, clock.monotonicMs() - beganMs)
      return [planCommand(withCreated(result, [...this.#cancelBlocked(result), ...this.#askForPreempted(result.plan)]))]
    } catch (error) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
      logger.error({ evaluationId: evaluation.ID, jobId: evaluation.JobID, cause }, 'evaluation failed')
      return [{ kind: 'evaluation-update', evaluations: this.#failed(evaluation, cause) }]
    }
  }

  /** The same state gives the same answer: it is tried again when the state may be another one. */
  #failed(evaluation: Evaluation, cause: string): readonly Evaluation[] {
    const { leader, random } = this.#deps
    const failed: Evaluation = { ...evaluation, Status: 'failed', StatusDescription: cause.slice(0, CAUSE_LENGTH_MAX) }
    const job = leader.state.jobs.get(ownerKey(evaluation))
    if (job === undefined || job.Stop) return [failed]
    const waitMs = FOLLOW_UP_MS_MIN + random.fraction() * FOLLOW_UP_MS_SPREAD
    const followUp = newEvaluation(random.uuid(), job, 'failed-follow-up', {
      PreviousEval: evaluation.ID,
      WaitUntil: rfc3339(Math.ceil(leader.clock.wallMs() + waitMs)),
    })
    return [{ ...failed, NextEval: followUp.ID }, followUp]
  }

  /** Blocked evaluations of the job that this result makes pointless: a success needs none, a new one takes their place. */
  #cancelBlocked({ evaluation, created }: SchedulingResult): readonly Evaluation[] {
    const renewed = created.filter((follower) => follower.Status === 'blocked')
    if (evaluation.Status !== 'complete' && renewed.length === 0) return []
    // A system job waits for each full node by itself: only the same node's wait is renewed.
    const isSystem = evaluation.Type === 'system' || evaluation.Type === 'sysbatch'
    const isPointless = (other: Evaluation) => !isSystem || renewed.some((follower) => follower.NodeID === other.NodeID)
    const StatusDescription = `evaluation "${evaluation.ID}" successful`
    return this.#deps.leader.state.evaluations
      .by('job', ownerKey(evaluation))
      .filter((other) => other.Status === 'blocked' && other.ID !== evaluation.ID && isPointless(other))
      .map((other) => ({ ...other, Status: 'canceled', StatusDescription }))
  }

  /** Whoever had to make room wants to run elsewhere. */
  #askForPreempted({ Preemptions }: Plan): readonly Evaluation[] {
    const { leader, random } = this.#deps
    const jobs = new Set<Job>()
    for (const { ID } of Preemptions) {
      const victim = leader.state.allocations.get(ID)
      const job = victim === undefined ? undefined : leader.state.jobs.get(ownerKey(victim))
      if (job !== undefined && !job.Stop) jobs.add(job)
    }
    return [...jobs].map((job) => newEvaluation(random.uuid(), job, 'preemption'))
  }
}

function withCreated(result: SchedulingResult, more: readonly Evaluation[]): SchedulingResult {
  return more.length === 0 ? result : { ...result, created: [...more, ...result.created] }
}

function cancelSuperseded(superseded: readonly Evaluation[]): readonly CommandBody[] {
  if (superseded.length === 0) return []
  const StatusDescription = 'canceled after more recent eval was processed'
  return [
    { kind: 'evaluation-update', evaluations: superseded.map((evaluation) => ({ ...evaluation, Status: 'canceled', StatusDescription })) },
  ]
}

function planCommand({ plan, evaluation, created }: SchedulingResult): CommandBody {
  return { kind: 'plan-apply', plan, closes: { evaluation, created } }
}
