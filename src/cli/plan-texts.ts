/** The words of a plan that texts for people and comments of pull requests share. */
import type { CommitPlanAnswer, PlanAnswer, RefPlanAnswer } from './wire.js'

export type PlannedJob = CommitPlanAnswer['jobs'][number]

/** What becomes of one job, and of a new or changed one where its allocations would go. */
export type JobPlan = PlannedJob & {
  readonly plan: PlanAnswer | null
  /** What hosts say of the drivers that it cannot have there; empty: nothing, or not asked. */
  readonly missingDrivers: string
}

export interface PlanToPrint extends Omit<CommitPlanAnswer, 'jobs' | 'refusals'> {
  /** Whose commit it would be; absent: that of a server without a source. */
  readonly source?: string
  /** Absent: files of a work tree. */
  readonly commit?: RefPlanAnswer['commit']
  readonly appliedId: string | null
  readonly jobs: readonly JobPlan[]
  readonly mistakes: RefPlanAnswer['mistakes']
}

export function planToPrint(answer: RefPlanAnswer): PlanToPrint {
  return { ...answer, jobs: answer.jobs.map((job) => ({ ...job, missingDrivers: '' })) }
}

export const SIGNS: Readonly<Record<string, string>> = { new: '+', changed: '~', moved: '>', 'set-aside': '=', removed: '-', frozen: '!' }

const CHANGES: ReadonlySet<PlannedJob['change']> = new Set(['new', 'changed', 'removed'])

export function isChange({ jobs, hosts, pools, isSchedulerChanged, acts }: Omit<CommitPlanAnswer, 'held' | 'refusals'>): boolean {
  return isSchedulerChanged || hosts.length + pools.length + acts.length > 0 || jobs.some(({ change }) => CHANGES.has(change))
}

export function mistakeText({ place, summary, detail }: RefPlanAnswer['mistakes'][number]): string {
  return `${place}: ${summary}${detail === '' ? '' : `: ${detail}`}`
}

/** `2 of 12 jobs would change`. */
export function changeCounts(plan: PlanToPrint): string {
  const changed = plan.jobs.filter(({ change }) => CHANGES.has(change)).length
  if (!isChange(plan)) return `nothing would change (${counted(plan.jobs.length, 'job')})`
  return `${changed} of ${counted(plan.jobs.length, 'job')} would change`
}

/** A text a group, in the words of the counts that are not zero. */
export function describeAllUpdates({ plan }: Pick<JobPlan, 'plan'>): readonly string[] {
  return Object.entries(plan?.Annotations?.DesiredTGUpdates ?? {}).flatMap(([group, updates]) => {
    const parts = Object.entries(UPDATE_WORDS).flatMap(([name, word]) => ((updates[name] ?? 0) > 0 ? [`${word} ${updates[name]}`] : []))
    return parts.length === 0 ? [] : [`group ${group}: ${parts.join(', ')}`]
  })
}

const UPDATE_WORDS: Readonly<Record<string, string>> = {
  Place: 'place',
  Stop: 'stop',
  Migrate: 'migrate',
  InPlaceUpdate: 'update in place',
  DestructiveUpdate: 'replace',
  Canary: 'canary',
  Preemptions: 'preempt',
  Ignore: 'keep',
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
