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
  /** Absent: what was read here. */
  readonly commit?: RefPlanAnswer['commit']
  /** Of what was read here; absent: files of the work tree. */
  readonly ref?: string
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

/** What would be promised on each pool that the plan is about, once all its roll-outs are done; of the jobs whose places were asked for. */
export function describeCapacity({ capacity, jobs }: Pick<PlanToPrint, 'capacity' | 'jobs'>): readonly string[] {
  const usages = jobs.flatMap(({ plan }) => plan?.Usage ?? [])
  return [...capacity, allOf(capacity)].flatMap(({ pool, hosts, total, promised, freed }) => {
    const own = usages.filter((usage) => usage.pool === pool)
    const texts = AMOUNTS.map(([name, member, unit]) => {
      const before = promised[member]
      const after = own.reduce((sum, usage) => sum + usage.after[member] - usage.before[member], before - freed[member])
      const share = total[member] === 0 ? 0 : Math.round((100 * after) / total[member])
      return { isChanged: after !== before, text: `${name} ${before} -> ${after} of ${total[member]} ${unit} (${share}%)` }
    })
    const isTold = texts.some(({ isChanged }) => isChanged)
    return isTold ? [`pool ${pool}, ${counted(hosts, 'host')}: ${texts.map(({ text }) => text).join(', ')}`] : []
  })
}

const AMOUNTS = [
  ['cpu', 'cpuMhz', 'MHz'],
  ['memory', 'memoryMb', 'MiB'],
] as const

/** For jobs that may be on the hosts of any pool. What is removed is told of its own. */
function allOf(capacity: PlanToPrint['capacity']): PlanToPrint['capacity'][number] {
  const nothing = { cpuMhz: 0, memoryMb: 0 }
  const sum = (of: 'total' | 'promised') =>
    capacity.reduce((all, one) => ({ cpuMhz: all.cpuMhz + one[of].cpuMhz, memoryMb: all.memoryMb + one[of].memoryMb }), nothing)
  const hosts = capacity.reduce((all, one) => all + one.hosts, 0)
  return { pool: 'all', hosts, total: sum('total'), promised: sum('promised'), freed: nothing }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
