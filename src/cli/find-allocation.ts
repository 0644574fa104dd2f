/** Which allocation and task are meant. */
import type { Client } from './client.js'
import { CommandError } from './command.js'
import type { AllocationAnswer, AllocationStub, JobAnswer } from './wire.js'

export function allocationsOf(job: JobAnswer, client: Client): Promise<readonly AllocationStub[]> {
  return client.get<readonly AllocationStub[]>(`/v1/job/${encodeURIComponent(job.ID)}/allocations`)
}

/** What runs is meant before what has ended. @throws CommandError */
export function newest(allocations: readonly AllocationStub[], job: JobAnswer): AllocationStub {
  const isRunning = (allocation: AllocationStub) => Number(allocation.ClientStatus === 'running')
  const [first] = [...allocations].sort((a, b) => isRunning(b) - isRunning(a) || b.CreateIndex - a.CreateIndex)
  if (first === undefined) throw new CommandError(`job ${job.ID} has no allocation yet; "drover status ${job.ID}" says why`)
  return first
}

/** The task of an allocation that has one. @throws CommandError */
export async function onlyTask(allocation: AllocationStub, client: Client): Promise<string> {
  const { Job } = await client.get<AllocationAnswer>(`/v1/allocation/${allocation.ID}`)
  const tasks = Job?.TaskGroups.find((group) => group.Name === allocation.TaskGroup)?.Tasks.map((task) => task.Name) ?? []
  const [only, ...others] = tasks
  if (only === undefined) throw new CommandError(`allocation ${allocation.ID} has no tasks`)
  if (others.length > 0)
    throw new CommandError(`allocation ${allocation.ID.slice(0, 8)} has several tasks, name one of: ${tasks.join(' ')}`)
  return only
}
