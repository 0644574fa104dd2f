/** What a story does, done to a real cluster. What Drover leaves to git is a commit here; what it has no way for is a reason to skip the story. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { until } from '../acceptance/cluster.js'
import { type Condition, holds } from './conditions.js'
import type { FixtureAnswer } from './fixture.js'
import type { Step } from './story.js'
import type { StoryWorld } from './world.js'

const APPLIED_WITHIN_MS = 20_000
const WAIT_SECONDS = 20
/** The reference's agents tell their news five times a second: its stories go on that much later. */
const HEARD_LATER_MS = 200

/** Why Drover cannot be asked to do this step; undefined for what it can. */
export function whyNot(step: Step): string | undefined {
  switch (step.do) {
    case 'alloc':
      return step.op === 'stop' ? 'what is wanted stands in the repository: an allocation is not stopped over the API' : undefined
    case 'deregister':
      if (step.purge === true) return 'a job whose file is gone is kept until it is collected'
      return step.no_shutdown_delay === true ? 'a deleted file cannot say that delays are to be skipped' : undefined
    case 'register':
    case 'wait':
    case 'sleep':
    case 'observe':
    case 'node':
    case 'kill_task_processes':
    case 'variable':
    case 'fixture':
    case 'flag':
      return undefined
    default:
      return `no way to ${step.do} in the stories yet`
  }
}

export interface StepAnswer {
  readonly error?: string
  readonly reached?: false
}

/** @returns what the step came to, where it may fail */
export async function doStep(world: StoryWorld, step: Step): Promise<StepAnswer> {
  switch (step.do) {
    case 'register':
      return register(world, step)
    case 'deregister':
      world.repository.commit({ [jobPath(step.job as string)]: null })
      await applied(world)
      return {}
    case 'wait':
      return wait(world, step)
    case 'sleep':
      await new Promise((resolve) => setTimeout(resolve, (step.seconds as number) * 1000))
      return {}
    case 'node':
      await actOnNode(world, step)
      return {}
    case 'kill_task_processes':
      world.killTaskProcesses(step.node as string)
      return {}
    case 'variable':
      world.repository.commit({ [`vars/default/${step.path}.yaml`]: step.op === 'delete' ? null : stringify(step.items) })
      await applied(world)
      return {}
    case 'fixture':
      world.fixture.add(step.routes as Readonly<Record<string, FixtureAnswer>>)
      return {}
    case 'flag':
      setFlag(world, step)
      return {}
    case 'alloc':
      return actOnAllocation(world, step)
    default:
      throw new Error(`no step is called ${step.do}`)
  }
}

async function register(world: StoryWorld, step: Step): Promise<StepAnswer> {
  const text = world.fill(world.story.jobs[step.file as string]!.join('\n'))
  const jobId = /^\s*job\s+"([^"]+)"/m.exec(text)?.[1]
  if (jobId === undefined) throw new Error(`the file ${step.file} names no job`)
  const path = jobPath(jobId)
  world.repository.commit({ [path]: `${text}\n` })
  const frozen = await applied(world)
  const own = frozen.find((file) => file.path === path)
  if (own === undefined) return {}
  const error = own.mistakes.map((mistake) => `${mistake.place}: ${mistake.summary} ${mistake.detail}`).join('; ')
  if (step.may_fail !== true) throw new Error(`the file ${step.file} was refused: ${error}`)
  return { error }
}

function jobPath(jobId: string): string {
  return `jobs/${encodeURIComponent(jobId)}.nomad.hcl`
}

interface SeenSource {
  readonly frozen: readonly {
    readonly path: string
    readonly mistakes: readonly { readonly place: string; readonly summary: string; readonly detail: string }[]
  }[]
}

/** Waits until the server has done what the newest commit says. @returns files that it refuses */
async function applied(world: StoryWorld): Promise<SeenSource['frozen']> {
  const head = world.repository.git('rev-parse', 'HEAD')
  let frozen: SeenSource['frozen'] = []
  await until(`commit ${head.slice(0, 8)} is applied`, APPLIED_WITHIN_MS, async () => {
    const sources = await world.get<SeenSource[]>('/drover/v1/source')
    frozen = sources.flatMap((source) => source.frozen)
    return JSON.stringify(sources).includes(head)
  })
  return frozen
}

async function wait(world: StoryWorld, step: Step): Promise<StepAnswer> {
  const conditions = [step.for].flat() as readonly Condition[]
  const withinMs = ((step.timeout ?? WAIT_SECONDS) as number) * 1000
  try {
    await until(`wait for ${JSON.stringify(step.for)}`, withinMs, async () => {
      for (const condition of conditions) if (!(await holds(world, condition))) return false
      return true
    })
    await new Promise((resolve) => setTimeout(resolve, HEARD_LATER_MS))
    return {}
  } catch (error) {
    if (step.may_fail === true) return { reached: false }
    throw error
  }
}

async function actOnAllocation(world: StoryWorld, step: Step): Promise<StepAnswer> {
  const id = world.names.idOf(step.alloc as string)
  const body =
    step.op === 'restart'
      ? { TaskName: step.task ?? '', AllTasks: step.all_tasks === true }
      : { Task: step.task ?? '', Signal: step.signal ?? '' }
  const response = await world.put(`/v1/client/allocation/${id}/${String(step.op)}`, body)
  if (response.ok) return {}
  const error = await response.text()
  if (step.may_fail !== true) throw new Error(`${String(step.op)} of ${String(step.alloc)} was refused: ${error}`)
  return { error }
}

async function actOnNode(world: StoryWorld, { node, op }: Step): Promise<void> {
  const name = typeof node === 'string' ? node : await nodeOf(world, (node as { of: string }).of)
  const agent = world.agent(name)
  if (op === 'start') await world.startAgent(name)
  else if (op === 'kill') await agent.end('SIGKILL')
  else if (op === 'terminate') await agent.end('SIGTERM')
  else agent.signal(op === 'freeze' ? 'SIGSTOP' : 'SIGCONT')
}

async function nodeOf(world: StoryWorld, called: string): Promise<string> {
  const allocations = await world.allocations()
  const id = world.names.idOf(called)
  return allocations.find(({ ID }) => ID === id)!.NodeName
}

function setFlag(world: StoryWorld, { op, name, text }: Step): void {
  const path = join(world.flags, name as string)
  if (op === 'set') writeFileSync(path, (text ?? '') as string)
  else rmSync(path, { force: true })
}
