/** `drover logs [-f] ALLOC|JOB [TASK]`: what a task says. */
import type { Command } from 'commander'
import { AnswerError, addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import type { AllocationAnswer, AllocationStub, JobAnswer } from './wire.js'

interface LogsOptions extends ConnectionOptions {
  readonly follow: boolean
  readonly stderr: boolean
  readonly tail?: string
}

export const logsCommand: CommandModule = {
  name: 'logs',
  usage: '[options] <ALLOC|JOB> [TASK]',
  summary: 'print what a task of an allocation, or of the newest allocation of a job, has written',
  exitCodes: { 0: 'printed', 1: 'not found, nothing started yet, or no server answers' },
  define(command: Command, io: Io, finish) {
    addConnectionOptions(command)
      .argument('<ALLOC|JOB>', 'a job id, an allocation id, or the beginning of one')
      .argument('[TASK]', 'needed when there are several tasks')
      .option('-f, --follow', 'stay and print what is written later; a job is followed from version to version', false)
      .option('--stderr', 'standard error instead of standard output', false)
      .option('--tail <bytes>', 'begin this many bytes before the end')
      .action((name: string, task: string | undefined, options: LogsOptions) => finish(printLogs(name, task, options, io)))
  },
}

async function printLogs(name: string, task: string | undefined, options: LogsOptions, io: Io): Promise<number> {
  if (options.tail !== undefined && !/^\d+$/.test(options.tail))
    throw new CommandError(`--tail takes a number of bytes, not ${options.tail}`)
  const client = new Client(options, io)
  const job = await client.find<JobAnswer>(`/v1/job/${encodeURIComponent(name)}`)
  if (job === undefined) await printAllocation(await findAllocation(name, client), task, options, client, io)
  else if (options.follow) await followJob(job, task, options, client, io)
  else await printAllocation(newest(await allocationsOf(job, client), job), task, options, client, io)
  return 0
}

async function findAllocation(prefix: string, client: Client): Promise<AllocationStub> {
  const even = prefix.replaceAll('-', '').length % 2 === 0 ? prefix : prefix.slice(0, -1)
  const isId = /^[0-9a-f-]{2,36}$/.test(prefix)
  const found = isId
    ? (await client.get<readonly AllocationStub[]>('/v1/allocations', { prefix: even })).filter(({ ID }) => ID.startsWith(prefix))
    : []
  const [only, ...others] = found
  if (only === undefined) throw new CommandError(`no job and no allocation is called ${prefix}; "drover status" lists the jobs`)
  if (others.length > 0) throw new CommandError(`${prefix} is the beginning of ${found.length} allocation ids, give more of it`)
  return only
}

function allocationsOf(job: JobAnswer, client: Client): Promise<readonly AllocationStub[]> {
  return client.get<readonly AllocationStub[]>(`/v1/job/${encodeURIComponent(job.ID)}/allocations`)
}

/** What runs is meant before what has ended. */
function newest(allocations: readonly AllocationStub[], job: JobAnswer): AllocationStub {
  const isRunning = (allocation: AllocationStub) => Number(allocation.ClientStatus === 'running')
  const [first] = [...allocations].sort((a, b) => isRunning(b) - isRunning(a) || b.CreateIndex - a.CreateIndex)
  if (first === undefined) throw new CommandError(`job ${job.ID} has no allocation yet; "drover status ${job.ID}" says why`)
  return first
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
    await printAllocation(allocation, task, options, client, io)
  }
}

async function printAllocation(
  allocation: AllocationStub,
  task: string | undefined,
  options: LogsOptions,
  client: Client,
  io: Io,
): Promise<void> {
  const name = task ?? (await onlyTask(allocation, client))
  const query = {
    task: name,
    type: options.stderr ? 'stderr' : 'stdout',
    plain: 'true',
    follow: String(options.follow),
    ...(options.tail === undefined ? {} : { origin: 'end', offset: options.tail }),
  }
  try {
    for await (const text of client.stream(`/v1/client/fs/logs/${allocation.ID}`, query)) io.out(text)
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    throw new CommandError(`logs of ${allocation.Name} (${allocation.ID.slice(0, 8)}): ${error.message}`)
  }
}

async function onlyTask(allocation: AllocationStub, client: Client): Promise<string> {
  const { Job } = await client.get<AllocationAnswer>(`/v1/allocation/${allocation.ID}`)
  const tasks = Job?.TaskGroups.find((group) => group.Name === allocation.TaskGroup)?.Tasks.map((task) => task.Name) ?? []
  const [only, ...others] = tasks
  if (only === undefined) throw new CommandError(`allocation ${allocation.ID} has no tasks`)
  if (others.length > 0)
    throw new CommandError(`allocation ${allocation.ID.slice(0, 8)} has several tasks, name one of: ${tasks.join(' ')}`)
  return only
}
