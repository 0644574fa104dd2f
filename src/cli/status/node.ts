import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { formatJson } from '../json.js'
import { formatFacts } from '../table.js'
import type { AllocationStub, JobAnswer, NodeAnswer } from '../wire.js'
import { allocationTable } from './job.js'

type NodeAllocation = Partial<AllocationStub> & { readonly Job: JobAnswer | null }

/** One node: what it has, and what it runs. */
export async function showNode(id: string, client: Client, io: Io, asJson: boolean): Promise<void> {
  const node = await client.get<NodeAnswer>(`/v1/node/${id}`)
  if (asJson) {
    io.out(formatJson(node))
    return
  }
  const allocations = await client.get<readonly NodeAllocation[]>(`/v1/node/${id}/allocations`)
  const { Cpu, Memory, Disk } = node.NodeResources
  const drivers = Object.entries(node.Drivers).filter(([, driver]) => driver.Detected)
  io.out(
    formatFacts([
      ['node', node.ID],
      ['name', node.Name],
      ['pool', node.NodePool],
      ['datacenter', node.Datacenter],
      ['class', node.NodeClass || '-'],
      ['status', `${node.Status}, ${node.SchedulingEligibility}${node.Drain ? ', draining' : ''}`],
      ['resources', `${Cpu.CpuShares} MHz, ${Memory.MemoryMB} MiB memory, ${Disk.DiskMB} MiB disk`],
      [
        'drivers',
        drivers
          .map(([name, driver]) => (driver.Healthy ? name : `${name} (${driver.HealthDescription})`))
          .sort()
          .join(' ') || '-',
      ],
    ]),
  )
  if (allocations.length > 0) io.out(`\n${allocationTable(allocations.map(asStub), Date.now())}`)
}

/** Members at zero are left out of whole allocations, and the version stands in their job. */
function asStub(allocation: NodeAllocation): AllocationStub {
  return { ...allocation, JobVersion: allocation.Job?.Version ?? 0 } as AllocationStub
}
