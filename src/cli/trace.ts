/** `drover trace [COMMIT]`: how a commit got to the cluster, and when each of its jobs was planned, placed and healthy. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { formatJson } from './json.js'
import { describeCommit } from './standing.js'
import { formatFacts, formatTable } from './table.js'
import { paintStatus } from './terminal.js'
import { watching } from './watch.js'
import type { SourceAnswer, TraceAnswer } from './wire.js'

interface TraceOptions extends ConnectionOptions {
  readonly source?: string
  readonly json: boolean
  readonly watch: boolean
}

export const traceCommand: CommandModule = {
  name: 'trace',
  usage: '[options] [COMMIT]',
  summary: 'tell how a commit got here, and when each of its jobs was planned, placed and healthy',
  exitCodes: { 0: 'told', 1: 'no such commit was applied, or no server answers' },
  define(command: Command, io: Io, finish) {
    addPastOption(addConnectionOptions(command))
      .argument('[COMMIT]', 'its id or the beginning of it, four characters or more; without one, the commit that is applied')
      .option('--source <name>', 'the source whose commit it is, where several have it; without a commit, the first')
      .option('-w, --watch', 'stay, and print anew what has changed', false)
      .option('--json', 'for programs', false)
      .action((commit: string | undefined, options: TraceOptions) => finish(showTrace(commit, options, io)))
  },
}

async function showTrace(commit: string | undefined, options: TraceOptions, io: Io): Promise<number> {
  const client = new Client(options, io)
  await watching(options.watch, io, async (target) => {
    const { source } = options
    const id = commit ?? (await appliedCommit(client, source))
    const answer = await client.find<TraceAnswer>(`/drover/v1/trace/${encodeURIComponent(id)}`, source === undefined ? {} : { source })
    if (answer === undefined)
      throw new CommandError(
        `no commit ${id} was applied here: it may not have been pushed, be older than the thousand that are remembered, or have come together with a newer one, which counts for it; "drover history JOB" lists the commits of a job`,
      )
    if (options.json) target.out(formatJson(answer))
    else printTrace(answer, target)
  })
  return 0
}

async function appliedCommit(client: Client, named = 'default'): Promise<string> {
  const source = (await client.get<readonly SourceAnswer[]>('/drover/v1/source')).find(({ id }) => id === named)
  if (source?.commit == null) throw new CommandError('no commit was applied yet')
  return source.commit.id
}

function printTrace({ trace, held, jobs }: TraceAnswer, io: Io): void {
  if (held !== null) io.err(`held (${held.reason}): ${held.remedy}\n`)
  if (trace === null) return
  const { source, commit, detectedMs, verifiedMs, parsedMs, appliedMs, registered, waiting, removed, frozen } = trace
  const since = (ms: number | null) => (ms === null ? '-' : formatSince(ms - detectedMs))
  const counts = [
    [registered, 'registered'],
    [waiting, 'put beside to wait'],
    [removed, 'removed'],
    [frozen, 'with mistakes'],
  ] as const
  io.out(
    formatFacts([
      ['commit', `${describeCommit(commit)} (${commit.author})`],
      ...(source === 'default' ? [] : [['source', source] as const]),
      ['committed', new Date(commit.atMs).toISOString()],
      ['detected', new Date(detectedMs).toISOString()],
      ['verified', verifiedMs === null ? 'not asked for' : since(verifiedMs)],
      ['parsed', since(parsedMs)],
      ['applied', `${since(appliedMs)}: ${counts.map(([count, what]) => `${count} ${what}`).join(', ')}`],
    ]),
  )
  if (jobs.length === 0) return
  const rows = jobs.map((job) => [
    job.namespace === 'default' ? job.jobId : `${job.namespace}/${job.jobId}`,
    job.version === null ? '-' : `v${job.version}`,
    ...[job.registeredMs, job.plannedMs, job.placedMs, job.endedMs].map(since),
    paintStatus(job.outcome, io.terminal),
  ])
  io.out(`\n${formatTable(['JOB', 'VERSION', 'REGISTERED', 'PLANNED', 'PLACED', 'ENDED', 'OUTCOME'], rows, io.terminal)}`)
  for (const { jobId, waitsFor } of jobs) for (const text of waitsFor) io.err(`${jobId}: ${text}\n`)
}

/** `+0.042s`, `+12.3s`, `+4m10s` after it was detected. */
function formatSince(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return `+${seconds.toFixed(3)}s`
  return seconds < 100 ? `+${seconds.toFixed(1)}s` : `+${Math.floor(seconds / 60)}m${Math.floor(seconds % 60)}s`
}
