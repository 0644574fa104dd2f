/** What nodes have, what is asked of them, and what is in use. */
import { AnswerError, type Client } from './client.js'
import type { AllocatedAnswer, NodeStub, UsageAnswer } from './wire.js'

export interface Amounts {
  readonly cpuMhz: number
  readonly memoryMb: number
}

const NOTHING: Amounts = { cpuMhz: 0, memoryMb: 0 }

/** By node: the sum of what its allocations were given, of all namespaces. */
export async function readAsked(client: Client): Promise<ReadonlyMap<string, Amounts & { readonly count: number }>> {
  const rows = await client.get<readonly AllocatedAnswer[]>('/v1/allocations', { namespace: '*', resources: 'true' })
  const asked = new Map<string, Amounts & { count: number }>()
  for (const row of rows) {
    if (['complete', 'failed', 'lost'].includes(row.ClientStatus) || row.AllocatedResources == null) continue
    const known = asked.get(row.NodeID) ?? { ...NOTHING, count: 0 }
    const tasks = Object.values(row.AllocatedResources.Tasks)
    asked.set(row.NodeID, {
      cpuMhz: known.cpuMhz + tasks.reduce((sum, { Cpu }) => sum + Cpu.CpuShares, 0),
      memoryMb: known.memoryMb + tasks.reduce((sum, { Memory }) => sum + Memory.MemoryMB, 0),
      count: known.count + 1,
    })
  }
  return asked
}

/** What jobs may have of a node. */
export function capacityOf({ NodeResources, ReservedResources }: Pick<NodeStub, 'NodeResources' | 'ReservedResources'>): Amounts {
  return {
    cpuMhz: Math.max(0, (NodeResources?.Cpu.CpuShares ?? 0) - (ReservedResources?.Cpu.CpuShares ?? 0)),
    memoryMb: Math.max(0, (NodeResources?.Memory.MemoryMB ?? 0) - (ReservedResources?.Memory.MemoryMB ?? 0)),
  }
}

/** Of the whole host, as its agent measured it; undefined while the agent cannot be asked. */
export async function readUsed(nodeId: string, client: Client): Promise<Amounts | undefined> {
  try {
    const { CPUTicksConsumed, Memory } = await client.get<UsageAnswer>('/v1/client/stats', { node_id: nodeId })
    return { cpuMhz: CPUTicksConsumed, memoryMb: Memory.Used / 2 ** 20 }
  } catch (error) {
    if (error instanceof AnswerError) return undefined
    throw error
  }
}

/** `1200/4000 MHz`, `30%` */
export function share(part: number, whole: number): string {
  return whole <= 0 ? '-' : `${Math.round((100 * part) / whole)}%`
}
