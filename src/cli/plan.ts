/** `drover plan [--ref REF | PATH…]`: what a commit or the work tree would change, with placements against what is free now. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import type { JobFileReading, JobFiles } from './job-files.js'
import { formatJson } from './json.js'
import { describeFailures } from './placement.js'
import { describeReasons } from './why.js'
import type { JobSourceAnswer, PlanAnswer } from './wire.js'

/** Neither "nothing" nor "changes": files with mistakes, or a server that does not answer. */
const CANNOT_TELL = 255

interface PlanOptions extends ConnectionOptions {
  readonly ref?: string
  readonly json: boolean
  readonly why: boolean
}

/** What only a new version does to allocations. */
const UPDATES = ['InPlaceUpdate', 'DestructiveUpdate']

type JobReading = Extract<JobFileReading, { readonly kind: 'job' }>

interface JobPlan {
  readonly namespace: string
  readonly id: string
  readonly path: string
  readonly change: 'none' | 'new' | 'changed' | 'removed'
  readonly plan: PlanAnswer | null
}

export function planCommand(files: JobFiles): CommandModule {
  return {
    name: 'plan',
    usage: '[options] [PATH...]',
    summary: 'tell what a commit, or the work tree, would change',
    exitCodes: {
      0: 'nothing would change',
      1: 'something would change',
      [CANNOT_TELL]: 'cannot tell: mistakes in files, or no server answers',
    },
    define(command: Command, io: Io, finish) {
      addConnectionOptions(command)
        .argument('[PATH...]', 'files or folders of the work tree; without one, everything below jobs/')
        .option('--ref <ref>', 'a branch, tag or commit instead of the work tree')
        .option('--why', 'say why each allocation would be placed, ended or left without a node', false)
        .option('--json', 'for programs', false)
        .action((paths: readonly string[], options: PlanOptions) => finish(plan(files, paths, options, io)))
    },
  }
}

async function plan(files: JobFiles, paths: readonly string[], options: PlanOptions, io: Io): Promise<number> {
  try {
    if (options.ref !== undefined && paths.length > 0) throw new CommandError('give either --ref or paths, not both')
    const readings = await files.read(options.ref === undefined ? { paths } : { paths, ref: options.ref })
    const wrong = readings.flatMap((reading) => (reading.kind === 'mistakes' ? reading.mistakes : []))
    for (const mistake of wrong) io.err(`${mistake.text}\n`)
    if (wrong.length > 0) throw new CommandError(`${wrong.length} mistake(s): what they would change cannot be told`)
    const client = new Client(options, io)
    const jobs = readings.filter((reading) => reading.kind === 'job')
    const plans: JobPlan[] = []
    for (const job of jobs) plans.push(await planJob(job, client, options.why))
    if (paths.length === 0) plans.push(...(await planRemovals(jobs, client)))
    const changes = plans.filter(({ change }) => change !== 'none')
    if (options.json) io.out(formatJson(plans))
    else printPlans(plans, changes, io)
    return changes.length === 0 ? 0 : 1
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), CANNOT_TELL)
  }
}

async function planJob({ path, namespace, id, job }: JobReading, client: Client, isExplained: boolean): Promise<JobPlan> {
  const query = isExplained ? { namespace, reasons: 'true' } : { namespace }
  const answer = await client.put<PlanAnswer>(`/v1/job/${encodeURIComponent(id)}/plan`, { Job: job, Diff: true }, query)
  const isUpdated = Object.values(answer.Annotations?.DesiredTGUpdates ?? {}).some((updates) =>
    UPDATES.some((name) => (updates[name] ?? 0) > 0),
  )
  // Some changes of a job, such as its spreads, are no part of Nomad's diff and still make a new version.
  const type = answer.Diff?.Type === 'None' && isUpdated ? 'Edited' : (answer.Diff?.Type ?? 'None')
  return { namespace, id, path, change: type === 'None' ? 'none' : type === 'Added' ? 'new' : 'changed', plan: answer }
}

/** Jobs that the repository made and that no file defines any more. */
async function planRemovals(jobs: readonly JobReading[], client: Client): Promise<readonly JobPlan[]> {
  const kept = new Set(jobs.map(({ namespace, id }) => `${namespace} ${id}`))
  const owned = await client.get<readonly JobSourceAnswer[]>('/drover/v1/jobs', { namespace: '*' })
  return owned
    .filter(({ namespace, jobId }) => !kept.has(`${namespace} ${jobId}`))
    .map(({ namespace, jobId, path }) => ({ namespace, id: jobId, path, change: 'removed', plan: null }))
}

function printPlans(plans: readonly JobPlan[], changes: readonly JobPlan[], io: Io): void {
  for (const { namespace, id, path, change, plan } of changes) {
    io.out(`${SIGNS[change]} ${namespace === 'default' ? id : `${namespace}/${id}`}  ${change}  (${path})\n`)
    for (const [group, updates] of Object.entries(plan?.Annotations?.DesiredTGUpdates ?? {})) io.out(describeUpdates(group, updates))
    for (const { Name, NodeName } of plan?.Annotations?.PreemptedAllocs ?? []) io.out(`    ends ${Name} on ${NodeName} to make room\n`)
    if (plan?.Reasons !== undefined) io.out(describeReasons(plan.Reasons, '    '))
    else if (plan?.FailedTGAllocs) io.out(describeFailures(plan.FailedTGAllocs).replace(/^/gm, '    ').trimEnd().concat('\n'))
    if (plan !== null && plan.Warnings !== '') io.err(`${plan.Warnings}\n`)
  }
  io.err(
    changes.length === 0 ? `nothing would change (${plans.length} job(s))\n` : `${changes.length} of ${plans.length} job(s) would change\n`,
  )
}

const SIGNS: Readonly<Record<JobPlan['change'], string>> = { none: ' ', new: '+', changed: '~', removed: '-' }

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
