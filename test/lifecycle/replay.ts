/** Replays one story on a cluster of its own. */
import type { Mismatch } from '../vectors/compare.js'
import type { StoryCluster } from './cluster.js'
import { compareStory, type Seen } from './compare.js'
import { describeEvaluations } from './evaluations.js'
import type { SeenWholeAllocation } from './names.js'
import { describeAllocation, describeDeployment, observe, observeServices, summaryOf } from './observe.js'
import { RealStoryCluster } from './real-story-cluster.js'
import { doStep, whyNot } from './steps.js'
import { readStory, type Story, type StoryTiming } from './story.js'
import { VirtualCluster } from './virtual/cluster.js'
import { whyReal } from './virtual/needs-processes.js'

const CALM_MS = 1300
const CALM_WITHIN_MS = 10_000
const CALM_LOOK_MS = 100

export interface Replay {
  readonly name: string
  /** Why it is not told; undefined when it was. */
  readonly skipped?: string
  readonly mismatches: readonly Mismatch[]
}

/** @param isReal with processes; else on virtual time, where the story lets it be */
export async function replay(name: string, isReal: boolean): Promise<Replay> {
  const story = readStory(name)
  const skipped = story.steps.map(whyNot).find((reason) => reason !== undefined) ?? (isReal ? undefined : await whyVirtualNot(story))
  if (skipped !== undefined) return { name: story.name, skipped, mismatches: [] }
  let world: StoryCluster
  try {
    world = isReal ? await RealStoryCluster.start(story) : await VirtualCluster.start(story)
  } catch (error) {
    return { name: story.name, mismatches: [{ path: '/cluster', expected: 'the cluster starts', got: String(error) }] }
  }
  try {
    const seen = await tell(story, world)
    const mismatches = [
      ...compareStory(story, seen),
      ...world.ends.map((got) => ({ path: '/programs', expected: 'nothing ends by itself', got })),
    ]
    return { name: story.name, mismatches }
  } catch (error) {
    const states = await describeAllocations(world).catch(() => [])
    return {
      name: story.name,
      mismatches: [{ path: '/steps', expected: 'all steps succeed', got: `${String(error)} ${JSON.stringify(states)}` }],
    }
  } finally {
    if (process.env.DROVER_KEEP_STORY === undefined) await world.remove()
    else console.log(`${story.name}: ${world.place}`)
  }
}

async function whyVirtualNot(story: Story): Promise<string | undefined> {
  const reason = await whyReal(story)
  return reason === undefined ? undefined : `needs processes (--real): ${reason}`
}

async function tell(story: Story, world: StoryCluster): Promise<Seen> {
  const answers: Seen['answers'][number][] = []
  const observations: Readonly<Record<string, unknown>>[] = []
  for (const [at, step] of story.steps.entries()) {
    if (step.do === 'observe') observations.push({ as: step.as, ...(await observe(world, step.what as Readonly<Record<string, unknown>>)) })
    else answers.push({ step: at, ...(await doStep(world, step)) })
  }
  await calm(world)
  const allocations = await describeAllocations(world)
  const deployments = (await world.deployments()).map((deployment) => ({
    deployment: world.names.deployment(deployment.ID),
    ...world.names.anonymized(describeDeployment(world, deployment), world),
    history: world.recording.historyOfDeployment(deployment.ID),
  }))
  const services = world.names.anonymized(await observeServices(world), world)
  const evaluations = await describeEvaluations(world, world.recording.lastOf('Evaluation'))
  return {
    answers,
    observations,
    allocations,
    deployments,
    services,
    evaluations,
    jobs: await describeJobs(world),
    past: await pastOf(world),
  }
}

/** What the event stream told. */
async function pastOf(world: StoryCluster): Promise<Seen['past']> {
  const { recording, names } = world
  const nodes = await world.get<{ ID: string; Name: string }[]>('/v1/nodes')
  const gone = recording.allocations.map(({ ID, Name }) => ({ id: ID, name: Name, history: recording.historyOfAllocation(ID) }))
  const deployments = recording.lastOf('Deployment')
  /** Of an object that the record calls by a name, or, where all that is left of it is this, the only one. */
  const keyOf = (topic: string, name: string): string | undefined => {
    const [, called] = /^<\w+ (.*)>$/.exec(name) ?? []
    if (topic === 'Node') return nodes.find(({ Name }) => Name === called)?.ID
    if (topic === 'Allocation') return called === undefined ? gone[0]?.id : names.idOf(called)
    if (topic === 'Deployment') return called === undefined ? deployments[0]?.ID : names.deploymentIdOf(called)
    return topic === 'Service' ? name : names.jobIdOf(name)
  }
  const timings = await Promise.all((world.story.record.timings ?? []).map((timing) => secondsOf(world, timing)))
  return { gone, services: recording.services(names), recording, keyOf, timings }
}

async function secondsOf(world: StoryCluster, { alloc, task, from, to }: StoryTiming): Promise<number> {
  const { TaskStates } = await world.get<SeenWholeAllocation>(`/v1/allocation/${world.names.idOf(alloc)}`)
  const events = TaskStates?.[task]?.Events ?? []
  const timeOf = (wanted: StoryTiming['from']) => {
    const [type, number] = typeof wanted === 'string' ? [wanted, 1] : wanted
    return events.filter(({ Type }) => Type === type)[number - 1]?.Time ?? Number.NaN
  }
  return (timeOf(to) - timeOf(from)) / 1e9
}

async function describeAllocations(world: StoryCluster): Promise<Seen['allocations']> {
  const nodes = await world.get<{ ID: string; Name: string }[]>('/v1/nodes')
  const names = new Map(nodes.map(({ ID, Name }) => [ID, Name]))
  const described: Seen['allocations'][number][] = []
  for (const listed of await world.allocations()) {
    const whole = await world.get<SeenWholeAllocation>(`/v1/allocation/${listed.ID}`)
    described.push({
      ...describeAllocation(world, { ...whole, ...listed }, names),
      history: world.recording.historyOfAllocation(listed.ID),
    })
  }
  return described
}

async function describeJobs(world: StoryCluster): Promise<Seen['jobs']> {
  const jobs: Seen['jobs'][number][] = []
  for (const { ID } of await world.jobs()) {
    const path = `/v1/job/${encodeURIComponent(ID)}`
    const { Type, Status, Stop, Version } = await world.get<{ Type: string; Status: string; Stop: boolean; Version: number }>(path)
    const { Versions } = await world.get<{ Versions: { Version: number; Stable: boolean }[] }>(`${path}/versions`)
    jobs.push({
      job: world.names.job(ID),
      type: Type,
      status: Status,
      stop: Stop,
      version: Version,
      versions: Versions.toSorted((a, b) => a.Version - b.Version).map(({ Version, Stable }) => ({ version: Version, stable: Stable })),
      summary: await summaryOf(world, ID),
    })
  }
  return jobs
}

/** Nothing has changed for a while, and nothing that is to stop still runs. */
async function calm(world: StoryCluster): Promise<void> {
  const beganMs = world.nowMs()
  let before = ''
  let sinceMs = beganMs
  while (world.nowMs() - beganMs < CALM_WITHIN_MS) {
    const allocations = await world.allocations()
    const now = JSON.stringify([allocations, await world.deployments()])
    if (now !== before) sinceMs = world.nowMs()
    before = now
    const isStopping = allocations.some(
      ({ DesiredStatus, ClientStatus }) => DesiredStatus !== 'run' && ['pending', 'running'].includes(ClientStatus),
    )
    if (!isStopping && world.nowMs() - sinceMs >= CALM_MS) return
    await world.pause(CALM_LOOK_MS)
  }
}
