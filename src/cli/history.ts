/** `drover history JOB`: its versions, the commit that each comes from, and what changed. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions } from './client.js'
import type { CommandModule, Io } from './command.js'
import { describeDiff } from './diff.js'
import { addOutputOptions, formatOf, type OutputOptions, printData } from './output.js'
import { resolve } from './resolve.js'
import { describeCommit } from './standing.js'
import { formatAge, formatTable } from './table.js'
import type { DiffAnswer, VersionSourceAnswer, VersionsAnswer } from './wire.js'

interface HistoryOptions extends ConnectionOptions, OutputOptions {
  readonly diff: boolean
}

export const historyCommand: CommandModule = {
  name: 'history',
  usage: '[options] <JOB>',
  summary: 'list the versions of a job: which commit made them, and what they changed',
  exitCodes: { 0: 'listed', 1: 'no such job, or no server answers' },
  completes: 'job',
  define(command: Command, io: Io, finish) {
    addOutputOptions(addPastOption(addConnectionOptions(command)))
      .argument('<JOB>', 'the id of a job, or the beginning of one')
      .option('--diff', 'field by field what each version changed', false)
      .action((id: string, options: HistoryOptions) => finish(showHistory(id, options, io)))
  },
}

async function showHistory(text: string, options: HistoryOptions, io: Io): Promise<number> {
  const format = formatOf(options)
  const client = new Client(options, io)
  const { id } = await resolve(text, ['job'], client)
  const [{ Versions, Diffs }, sources] = await Promise.all([
    client.get<VersionsAnswer>(`/v1/job/${encodeURIComponent(id)}/versions`, { diffs: String(options.diff) }),
    client.get<readonly VersionSourceAnswer[]>(`/drover/v1/history/${encodeURIComponent(id)}`),
  ])
  const sourceOf = (version: number) => sources.find((source) => source.version === version)
  const rows = Versions.map((job) => ({
    version: job.Version,
    submitted: job.SubmitTime,
    stable: job.Stable,
    source: sourceOf(job.Version),
  }))
  if (await printData(format, options.diff ? rows.map((row, at) => ({ ...row, diff: Diffs?.[at] ?? null })) : rows, rows.map(nameOf), io))
    return 0
  const nowMs = Date.now()
  const cells = rows.map(({ version, submitted, stable, source }) => [
    `v${version}`,
    formatAge(submitted, nowMs),
    stable ? 'yes' : 'no',
    source === undefined ? '-' : describeCommit(source.commit),
    [...(source?.revertOf == null ? [] : [`repeats v${source.revertOf}`]), ...(source?.isScaled ? ['scaled'] : [])].join(', '),
  ])
  if (!options.diff) io.out(formatTable(['VERSION', 'AGE', 'STABLE', 'COMMIT', ''], cells, io.terminal))
  else for (const [at, row] of cells.entries()) io.out(`${row.join('  ').trimEnd()}\n${changesOf(Diffs?.[at])}`)
  return 0
}

function nameOf({ version }: { readonly version: number }): string {
  return String(version)
}

/** The oldest version that is kept has nothing to be compared with. */
function changesOf(diff: DiffAnswer | undefined): string {
  return diff === undefined ? '' : describeDiff(diff, '    ')
}
