/** All jobs, and what keeps the repository from being what runs. */
import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { type OutputFormat, printData } from '../output.js'
import { describeCommit, describeSetAside, describeWait } from '../standing.js'
import { formatAge, formatTable } from '../table.js'
import { paintStatus } from '../terminal.js'
import type { HealthAnswer, JobSourceAnswer, JobStatusAnswer, JobStub, SourceAnswer, WaitingAnswer } from '../wire.js'

export async function showJobs(client: Client, io: Io, format: OutputFormat): Promise<void> {
  if (format !== 'table' && format !== 'wide') {
    const stubs = await client.get<readonly JobStub[]>('/v1/jobs')
    await printData(
      format,
      stubs,
      stubs.map(({ ID }) => ID),
      io,
    )
    return
  }
  const [jobs, sources, owned, waiting, { server }] = await Promise.all([
    client.get<readonly JobStatusAnswer[]>('/v1/jobs/statuses'),
    client.get<readonly SourceAnswer[]>('/drover/v1/source'),
    client.get<readonly JobSourceAnswer[]>('/drover/v1/jobs'),
    client.get<readonly WaitingAnswer[]>('/drover/v1/waiting'),
    client.get<HealthAnswer>('/v1/agent/health'),
  ])
  const standings = new Map(owned.map(({ namespace, jobId, standing }) => [`${namespace} ${jobId}`, standing]))
  const nowMs = Date.now()
  const hasNamespaces = client.connection.namespace === '*'
  const rows = [...jobs].sort(byName).map((job) => {
    const commit = standings.get(`${job.Namespace} ${job.ID}`)?.commit
    const cells = [job.ID, job.Type, paintStatus(describeStatus(job), io.terminal), countJob(job), formatAge(job.SubmitTime, nowMs)]
    return [...(hasNamespaces ? [job.Namespace] : []), ...cells, commit === undefined || commit === null ? '-' : describeCommit(commit)]
  })
  if (rows.length === 0) io.err('no jobs; commit a job file below jobs/\n')
  else io.out(formatTable([...(hasNamespaces ? ['NAMESPACE'] : []), 'ID', 'TYPE', 'STATUS', 'RUNNING', 'AGE', 'COMMIT'], rows, io.terminal))
  if (sources.length > 1)
    io.out(
      `\n${formatTable(
        ['SOURCE', 'REF', 'JOBS', 'MISTAKES', 'FETCHED', 'COMMIT'],
        sources.map((source) => sourceRow(source, nowMs)),
        io.terminal,
      )}`,
    )
  for (const { jobId, standing } of owned)
    if (standing !== null && standing.setAside !== null) io.err(`${jobId}: ${describeSetAside(standing)}\n`)
  for (const change of waiting) io.err(`${change.jobId} ${describeWait(change, nowMs)}\n`)
  for (const source of sources) io.err(describeSource(source))
  if (server.message !== 'ok') io.err(`${server.message}\n`)
}

function byName(a: JobStatusAnswer, b: JobStatusAnswer): number {
  return a.Namespace === b.Namespace ? (a.ID < b.ID ? -1 : 1) : a.Namespace < b.Namespace ? -1 : 1
}

/** What has ended is told as stopped, failed or complete. */
export function describeStatus({ Status, Stop, Version, Allocs }: Pick<JobStatusAnswer, 'Status' | 'Stop' | 'Version' | 'Allocs'>): string {
  if (Stop) return `${Status} (stopped)`
  if (Status !== 'dead') return Status
  const newest = (Allocs ?? []).filter((allocation) => allocation.JobVersion === Version)
  return newest.every(({ ClientStatus }) => ClientStatus === 'complete') ? `${Status} (complete)` : `${Status} (failed)`
}

/**
 * How many run of how many that are wanted; work that is on every node, or is done, wants no certain number, and of a job that others are
 * made from it is these that run.
 */
export function countJob({ Type, Status, Stop, GroupCountSum, Allocs, ChildStatuses }: JobStatusAnswer): string {
  if (ChildStatuses !== null) return String(ChildStatuses.filter((status) => status === 'running').length)
  const running = (Allocs ?? []).filter(({ ClientStatus }) => ClientStatus === 'running').length
  const isCounted = (Type === 'service' || Type === 'batch') && Status !== 'dead'
  return isCounted ? `${running}/${Stop ? 0 : GroupCountSum}` : String(running)
}

function sourceRow({ id, ref, isFollowed, jobs, frozen, remote, commit }: SourceAnswer, nowMs: number): readonly string[] {
  const ageMs = remote?.ageMs
  const fetched = ageMs === undefined || ageMs === null ? '-' : formatAge((nowMs - ageMs) * 1_000_000, nowMs)
  return [
    id,
    isFollowed ? ref : 'followed no more',
    String(jobs),
    String(frozen.length),
    fetched,
    commit === null ? '-' : describeCommit(commit),
  ]
}

/** Empty when all is well. */
export function describeSource({ id, isFollowed, jobs, frozen, held, problem }: SourceAnswer): string {
  const lines = frozen.flatMap(({ jobId, mistakes }) =>
    mistakes.map(
      ({ place, summary, detail }) =>
        `${place}: ${summary}${detail === '' ? '' : `: ${detail}`}${jobId === null ? '' : ` (job ${jobId} stays as it was)`}`,
    ),
  )
  if (problem !== null) lines.push(`the repository cannot be read: ${problem}`)
  if (held !== null) lines.push(`held (${held.reason}) ${held.jobs.map((job) => job.jobId).join(', ')}: ${held.remedy}`)
  if (!isFollowed && jobs > 0)
    lines.push(`it is followed no more, and its jobs (${jobs}) stay as they are; another source may define them, or it is followed again`)
  return lines.map((line) => `${id === 'default' ? '' : `${id}: `}${line}\n`).join('')
}
