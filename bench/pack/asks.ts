import type { Job, Node } from '../../src/domain/index.js'

/** What both sides and the measures read of a job: one group of one task. */
export interface JobAsk {
  readonly cpuMhz: number
  readonly memoryMb: number
  readonly count: number
}

export function askOf(job: Job): JobAsk {
  const group = job.TaskGroups[0]!
  const { CPU, MemoryMB } = group.Tasks[0]!.Resources
  return { cpuMhz: CPU, memoryMb: MemoryMB, count: group.Count }
}

/** What the nodes have, as columns in the order of the nodes. */
export interface Capacity {
  readonly cpuMhz: Float64Array
  readonly memoryMb: Float64Array
}

export function capacityOf(nodes: readonly Node[]): Capacity {
  return {
    cpuMhz: Float64Array.from(nodes, ({ NodeResources }) => NodeResources.Cpu.CpuShares),
    memoryMb: Float64Array.from(nodes, ({ NodeResources }) => NodeResources.Memory.MemoryMB),
  }
}
