/** `drover plan [--ref REF | PATH…]`: what a commit or the work tree would change, with placements against what is free now. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { describeDiff } from './diff.js'
import type { JobFileReading, JobFiles } from './job-files.js'
import { formatJson } from './json.js'
import { describeMissingDrivers, groupsWithoutDrivers, type HostDrivers } from './missing-drivers.js'
import { describeFailures } from './placement.js'
import { describeReasons } from './why.js'
import type { CommitPlanAnswer, PlanAnswer, SourceAnswer } from './wire.js'

/** Neither "nothing" nor "changes": files with mistakes, or a server that does not answer. */
const CANNOT_TELL = 255

interface PlanOptions extends ConnectionOptions {
  readonly ref?: string
  readonly json: boolean
  readonly why: boolean
}

type PlannedJob = CommitPlanAnswer['jobs'][number]
type JobReading = Extract<JobFileReading, { readonly kind: 'job' }>
/** What becomes of one job, and of a new or changed one where its allocations would go. */
type JobPlan = PlannedJob & {
  readonly plan: PlanAnswer | null
  /** What hosts say of the drivers that it cannot have there. */
  readonly missingDrivers: string
}

export function planCommand(load: () => Promise<JobFiles>): CommandModule {
  return {
    name: 'plan',
    usage: '[options] [PATH...]',
    summary: 'tell what a commit, or the work tree, would change',
    exitCodes: {
      0: 'nothing would change',
      1: 'something would change',
      [CANNOT_TELL]: 'files have mistakes, or no server answers',
    },
    completes: 'file',
    define(command: Command, io: Io, finish) {
      addConnectionOptions(command)
        .argument('[PATH...]', 'files or folders of the work tree; without one, everything below jobs/')
        .option('--ref <ref>', 'a branch, tag or commit instead of the work tree')
        .option('--why', 'say why each allocation would be placed, ended or left without a node', false)
        .option('--json', 'for programs', false)
        .action((paths: readonly string[], options: PlanOptions) => finish(load().then((files) => plan(files, paths, options, io))))
    },
  }
}

async function plan(files: JobFiles, paths: readonly string[], options: PlanOptions, io: Io): Promise<number> {
  try {
    if (options.ref !== undefined && paths.length > 0) throw new CommandError('give either --ref or paths, not both')
    const client = new Client(options, io)
    const [source] = await client.get<readonly SourceAnswer[]>('/drover/v1/source')
    const appliedCommit = source?.commit?.id ?? null
    const { readings, summary } = await files.summarize({
      paths,
      ...(options.ref === undefined ? {} : { ref: options.ref }),
      appliedCommit,
    })
    const answer = await client.put<CommitPlanAnswer>('/drover/v1/plan', summary)
    const jobs: JobPlan[] = []
    for (const job of answer.jobs) jobs.push(await planJob(job, readings, client, options.why))
    const mistakes = readings.flatMap((reading) => (reading.kind === 'mistakes' ? reading.mistakes : []))
    if (options.json) io.out(formatJson({ ...answer, jobs, mistakes: mistakes.map(({ text: _, ...mistake }) => mistake) }))
    else {
      for (const mistake of mistakes) io.err(`${mistake.text}\n`)
      printPlan({ ...answer, jobs }, io)
    }
    if (jobs.some(({ change }) => change === 'frozen')) return CANNOT_TELL
    return isChange(answer) ? 1 : 0
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), CANNOT_TELL)
  }
}

const CHANGES: ReadonlySet<PlannedJob['change']> = new Set(['new', 'changed', 'removed'])

function isChange({ jobs, hosts, pools, isSchedulerChanged, acts }: CommitPlanAnswer): boolean {
  return isSchedulerChanged || hosts.length + pools.length + acts.length > 0 || jobs.some(({ change }) => CHANGES.has(change))
}

/** Where the allocations of a new or changed job would go. */
async function planJob(planned: PlannedJob, readings: readonly JobFileReading[], client: Client, isExplained: boolean): Promise<JobPlan> {
  const { namespace, id, change } = planned
  const nothing = { ...planned, plan: null, missingDrivers: '' }
  if (change !== 'new' && change !== 'changed') return nothing
  const isIt = (reading: JobFileReading): reading is JobReading =>
    reading.kind === 'job' && reading.id === id && reading.namespace === namespace
  const reading = readings.find(isIt)
  if (reading === undefined) return nothing
  const query = { namespace, in_commit: 'true', ...(isExplained ? { reasons: 'true' } : {}) }
  const plan = await client.put<PlanAnswer>(`/v1/job/${encodeURIComponent(id)}/plan`, { Job: reading.job, Diff: true }, query)
  const groups = groupsWithoutDrivers(plan)
  const hosts = groups.length === 0 ? [] : await client.get<readonly HostDrivers[]>('/v1/nodes')
  return { ...planned, plan, missingDrivers: describeMissingDrivers(reading.job, groups, hosts) }
}

function printPlan(answer: CommitPlanAnswer & { readonly jobs: readonly JobPlan[] }, io: Io): void {
  const { jobs, held, namespaces, hosts, pools, isSchedulerChanged, acts, ignored } = answer
  for (const name of namespaces) io.out(`+ namespace ${name}\n`)
  for (const { name, change } of pools) io.out(`${SIGNS[change]} pool ${name}  ${change}\n`)
  for (const { name, change } of hosts) io.out(`${SIGNS[change]} host ${name}  ${change}\n`)
  if (isSchedulerChanged) io.out('~ settings of the scheduler\n')
  for (const job of jobs) if (job.change !== 'none') printJob(job, io)
  for (const act of acts) io.out(`! ${act}\n`)
  for (const act of ignored) io.err(`nothing would be done for ${act}\n`)
  if (held !== null) io.err(`held (${held.reason})${held.jobs.map(({ jobId }) => ` ${jobId}`).join('')}: ${held.remedy}\n`)
  const changed = jobs.filter(({ change }) => CHANGES.has(change)).length
  if (!isChange(answer)) io.err(`nothing would change (${counted(jobs.length, 'job')})\n`)
  else io.err(`${changed} of ${counted(jobs.length, 'job')} would change\n`)
}

function printJob({ namespace, id, path, change, setAside, plan, missingDrivers }: JobPlan, io: Io): void {
  if (change === 'frozen') {
    io.out(`! ${path}  has mistakes${id === '' ? '' : `; job ${id} stays as it is`}\n`)
    return
  }
  io.out(`${SIGNS[change]} ${namespace === 'default' ? id : `${namespace}/${id}`}  ${change}  (${path})\n`)
  if (setAside !== null) io.out(`    it failed as version ${setAside.version}${setAside.reason === '' ? '' : `: ${setAside.reason}`}\n`)
  if (plan === null) return
  if (change === 'changed' && plan.Diff !== null) io.out(describeDiff(plan.Diff, '    '))
  for (const [group, updates] of Object.entries(plan.Annotations?.DesiredTGUpdates ?? {})) io.out(describeUpdates(group, updates))
  for (const { Name, NodeName } of plan.Annotations?.PreemptedAllocs ?? []) io.out(`    ends ${Name} on ${NodeName} to make room\n`)
  if (plan.Reasons !== undefined) io.out(describeReasons(plan.Reasons, '    '))
  else if (plan.FailedTGAllocs) io.out(describeFailures(plan.FailedTGAllocs).replace(/^/gm, '    ').trimEnd().concat('\n'))
  io.out(missingDrivers.replace(/^(?=.)/gm, '      '))
  if (plan.Warnings !== '') io.err(`${plan.Warnings}\n`)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const SIGNS: Readonly<Record<string, string>> = { new: '+', changed: '~', moved: '>', 'set-aside': '=', removed: '-' }

/** In the words of the counts that are not zero. */
function describeUpdates(group: string, updates: Readonly<Record<string, number>>): string {
  const words: Readonly<Record<string, string>> = {
    Place: 'place',
    Stop: 'stop',
    Migrate: 'migrate',
    InPlaceUpdate: 'update in place',
    DestructiveUpdate: 'replace',
    Canary: 'canary',
    Preemptions: 'preempt',
    Ignore: 'keep',
  }
  const parts = Object.entries(words).flatMap(([name, word]) => ((updates[name] ?? 0) > 0 ? [`${word} ${updates[name]}`] : []))
  return parts.length === 0 ? '' : `    group ${group}: ${parts.join(', ')}\n`
}
