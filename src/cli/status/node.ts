import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { describeNodeStatus } from '../lists/nodes.js'
import { type OutputFormat, printData } from '../output.js'
import { counted, formatFacts, formatMib, formatTable, shortId } from '../table.js'
import { paintStatus, sparkline } from '../terminal.js'
import { type Amounts, capacityOf, readAsked, readUsed, share } from '../usage.js'
import type { AllocationStub, JobAnswer, NodeAnswer, NodeDrainAnswer } from '../wire.js'
import { allocationTable } from './job.js'

type NodeAllocation = Partial<AllocationStub> & { readonly Job: JobAnswer | null }

/** One node: what it has, and what it runs. */
export async function showNode(id: string, client: Client, io: Io, format: OutputFormat): Promise<void> {
  const node = await client.get<NodeAnswer>(`/v1/node/${id}`)
  if (await printData(format, node, [node.ID], io)) return
  const [allocations, asked, used, drain] = await Promise.all([
    client.get<readonly NodeAllocation[]>(`/v1/node/${id}/allocations`),
    readAsked(client),
    node.Status === 'ready' ? readUsed(id, client) : undefined,
    node.Drain ? client.get<NodeDrainAnswer>(`/drover/v1/node/${id}/drain`) : undefined,
  ])
  const given = asked.get(id) ?? { cpuMhz: 0, memoryMb: 0 }
  io.out(
    formatFacts([
      ['node', node.ID],
      ['name', node.Name],
      ['pool', node.NodePool],
      ['datacenter', node.Datacenter],
      ['class', node.NodeClass || '-'],
      ['status', paintStatus(describeNodeStatus(node), io.terminal)],
      ['drivers', describeDrivers(node)],
    ]),
  )
  io.out(`\n${amountsTable(node, given, used, io)}`)
  if (drain !== undefined && drain.drain !== null) io.out(`\n${describeDrain(drain, drain.drain, io)}`)
  if (allocations.length > 0) io.out(`\n${allocationTable(allocations.map(asStub), Date.now(), io.terminal)}`)
}

/** What is left on a host that is being drained, and why. */
function describeDrain({ left }: NodeDrainAnswer, { deadline }: NonNullable<NodeDrainAnswer['drain']>, { terminal }: Io): string {
  const until = deadline === null ? 'without a deadline' : `until ${deadline}, when all that is left is stopped`
  if (left.length === 0) return `draining ${until}: nothing is left\n`
  const rows = left.map(({ allocationId, name, why }) => [shortId(allocationId), name, why])
  return `draining ${until}: ${counted(left.length, 'allocation')} left\n${formatTable(['ALLOCATION', 'NAME', 'WHY IT IS LEFT'], rows, terminal)}`
}

function describeDrivers({ Drivers }: NodeAnswer): string {
  const names = Object.entries(Drivers).filter(([, driver]) => driver.Detected)
  const texts = names.map(([name, driver]) => (driver.Healthy ? name : `${name} (${driver.HealthDescription})`))
  return texts.sort().join(' ') || '-'
}

/** What it has, what is kept of that, what jobs were given, and what is in use now. */
function amountsTable(node: NodeAnswer, asked: Amounts, used: Amounts | undefined, io: Io): string {
  const { NodeResources: all, ReservedResources: kept } = node
  const free = capacityOf(node)
  const bar = (part: number, whole: number) => (whole <= 0 ? '' : `${sparkline(eighths(part / whole))} ${share(part, whole)}`)
  const rows = [
    [
      'cpu',
      `${all.Cpu.CpuShares} MHz`,
      `${kept.Cpu.CpuShares} MHz`,
      `${asked.cpuMhz} MHz ${bar(asked.cpuMhz, free.cpuMhz)}`,
      used === undefined ? '-' : `${Math.round(used.cpuMhz)} MHz ${bar(used.cpuMhz, all.Cpu.CpuShares)}`,
    ],
    [
      'memory',
      formatMib(all.Memory.MemoryMB),
      formatMib(kept.Memory.MemoryMB),
      `${formatMib(asked.memoryMb)} ${bar(asked.memoryMb, free.memoryMb)}`,
      used === undefined ? '-' : `${formatMib(used.memoryMb)} ${bar(used.memoryMb, all.Memory.MemoryMB)}`,
    ],
    ['disk', formatMib(all.Disk.DiskMB), formatMib(kept.Disk.DiskMB), '-', '-'],
  ]
  return formatTable(['', 'TOTAL', 'RESERVED', 'ASKED', 'USED'], rows, io.terminal)
}

const BAR_WIDTH = 8

/** A part of a whole as a bar of so many characters, each full, empty or between. */
function eighths(part: number): readonly number[] {
  return Array.from({ length: BAR_WIDTH }, (_, at) => Math.min(1, Math.max(0, part * BAR_WIDTH - at)))
}

/** Members at zero are left out of whole allocations, and the version stands in their job. */
function asStub(allocation: NodeAllocation): AllocationStub {
  return { ...allocation, JobVersion: allocation.Job?.Version ?? 0 } as AllocationStub
}
