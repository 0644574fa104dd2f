/** `drover status [ID]`: what runs, or one thing of it by its id, its name or the beginning of its id. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { parseDurationMs } from './duration.js'
import { addOutputOptions, formatOf, type OutputFormat, type OutputOptions } from './output.js'
import { KINDS, type Kind, resolve } from './resolve.js'
import { awaitRollOut, ROLL_OUT_CODES } from './roll-out.js'
import { showAllocation } from './status/allocation.js'
import { showDeployment } from './status/deployment.js'
import { showEvaluation } from './status/evaluation.js'
import { showJob } from './status/job.js'
import { showJobs } from './status/jobs.js'
import { showNode } from './status/node.js'
import { refuseWatchingThePast, watching } from './watch.js'

/** Prints one object in the form that was asked for. */
export type Show = (id: string, client: Client, io: Io, format: OutputFormat) => Promise<void>

const SHOW: Readonly<Record<Kind, Show>> = {
  job: showJob,
  allocation: showAllocation,
  node: showNode,
  evaluation: showEvaluation,
  deployment: showDeployment,
}

interface StatusOptions extends ConnectionOptions, OutputOptions {
  readonly watch: boolean
  readonly wait: boolean
  readonly timeout: string
  readonly commit?: string
}

export const statusCommand: CommandModule = {
  name: 'status',
  usage: '[options] [ID]',
  summary: 'show the jobs, or one job, allocation, node, evaluation or deployment',
  exitCodes: { 0: 'shown; with --wait: the roll-out succeeded', 1: 'not found, not unique, or no server answers', ...ROLL_OUT_CODES },
  completes: 'id',
  define(command: Command, io: Io, finish) {
    addOutputOptions(addPastOption(addConnectionOptions(command)))
      .argument('[ID]', 'an id, the beginning of one, or the name of a node or an allocation')
      .option('-w, --watch', 'stay, and print anew what has changed', false)
      .option('--wait', 'wait until the roll-out of the job has ended, and tell with the exit code how', false)
      .option('--commit <id>', 'with --wait: first until the server has reached this commit')
      .option('--timeout <duration>', 'with --wait: how long', '10m')
      .action((id: string | undefined, options: StatusOptions) => finish(showStatus(id, options, io)))
  },
}

async function showStatus(id: string | undefined, options: StatusOptions, io: Io): Promise<number> {
  const format = formatOf(options)
  refuseWatchingThePast(options)
  if (options.wait && options.at !== undefined) throw new CommandError('--wait is for what is to come; leave out --at')
  const client = new Client(options, io)
  if (options.wait) {
    if (id === undefined) throw new CommandError('--wait needs the job whose roll-out is waited for')
    return awaitRollOut(id, { commit: options.commit, timeoutMs: parseDurationMs(options.timeout, '--timeout') }, client, io)
  }
  await watching(options.watch, io, async (target) => {
    if (id === undefined) return showJobs(client, target, format)
    const found = await resolve(id, KINDS, client)
    return SHOW[found.kind](found.id, client, target, format)
  })
  return 0
}
