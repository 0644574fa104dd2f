/** The conditions of `wait`: whether the cluster has come to the point that a story waits for. */
import type { StoryCluster } from './cluster.js'
import type { SeenAllocation, SeenDeployment, SeenEvent } from './names.js'

export interface Condition {
  readonly [field: string]: unknown
}

export async function holds(world: StoryCluster, condition: Condition): Promise<boolean> {
  if ('allocs' in condition) return holdsOfAllocations(world, await world.allocations(), condition)
  if ('deployment' in condition) return holdsOfDeployment(world, await world.deployments(), condition)
  if ('job' in condition) return holdsOfJob(world, condition)
  if ('evaluations' in condition) return holdsOfEvaluations(world, condition)
  if ('node' in condition && !('alloc' in condition)) return holdsOfNode(world, condition)
  if ('service' in condition) return (await servicesCalled(world, condition.service as string)).length === condition.count
  if ('children' in condition) return holdsOfChildren(world, condition)
  return holdsOfOneAllocation(world, condition)
}

async function holdsOfOneAllocation(world: StoryCluster, condition: Condition): Promise<boolean> {
  const allocations = await world.allocations()
  const called = (condition.alloc ?? condition.check ?? condition.log ?? condition.file) as string
  const id = world.names.idOf(called)
  const allocation = allocations.find(({ ID }) => ID === id)
  if (allocation === undefined) return false
  if ('check' in condition) return holdsOfChecks(world, allocation, condition)
  if ('log' in condition)
    return logText(world, allocation, condition.task as string, condition.stream as string | undefined).includes(
      condition.contains as string,
    )
  if ('file' in condition)
    return (world.fileOf(allocation, condition.path as string) ?? NOTHING).includes((condition.contains ?? '') as string)
  return 'task' in condition ? holdsOfTask(allocation, condition) : matches(world, allocation, condition)
}

/** A text that contains nothing, not even the empty text. */
const NOTHING = { includes: () => false }

function holdsOfTask(allocation: SeenAllocation, condition: Condition): boolean {
  const task = allocation.TaskStates?.[condition.task as string]
  if (task === undefined || task === null) return false
  if (condition.state !== undefined && task.State !== condition.state) return false
  if (condition.restarts !== undefined && task.Restarts < (condition.restarts as number)) return false
  const events: readonly SeenEvent[] = task.Events ?? []
  if (condition.message !== undefined && !events.some((event) => event.DisplayMessage.includes(condition.message as string))) return false
  if (condition.event === undefined) return true
  return events.filter((event) => event.Type === condition.event).length >= ((condition.times ?? 1) as number)
}

function matches({ names }: StoryCluster, allocation: SeenAllocation, wanted: Condition): boolean {
  const is = (value: unknown, field: string) => wanted[field] === undefined || ([wanted[field]].flat() as unknown[]).includes(value)
  return (
    is(names.job(allocation.JobID), 'job') &&
    is(allocation.TaskGroup, 'group') &&
    is(allocation.ClientStatus, 'client') &&
    is(allocation.DesiredStatus, 'desired') &&
    is(allocation.JobVersion, 'version') &&
    is(allocation.NodeName, 'node') &&
    is(allocation.DeploymentStatus?.Healthy ?? undefined, 'healthy') &&
    is(allocation.DeploymentStatus?.Canary ?? false, 'canary')
  )
}

function holdsOfAllocations(world: StoryCluster, allocations: readonly SeenAllocation[], { allocs, count, at_least }: Condition): boolean {
  const matching = allocations.filter((allocation) => matches(world, allocation, allocs as Condition)).length
  return count === undefined ? matching >= (at_least as number) : matching === count
}

function holdsOfDeployment(world: StoryCluster, deployments: readonly SeenDeployment[], condition: Condition): boolean {
  const deployment = deployments.find(({ ID }) => world.names.deployment(ID) === condition.deployment)
  if (deployment === undefined) return false
  if (condition.status !== undefined && ![condition.status].flat().includes(deployment.Status)) return false
  if (condition.description !== undefined && !deployment.StatusDescription.includes(condition.description as string)) return false
  if (condition.group === undefined) return true
  const group = deployment.TaskGroups[condition.group as string] ?? {}
  const atLeast = (field: string, value: unknown) => condition[field] === undefined || Number(value) >= Number(condition[field])
  const isPromoted = condition.promoted === undefined || group.Promoted === condition.promoted
  const isCounted = atLeast('placed', group.PlacedAllocs) && atLeast('healthy', group.HealthyAllocs)
  return isPromoted && isCounted && atLeast('unhealthy', group.UnhealthyAllocs)
}

async function holdsOfJob(world: StoryCluster, condition: Condition): Promise<boolean> {
  const jobs = await world.jobs()
  const known = jobs.find(({ ID }) => world.names.job(ID) === condition.job)
  if (condition.absent === true) return known === undefined
  if (known === undefined) return false
  const job = await world.get<{ Status: string; Version: number; Stable: boolean }>(`/v1/job/${encodeURIComponent(known.ID)}`)
  const is = (field: string, value: unknown) => condition[field] === undefined || condition[field] === value
  return is('status', job.Status) && is('version', job.Version) && is('stable', job.Stable)
}

async function holdsOfEvaluations(world: StoryCluster, { evaluations, count }: Condition): Promise<boolean> {
  const { job, status, triggered_by } = evaluations as Condition
  await world.jobs()
  const all = await world.get<{ JobID: string; Status: string; TriggeredBy: string }[]>('/v1/evaluations?namespace=*')
  const matching = all.filter(
    (evaluation) =>
      (job === undefined || world.names.job(evaluation.JobID) === job) &&
      (status === undefined || evaluation.Status === status) &&
      (triggered_by === undefined || evaluation.TriggeredBy === triggered_by),
  )
  return matching.length >= ((count ?? 1) as number)
}

async function holdsOfNode(world: StoryCluster, condition: Condition): Promise<boolean> {
  const nodes = await world.get<{ Name: string; Status: string; SchedulingEligibility: string; Drain: boolean }[]>('/v1/nodes')
  const node = nodes.find(({ Name }) => Name === condition.node)
  const is = (field: string, value: unknown) => condition[field] === undefined || condition[field] === value
  return node !== undefined && is('status', node.Status) && is('eligibility', node.SchedulingEligibility) && is('draining', node.Drain)
}

async function holdsOfChildren(world: StoryCluster, { children, count }: Condition): Promise<boolean> {
  const jobs = await world.jobs()
  return jobs.filter(({ ParentID }) => ParentID === children).length >= (count as number)
}

async function holdsOfChecks(world: StoryCluster, allocation: SeenAllocation, condition: Condition): Promise<boolean> {
  const checks = await readChecks(world, allocation.ID)
  return checks.some((check) => (condition.name === undefined || check.Check === condition.name) && check.Status === condition.status)
}

export interface SeenCheck {
  readonly Check: string
  readonly Service: string
  readonly Task: string
  readonly Group: string
  readonly Mode: string
  readonly Status: string
  readonly StatusCode?: number
  readonly Output: string
}

export async function readChecks(world: StoryCluster, allocationId: string): Promise<readonly SeenCheck[]> {
  const checks = await world.get<Record<string, SeenCheck> | null>(`/v1/client/allocation/${allocationId}/checks`).catch(() => null)
  const place = (check: SeenCheck) => `${check.Service}\u0000${check.Check}`
  return Object.values(checks ?? {}).sort((a, b) => (place(a) < place(b) ? -1 : 1))
}

export interface SeenService {
  readonly ID: string
  readonly ServiceName: string
  readonly AllocID: string
  readonly JobID: string
  readonly Tags: readonly string[] | null
  readonly Address: string
  readonly Port: number
}

export async function servicesCalled(world: StoryCluster, name: string): Promise<readonly SeenService[]> {
  return world.get<SeenService[]>(`/v1/service/${encodeURIComponent(name)}`).catch(() => [])
}

/** Everything that is kept of one stream. */
export function logText(world: StoryCluster, allocation: SeenAllocation, task: string, stream = 'stdout'): string {
  const texts: string[] = []
  for (let at = 0; at < 20; at++) texts.push(world.fileOf(allocation, `alloc/logs/${task}.${stream}.${at}`) ?? '')
  return texts.join('')
}
