/** `drover logs [-f] ALLOC|JOB [TASK]`: what a task says. */
import type { Command } from 'commander'
import { AnswerError, addConnectionOptions, Client, type ConnectionOptions, type Query } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { parseDurationMs } from './duration.js'
import { allocationsOf, newest, onlyTask } from './find-allocation.js'
import { startOfLast, WholeLines } from './log-lines.js'
import { resolve } from './resolve.js'
import { shortId } from './table.js'
import type { AllocationStub, JobAnswer } from './wire.js'

interface LogsOptions extends ConnectionOptions {
  readonly follow: boolean
  readonly stderr: boolean
  readonly all: boolean
  readonly timestamps: boolean
  readonly tail?: string
  readonly since?: string
}

export const logsCommand: CommandModule = {
  name: 'logs',
  usage: '[options] <ALLOC|JOB> [TASK]',
  summary: 'print what a task of an allocation, or of the newest allocation of a job, has written',
  exitCodes: { 0: 'printed', 1: 'not found, nothing started yet, or no server answers' },
  completes: 'job',
  define(command: Command, io: Io, finish) {
    addConnectionOptions(command)
      .argument('<ALLOC|JOB>', 'a job or an allocation: its id, the beginning of one, or job.group[0]')
      .argument('[TASK]', 'needed when there are several tasks')
      .option('-f, --follow', 'stay and print what is written later; a job is followed from version to version', false)
      .option('--stderr', 'standard error instead of standard output', false)
      .option('--tail <lines>', 'only so many of the last lines')
      .option('--since <time>', 'only what was written since then: 10m, or 2026-11-30T12:00:00Z; to the second')
      .option('--all', 'of all allocations of the job that run, each line with its allocation', false)
      .option('--timestamps', 'when each line was written, to the second', false)
      .action((name: string, task: string | undefined, options: LogsOptions) => finish(printLogs(name, task, options, io)))
  },
}

async function printLogs(name: string, task: string | undefined, options: LogsOptions, io: Io): Promise<number> {
  if (options.tail !== undefined && !/^\d+$/.test(options.tail))
    throw new CommandError(`--tail takes a number of lines, not ${options.tail}`)
  if (options.tail !== undefined && options.since !== undefined)
    throw new CommandError('--tail and --since both say where to begin: give one of them')
  const client = new Client(options, io)
  const { kind, id } = await resolve(name, ['job', 'allocation'], client)
  if (kind === 'allocation') {
    if (options.all) throw new CommandError(`--all is for jobs, and ${name} is an allocation`)
    await printAllocation(await client.get<AllocationStub>(`/v1/allocation/${id}`), task, '', options, client, io)
    return 0
  }
  const job = await client.get<JobAnswer>(`/v1/job/${encodeURIComponent(id)}`)
  if (options.all) await printAll(await allocationsOf(job, client), job, task, options, client, io)
  else if (options.follow) await followJob(job, task, options, client, io)
  else await printAllocation(newest(await allocationsOf(job, client), job), task, '', options, client, io)
  return 0
}

async function printAll(
  allocations: readonly AllocationStub[],
  job: JobAnswer,
  task: string | undefined,
  options: LogsOptions,
  client: Client,
  io: Io,
): Promise<void> {
  const running = allocations.filter(({ ClientStatus }) => ClientStatus === 'running')
  if (running.length === 0) throw new CommandError(`no allocation of job ${job.ID} runs; "drover status ${job.ID}" says why`)
  const print = (allocation: AllocationStub) => {
    const prefix = `${shortId(allocation.ID)} ${allocation.Name.slice(allocation.JobID.length + 1)} `
    return printAllocation(allocation, task, prefix, options, client, io)
  }
  if (options.follow) await Promise.all(running.map(print))
  else for (const allocation of running) await print(allocation)
}

/** When an allocation has ended, the one that came after it is next. */
async function followJob(job: JobAnswer, task: string | undefined, options: LogsOptions, client: Client, io: Io): Promise<void> {
  const path = `/v1/job/${encodeURIComponent(job.ID)}/allocations`
  const printed = new Set<string>()
  let index = '0'
  while (!io.signal.aborted) {
    const list = await client.getWithIndex<readonly AllocationStub[]>(path, { index, wait: '60s' })
    index = list.index
    const next = list.answer.filter((allocation) => !printed.has(allocation.ID) && allocation.ClientStatus === 'running')
    // Before anything was printed, what has ended is worth printing too.
    if (next.length === 0 && (printed.size > 0 || list.answer.length === 0)) continue
    const allocation = newest(next.length > 0 ? next : list.answer, job)
    printed.add(allocation.ID)
    if (printed.size > 1) io.err(`-- allocation ${allocation.ID.slice(0, 8)}, version ${allocation.JobVersion}\n`)
    await printAllocation(allocation, task, '', options, client, io)
  }
}

async function printAllocation(
  allocation: AllocationStub,
  task: string | undefined,
  prefix: string,
  options: LogsOptions,
  client: Client,
  io: Io,
): Promise<void> {
  const name = task ?? (await onlyTask(allocation, client))
  const path = `/v1/client/fs/logs/${allocation.ID}`
  const log = { task: name, type: options.stderr ? 'stderr' : 'stdout', plain: 'true' }
  try {
    const begin = options.tail === undefined ? sinceOf(options) : await startOfLast(Number(options.tail), path, log, client)
    const query = { ...log, ...begin, follow: String(options.follow), ...(options.timestamps ? { timestamps: 'true' } : {}) }
    if (prefix === '') for await (const text of client.stream(path, query)) io.out(text)
    else {
      const lines = new WholeLines()
      for await (const bytes of client.bytes(path, query)) io.out(prefixed(lines.add(bytes), prefix))
      io.out(prefixed(lines.end(), prefix))
    }
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    throw new CommandError(`logs of ${allocation.Name} (${allocation.ID.slice(0, 8)}): ${error.message}`)
  }
}

function sinceOf({ since }: LogsOptions): Query {
  if (since === undefined) return {}
  const ms = /^\d{4}-/.test(since) ? Date.parse(since) : Date.now() - parseDurationMs(since, '--since')
  if (Number.isNaN(ms)) throw new CommandError(`--since takes a duration such as 10m, or a time such as 2026-11-30T12:00:00Z, not ${since}`)
  return { since: new Date(ms).toISOString() }
}

function prefixed(text: string, prefix: string): string {
  return text.replace(/^(?=.|\n)/gm, prefix)
}
