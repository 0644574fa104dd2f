/** Replays one story on a cluster of its own. */
import type { Mismatch } from '../vectors/compare.js'
import { compareStory, type Seen } from './compare.js'
import { describeAllocation, describeDeployment, observe, observeServices } from './observe.js'
import { doStep, whyNot } from './steps.js'
import { readStory, type Story } from './story.js'
import { StoryWorld } from './world.js'

const CALM_MS = 1300
const CALM_WITHIN_MS = 10_000

export interface Replay {
  readonly name: string
  /** Why it cannot be told with Drover; undefined when it was. */
  readonly skipped?: string
  readonly mismatches: readonly Mismatch[]
}

export async function replay(name: string): Promise<Replay> {
  const story = readStory(name)
  const skipped = story.steps.map(whyNot).find((reason) => reason !== undefined)
  if (skipped !== undefined) return { name: story.name, skipped, mismatches: [] }
  let world: StoryWorld
  try {
    world = await StoryWorld.start(story)
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
    const states = await world.allocations().then(
      (all) => all.map((one) => describeAllocation(world, one)),
      () => [],
    )
    return {
      name: story.name,
      mismatches: [{ path: '/steps', expected: 'all steps succeed', got: `${String(error)} ${JSON.stringify(states)}` }],
    }
  } finally {
    if (process.env.DROVER_KEEP_STORY === undefined) await world.remove()
    else console.log(`${story.name}: ${world.folder} ${world.url}`)
  }
}

async function tell(story: Story, world: StoryWorld): Promise<Seen> {
  const answers: Seen['answers'][number][] = []
  const observations: Readonly<Record<string, unknown>>[] = []
  for (const [at, step] of story.steps.entries()) {
    if (step.do === 'observe') observations.push({ as: step.as, ...(await observe(world, step.what as Readonly<Record<string, unknown>>)) })
    else answers.push({ step: at, ...(await doStep(world, step)) })
  }
  await calm(world)
  const allocations = (await world.allocations()).map((allocation) => describeAllocation(world, allocation))
  const deployments = (await world.deployments()).map((deployment) => ({
    deployment: world.names.deployment(deployment.ID),
    ...world.names.anonymized(describeDeployment(world, deployment), world),
  }))
  const services = world.names.anonymized(await observeServices(world), world)
  return { answers, observations, allocations, deployments, services, jobs: await describeJobs(world) }
}

async function describeJobs(world: StoryWorld): Promise<Seen['jobs']> {
  const stubs = await world.get<{ ID: string }[]>('/v1/jobs?namespace=*')
  const jobs = stubs.map(({ ID }) =>
    world.get<{ ID: string; Status: string; Stop: boolean; Version: number }>(`/v1/job/${encodeURIComponent(ID)}`),
  )
  return (await Promise.all(jobs)).map(({ ID, Status, Stop, Version }) => ({ job: ID, status: Status, stop: Stop, version: Version }))
}

/** Nothing has changed for a while, and nothing that is to stop still runs. */
async function calm(world: StoryWorld): Promise<void> {
  const began = performance.now()
  let before = ''
  let since = began
  while (performance.now() - began < CALM_WITHIN_MS) {
    const allocations = await world.allocations()
    const now = JSON.stringify([allocations, await world.deployments()])
    if (now !== before) since = performance.now()
    before = now
    const isStopping = allocations.some(
      ({ DesiredStatus, ClientStatus }) => DesiredStatus !== 'run' && ['pending', 'running'].includes(ClientStatus),
    )
    if (!isStopping && performance.now() - since >= CALM_MS) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
