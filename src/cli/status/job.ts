import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { type OutputFormat, printData } from '../output.js'
import { describeFailures } from '../placement.js'
import { describeSetAside, describeWait } from '../standing.js'
import { counted, formatAge, formatFacts, formatTable, shortId } from '../table.js'
import { paintStatus, type Terminal } from '../terminal.js'
import type {
  AllocationStub,
  DeploymentAnswer,
  EvaluationAnswer,
  JobAnswer,
  JobSourceAnswer,
  JobStub,
  JobSummary,
  OrderAnswer,
  SourceAnswer,
  WaitingAnswer,
} from '../wire.js'
import { describeSource, describeStatus } from './jobs.js'

/** One job: what it is, since which commit, what runs of it, and what could not be placed. */
export async function showJob(id: string, client: Client, io: Io, format: OutputFormat): Promise<void> {
  const path = `/v1/job/${encodeURIComponent(id)}`
  const job = await client.get<JobAnswer>(path)
  if (await printData(format, job, [job.ID], io)) return
  const [summary, allocations, evaluations, deployment, owned, waiting, sources] = await Promise.all([
    client.get<JobSummary>(`${path}/summary`),
    client.get<readonly AllocationStub[]>(`${path}/allocations`),
    client.get<readonly EvaluationAnswer[]>(`${path}/evaluations`),
    client.get<DeploymentAnswer | null>(`${path}/deployment`),
    client.get<readonly JobSourceAnswer[]>('/drover/v1/jobs'),
    client.get<readonly WaitingAnswer[]>('/drover/v1/waiting'),
    client.get<readonly SourceAnswer[]>('/drover/v1/source'),
  ])
  const nowMs = Date.now()
  const source = owned.find(({ namespace, jobId }) => namespace === job.Namespace && jobId === job.ID)
  const wait = waiting.find(({ namespace, jobId }) => namespace === job.Namespace && jobId === job.ID)
  const waits = wait === undefined ? [] : [['waits', describeWait(wait, nowMs)] as const]
  io.out(formatFacts([...factsOf(job, source, deployment, allocations, nowMs, io.terminal), ...orderFacts(source?.order, nowMs), ...waits]))
  const { Children } = summary
  if (Children !== null && isParent(job)) {
    const { Pending, Running, Dead } = Children
    io.out(`\nchildren: ${Pending} pending, ${Running} running, ${Dead} dead\n`)
    const children = await client.get<readonly JobStub[]>('/v1/jobs', { prefix: `${job.ID}/` })
    if (children.length > 0) io.out(childTable(children, nowMs, io.terminal))
  } else
    io.out(
      `\n${formatTable(['GROUP', 'WANTED', 'RUNNING', 'STARTING', 'QUEUED', 'FAILED', 'LOST', 'COMPLETE'], groupRows(job, summary), io.terminal)}`,
    )
  if (allocations.length > 0) io.out(`\n${allocationTable(allocations, nowMs, io.terminal)}`)
  const blocked = evaluations.filter((evaluation) => evaluation.Status === 'blocked').sort((a, b) => b.CreateIndex - a.CreateIndex)[0]
  if (blocked?.FailedTGAllocs) io.err(`\n${describeFailures(blocked.FailedTGAllocs)}`)
  for (const { frozen, ...rest } of sources) io.err(describeSource({ ...rest, frozen: frozen.filter((file) => file.jobId === job.ID) }))
}

function factsOf(
  job: JobAnswer,
  source: JobSourceAnswer | undefined,
  deployment: DeploymentAnswer | null,
  allocations: readonly AllocationStub[],
  nowMs: number,
  terminal: Terminal | undefined,
) {
  const facts: (readonly [string, string])[] = [
    ['job', job.ID],
    ['namespace', job.Namespace],
    ['type', job.Type],
    ['status', paintStatus(describeStatus({ ...job, Allocs: allocations }), terminal)],
    ['version', `${job.Version}, ${formatAge(job.SubmitTime, nowMs)} ago`],
  ]
  if (job.Periodic !== null) {
    const { Spec, Specs, TimeZone } = job.Periodic
    facts.push(['launched at', `${[...(Specs ?? []), Spec].filter((spec) => spec !== '').join(', ')} (${TimeZone})`])
  }
  if (job.StatusDescription !== '') facts.push(['description', job.StatusDescription])
  if (source !== undefined) {
    const commit = source.standing?.commit ?? source.commit
    facts.push(
      ['file', source.source === 'default' ? source.path : `${source.path} of the source ${source.source}`],
      ['commit', `${commit.id.slice(0, 12)} ${commit.subject} (${commit.author})`],
    )
    const setAside = source.standing === null ? '' : describeSetAside(source.standing)
    if (setAside !== '') facts.push(['set aside', setAside])
  }
  if (deployment !== null)
    facts.push(['deployment', `${shortId(deployment.ID)} ${paintStatus(deployment.Status, terminal)}: ${deployment.StatusDescription}`])
  return facts
}

function orderFacts(order: OrderAnswer | undefined, nowMs: number): readonly (readonly [string, string])[] {
  if (order === undefined) return []
  const { dependsOn, bundle, suspend } = order
  const isSuspended = suspend !== null && suspend.untilMs > nowMs
  return [
    ...(dependsOn.length === 0
      ? []
      : [['depends on', dependsOn.map(({ namespace, jobId }) => `${namespace}/${jobId}`).join(', ')] as const]),
    ...(bundle === '' ? [] : [['bundle', bundle] as const]),
    ...(isSuspended ? [['suspended', `until ${new Date(suspend.untilMs).toISOString()}: ${suspend.reason}`] as const] : []),
  ]
}

/** Other jobs are made from it, and nothing of it runs itself. */
function isParent({ Periodic, ParameterizedJob, Dispatched }: JobAnswer): boolean {
  return Periodic !== null || (ParameterizedJob !== null && !Dispatched)
}

const CHILDREN_SHOWN = 10

/** The newest ones. */
function childTable(children: readonly JobStub[], nowMs: number, terminal: Terminal | undefined): string {
  const newest = [...children].sort((a, b) => b.SubmitTime - a.SubmitTime || (a.ID < b.ID ? -1 : 1)).slice(0, CHILDREN_SHOWN)
  const rows = newest.map((child) => [child.ID, paintStatus(child.Status, terminal), formatAge(child.SubmitTime, nowMs)])
  const more = children.length - newest.length
  return `${formatTable(['CHILD', 'STATUS', 'AGE'], rows, terminal)}${more > 0 ? `and ${counted(more, 'older one')}\n` : ''}`
}

function groupRows(job: JobAnswer, { Summary }: JobSummary): readonly (readonly string[])[] {
  return job.TaskGroups.map(({ Name, Count }) => {
    const counts = Summary[Name]
    const names = ['Running', 'Starting', 'Queued', 'Failed', 'Lost', 'Complete'] as const
    return [Name, String(job.Stop ? 0 : Count), ...names.map((name) => String(counts?.[name] ?? 0))]
  })
}

/** Newest first. */
export function allocationTable(allocations: readonly AllocationStub[], nowMs: number, terminal: Terminal | undefined): string {
  const rows = [...allocations]
    .sort((a, b) => b.CreateIndex - a.CreateIndex || (a.Name < b.Name ? -1 : 1))
    .map((allocation) => [
      shortId(allocation.ID),
      allocation.Name,
      allocation.NodeName,
      `v${allocation.JobVersion}`,
      allocation.DesiredStatus,
      paintStatus(allocation.ClientStatus, terminal),
      formatAge(allocation.CreateTime, nowMs),
    ])
  return formatTable(['ALLOCATION', 'NAME', 'NODE', 'VERSION', 'DESIRED', 'STATUS', 'AGE'], rows, terminal)
}
