/** All jobs, and what keeps the repository from being what runs. */
import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { formatJson } from '../json.js'
import { formatAge, formatTable, shortId } from '../table.js'
import type { HealthAnswer, JobSourceAnswer, JobStub, SourceAnswer } from '../wire.js'

export async function showJobs(client: Client, io: Io, asJson: boolean): Promise<void> {
  const jobs = await client.get<readonly JobStub[]>('/v1/jobs')
  if (asJson) {
    io.out(formatJson(jobs))
    return
  }
  const [sources, owned, { server }] = await Promise.all([
    client.get<readonly SourceAnswer[]>('/drover/v1/source'),
    client.get<readonly JobSourceAnswer[]>('/drover/v1/jobs'),
    client.get<HealthAnswer>('/v1/agent/health'),
  ])
  const commits = new Map(owned.map((source) => [`${source.namespace} ${source.jobId}`, source.commit]))
  const nowMs = Date.now()
  const hasNamespaces = client.connection.namespace === '*'
  const rows = jobs.map((job) => {
    const commit = commits.get(`${job.Namespace} ${job.ID}`)
    const { running, wanted } = countJob(job)
    const cells = [
      job.ID,
      job.Type,
      job.Stop ? `${job.Status} (stopped)` : job.Status,
      `${running}/${wanted}`,
      formatAge(job.SubmitTime, nowMs),
    ]
    return [...(hasNamespaces ? [job.Namespace] : []), ...cells, commit === undefined ? '-' : `${shortId(commit.id)} ${commit.subject}`]
  })
  if (rows.length === 0) io.err('no jobs; commit a job file below jobs/\n')
  else io.out(formatTable([...(hasNamespaces ? ['NAMESPACE'] : []), 'ID', 'TYPE', 'STATUS', 'RUNNING', 'AGE', 'COMMIT'], rows))
  for (const source of sources) io.err(describeSource(source))
  if (server.message !== 'ok') io.err(`${server.message}\n`)
}

/** What runs or is about to, and how much of it there should be. */
function countJob(job: JobStub): { readonly running: number; readonly wanted: number } {
  const groups = Object.values(job.JobSummary.Summary)
  const sum = (...names: readonly ('Running' | 'Starting' | 'Queued' | 'Unknown')[]) =>
    groups.reduce((total, group) => total + names.reduce((part, name) => part + group[name], 0), 0)
  return { running: sum('Running'), wanted: sum('Running', 'Starting', 'Queued', 'Unknown') }
}

/** Empty when all is well. */
export function describeSource({ frozen, held, problem }: SourceAnswer): string {
  const lines = frozen.flatMap(({ jobId, mistakes }) =>
    mistakes.map(
      ({ place, summary, detail }) =>
        `${place}: ${summary}${detail === '' ? '' : `: ${detail}`}${jobId === null ? '' : ` (job ${jobId} stays as it was)`}`,
    ),
  )
  if (problem !== null) lines.push(`the repository cannot be read: ${problem}`)
  if (held !== null) lines.push(`held (${held.reason}) ${held.jobs.map((job) => job.jobId).join(', ')}: ${held.remedy}`)
  return lines.map((line) => `${line}\n`).join('')
}
