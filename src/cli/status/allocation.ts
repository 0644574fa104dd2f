import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { type OutputFormat, printData } from '../output.js'
import { counted, formatAge, formatFacts, formatMib, formatTable, shortId } from '../table.js'
import { paintStatus, type Terminal } from '../terminal.js'
import type { AllocatedAnswer, AllocationAnswer, TaskState } from '../wire.js'

/** One allocation: where it runs, and what happened to its tasks. */
export async function showAllocation(id: string, client: Client, io: Io, format: OutputFormat): Promise<void> {
  const allocation = await client.get<AllocationAnswer & AllocatedAnswer>(`/v1/allocation/${id}`)
  if (await printData(format, allocation, [allocation.ID], io)) return
  const nowMs = Date.now()
  io.out(formatFacts(factsOf(allocation, nowMs, io.terminal)))
  const ports = allocation.AllocatedResources?.Shared.Ports ?? []
  if (ports.length > 0) io.out(`\n${formatTable(['PORT', 'ADDRESS', 'TO'], ports.map(describePort), io.terminal)}`)
  for (const [name, task] of Object.entries(allocation.TaskStates ?? {})) io.out(`\n${describeTask(name, task, nowMs, io.terminal)}`)
}

function describePort({ Label, Value, To, HostIP }: Port): readonly string[] {
  return [Label, HostIP.includes(':') ? `[${HostIP}]:${Value}` : `${HostIP}:${Value}`, To > 0 ? String(To) : '-']
}

type Port = NonNullable<NonNullable<AllocatedAnswer['AllocatedResources']>['Shared']['Ports']>[number]

function describeGiven({ Tasks }: NonNullable<AllocatedAnswer['AllocatedResources']>): string {
  const tasks = Object.values(Tasks)
  const cpu = tasks.reduce((sum, { Cpu }) => sum + Cpu.CpuShares, 0)
  return `${cpu} MHz, ${formatMib(tasks.reduce((sum, { Memory }) => sum + Memory.MemoryMB, 0))} memory`
}

function factsOf(allocation: AllocationAnswer & AllocatedAnswer, nowMs: number, terminal: Terminal | undefined) {
  const facts: (readonly [string, string])[] = [
    ['allocation', allocation.ID],
    ['name', allocation.Name ?? ''],
    ['namespace', allocation.Namespace ?? ''],
    ['job', `${allocation.JobID ?? ''} version ${allocation.Job?.Version ?? '?'}`],
    ['node', `${allocation.NodeName ?? ''} ${shortId(allocation.NodeID ?? '')}`],
    ['desired', sentence(allocation.DesiredStatus, allocation.DesiredDescription)],
    ['status', sentence(paintStatus(allocation.ClientStatus, terminal), allocation.ClientDescription)],
    ['created', `${formatAge(allocation.CreateTime ?? 0, nowMs)} ago`],
  ]
  if (allocation.AllocatedResources != null) facts.push(['resources', describeGiven(allocation.AllocatedResources)])
  if (allocation.PreviousAllocation) facts.push(['replaces', allocation.PreviousAllocation])
  if (allocation.NextAllocation) facts.push(['replaced by', allocation.NextAllocation])
  return facts
}

function sentence(status = '', description = ''): string {
  return description === '' ? status : `${status} (${description})`
}

function describeTask(name: string, task: TaskState, nowMs: number, terminal: Terminal | undefined): string {
  const head = `task ${name}: ${paintStatus(task.Failed ? `${task.State}, failed` : task.State, terminal)}, ${counted(task.Restarts, 'restart')}\n`
  const events = [...(task.Events ?? [])].reverse()
  return (
    head +
    formatTable(
      ['AGO', 'EVENT', 'WHAT'],
      events.map((event) => [formatAge(event.Time, nowMs), event.Type, event.DisplayMessage]),
      terminal,
    )
  )
}
