import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { formatJson } from '../json.js'
import { formatAge, formatFacts, formatTable, shortId } from '../table.js'
import type { AllocationAnswer, TaskState } from '../wire.js'

/** One allocation: where it runs, and what happened to its tasks. */
export async function showAllocation(id: string, client: Client, io: Io, asJson: boolean): Promise<void> {
  const allocation = await client.get<AllocationAnswer>(`/v1/allocation/${id}`)
  if (asJson) {
    io.out(formatJson(allocation))
    return
  }
  const nowMs = Date.now()
  io.out(formatFacts(factsOf(allocation, nowMs)))
  for (const [name, task] of Object.entries(allocation.TaskStates ?? {})) io.out(`\n${describeTask(name, task, nowMs)}`)
}

function factsOf(allocation: AllocationAnswer, nowMs: number) {
  const facts: (readonly [string, string])[] = [
    ['allocation', allocation.ID],
    ['name', allocation.Name ?? ''],
    ['namespace', allocation.Namespace ?? ''],
    ['job', `${allocation.JobID ?? ''} version ${allocation.Job?.Version ?? '?'}`],
    ['node', `${allocation.NodeName ?? ''} ${shortId(allocation.NodeID ?? '')}`],
    ['desired', sentence(allocation.DesiredStatus, allocation.DesiredDescription)],
    ['status', sentence(allocation.ClientStatus, allocation.ClientDescription)],
    ['created', `${formatAge(allocation.CreateTime ?? 0, nowMs)} ago`],
  ]
  if (allocation.PreviousAllocation) facts.push(['replaces', allocation.PreviousAllocation])
  if (allocation.NextAllocation) facts.push(['replaced by', allocation.NextAllocation])
  return facts
}

function sentence(status = '', description = ''): string {
  return description === '' ? status : `${status} (${description})`
}

function describeTask(name: string, task: TaskState, nowMs: number): string {
  const head = `task ${name}: ${task.State}${task.Failed ? ', failed' : ''}, ${task.Restarts} restart(s)\n`
  const events = [...(task.Events ?? [])].reverse()
  return (
    head +
    formatTable(
      ['AGO', 'EVENT', 'WHAT'],
      events.map((event) => [formatAge(event.Time, nowMs), event.Type, event.DisplayMessage]),
    )
  )
}
