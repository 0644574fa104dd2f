/** Nodes and jobs of a cluster file, from the few numbers that matter to a benchmark. */
import type { Job, Node } from '../../src/domain/index.js'
import { computeNodeClass } from '../../src/scheduler/index.js'
import { job, node, task, taskGroup, uuid } from '../../test/fixtures.js'

export interface NodeSize {
  readonly cores: number
  readonly cpuMhz: number
  readonly memoryMb: number
}

export interface Ask {
  readonly cpuMhz: number
  readonly memoryMb: number
}

/** Large enough never to decide. */
const NODE_DISK_MB = 500_000
const ASKED_DISK_MB = 100

export function makeNode(at: number, { cores, cpuMhz, memoryMb }: NodeSize, meta: Readonly<Record<string, string>>): Node {
  const base = node()
  const made = node({
    ID: uuid(at, 0xa0),
    Name: `n${at}`,
    Meta: meta,
    NodeResources: {
      ...base.NodeResources,
      Cpu: { CpuShares: cpuMhz, TotalCpuCores: cores, ReservableCpuCores: Array.from({ length: cores }, (_, core) => core) },
      Memory: { MemoryMB: memoryMb },
      Disk: { DiskMB: NODE_DISK_MB },
    },
  })
  return { ...made, ComputedClass: computeNodeClass(made) }
}

/** One group of one task. */
export function makeJob(id: string, count: number, { cpuMhz, memoryMb }: Ask, over: Partial<Job> = {}): Job {
  const resources = { ...task().Resources, CPU: cpuMhz, MemoryMB: memoryMb }
  const disk = { Sticky: false, SizeMB: ASKED_DISK_MB, Migrate: false }
  return job({
    ID: id,
    CreateIndex: 1,
    ModifyIndex: 1,
    JobModifyIndex: 1,
    TaskGroups: [taskGroup({ Count: count, Tasks: [task({ Resources: resources })], EphemeralDisk: disk })],
    ...over,
  })
}
