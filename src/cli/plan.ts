/** `drover plan [--ref REF | PATH…]`: what a commit or the work tree would change, with placements against what is free now. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { describeDiff } from './diff.js'
import { type FileMistake, type JobFileReading, type JobFiles, OVERLAY_OPTION, type OverlayOption } from './job-files.js'
import { formatJson } from './json.js'
import { describeMissingDrivers, groupsWithoutDrivers, type HostDrivers } from './missing-drivers.js'
import { ownSource } from './own-source.js'
import { describeFailures } from './placement.js'
import { formatPlanMarkdown } from './plan-markdown.js'
import {
  changeCounts,
  describeAllUpdates,
  describeCapacity,
  isChange,
  type JobPlan,
  mistakeText,
  type PlannedJob,
  type PlanToPrint,
  planToPrint,
  SIGNS,
} from './plan-texts.js'
import { describeReasons } from './why.js'
import type { CommitPlanAnswer, PlanAnswer, RefPlanAnswer } from './wire.js'

/** Neither "nothing" nor "changes": files with mistakes, or a server that does not answer. */
const CANNOT_TELL = 255

interface PlanOptions extends ConnectionOptions, OverlayOption {
  readonly source?: string
  readonly ref?: string
  readonly server: boolean
  readonly markdown: boolean
  readonly json: boolean
  readonly why: boolean
}

type JobReading = Extract<JobFileReading, { readonly kind: 'job' }>

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
        .option('--source <name>', 'the source that this repository is, where the server follows several and it cannot be told')
        .option(OVERLAY_OPTION[0], `${OVERLAY_OPTION[1]}; without it, the one of the server`)
        .option('--server', 'let the server read --ref in the repository that it follows, instead of reading it here', false)
        .option('--markdown', 'as a comment of a pull request', false)
        .option('--why', 'say why each allocation would be placed, ended or left without a node', false)
        .option('--json', 'for programs', false)
        .action((paths: readonly string[], options: PlanOptions) => finish(plan(load, paths, options, io)))
    },
  }
}

async function plan(load: () => Promise<JobFiles>, paths: readonly string[], options: PlanOptions, io: Io): Promise<number> {
  try {
    refuseContradictions(paths, options)
    const client = new Client(options, io)
    const told = options.server ? await askServer(options, client) : await readHere(await load(), paths, options, client)
    if (options.json) io.out(formatJson(told.json))
    else if (options.markdown) io.out(formatPlanMarkdown(told.plan))
    else {
      for (const text of told.mistakeTexts) io.err(`${text}\n`)
      printPlan(told.plan, io)
    }
    if (told.plan.jobs.some(({ change }) => change === 'frozen')) return CANNOT_TELL
    return isChange(told.plan) ? 1 : 0
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), CANNOT_TELL)
  }
}

function refuseContradictions(paths: readonly string[], { ref, server, overlay, why, json, markdown }: PlanOptions): void {
  if (ref !== undefined && paths.length > 0) throw new CommandError('give either --ref or paths, not both')
  if (server && ref === undefined) throw new CommandError('--server reads a commit: name it, as in --ref refs/heads/main')
  if (server && overlay !== undefined) throw new CommandError('--server reads with the overlay of its configuration; leave out --overlay')
  if (server && why) throw new CommandError('--why is for what is read here; leave out --server')
  if (json && markdown) throw new CommandError('give either --json or --markdown, not both')
}

interface Told {
  readonly plan: PlanToPrint
  readonly json: object
  /** With place and source line. */
  readonly mistakeTexts: readonly string[]
}

async function askServer({ ref = '', source }: PlanOptions, client: Client): Promise<Told> {
  const answer = await client.get<RefPlanAnswer>('/drover/v1/plan', { ref, ...(source === undefined ? {} : { source }) })
  const mistakeTexts = answer.mistakes.map(mistakeText)
  return { plan: planToPrint(answer), json: answer, mistakeTexts }
}

async function readHere(files: JobFiles, paths: readonly string[], options: PlanOptions, client: Client): Promise<Told> {
  const source = await ownSource(client, options.source, (id) => files.knows(id))
  const appliedId = source?.commit?.id ?? null
  const { readings, otherMistakes, summary } = await files.summarize({
    paths,
    ...(options.ref === undefined ? {} : { ref: options.ref }),
    ...overlayOf(options.overlay ?? source?.overlay),
    appliedCommit: appliedId,
  })
  const question = source === undefined ? summary : { ...summary, source: source.id }
  const { refusals, ...answer } = await client.put<CommitPlanAnswer>('/drover/v1/plan', question)
  const jobs: JobPlan[] = []
  let hosts: Promise<readonly HostDrivers[]> | undefined
  const askHosts = () => {
    hosts ??= client.get<readonly HostDrivers[]>('/v1/nodes')
    return hosts
  }
  for (const job of answer.jobs) jobs.push(await planJob(job, readings, { client, askHosts, isExplained: options.why }))
  const refused = refusals.map((mistake) => ({ ...mistake, text: mistakeText({ ...mistake, place: placeOf(mistake) }) }))
  const found = readings.flatMap((reading): readonly FileMistake[] => (reading.kind === 'mistakes' ? reading.mistakes : []))
  const mistakes = [...found, ...otherMistakes, ...refused]
  const placed = mistakes.map((mistake) => ({ place: placeOf(mistake), summary: mistake.summary, detail: mistake.detail }))
  return {
    plan: { ...answer, ...(source === undefined ? {} : { source: source.id }), ...refOf(options), appliedId, jobs, mistakes: placed },
    json: { source: source?.id ?? null, ...answer, jobs, mistakes: mistakes.map(({ text: _, ...mistake }) => mistake) },
    mistakeTexts: mistakes.map(({ text }) => text),
  }
}

function refOf({ ref }: PlanOptions): { readonly ref?: string } {
  return ref === undefined ? {} : { ref }
}

function placeOf({ path, line, column }: Pick<FileMistake, 'path' | 'line' | 'column'>): string {
  return line === 0 ? path : `${path}:${line}:${column}`
}

function overlayOf(overlay: string | null | undefined): OverlayOption {
  return overlay == null ? {} : { overlay }
}

interface Asking {
  readonly client: Client
  /** Asked once, however many jobs want a driver that is nowhere. */
  readonly askHosts: () => Promise<readonly HostDrivers[]>
  readonly isExplained: boolean
}

/** Where the allocations of a new or changed job would go. */
async function planJob(
  planned: PlannedJob,
  readings: readonly JobFileReading[],
  { client, askHosts, isExplained }: Asking,
): Promise<JobPlan> {
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
  const hosts = groups.length === 0 ? [] : await askHosts()
  return { ...planned, plan, missingDrivers: describeMissingDrivers(reading.job, groups, hosts) }
}

function printPlan(answer: PlanToPrint, io: Io): void {
  const { source = 'default', jobs, held, namespaces, hosts, pools, isSchedulerChanged, acts, ignored } = answer
  if (source !== 'default') io.err(`as a commit of the source ${source}\n`)
  for (const name of namespaces) io.out(`+ namespace ${name}\n`)
  for (const { name, change } of pools) io.out(`${SIGNS[change]} pool ${name}  ${change}\n`)
  for (const { name, change } of hosts) io.out(`${SIGNS[change]} host ${name}  ${change}\n`)
  if (isSchedulerChanged) io.out('~ settings of the scheduler\n')
  for (const job of jobs) if (job.change !== 'none') printJob(job, io)
  for (const text of describeCapacity(answer)) io.out(`${text}\n`)
  for (const act of acts) io.out(`! ${act}\n`)
  for (const act of ignored) io.err(`nothing would be done for ${act}\n`)
  if (held !== null) io.err(`held (${held.reason})${held.jobs.map(({ jobId }) => ` ${jobId}`).join('')}: ${held.remedy}\n`)
  io.err(`${changeCounts(answer)}\n`)
}

function printJob({ namespace, id, path, change, setAside, waitsFor, plan, missingDrivers }: JobPlan, io: Io): void {
  if (change === 'frozen') {
    io.out(`! ${path}  has mistakes${id === '' ? '' : `; job ${id} stays as it is`}\n`)
    return
  }
  io.out(`${SIGNS[change]} ${namespace === 'default' ? id : `${namespace}/${id}`}  ${change}  (${path})\n`)
  if (setAside !== null) io.out(`    it failed as version ${setAside.version}${setAside.reason === '' ? '' : `: ${setAside.reason}`}\n`)
  for (const text of waitsFor) io.out(`    waits: ${text}\n`)
  if (plan === null) return
  if (change === 'changed' && plan.Diff !== null) io.out(describeDiff(plan.Diff, '    '))
  for (const text of describeAllUpdates({ plan })) io.out(`    ${text}\n`)
  for (const { Name, NodeName } of plan.Annotations?.PreemptedAllocs ?? []) io.out(`    ends ${Name} on ${NodeName} to make room\n`)
  if (plan.Reasons !== undefined) io.out(describeReasons(plan.Reasons, '    '))
  else if (plan.FailedTGAllocs) io.out(describeFailures(plan.FailedTGAllocs).replace(/^/gm, '    ').trimEnd().concat('\n'))
  io.out(missingDrivers.replace(/^(?=.)/gm, '      '))
  if (plan.Warnings !== '') io.err(`${plan.Warnings}\n`)
}
