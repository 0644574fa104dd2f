/** What a story does, done to a cluster. What Drover leaves to git is a commit here; what it has no way for is a reason to skip the story. */
import { stringify } from 'yaml'
import type { FixtureAnswer, NodeAct, StoryCluster } from './cluster.js'
import { type Condition, holds } from './conditions.js'
import { commitJob, commitVersion } from './job-files.js'
import type { Step } from './story.js'

const WAIT_SECONDS = 20
/** The reference's agents tell their news five times a second: its stories go on that much later. */
const HEARD_LATER_MS = 200
const GONE_WITHIN_MS = 20_000
const COLLECT_EVERY_MS = 200
const NANOSECONDS = 1_000_000_000

/** Why Drover cannot be asked to do this step; undefined for what it can. */
export function whyNot(step: Step): string | undefined {
  if (step.do === 'deregister' && step.no_shutdown_delay === true) return 'a deleted file cannot say that delays are to be skipped'
  if (step.do === 'register' && step.preserve_counts === true) return 'the count of a group is what its file says'
  if (step.do === 'scale') return 'the count of a group is what its file says: it is scaled by a commit'
  if (step.do === 'stable') return 'a version becomes stable by a roll-out that succeeds'
  return undefined
}

export interface StepAnswer {
  readonly error?: string
  readonly reached?: false
  readonly child?: string
}

/** @returns what the step came to, where it may fail */
export async function doStep(world: StoryCluster, step: Step): Promise<StepAnswer> {
  switch (step.do) {
    case 'register':
      return refusable(step, await commitJob(world, world.story.jobs[step.file as string]!))
    case 'revert':
      return refusable(step, await commitVersion(world, step.job as string, step.version as number))
    case 'deregister':
      await deregister(world, step)
      return {}
    case 'wait':
      return wait(world, step)
    case 'sleep':
      await world.pause((step.seconds as number) * 1000)
      return {}
    case 'node':
      await world.actOnNode(await nodeNamed(world, step.node), step.op as NodeAct)
      return {}
    case 'server':
      await world.actOnServer(step.op as NodeAct)
      return {}
    case 'kill_task_processes':
      world.killTaskProcesses(step.node as string)
      return {}
    case 'variable':
      await world.apply({ [`vars/default/${step.path}.yaml`]: step.op === 'delete' ? null : stringify(step.items) })
      return {}
    case 'scheduler':
      await world.apply({ 'agents/_cluster.hcl': schedulerFile(step.set as Readonly<Record<string, unknown>>) })
      return {}
    case 'fixture':
      world.fixture.add(step.routes as Readonly<Record<string, FixtureAnswer>>)
      return {}
    case 'flag':
      world.setFlag(step.name as string, step.op === 'set' ? ((step.text ?? '') as string) : undefined)
      return {}
    default:
      return ask(world, step)
  }
}

/** @throws where a step was refused that may not fail */
function refusable(step: Step, error: string | undefined): StepAnswer {
  if (error === undefined) return {}
  if (step.may_fail !== true) throw new Error(`${JSON.stringify(step)} was refused: ${error}`)
  return { error }
}

async function deregister(world: StoryCluster, step: Step): Promise<void> {
  const id = world.names.jobIdOf(step.job as string)
  // What was made from another job has no file.
  if (id !== step.job) {
    const { status, text } = await world.send('DELETE', `/v1/job/${encodeURIComponent(id)}?purge=${step.purge === true}`)
    if (status !== 200) throw new Error(`${JSON.stringify(step)} was refused: ${text}`)
    return
  }
  await world.apply({ [world.jobPath(step.job as string)]: null })
  if (step.purge !== true) return
  // A job whose file is gone is forgotten when what has ended is collected.
  await world.until(`${step.job} is gone`, GONE_WITHIN_MS, async () => {
    await world.send('PUT', '/v1/system/gc')
    await world.pause(COLLECT_EVERY_MS)
    return (await world.jobs()).every(({ ID }) => ID !== step.job)
  })
}

async function wait(world: StoryCluster, step: Step): Promise<StepAnswer> {
  const conditions = [step.for].flat() as readonly Condition[]
  const withinMs = ((step.timeout ?? WAIT_SECONDS) as number) * 1000
  try {
    await world.until(`wait for ${JSON.stringify(step.for)}`, withinMs, async () => {
      for (const condition of conditions) if (!(await holds(world, condition))) return false
      return true
    })
  } catch (error) {
    if (step.may_fail === true && String(error).includes('not within')) return { reached: false }
    throw error
  }
  await world.pause(HEARD_LATER_MS)
  return {}
}

/** What is asked of the API. */
async function ask(world: StoryCluster, step: Step): Promise<StepAnswer> {
  const [method, path, body] = await requestOf(world, step)
  const { status, text } = await world.send(method, path, body)
  if (status !== 200) return refusable(step, text)
  if (step.do !== 'dispatch') return {}
  await world.jobs()
  return { child: world.names.job((JSON.parse(text) as { DispatchedJobID: string }).DispatchedJobID) }
}

type Asked = readonly [method: 'PUT' | 'DELETE', path: string, body?: object]

async function requestOf(world: StoryCluster, step: Step): Promise<Asked> {
  const job = () => `/v1/job/${encodeURIComponent(world.names.jobIdOf(step.job as string))}`
  switch (step.do) {
    case 'drain':
    case 'eligibility':
      return actOnNode(world, step)
    case 'promote':
    case 'deployment':
      return actOnDeployment(world, step)
    case 'dispatch':
      return ['PUT', `${job()}/dispatch${step.token === undefined ? '' : `?idempotency_token=${step.token}`}`, dispatchBody(step)]
    case 'periodic_force':
      return ['PUT', `${job()}/periodic/force`]
    case 'evaluate':
      return ['PUT', `${job()}/evaluate`, { EvalOptions: { ForceReschedule: step.force_reschedule === true } }]
    case 'alloc':
      return actOnAllocation(world, step)
    default:
      throw new Error(`no step is called ${step.do}`)
  }
}

async function actOnNode(world: StoryCluster, step: Step): Promise<Asked> {
  const NodeID = await nodeIdOf(world, step.node)
  const body = step.do === 'drain' ? drainBody(step) : { Eligibility: step.eligible === true ? 'eligible' : 'ineligible' }
  return ['PUT', `/v1/node/${NodeID}/${step.do}`, { NodeID, ...body }]
}

function drainBody(step: Step): object {
  const marks = { MarkEligible: step.mark_eligible === true, Meta: step.meta ?? null }
  if (step.cancel === true) return { DrainSpec: null, ...marks }
  const deadline = step.force === true ? -1 : ((step.deadline_seconds ?? 0) as number) * NANOSECONDS
  return { DrainSpec: { Deadline: deadline, IgnoreSystemJobs: step.ignore_system === true }, ...marks }
}

function dispatchBody(step: Step): object {
  const payload = step.payload_bytes === undefined ? ((step.payload ?? '') as string) : 'x'.repeat(step.payload_bytes as number)
  return {
    Payload: Buffer.from(payload).toString('base64'),
    Meta: step.meta ?? {},
    ...(step.id_prefix === undefined ? {} : { IdPrefixTemplate: step.id_prefix }),
    ...(step.priority === undefined ? {} : { Priority: step.priority }),
  }
}

async function actOnDeployment(world: StoryCluster, step: Step): Promise<Asked> {
  const DeploymentID = await deploymentId(world, step)
  const request = (act: string, body: object): Asked => ['PUT', `/v1/deployment/${act}/${DeploymentID}`, { DeploymentID, ...body }]
  if (step.do === 'promote') return request('promote', step.groups === undefined ? { All: true } : { Groups: step.groups })
  if (step.op === 'fail') return request('fail', {})
  if (step.op !== 'health') return request('pause', { Pause: step.op === 'pause' })
  await world.allocations()
  const ids = (names: unknown) => ((names ?? []) as string[]).map((name) => world.names.idOf(name))
  return request('allocation-health', { HealthyAllocationIDs: ids(step.healthy), UnhealthyAllocationIDs: ids(step.unhealthy) })
}

async function actOnAllocation(world: StoryCluster, step: Step): Promise<Asked> {
  await world.allocations()
  const id = world.names.idOf(step.alloc as string)
  if (step.op === 'stop') return ['PUT', `/v1/allocation/${id}/stop?no_shutdown_delay=${step.no_shutdown_delay === true}`]
  const body =
    step.op === 'restart'
      ? { TaskName: step.task ?? '', AllTasks: step.all_tasks === true }
      : { Task: step.task ?? '', Signal: step.signal ?? '' }
  return ['PUT', `/v1/client/allocation/${id}/${String(step.op)}`, body]
}

async function deploymentId(world: StoryCluster, step: Step): Promise<string> {
  await world.deployments()
  return world.names.deploymentIdOf(step.deployment as string) ?? NOBODY
}

/** Of an object that does not exist. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** A host by its name, or as the one that runs an allocation. */
async function nodeNamed(world: StoryCluster, node: unknown): Promise<string> {
  if (typeof node === 'string') return node
  const allocations = await world.allocations()
  const id = world.names.idOf((node as { of: string }).of)
  return allocations.find(({ ID }) => ID === id)!.NodeName
}

async function nodeIdOf(world: StoryCluster, node: unknown): Promise<string> {
  const name = await nodeNamed(world, node)
  const nodes = await world.get<{ ID: string; Name: string }[]>('/v1/nodes')
  return nodes.find(({ Name }) => Name === name)?.ID ?? NOBODY
}

/** Members of the API as attributes of the cluster's file. */
function schedulerFile(set: Readonly<Record<string, unknown>>): string {
  const lines = (of: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(of).flatMap(([name, value]) => {
      const attribute = name.replace(/(?<=[a-z])([A-Z])/g, '_$1').toLowerCase()
      return typeof value === 'object' && value !== null
        ? [`${attribute} {`, ...lines(value as Readonly<Record<string, unknown>>), '}']
        : [`${attribute} = ${JSON.stringify(value)}`]
    })
  return ['scheduler_config {', ...lines(set), '}', ''].join('\n')
}
