/** Policies of a group: restart, reschedule, update, migrate, disconnect, scaling. */
import {
  type DisconnectStrategy,
  formatDuration,
  formatSeconds,
  type MigrateStrategy,
  type Nanoseconds,
  type ReschedulePolicy,
  type RestartPolicy,
  SECOND,
  type TaskGroup,
  type UpdateStrategy,
} from '../../domain/index.js'
import { quote, wrapTexts } from './problem.js'

const RESTART_INTERVAL_MIN = 5 * SECOND
const RESCHEDULE_INTERVAL_MIN = 15 * SECOND
const RESCHEDULE_DELAY_MIN = 5 * SECOND
/** More attempts than anyone means; bounds the estimate. */
const ATTEMPTS_MAX = 10_000

export function restartTexts(policy: RestartPolicy): string[] {
  const texts: string[] = []
  if (policy.Mode !== 'fail' && policy.Mode !== 'delay') texts.push(`Unsupported restart mode: ${quote(policy.Mode)}`)
  if (policy.Attempts === 0 && policy.Mode !== 'fail')
    texts.push(`Restart policy ${quote(policy.Mode)} with ${policy.Attempts} attempts is ambiguous`)
  if (policy.Interval < RESTART_INTERVAL_MIN) {
    texts.push(`Interval can not be less than ${formatDuration(RESTART_INTERVAL_MIN)} (got ${formatDuration(policy.Interval)})`)
  }
  if (policy.Attempts * policy.Delay > policy.Interval) {
    texts.push(
      `Nomad can't restart the TaskGroup ${policy.Attempts} times in an interval of ${formatDuration(policy.Interval)} with a delay of ${formatDuration(policy.Delay)}`,
    )
  }
  return texts
}

const DELAY_FUNCTIONS = ['constant', 'exponential', 'fibonacci']

export function rescheduleTexts(policy: ReschedulePolicy | null): string[] {
  if (policy === null) return []
  const { Attempts, Interval, Unlimited } = policy
  if (Attempts <= 0 && !Unlimited) return []
  const texts: string[] = []
  if (Interval <= 0 && Attempts > 0) texts.push('Interval must be a non zero value if Attempts > 0')
  if (Unlimited && Attempts > 0)
    texts.push(
      `Reschedule Policy with Attempts = ${Attempts}, Interval = ${formatDuration(Interval)}, and Unlimited = ${Unlimited} is ambiguous`,
      'If Attempts >0, Unlimited cannot also be set to true',
    )
  const delays = delayTexts(policy)
  texts.push(...delays)
  if (Unlimited) return texts
  if (Interval < RESCHEDULE_INTERVAL_MIN && Attempts > 0)
    texts.push(`Interval cannot be less than ${formatDuration(RESCHEDULE_INTERVAL_MIN)} (got ${formatDuration(Interval)})`)
  return delays.length > 0 ? texts : [...texts, ...attemptTexts(policy)]
}

/** What is told as the greatest delay of those that are too small is the first one, as in Nomad. */
function delayTexts({ Delay, DelayFunction, MaxDelay }: ReschedulePolicy): string[] {
  const texts: string[] = []
  if (Delay < RESCHEDULE_DELAY_MIN)
    texts.push(`Delay cannot be less than ${formatDuration(RESCHEDULE_DELAY_MIN)} (got ${formatDuration(Delay)})`)
  if (!DELAY_FUNCTIONS.includes(DelayFunction))
    texts.push(`Invalid delay function ${quote(DelayFunction)}, must be one of [${DELAY_FUNCTIONS.map(quote).join(' ')}]`)
  if (DelayFunction === 'constant') return texts
  if (MaxDelay < RESCHEDULE_DELAY_MIN)
    texts.push(`Max Delay cannot be less than ${formatDuration(RESCHEDULE_DELAY_MIN)} (got ${formatDuration(Delay)})`)
  if (MaxDelay < Delay) texts.push(`Max Delay cannot be less than Delay ${formatDuration(Delay)} (got ${formatDuration(MaxDelay)})`)
  return texts
}

/** Do the delays of that many attempts fit the interval? */
function attemptTexts(policy: ReschedulePolicy): string[] {
  const { Attempts, Interval, Delay, DelayFunction, MaxDelay } = policy
  const possible = possibleAttempts(policy)
  if (possible.attempts >= Attempts) return []
  const ceiling =
    DelayFunction === 'constant'
      ? ` and delay function ${quote(DelayFunction)}`
      : `, delay function ${quote(DelayFunction)}, and delay ceiling ${formatDuration(MaxDelay)}`
  return [
    `Nomad can only make ${possible.attempts} attempts in ${formatDuration(Interval)} with initial delay ${formatDuration(Delay)}${ceiling}`,
    `Set the interval to at least ${formatSeconds(possible.neededInterval)} to accommodate ${Attempts} attempts`,
  ]
}

/** Nomad's own estimate, ceiling and all: what is compared with the interval is the last delay, not the sum of them. */
function possibleAttempts(policy: ReschedulePolicy): { attempts: number; neededInterval: Nanoseconds } {
  const { Attempts, Interval, Delay, DelayFunction } = policy
  if (DelayFunction === 'constant') return { attempts: Math.trunc(Interval / Delay) || 0, neededInterval: Attempts * Delay }
  const marks = DelayFunction === 'fibonacci' ? fibonacciMarks(policy) : exponentialMarks(policy)
  const neededInterval = marks.at(-1) ?? 0
  if (DelayFunction === 'exponential') return { attempts: marks.filter((mark) => mark < Interval).length, neededInterval }
  const beyond = marks.findIndex((mark) => mark > Interval)
  return { attempts: neededInterval < Interval || beyond < 0 ? Attempts : beyond, neededInterval }
}

/** Beyond the ceiling each attempt adds the ceiling to what came before it; in 64 bits, so that doubled often enough a delay is none. */
function exponentialMarks({ Attempts, Delay, MaxDelay }: ReschedulePolicy): Nanoseconds[] {
  const marks: Nanoseconds[] = []
  for (let attempt = 0; attempt < Math.min(Attempts, ATTEMPTS_MAX); attempt++) {
    const delay = Number(BigInt.asIntN(64, BigInt(Delay) << BigInt(attempt)))
    marks.push(delay > MaxDelay ? (marks.at(-1) ?? 0) + MaxDelay : delay)
  }
  return marks
}

function fibonacciMarks({ Attempts, Delay, MaxDelay }: ReschedulePolicy): Nanoseconds[] {
  const marks = [Delay, Delay].slice(0, Attempts)
  let isAtCeiling = false
  for (let attempt = 2; attempt < Math.min(Attempts, ATTEMPTS_MAX); attempt++) {
    const [before = 0, last = 0] = marks.slice(-2)
    const delay = isAtCeiling ? last + MaxDelay : before + last
    if (!isAtCeiling && delay > MaxDelay) {
      isAtCeiling = true
      marks.push(MaxDelay)
    } else marks.push(delay)
  }
  return marks
}

export function updateTexts(strategy: UpdateStrategy | null): string[] {
  if (strategy === null) return []
  const texts: string[] = []
  const { HealthCheck, MaxParallel, Canary, AutoPromote, MinHealthyTime, HealthyDeadline, ProgressDeadline, Stagger } = strategy
  if (!['checks', 'task_states', 'manual'].includes(HealthCheck)) texts.push(`Invalid health check given: ${quote(HealthCheck)}`)
  if (MaxParallel < 0) texts.push(`Max parallel can not be less than zero: ${MaxParallel} < 0`)
  if (Canary < 0) texts.push(`Canary count can not be less than zero: ${Canary} < 0`)
  if (Canary === 0 && AutoPromote) texts.push('Auto Promote requires a Canary count greater than zero')
  if (MinHealthyTime < 0) texts.push(`Minimum healthy time may not be less than zero: ${formatDuration(MinHealthyTime)}`)
  if (HealthyDeadline <= 0) texts.push(`Healthy deadline must be greater than zero: ${formatDuration(HealthyDeadline)}`)
  if (ProgressDeadline < 0) texts.push(`Progress deadline must be zero or greater: ${formatDuration(ProgressDeadline)}`)
  if (MinHealthyTime >= HealthyDeadline)
    texts.push(
      `Minimum healthy time must be less than healthy deadline: ${formatDuration(MinHealthyTime)} > ${formatDuration(HealthyDeadline)}`,
    )
  if (ProgressDeadline !== 0 && HealthyDeadline >= ProgressDeadline)
    texts.push(
      `Healthy deadline must be less than progress deadline: ${formatDuration(HealthyDeadline)} > ${formatDuration(ProgressDeadline)}`,
    )
  if (Stagger <= 0) texts.push(`Stagger must be greater than zero: ${formatDuration(Stagger)}`)
  return texts
}

export function migrateTexts(strategy: MigrateStrategy | null): string[] {
  if (strategy === null) return []
  const texts: string[] = []
  const { HealthCheck, MaxParallel, MinHealthyTime, HealthyDeadline } = strategy
  if (MaxParallel < 0) texts.push(`MaxParallel must be >= 0 but found ${MaxParallel}`)
  if (HealthCheck === '') texts.push('Missing HealthCheck')
  else if (HealthCheck !== 'checks' && HealthCheck !== 'task_states') texts.push(`Invalid HealthCheck: ${quote(HealthCheck)}`)
  if (MinHealthyTime < 0) texts.push(`MinHealthyTime is ${formatDuration(MinHealthyTime)} and must be >= 0`)
  if (HealthyDeadline < 0) texts.push(`HealthyDeadline is ${formatDuration(HealthyDeadline)} and must be >= 0`)
  if (MinHealthyTime > HealthyDeadline) texts.push('MinHealthyTime must be less than HealthyDeadline')
  return texts
}

export function disconnectTexts(jobType: string, strategy: DisconnectStrategy | null): string[] {
  if (strategy === null) return []
  const { LostAfter, StopOnClientAfter, Reconcile } = strategy
  const texts: string[] = []
  if (StopOnClientAfter !== null) {
    if (StopOnClientAfter < 0) texts.push('stop_after cannot be a negative duration')
    if (jobType !== 'service' && jobType !== 'batch') texts.push('stop_after can only be used with service or batch job types')
  }
  if (LostAfter < 0) texts.push('lost_after cannot be a negative duration')
  if (LostAfter !== 0 && StopOnClientAfter !== null) texts.push('Disconnect cannot be configured with both lost_after and stop_after')
  if (!['best_score', 'longest_running', 'keep_original', 'keep_replacement'].includes(Reconcile))
    texts.push(`reconcile option is invalid: ${Reconcile}`)
  return texts
}

/** A group's policy; one of a task is taken as it is. */
export function scalingTexts(group: TaskGroup): string[] {
  const policy = group.Scaling
  if (policy === null) return []
  const invalid = (text: string): string => `Scaling policy invalid: ${text}`
  const { Type, Min, Max } = policy
  const texts: string[] = []
  if (Type !== 'horizontal') texts.push(invalid(`scaling policy type ${quote(Type)} is not valid`))
  if (group.Name === '') texts.push(invalid('missing target group'))
  if (Max < 0) texts.push(invalid('maximum count must be specified and non-negative'))
  else if (Max < Min) texts.push(invalid('maximum count must not be less than minimum count'))
  if (Min < 0) texts.push(invalid('minimum count must be specified and non-negative'))
  if (group.Count > Max) texts.push(invalid('task group count must not be greater than maximum count in scaling policy'))
  if (group.Count < Min) texts.push(invalid('task group count must not be less than minimum count in scaling policy'))
  return wrapTexts('Task group scaling policy validation failed: ', texts)
}
