/** `drover blame JOB`: which commit each field of a job comes from. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { formatJson } from './json.js'
import { resolve } from './resolve.js'
import { formatTable, shortId } from './table.js'
import type { BlamedFieldAnswer } from './wire.js'

interface BlameOptions extends ConnectionOptions {
  readonly json: boolean
  readonly field?: string
}

export const blameCommand: CommandModule = {
  name: 'blame',
  usage: '[options] <JOB>',
  summary: 'tell which commit each field of a job comes from',
  exitCodes: { 0: 'told', 1: 'no such job or field, or no server answers' },
  completes: 'job',
  define(command: Command, io: Io, finish) {
    addPastOption(addConnectionOptions(command))
      .argument('<JOB>', 'the id of a job, or the beginning of one')
      .option('--field <text>', 'only fields whose path has this text in it, as in --field image')
      .option('--json', 'for programs', false)
      .action((id: string, options: BlameOptions) => finish(showBlame(id, options, io)))
  },
}

async function showBlame(text: string, options: BlameOptions, io: Io): Promise<number> {
  const client = new Client(options, io)
  const { id } = await resolve(text, ['job'], client)
  const fields = await client.get<readonly BlamedFieldAnswer[]>(`/drover/v1/blame/${encodeURIComponent(id)}`)
  const wanted = (options.field ?? '').toLowerCase()
  const shown = fields.filter(({ path }) => path.toLowerCase().includes(wanted))
  if (shown.length === 0) throw new CommandError(`job ${id} has no field with ${options.field} in its path`)
  if (options.json) io.out(formatJson(shown))
  else io.out(formatTable(['COMMIT', 'AUTHOR', 'DATE', 'VERSION', 'FIELD', 'VALUE'], shown.map(rowOf), io.terminal))
  if (shown.some(({ isOldest }) => isOldest)) io.err('^ is as old as the oldest version that is kept, or older\n')
  return 0
}

function rowOf({ path, value, version, isOldest, commit }: BlamedFieldAnswer): readonly string[] {
  const date = commit === null ? '-' : new Date(commit.atMs).toISOString().slice(0, 10)
  const name = commit === null ? '-' : `${isOldest ? '^' : ''}${shortId(commit.id)}`
  return [name, commit?.author ?? '-', date, `v${version}`, path, JSON.stringify(value)]
}
