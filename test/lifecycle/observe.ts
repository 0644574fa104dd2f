/** What is seen of a cluster, in the shape in which stories record it. */
import type { StoryCluster } from './cluster.js'
import { logText, readChecks, type SeenService, servicesCalled } from './conditions.js'
import { describeEvaluations } from './evaluations.js'
import { logFiles, tree } from './folders.js'
import type { SeenAllocation, SeenDeployment, SeenTask, SeenWholeAllocation } from './names.js'
import type { RecordedTask } from './story.js'

export async function observe(world: StoryCluster, what: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
  const seen: Record<string, unknown> = {}
  // Flags are there without a server, too.
  const allocations = Object.keys(what).every((kind) => kind === 'flags') ? [] : await world.allocations()
  const called = (name: string) => allocations.find(({ ID }) => ID === world.names.idOf(name))
  const folderOf = (one: SeenAllocation | undefined) => (one === undefined ? undefined : world.folderOf(one))
  for (const [kind, asked] of Object.entries(what)) {
    if (kind === 'allocations') seen[kind] = Object.fromEntries(allocations.map((one) => [world.names.allocation(one.ID), brief(one)]))
    else if (kind === 'deployments') seen[kind] = await observeDeployments(world)
    else if (kind === 'services') seen[kind] = await observeServices(world)
    else if (kind === 'checks') seen[kind] = await observeChecks(world, called(asked as string))
    else if (kind === 'cat')
      seen[kind] = texts(asked as string[][], ([name, path]) => read(called(name!), (one) => world.fileOf(one, path!)))
    else if (kind === 'logs')
      seen[kind] = texts(asked as string[][], ([name, task, stream]) => read(called(name!), (one) => logText(world, one, task!, stream)))
    else if (kind === 'log_files') seen[kind] = logFiles(folderOf(called(asked as string)))
    else if (kind === 'flags') seen[kind] = Object.fromEntries((asked as string[]).map((name) => [name, world.flag(name) ?? null]))
    else if (kind === 'tree') seen[kind] = tree(folderOf(called(asked as string)))
    else if (kind === 'jobs') seen[kind] = await observeJobs(world)
    else if (kind === 'nodes') seen[kind] = await observeNodes(world)
    else if (kind === 'evaluations') seen[kind] = await describeEvaluations(world)
    else if (kind === 'preemptions' || kind === 'scale_status') throw new Error(`no story has told how ${kind} are noted`)
    else if (kind === 'summary') seen[kind] = await summaryOf(world, world.names.jobIdOf(asked as string))
  }
  return world.names.anonymized(seen, world)
}

function brief(allocation: SeenAllocation): object {
  const { DeploymentStatus } = allocation
  const tasks = Object.entries(allocation.TaskStates ?? {}).map(([name, { State, Failed, Restarts }]) => [name, [State, Failed, Restarts]])
  return {
    desired: allocation.DesiredStatus,
    client: allocation.ClientStatus,
    version: allocation.JobVersion,
    node: allocation.NodeName,
    tasks: Object.fromEntries(tasks),
    ...(DeploymentStatus === null || DeploymentStatus === undefined
      ? {}
      : { healthy: DeploymentStatus.Healthy, canary: DeploymentStatus.Canary }),
  }
}

function texts(asked: readonly string[][], textOf: (words: readonly string[]) => string | null): object {
  return Object.fromEntries(asked.map((words) => [words.join(' '), textOf(words)]))
}

function read(allocation: SeenAllocation | undefined, textOf: (allocation: SeenAllocation) => string | undefined): string | null {
  return allocation === undefined ? null : (textOf(allocation) ?? null)
}

export async function observeServices(world: StoryCluster): Promise<readonly object[]> {
  const byNamespace = await world.get<{ Services: { ServiceName: string }[] }[]>('/v1/services?namespace=*')
  const names = byNamespace.flatMap(({ Services }) => Services.map(({ ServiceName }) => ServiceName))
  const all: SeenService[] = []
  for (const name of [...new Set(names)].sort()) all.push(...(await servicesCalled(world, name)))
  return all.map((service) => ({
    service: service.ServiceName,
    alloc: world.names.allocation(service.AllocID),
    job: world.names.job(service.JobID),
    tags: service.Tags ?? [],
    address: service.Address,
    port: service.Port,
    id: service.ID,
  }))
}

async function observeChecks(world: StoryCluster, allocation: SeenAllocation | undefined): Promise<readonly object[]> {
  if (allocation === undefined) return []
  return (await readChecks(world, allocation.ID)).map((check) => ({
    check: check.Check,
    service: check.Service,
    task: check.Task ?? '',
    group: check.Group,
    mode: check.Mode,
    status: check.Status,
    ...(check.StatusCode === undefined || check.StatusCode === 0 ? {} : { code: check.StatusCode }),
    output: check.Output,
  }))
}

async function observeJobs(world: StoryCluster): Promise<object> {
  const noted: Record<string, object> = {}
  for (const { ID, Status } of await world.jobs()) {
    const { Stop } = await world.get<{ Stop: boolean }>(`/v1/job/${encodeURIComponent(ID)}`)
    noted[world.names.job(ID)] = { status: Status, stop: Stop }
  }
  return noted
}

interface SeenNode {
  readonly Name: string
  readonly Status: string
  readonly SchedulingEligibility: string
  readonly Drain: boolean
  readonly LastDrain: { readonly Status: string } | null
  readonly Events: readonly { readonly Subsystem: string; readonly Message: string; readonly Details: object | null }[]
}

async function observeNodes(world: StoryCluster): Promise<object> {
  const noted: Record<string, object> = {}
  for (const { ID } of await world.get<{ ID: string }[]>('/v1/nodes')) {
    const node = await world.get<SeenNode>(`/v1/node/${ID}`)
    noted[node.Name] = {
      status: node.Status,
      eligibility: node.SchedulingEligibility,
      drain: node.Drain,
      last_drain: node.LastDrain?.Status ?? null,
      events: node.Events.map(({ Subsystem, Message, Details }) => [Subsystem, Message, Details ?? {}]),
    }
  }
  return noted
}

async function observeDeployments(world: StoryCluster): Promise<object> {
  const deployments = await world.deployments()
  return Object.fromEntries(deployments.map((deployment) => [world.names.deployment(deployment.ID), describeDeployment(world, deployment)]))
}

export function describeDeployment(world: StoryCluster, deployment: SeenDeployment): Readonly<Record<string, unknown>> {
  const groups = Object.entries(deployment.TaskGroups).map(([name, group]) => [
    name,
    {
      desired_total: group.DesiredTotal,
      placed: group.PlacedAllocs,
      healthy: group.HealthyAllocs,
      unhealthy: group.UnhealthyAllocs,
      desired_canaries: group.DesiredCanaries,
      promoted: group.Promoted,
      canaries: ((group.PlacedCanaries ?? []) as string[]).map((id) => world.names.allocation(id)),
    },
  ])
  return {
    status: deployment.Status,
    description: deployment.StatusDescription,
    job_version: deployment.JobVersion,
    groups: Object.fromEntries(groups),
  }
}

export async function summaryOf(world: StoryCluster, jobId: string): Promise<object> {
  const summary = await world.get<{ Summary: Record<string, Record<string, number>>; Children: Record<string, number> | null }>(
    `/v1/job/${encodeURIComponent(jobId)}/summary`,
  )
  const lower = (counts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [name.toLowerCase(), count]))
  const groups = Object.entries(summary.Summary).map(([name, counts]) => [name, lower(counts)])
  return { groups: Object.fromEntries(groups), children: lower(summary.Children ?? { pending: 0, running: 0, dead: 0 }) }
}

/** One allocation as the record has it, as far as it is compared. */
export function describeAllocation(
  world: StoryCluster,
  allocation: SeenWholeAllocation,
  nodes: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  const { DeploymentStatus } = allocation
  const described = {
    alloc: world.names.allocation(allocation.ID),
    job: world.names.job(allocation.JobID),
    group: allocation.TaskGroup,
    job_version: allocation.JobVersion,
    node: allocation.NodeName,
    desired: allocation.DesiredStatus,
    desired_description: allocation.DesiredDescription,
    client: allocation.ClientStatus,
    client_description: allocation.ClientDescription,
    has_creator: isThere(allocation.EvalID),
    creator: allocation.EvalID,
    has_follow_up: isThere(allocation.FollowupEvalID),
    previous: linkTo(world, allocation.PreviousAllocation),
    next: linkTo(world, allocation.NextAllocation),
    desired_transition: Object.fromEntries(Object.entries(allocation.DesiredTransition ?? {}).filter(([, value]) => value === true)),
    reschedules: (allocation.RescheduleTracker?.Events ?? []).map(({ PrevAllocID, PrevNodeID, Delay }) => ({
      previous: linkTo(world, PrevAllocID),
      previous_node: `<node ${nodes.get(PrevNodeID)}>`,
      delay_seconds: Delay / NANOSECONDS_PER_SECOND,
    })),
    ...(DeploymentStatus === null || DeploymentStatus === undefined
      ? {}
      : { deployment_status: { healthy: DeploymentStatus.Healthy, canary: DeploymentStatus.Canary } }),
    tasks: Object.fromEntries(Object.entries(allocation.TaskStates ?? {}).map(([name, task]) => [name, describeTask(task)])),
  }
  return world.names.anonymized(described, world)
}

const NANOSECONDS_PER_SECOND = 1e9

function linkTo(world: StoryCluster, id: string | undefined): string | undefined {
  return isThere(id) ? `<alloc ${world.names.allocation(id!)}>` : undefined
}

function isThere(id: string | undefined): boolean {
  return id !== undefined && id !== ''
}

function describeTask(task: SeenTask): RecordedTask {
  return {
    state: task.State,
    failed: task.Failed,
    restarts: task.Restarts,
    started: isTime(task.StartedAt),
    finished: isTime(task.FinishedAt),
    events: (task.Events ?? []).map((event) => ({
      type: event.Type,
      message: event.DisplayMessage,
      details: event.Details ?? {},
      ...(event.FailsTask ? { fails_task: true } : {}),
    })),
  }
}

function isTime(text: string | null): boolean {
  return text !== null && text !== undefined && !text.startsWith('0001-')
}
