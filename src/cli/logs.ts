/** `drover logs [-f] ALLOC|JOB [TASK]`: what a task says. */
import type { Command } from 'commander'
import { AnswerError, addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { allocationsOf, newest, onlyTask } from './find-allocation.js'
import { LineTail, lastLines } from './log-lines.js'
import { resolve } from './resolve.js'
import { shortId } from './table.js'
import type { AllocationStub, JobAnswer } from './wire.js'

interface LogsOptions extends ConnectionOptions {
  readonly follow: boolean
  readonly stderr: boolean
  readonly all: boolean
  readonly timestamps: boolean
  readonly tail?: string
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
      .option('--all', 'of all allocations of the job that run, each line with its allocation', false)
      .option('--timestamps', 'with -f: when each line arrived', false)
      .action((name: string, task: string | undefined, options: LogsOptions) => finish(printLogs(name, task, options, io)))
  },
}

/** How lines are told apart: of which allocation, and when they came. */
interface Mark {
  readonly prefix: string
  readonly withTime: boolean
}

async function printLogs(name: string, task: string | undefined, options: LogsOptions, io: Io): Promise<number> {
  if (options.tail !== undefined && !/^\d+$/.test(options.tail))
    throw new CommandError(`--tail takes a number of lines, not ${options.tail}`)
  if (options.timestamps && !options.follow) throw new CommandError('--timestamps tells when lines arrive, so it needs --follow')
  const client = new Client(options, io)
  const mark = { prefix: '', withTime: options.timestamps }
  const { kind, id } = await resolve(name, ['job', 'allocation'], client)
  if (kind === 'allocation') {
    if (options.all) throw new CommandError(`--all is for jobs, and ${name} is an allocation`)
    await printAllocation(await client.get<AllocationStub>(`/v1/allocation/${id}`), task, mark, options, client, io)
    return 0
  }
  const job = await client.get<JobAnswer>(`/v1/job/${encodeURIComponent(id)}`)
  if (options.all) await printAll(await allocationsOf(job, client), job, task, options, client, io)
  else if (options.follow) await followJob(job, task, mark, options, client, io)
  else await printAllocation(newest(await allocationsOf(job, client), job), task, mark, options, client, io)
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
    return printAllocation(allocation, task, { prefix, withTime: options.timestamps }, options, client, io)
  }
  if (options.follow) await Promise.all(running.map(print))
  else for (const allocation of running) await print(allocation)
}

/** When an allocation has ended, the one that came after it is next. */
async function followJob(
  job: JobAnswer,
  task: string | undefined,
  mark: Mark,
  options: LogsOptions,
  client: Client,
  io: Io,
): Promise<void> {
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
    await printAllocation(allocation, task, mark, options, client, io)
  }
}

async function printAllocation(
  allocation: AllocationStub,
  task: string | undefined,
  mark: Mark,
  options: LogsOptions,
  client: Client,
  io: Io,
): Promise<void> {
  const name = task ?? (await onlyTask(allocation, client))
  const path = `/v1/client/fs/logs/${allocation.ID}`
  const query = { task: name, type: options.stderr ? 'stderr' : 'stdout', plain: 'true' }
  try {
    const tail = options.tail === undefined ? undefined : await lastLines(Number(options.tail), path, query, client)
    const lines = new LineTail(tail?.skip ?? 0)
    if (tail !== undefined && !options.follow) io.out(marked(tail.text, mark))
    else if (mark.prefix === '' && !mark.withTime && tail === undefined)
      for await (const text of client.stream(path, { ...query, follow: String(options.follow) })) io.out(text)
    else {
      const origin = tail === undefined ? {} : { origin: 'end', offset: String(tail.length) }
      for await (const bytes of client.bytes(path, { ...query, follow: String(options.follow), ...origin }))
        io.out(marked(lines.add(bytes), mark))
      io.out(marked(lines.end(), mark))
    }
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    throw new CommandError(`logs of ${allocation.Name} (${allocation.ID.slice(0, 8)}): ${error.message}`)
  }
}

function marked(text: string, { prefix, withTime }: Mark): string {
  if (text === '' || (prefix === '' && !withTime)) return text
  const time = withTime ? `${new Date().toISOString()} ` : ''
  return text.replace(/^(?=.|\n)/gm, `${time}${prefix}`)
}
